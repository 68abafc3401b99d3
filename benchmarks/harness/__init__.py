"""What benchmarks/measure.py is made of."""
