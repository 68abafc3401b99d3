#include "tests/support/gpu_emulator.hpp"

#include <ebb/cuda.cuh>

#include "tests/support/catch.hpp"

using namespace ebb;

// As tests/ops/empty_batch.cpp has it: a grid of no blocks would be an error.
TEST_CASE("cuda: a batch of no images passes through") {
  using Images = Tensor<float, 4, Cuda>;
  const Images x(Shape{0, 4, 4, 4}), w = Images::ones({4, 4, 3, 3});
  const auto bias = Tensor<float, 1, Cuda>::ones({4});
  Tape tape;
  const auto v = tape.watch(x), weight = tape.watch(w);
  const auto b = tape.watch(bias);
  const auto convolved = conv_transpose2d(conv2d(v, weight, b, {.padding = 1}), weight, b);
  const auto normed = group_norm(batch_norm(convolved, {}, {}, b, b), 2, b, b);
  const auto pooled = max_pool2d(upsample_nearest2d(avg_pool2d(normed, 2), Scale2{2}), 2);
  const auto logits = flatten(global_avg_pool2d(upsample_bilinear2d(pooled, Size2{5, 5})));
  CHECK(logits.shape() == Shape{0, 4});
  const Tensor<int, 1, Cuda> labels(Shape<1>{0});
  backward(cross_entropy(logits, labels, {.reduction = Reduction::sum}) +
           mse_loss(logits, Tensor<float, 2, Cuda>(Shape{0, 4}), Reduction::sum));
  CHECK(v.grad().shape() == x.shape());
  CHECK(weight.grad().values() == std::vector<float>(144, 0.0f));
  CHECK(b.grad().values() == std::vector<float>(4, 0.0f));
  CHECK(std::isnan(cross_entropy(logits.value(), labels).item()));
  CHECK(std::isnan(variance(logits.value()).item()));
  for (const float of_none : variance(logits.value(), 0).values()) CHECK(std::isnan(of_none));
}
