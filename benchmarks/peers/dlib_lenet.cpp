// LeNet-5 (benchmarks/networks/lenet5.hpp) in dlib: bench_dlib_lenet BATCH SECONDS. dlib computes
// its convolutions on one thread and its products by the BLAS it was built with.

#include "benchmarks/clock.hpp"

#include <dlib/dnn.h>

#include <cstdlib>

namespace {

using namespace dlib;

template <long n, class Below>
using conv5 = add_layer<con_<n, 5, 5, 1, 1, 0, 0>, Below>;
template <class Below>
using first = add_layer<con_<6, 5, 5, 1, 1, 2, 2>, Below>;

using Net = loss_multiclass_log<fc<
    10,
    relu<fc<
        84,
        relu<fc<120, max_pool<2, 2, 2, 2,
                              relu<conv5<16, max_pool<2, 2, 2, 2,
                                                      relu<first<input<matrix<float>>>>>>>>>>>>>>;

}  // namespace

int main(int count, char** words) {
  if (count != 3) {
    std::fprintf(stderr, "usage: %s BATCH SECONDS\n", words[0]);
    return 2;
  }
  const auto batch = static_cast<std::size_t>(std::atol(words[1]));
  std::vector<matrix<float>> images(batch, matrix<float>(28, 28));
  std::vector<unsigned long> labels(batch);
  for (std::size_t i = 0; i < batch; ++i) {
    labels[i] = i % 10;
    for (long p = 0; p < 784; ++p)
      images[i](p / 28, p % 28) = static_cast<float>(p * 31 % 101) / 101;
  }
  Net net;
  resizable_tensor x;
  net.to_tensor(images.begin(), images.end(), x);
  std::vector<sgd> solvers(Net::num_computational_layers, sgd(0, 0));
  const double rate = bench::rate(std::atof(words[2]), 2, [&] {
    net.compute_loss(x, labels.begin());
    net.back_propagate_error(x);
    net.update_parameters(solvers, 0.01);
  });
  std::printf("{\"images_per_s\": %.2f, \"peak_mib\": %.1f}\n", rate * static_cast<double>(batch),
              bench::peak_memory());
}
