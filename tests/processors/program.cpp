// Trains some networks for a few steps and prints what their weights come to, to the bit: the same
// on every processor whose compiler leaves products and sums apart (-ffp-contract=off).
#include <ebb/ebb.hpp>
#include <ebb/models/medical_cnn.hpp>
#include <ebb/models/unet.hpp>

#include <cstdio>

#include "benchmarks/networks/cnn.hpp"
#include "tests/support/digest.hpp"
#include "tests/support/random.hpp"

namespace {

template <class Net, class Labels>
void train(const char* name, Net net, const ebb::Tensor<float, 4>& images, const Labels& labels) {
  ebb::optim::Optimizer opt(net, ebb::optim::Adam{.lr = 1e-3});
  ebb::nn::train(net);
  for (int step = 0; step < 2; ++step) {
    ebb::Tape tape;
    const auto loss = cross_entropy(net(tape.input(images)), labels);
    opt.zero_grad();
    backward(loss);
    opt.step();
  }
  std::printf("%s %s\n", name, ebb::test::digest(net).c_str());
}

}  // namespace

int main() {
  using namespace ebb;
  set_isa(Isa::portable);
  manual_seed(7);
  const auto digits = test::random<float>(Shape{6, 1, 28, 28});
  const Tensor<int, 1> classes({6}, {0, 1, 2, 0, 1, 2});
  train("cnn", bench::Cnn<>{}, digits, classes);
  train("medical_cnn", models::MedicalCnn<>({.channels = 1, .classes = 3, .width = 12}), digits,
        classes);
  Tensor<int, 3> inside(Shape{6, 24, 24});
  for (Index i = 0; i < inside.size(); ++i) inside.mutable_data()[i] = static_cast<int>(i % 2);
  train("unet", models::UNet<>({.channels = 1, .classes = 2, .base = 6, .depth = 2}),
        test::random<float>(Shape{6, 1, 24, 24}), inside);
}
