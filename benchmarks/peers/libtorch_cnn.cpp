// The tutorial's CNN by LibTorch, PyTorch's C++ interface, without Python in the loop:
//
//   bench_libtorch_cnn train|infer BATCH THREADS SECONDS
//
// The same work as `bench_networks cnn`. benchmarks/harness/libtorch.py compiles it against the
// PyTorch that the benchmarks use.

#include "benchmarks/clock.hpp"

#include <torch/torch.h>

#include <cstdlib>
#include <string>

namespace {

namespace nn = torch::nn;

struct Cnn : nn::Module {
  nn::Conv2d conv1{nn::Conv2dOptions(1, 16, 3).padding(1)};
  nn::Conv2d conv2{nn::Conv2dOptions(16, 32, 3).padding(1)};
  nn::Linear fc1{32 * 28 * 28, 64}, fc2{64, 10};

  Cnn() {
    register_module("conv1", conv1);
    register_module("conv2", conv2);
    register_module("fc1", fc1);
    register_module("fc2", fc2);
  }
  torch::Tensor forward(const torch::Tensor& x) {
    const auto features = torch::relu(conv2(torch::relu(conv1(x))));
    return fc2(torch::relu(fc1(torch::flatten(features, 1))));
  }
};

}  // namespace

int main(int count, char** words) {
  if (count != 5) {
    std::fprintf(stderr, "usage: %s train|infer BATCH THREADS SECONDS\n", words[0]);
    return 2;
  }
  const bool training = std::string(words[1]) == "train";
  const long batch = std::atol(words[2]);
  const double seconds = std::atof(words[4]);
  torch::set_num_threads(std::atoi(words[3]));

  // The images and labels of benchmarks/train/networks.cpp.
  const auto images = ((torch::arange(batch * 28 * 28) * 7919 % 1009).to(torch::kFloat) / 1009)
                          .reshape({batch, 1, 28, 28});
  const auto labels = torch::arange(batch) * 31 % 10;
  Cnn net;
  double rate = 0;
  if (training) {
    torch::optim::SGD optimizer(net.parameters(), 0.01);
    rate = bench::rate(seconds, 2, [&] {
      optimizer.zero_grad();
      torch::nn::functional::cross_entropy(net.forward(images), labels).backward();
      optimizer.step();
    });
  } else {
    net.eval();
    const c10::InferenceMode guard;
    rate = bench::rate(seconds, 2, [&] { net.forward(images); });
  }
  std::printf("{\"images_per_s\": %.2f, \"peak_mib\": %.1f}\n", rate * static_cast<double>(batch),
              bench::peak_memory());
}
