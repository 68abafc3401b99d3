// The work of benchmarks/kernels/products.cpp by another library: peer_products THREADS SECONDS.
// Compiled once with OpenBLAS (EBB_WITH_OPENBLAS) and once with Eigen.

#include "benchmarks/clock.hpp"
#include "benchmarks/kernels/shapes.hpp"

#if defined(EBB_WITH_OPENBLAS)
#  include <cblas.h>
#else
#  include <Eigen/Core>
#endif

#include <cstdlib>

namespace {

#if defined(EBB_WITH_OPENBLAS)
void product(const bench::GemmShape& s, const float* a, const float* b, float* c) {
  const auto flag = [](bool transposed) { return transposed ? CblasTrans : CblasNoTrans; };
  const auto number = [](long value) { return static_cast<int>(value); };
  cblas_sgemm(CblasRowMajor, flag(s.transposed_a), flag(s.transposed_b), number(s.m), number(s.n),
              number(s.k), 1.0f, a, number(s.transposed_a ? s.m : s.k), b,
              number(s.transposed_b ? s.k : s.n), 0.0f, c, number(s.n));
}
#else
void product(const bench::GemmShape& s, const float* a, const float* b, float* c) {
  using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  using In = Eigen::Map<const Matrix>;
  Eigen::Map<Matrix> y(c, s.m, s.n);
  if (s.transposed_a)
    y.noalias() = In(a, s.k, s.m).transpose() * In(b, s.k, s.n);
  else if (s.transposed_b)
    y.noalias() = In(a, s.m, s.k) * In(b, s.n, s.k).transpose();
  else
    y.noalias() = In(a, s.m, s.k) * In(b, s.k, s.n);
}
#endif

std::vector<float> numbers(long count) {
  std::vector<float> x(static_cast<std::size_t>(count));
  for (long i = 0; i < count; ++i)
    x[static_cast<std::size_t>(i)] = static_cast<float>(i * 7919 % 1009) / 1009.0f - 0.5f;
  return x;
}

}  // namespace

int main(int count, char** words) {
  if (count != 3) {
    std::fprintf(stderr, "usage: %s THREADS SECONDS\n", words[0]);
    return 2;
  }
#if defined(EBB_WITH_OPENBLAS)
  openblas_set_num_threads(std::atoi(words[1]));
#else
  Eigen::setNbThreads(std::atoi(words[1]));
#endif
  const char* before = "{";
  for (const auto& s : bench::gemm_shapes) {
    const auto a = numbers(s.m * s.k), b = numbers(s.k * s.n);
    auto c = numbers(s.m * s.n);
    const double time =
        bench::median_time(std::atof(words[2]), [&] { product(s, a.data(), b.data(), c.data()); });
    std::printf("%s\"%s\": {\"seconds\": %.4g}", before, s.name, time);
    before = ",\n ";
  }
  std::puts("}");
}
