// Training gives the same bits on AVX2 and on AVX-512: every sum has the same order whatever the
// width of registers. And on any machine: the weights after some steps are pinned.
#include <ebb/ebb.hpp>
#include <ebb/models/medical_cnn.hpp>
#include <ebb/models/resnet.hpp>
#include <ebb/models/unet.hpp>

#include "benchmarks/networks/cnn.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/digest.hpp"
#include "tests/support/random.hpp"
#include "tests/support/switches.hpp"

using namespace ebb;
using namespace ebb::test;

namespace {

/// The weights of a new network after some steps.
template <class Make, class Labels>
std::string trained(Isa isa, const Make& make, const Tensor<float, 4>& images,
                    const Labels& labels) {
  const OnlyIsa only(isa);
  manual_seed(7);
  auto net = make();
  nn::train(net);
  optim::Optimizer opt(net, optim::Adam{.lr = 1e-3});
  for (int step = 0; step < 3; ++step) {
    Tape tape;
    const auto loss = cross_entropy(net(tape.input(images)), labels);
    opt.zero_grad();
    backward(loss);
    opt.step();
  }
  return digest(net);
}

Tensor<int, 1> classes(Index n) {
  Tensor<int, 1> labels(Shape<1>{n});
  for (Index i = 0; i < n; ++i) labels.mutable_data()[i] = static_cast<int>(i % 3);
  return labels;
}

}  // namespace

TEST_CASE("networks train to the same bits on AVX2 and on AVX-512", "[training][isa]") {
  if (!supports(Isa::avx512)) {
    WARN("skipped: this processor has no AVX-512");
    return;
  }
  const auto same = [](const auto& make, const auto& images, const auto& labels) {
    CHECK(trained(Isa::avx2, make, images, labels) == trained(Isa::avx512, make, images, labels));
  };
  for (const Index batch : {1, 5, 16}) {
    INFO("batch " << batch);
    const auto digits = random<float>(Shape{batch, 1, 28, 28});
    same([] { return bench::Cnn<>{}; }, digits, classes(batch));
    same([] { return models::MedicalCnn<>({.classes = 3, .width = 12}); }, digits, classes(batch));
    same(
        [] {
          return models::ResNet18<>(
              {.channels = 1, .classes = 3, .small_images = true, .width = 8});
        },
        random<float>(Shape{batch, 1, 16, 16}), classes(batch));
    Tensor<int, 3> inside(Shape{batch, 24, 24});
    for (Index i = 0; i < inside.size(); ++i) inside.mutable_data()[i] = static_cast<int>(i % 2);
    same([] { return models::UNet<>({.channels = 1, .classes = 2, .base = 6, .depth = 2}); },
         random<float>(Shape{batch, 1, 24, 24}), inside);
  }
}

// Which products and sums become one instruction is the compiler's choice, so that other compilers'
// bits may be others: this one is g++ 12. Sanitizers compile some loops for portable processors
// alone.
TEST_CASE("the tutorial's CNN trains to pinned bits", "[training][isa]") {
#if EBB_WIDE_LOOPS && defined(__OPTIMIZE__) && !defined(__clang__) && __GNUC__ == 12
  const auto images = random<float>(Shape{8, 1, 28, 28});
  for (const Isa isa : {Isa::avx2, Isa::avx512}) {
    if (!supports(isa)) continue;
    INFO(to_string(isa));
    CHECK(trained(
              isa, [] { return bench::Cnn<>{}; }, images, classes(8)) == "357c6cb3ad509ef6");
  }
#else
  WARN("skipped: pinned for g++ 12 alone");
#endif
}
