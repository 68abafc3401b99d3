// Seconds of matrix products: bench_products THREADS SECONDS. The peers are
// benchmarks/peers/products.cpp and benchmarks/peers/onednn/onednn_kernels.cpp.

#include "benchmarks/clock.hpp"
#include "benchmarks/kernels/shapes.hpp"

#include <ebb/ebb.hpp>

#include <cstdlib>

namespace {

using namespace ebb;

Tensor<float, 2> random(Index rows, Index columns, bool transposed) {
  const Tensor<float, 2> x(transposed ? Shape<2>{columns, rows} : Shape<2>{rows, columns});
  nn::init::uniform(x, -1, 1);
  return x;
}

}  // namespace

int main(int count, char** words) {
  if (count != 3) {
    std::fprintf(stderr, "usage: %s THREADS SECONDS\n", words[0]);
    return 2;
  }
  set_num_threads(std::atoi(words[1]));
  const char* before = "{";
  for (const auto& s : bench::gemm_shapes) {
    const auto a = random(s.m, s.k, s.transposed_a), b = random(s.k, s.n, s.transposed_b);
    const Shape<2> shape{s.m, s.n};
    Tensor<float, 2> c(shape);
    const double time = bench::median_time(std::atof(words[2]), [&] {
      gemm(Cpu{}, {.a = s.transposed_a, .b = s.transposed_b}, a.view(), b.view(),
           Into<float, 2>{c.mutable_data(), shape, false});
    });
    std::printf("%s\"%s\": {\"flops\": %.0f, \"bytes\": %.0f, \"seconds\": %.4g}", before, s.name,
                s.flops(), s.bytes(), time);
    before = ",\n ";
  }
  std::puts("}");
}
