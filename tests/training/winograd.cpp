#include <ebb/ebb.hpp>
#include <ebb/models/resnet.hpp>

#include <cmath>

#include "benchmarks/networks/cnn.hpp"
#include "benchmarks/networks/unet.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/random.hpp"

using namespace ebb;
using namespace ebb::test;

namespace {

/// Noisy images with one bright square each, whose place is the class: one of 2 x 2, or every pixel
/// of it.
struct Squares {
  Tensor<float, 4> images;
  Tensor<int, 1> place;
  Tensor<int, 3> inside;

  Squares(Index count, Index size)
      : images(random<float>(Shape{count, Index{1}, size, size}, 3, -0.5, 0.5)),
        place(Shape<1>{count}),
        inside(Tensor<int, 3>::zeros(Shape{count, size, size})) {
    const Index half = size / 2, side = size / 4;
    for (Index n = 0; n < count; ++n) {
      const Index at = n * 7 % 4, top = at / 2 * half + n % 3, left = at % 2 * half + n % 5;
      place.mutable_data()[n] = static_cast<int>(at);
      for (Index h = top; h < top + side; ++h)
        for (Index w = left; w < left + side; ++w) {
          images.mutable_data()[(n * size + h) * size + w] += 1.0f;
          inside.mutable_data()[(n * size + h) * size + w] = 1;
        }
    }
  }
};

/// The losses of some steps of training, by one algorithm wherever it applies.
template <class Net, class Labels>
std::vector<double> losses(ConvAlgorithm algorithm, int steps, double lr,
                           const Tensor<float, 4>& images, const Labels& labels) {
  struct Only {
    explicit Only(ConvAlgorithm a) { set_conv2d_algorithm(a); }
    Only(const Only&) = delete;
    Only& operator=(const Only&) = delete;
    ~Only() { reset_conv2d_algorithm(); }
  } const only(algorithm);
  manual_seed(1);
  Net net;
  optim::Optimizer opt(net, optim::Sgd{.lr = lr, .momentum = 0.9});
  std::vector<double> found;
  for (int step = 0; step < steps; ++step) {
    Tape tape;
    const auto loss = cross_entropy(net(tape.input(images)), labels);
    opt.zero_grad();
    backward(loss);
    opt.step();
    found.push_back(static_cast<double>(loss.item()));
  }
  return found;
}

struct SmallResNet18 : models::ResNet18<> {
  SmallResNet18() : models::ResNet18<>({.channels = 1, .classes = 10, .small_images = true}) {}
};

/// Winograd's rounding must not change how training goes: the losses stay within `apart` of those
/// of direct convolutions, relative to the first, and end below `end` of it.
template <class Net, class Labels>
void check_alike(int steps, double lr, double end, double apart, const Tensor<float, 4>& images,
                 const Labels& labels) {
  const auto direct = losses<Net>(ConvAlgorithm::direct, steps, lr, images, labels);
  const auto winograd = losses<Net>(ConvAlgorithm::winograd, steps, lr, images, labels);
  CHECK(direct.back() < end * direct.front());
  CHECK(winograd.back() < end * winograd.front());
  CHECK(winograd != direct);  // it was another algorithm
  for (std::size_t i = 0; i < direct.size(); ++i) {
    INFO("step " << i << ": direct " << direct[i] << ", Winograd " << winograd[i]);
    CHECK(std::abs(winograd[i] - direct[i]) < apart * direct.front());
  }
}

}  // namespace

TEST_CASE("the tutorial's CNN trains alike with and without Winograd's algorithm",
          "[training][conv2d]") {
  const Squares data(8, 28);
  check_alike<bench::Cnn<>>(12, 0.01, 0.5, 1e-4, data.images, data.place);
}

TEST_CASE("ResNet-18 trains alike with and without Winograd's algorithm", "[training][conv2d]") {
  const Squares data(4, 16);
  check_alike<SmallResNet18>(3, 0.005, 0.8, 1e-3, data.images, data.place);
}

TEST_CASE("a U-Net trains alike with and without Winograd's algorithm", "[training][conv2d]") {
  const Squares data(2, 16);
  check_alike<bench::UNet>(20, 0.05, 0.8, 1e-4, data.images, data.inside);
}
