// benchmarks/cuda/operations.cu in the emulator.

#include "tests/cuda/programs/emulated.hpp"

#define main benchmark
#include "benchmarks/cuda/operations.cu"
#undef main

int main(int count, char** words) {
  choose_gpus();
  return benchmark(count, words);
}
