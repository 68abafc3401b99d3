// LeNet-5 (benchmarks/networks/lenet5.hpp) in tiny-dnn: bench_tiny_dnn_lenet BATCH THREADS SECONDS.

#include "benchmarks/clock.hpp"

#define CNN_USE_OMP
#include <tiny_dnn/tiny_dnn.h>

#include <omp.h>

#include <cstdlib>

int main(int count, char** words) {
  if (count != 4) {
    std::fprintf(stderr, "usage: %s BATCH THREADS SECONDS\n", words[0]);
    return 2;
  }
  using namespace tiny_dnn;
  using conv = convolutional_layer<activation::relu>;
  using pool = max_pooling_layer<activation::identity>;
  using dense = fully_connected_layer<activation::relu>;
  using last = fully_connected_layer<activation::identity>;
  const auto batch = static_cast<std::size_t>(std::atol(words[1]));
  omp_set_num_threads(std::atoi(words[2]));
  network<sequential> net;
  net << conv(28, 28, 5, 1, 6, padding::same) << pool(28, 28, 6, 2) << conv(14, 14, 5, 6, 16)
      << pool(10, 10, 16, 2) << dense(400, 120) << dense(120, 84) << last(84, 10);

  std::vector<vec_t> images(batch, vec_t(784));
  std::vector<label_t> labels(batch);
  for (std::size_t i = 0; i < batch; ++i) {
    labels[i] = i % 10;
    for (std::size_t p = 0; p < 784; ++p) images[i][p] = static_cast<float>(p * 31 % 101) / 101;
  }
  gradient_descent rule;
  rule.alpha = 0.01f;
  const auto nothing = [] {};
  const double rate = bench::rate(std::atof(words[3]), 1, [&] {
    net.train<mse>(rule, images, labels, batch, 1, nothing, nothing, false, std::atoi(words[2]));
  });
  std::printf("{\"images_per_s\": %.2f, \"peak_mib\": %.1f}\n", rate * static_cast<double>(batch),
              bench::peak_memory());
}
