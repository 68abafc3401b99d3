// Gradient checkpointing of the U-Net's blocks. Its numbers are in tests/parity/models.cpp, what
// the processes of whole runs take in benchmarks/train/unet_memory.cpp.

#include <ebb/models/unet.hpp>
#include <ebb/nn/dropout.hpp>
#include <ebb/ops/loss/cross_entropy.hpp>
#include <ebb/tape/backward.hpp>

#include "tests/support/random.hpp"
#include "tests/support/tensors.hpp"

using namespace ebb;

namespace {

/// What a training step leaves behind.
struct Outcome {
  std::vector<float> image_gradient, parameter_gradients, state;
  float loss = 0;
  std::size_t most = 0;  ///< bytes held at most, about: at the end of the forward pass
  bool operator==(const Outcome& other) const {
    return image_gradient == other.image_gradient && loss == other.loss &&
           parameter_gradients == other.parameter_gradients && state == other.state;
  }
};

Outcome step(bool checkpointed, bool batch_norm, Index size, Index base, int depth) {
  manual_seed(7);
  const models::UNet<> net(
      {.base = base, .depth = depth, .batch_norm = batch_norm, .checkpoint = checkpointed});
  const nn::Dropout<> dropout(0.3);
  const auto before = Cpu::stats().bytes_in_use;
  Tape tape;
  const auto x = tape.watch(test::random<float>(Shape{2, 1, size, size}));
  const auto loss = cross_entropy(dropout(net(x)), Tensor<int, 3>::zeros({Index{2}, size, size}));
  Outcome result;
  result.most = Cpu::stats().bytes_in_use - before;
  backward(loss);
  result.loss = loss.item();
  result.image_gradient = x.grad().values();
  nn::visit_parameters(net, [&](const std::string&, const auto& p) {
    const auto g = p.grad().values();
    result.parameter_gradients.insert(result.parameter_gradients.end(), g.begin(), g.end());
  });
  nn::visit_state(net, [&](const std::string&, const auto& part) {
    for (const auto v : part.value().values()) result.state.push_back(static_cast<float>(v));
  });
  return result;
}

}  // namespace

TEST_CASE("a U-Net of checkpointed blocks learns the same bits") {
  for (const bool batch_norm : {true, false}) {
    const Outcome plain = step(false, batch_norm, 16, 3, 2),
                  saving = step(true, batch_norm, 16, 3, 2);
    CHECK(plain == saving);  // running statistics among them: they moved once
    double most = 0;
    for (const float g : plain.parameter_gradients) most = std::fmax(most, std::fabs(g));
    CHECK(most > 0);
  }
}

TEST_CASE("a U-Net of checkpointed blocks holds a third of the memory until backward") {
  const Outcome plain = step(false, true, 64, 8, 3), saving = step(true, true, 64, 8, 3);
  CHECK(plain == saving);
  INFO(plain.most << " and " << saving.most);
  CHECK(saving.most < plain.most * 2 / 5);
}

TEST_CASE("a U-Net's reach is how far its logits look") {
  for (const int depth : {1, 2}) {
    manual_seed(2);
    const models::UNet<double> net({.base = 2, .depth = depth, .batch_norm = false});
    const Index unit = Index{1} << depth, size = 16 * unit, reach = net.reach();
    Index most = 0;
    for (Index at = size / 2; at < size / 2 + unit; ++at) {  // every place in a group of pixels
      Tape tape;
      // Larger than the biases, so that few rectifiers are shut.
      const auto x = tape.watch(test::random<double>(Shape{1, 1, size, size}, 1, -3, 3));
      auto one = Tensor<double, 4>::zeros({1, 2, size, size});
      one(0, 0, at, at) = 1;
      backward(net(x), one);
      for (Index i = 0; i < size; ++i)
        for (Index j = 0; j < size; ++j)
          if (x.grad()(0, 0, i, j) != 0)
            most = std::max({most, std::abs(i - at), std::abs(j - at)});
    }
    CHECK(most <= reach);
    CHECK(most >= reach - unit);  // and no further than it must
  }
}
