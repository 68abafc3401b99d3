// What a small network looked at, beside PyTorch in double: tests/oracle/explain.py.

#include "follow.hpp"

#include "tests/support/tensors.hpp"

#include <ebb/explain.hpp>
#include <ebb/models/medical_cnn.hpp>

using namespace ebb;

namespace {

nlohmann::json read() {
  const std::string here = __FILE__;
  std::ifstream stream(here.substr(0, here.rfind("parity/explain.cpp")) +
                       "oracle/fixtures/explain.json");
  REQUIRE(stream.is_open());
  return nlohmann::json::parse(stream);
}

/// The largest difference, relative to the largest number expected.
double off(const std::vector<double>& values, const nlohmann::json& record) {
  const std::vector<double> expected = record;
  if (values.size() != expected.size()) return INFINITY;
  double most = 0, scale = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    most = std::max(most, std::abs(values[i] - expected[i]));
    scale = std::max(scale, std::abs(expected[i]));
  }
  return scale > 0 ? most / scale : INFINITY;
}

}  // namespace

TEST_CASE("PyTorch parity: explanations") {
  const nlohmann::json record = read();
  models::MedicalCnn<double> net({.channels = 2, .classes = 3, .width = 3});
  const std::uint64_t seed = record["seed"];
  parity::fill(net, seed);
  nn::visit_parameters(net, []<class Tens>(const std::string&, Param<Tens>& p) {
    if constexpr (Tens::rank == 4) p.set(p.value() * 6.0);
  });
  const Tensor<double, 4> x = parity::PlainData{{seed, 0}}.input(Shape{2, 2, 12, 12});
  const std::vector<int> classes = record["targets"];
  const auto targets = Tensor<int, 1>::from({2}, classes);

  CHECK(off(explain::target_scores(net, x, targets), record["scores"]) <= 1e-12);
  CHECK(off(explain::input_gradient(net, x, targets).values(), record["gradient"]) <= 1e-12);
  CHECK(off(explain::saliency(net, x, targets).values(), record["saliency"]) <= 1e-12);
  CHECK(off(explain::smooth_grad(net, x, targets, {.samples = 8, .random = {seed, 7}}).values(),
            record["smooth_grad"]) <= 1e-10);
  const auto baseline = Tensor<double, 4>::full(x.shape(), 0.25);
  CHECK(off(explain::integrated_gradients(net, x, targets, baseline, 20).values(),
            record["integrated"]) <= 1e-12);
  for (const char* part : {"block2", "block4", "block5"})
    CHECK(off(explain::grad_cam(net, x, targets, part).values(),
              record[std::string("grad_cam ") + part]) <= 1e-12);
  CHECK(off(explain::occlusion(net, x, targets, {.size = {5, 4}, .stride = {3, 2}, .value = 0.5})
                .values(),
            record["occlusion"]) <= 1e-12);

  // The network is as it was: no gradient, trainable, and batch norm of no fixed mode.
  nn::visit_parameters(net, [](const std::string&, const auto& p) {
    CHECK_FALSE(p.grad().defined());
    CHECK(p.trainable());
  });
  CHECK(net.block1.bn.mode == nn::Mode::automatic);
}
