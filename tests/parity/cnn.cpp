// The tutorial's CNN in float beside PyTorch, from the same weights on the same 200 batches:
// tests/oracle/cnn.py.

#include "follow.hpp"

#include <ebb/nn/conv2d.hpp>
#include <ebb/nn/linear.hpp>
#include <ebb/ops/ops.hpp>
#include <ebb/optim/adam.hpp>

using namespace ebb;

namespace {

/// The tutorial's network.
struct Cnn {
  nn::Conv2d<> conv1{1, 16, 3, {.padding = 1}};
  nn::Conv2d<> conv2{16, 32, 3, {.padding = 1}};
  nn::Linear<> fc1{32 * 28 * 28, 64};
  nn::Linear<> fc2{64, 10};

  template <class X>
  auto operator()(const X& x) const {
    return fc2(relu(fc1(flatten(relu(conv2(relu(conv1(x))))))));
  }
  static void visit(auto& self, auto&& f) {
    f("conv1", self.conv1);
    f("conv2", self.conv2);
    f("fc1", self.fc1);
    f("fc2", self.fc2);
  }
};

/// The images and labels of tests/oracle/cnn.py, batch by batch.
struct Generated {
  std::uint64_t seed;
  Index batch;
  double contrast, scale;
  Index redrawn_every;

  RandomStream patterns() const { return {seed, 1}; }
  RandomStream noise() const { return {seed, 2}; }
  RandomStream labels() const { return {seed, 3}; }
  RandomStream redrawn() const { return {seed, 4}; }

  Tensor<float, 4> images_of(Index step) const {
    constexpr Index pixels = 28 * 28;
    std::vector<float> values;
    for (Index i = step * batch; i < (step + 1) * batch; ++i) {
      const Index label = labels().below(10, static_cast<std::uint64_t>(i));
      for (Index p = 0; p < pixels; ++p) {
        const double pattern =
            patterns().uniform<double>(static_cast<std::uint64_t>(label * pixels + p));
        const double u = noise().uniform<double>(static_cast<std::uint64_t>(i * pixels + p));
        values.push_back(
            static_cast<float>(scale * (contrast * (pattern - 0.5) + (1 - contrast) * (u - 0.5))));
      }
    }
    return Tensor<float, 4>::from({batch, 1, 28, 28}, values);
  }

  Tensor<int, 1> labels_of(Index step) const {
    std::vector<int> values;
    for (Index i = step * batch; i < (step + 1) * batch; ++i) {
      const bool anew = i % redrawn_every == redrawn_every - 1;
      const RandomStream stream = anew ? redrawn() : labels();
      values.push_back(static_cast<int>(stream.below(10, static_cast<std::uint64_t>(i))));
    }
    return Tensor<int, 1>::from({batch}, values);
  }
};

template <class Rule>
void follow_cnn(const nlohmann::json& record, const std::string& name, Rule rule) {
  const Generated data{record["seed"], record["batch"], record["contrast"], record[name]["scale"],
                       record["redrawn_every"]};
  rule.lr = record[name]["lr"];
  const std::vector<double> expected = record[name]["loss"];
  const double rounding = record[name]["rounding"];

  Cnn net;
  std::uint64_t number = 0;
  nn::visit_parameters(net, [&]<class Tens>(const std::string&, Param<Tens>& p) {
    const RandomStream stream{data.seed, parity::parameters_from + number++};
    const double bound =
        Tens::rank < 2 ? 0.05 : 1 / std::sqrt(static_cast<double>(p.size() / p.shape()[0]));
    std::vector<float> values;
    for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(p.size()); ++i)
      values.push_back(static_cast<float>((2 * stream.uniform<double>(i) - 1) * bound));
    p.set(Tens::from(p.shape(), values));
  });

  optim::Optimizer opt(net, rule);
  double worst = 0;
  std::size_t worst_step = 0;
  for (std::size_t step = 0; step < expected.size(); ++step) {
    Tape tape;
    opt.zero_grad();
    const auto at = static_cast<Index>(step);
    const auto loss = cross_entropy(net(tape.input(data.images_of(at))), data.labels_of(at));
    backward(loss);
    opt.step();
    const double error = parity::relative(static_cast<double>(loss.item()), expected[step]);
    if (!(error <= worst)) {
      worst = error;
      worst_step = step;
    }
  }
  WARN(name << ": over " << expected.size() << " batches the loss is within " << worst
            << " of PyTorch's (largest at step " << worst_step
            << "); PyTorch's own float and double differ by " << rounding);
  CHECK(worst <= 1e-4);
}

nlohmann::json record() {
  const std::string here = __FILE__;
  std::ifstream stream(here.substr(0, here.rfind("parity/cnn.cpp")) + "oracle/fixtures/cnn.json");
  REQUIRE(stream.is_open());
  return nlohmann::json::parse(stream);
}

}  // namespace

TEST_CASE("PyTorch parity: the tutorial's CNN by SGD with momentum") {
  follow_cnn(record(), "sgd", optim::Sgd{.momentum = 0.9});
}

TEST_CASE("PyTorch parity: the tutorial's CNN by Adam") {
  follow_cnn(record(), "adam", optim::Adam{});
}
