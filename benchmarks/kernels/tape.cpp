// What the tape costs: bench_tape SECONDS. Nanoseconds of recording and reversing an operation on
// scalars, the operation included, and the bytes it holds meanwhile, its value's buffer included.

#include "benchmarks/clock.hpp"

#include <ebb/ebb.hpp>

#include <cstdlib>

int main(int count, char** words) {
  if (count != 2) {
    std::fprintf(stderr, "usage: %s SECONDS\n", words[0]);
    return 2;
  }
  using namespace ebb;
  set_num_threads(1);
  constexpr int operations = 1000;
  const auto one = Tensor<float, 0>::ones(Shape<0>{});
  double bytes = 0;
  const auto time_of = [&](auto operation) {
    return 1e9 / operations * bench::median_time(std::atof(words[1]), [&] {
             const auto before = Cpu::stats().bytes_in_use;
             Tape tape;
             auto x = tape.watch(one);
             for (int i = 0; i < operations; ++i) x = operation(x);
             bytes = static_cast<double>(Cpu::stats().bytes_in_use - before) / operations;
             backward(x);
           });
  };
  const double unary = time_of([](const auto& x) { return sin(x); });
  const double unary_bytes = bytes;
  const double binary = time_of([](const auto& x) { return x * x; });
  std::printf(
      "{\"sin\": {\"ns\": %.1f, \"bytes\": %.0f}, \"x * x\": {\"ns\": %.1f, \"bytes\": %.0f}}\n",
      unary, unary_bytes, binary, bytes);
}
