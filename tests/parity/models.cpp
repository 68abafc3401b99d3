// ResNet-18 and U-Net through 20 steps of training, and every part of the other models going
// forward, beside PyTorch in double: tests/oracle/models.py.

#include "follow.hpp"

#include <ebb/models.hpp>

using namespace ebb;
using namespace parity;

namespace {

/// As `follow`, for networks in float: each loss, gradient and trained tensor to 1e-4.
template <class Net, class Loss>
void follow_in_float(Fixture& fixture, const std::string& name, Net net, Loss loss_of) {
  INFO("case " << name << " in float");
  const nlohmann::json& record = fixture.take(name);
  const std::uint64_t seed = record["seed"];
  const std::vector<double> expected = record["loss"];
  fill_as<float>(net, seed);
  optim::Optimizer optimizer(net, optim::Sgd{.lr = 0.02});
  const auto close = [](const auto& values, const nlohmann::json& sums) {
    double sum = 0, squares = 0;
    for (const float v : values) {
      sum += static_cast<double>(v);
      squares += static_cast<double>(v) * static_cast<double>(v);
    }
    const double norm = std::sqrt(sums["squares"].get<double>());
    const double scale = norm * std::sqrt(static_cast<double>(values.size())) + 1e-6;
    return std::max(std::abs(sum - sums["sum"].get<double>()) / scale,
                    std::abs(std::sqrt(squares) - norm) / (norm + 1e-6));
  };
  double worst_loss = 0, worst_gradient = 0, worst_state = 0;
  for (std::size_t step = 0; step < expected.size(); ++step) {
    Tape tape;
    optimizer.zero_grad();
    const auto loss = loss_of(net, TapedData{{seed, step}, &tape});
    backward(loss);
    if (step == 0)
      nn::visit_parameters(net, [&](const std::string& path, const auto& p) {
        worst_gradient =
            std::max(worst_gradient, close(p.grad().values(), record["first_gradient"].at(path)));
      });
    optimizer.step();
    worst_loss = std::max(worst_loss, relative(static_cast<double>(loss.item()), expected[step]));
  }
  nn::visit_parameters(net, [&](const std::string& path, const auto& p) {
    worst_state = std::max(worst_state, close(p.value().values(), record["state"].at(path)));
  });
  WARN(name << " in float: losses within " << worst_loss << ", first gradients within "
            << worst_gradient << ", trained parameters within " << worst_state);
  CHECK(worst_loss <= 1e-4);
  CHECK(worst_gradient <= 1e-4);
  CHECK(worst_state <= 1e-4);
}

/// Every part's result, going forward.
struct Compare {
  const nlohmann::json& parts;
  std::size_t seen = 0;

  template <Operand X>
  void operator()(std::string_view name, const X& y) {
    INFO("part " << name);
    ++seen;
    REQUIRE(parts.contains(std::string(name)));
    CHECK(compare_sums(value(y).values(), parts.at(std::string(name))) == "");
  }
};

template <class Net>
void check_forward(const std::string& name, Net net, const Shape<4>& shape) {
  Fixture fixture("models.json", name);
  INFO(name);
  const nlohmann::json& record = fixture.take(name);
  const std::uint64_t seed = record["seed"];
  CHECK(nn::count_parameters(net) == record["parameters"].get<Index>());
  fill(net, seed);
  Tape tape;
  Compare compare{record["parts"]};
  net.run(TapedData{{seed, 0}, &tape}.input(shape), compare);
  CHECK(compare.seen == record["parts"].size());
}

template <class Net>
auto sgd(Net& net) {
  return optim::Optimizer(net, optim::Sgd{.lr = 0.02});
}

/// Cross entropy of images and labels of these shapes, in the network's scalar.
template <class T, int N>
auto loss(Shape<4> images, Index classes, Shape<N> labels) {
  return [=](const auto& net, const auto& data) {
    const auto t = data.labels(classes, labels);
    if constexpr (std::is_same_v<T, double>) {
      return cross_entropy(net(data.input(images)), t);
    } else {
      const auto x = uniform(data.stream(0), images).values();
      return cross_entropy(
          net(data.tape->input(Tensor<T, 4>::from(images, std::vector<T>(x.begin(), x.end())))), t);
    }
  };
}

}  // namespace

TEST_CASE("PyTorch parity: ResNet-18 trained") {
  Fixture f("models.json", "resnet18");
  const models::ResNetOptions o{.channels = 1, .classes = 3, .small_images = true, .width = 4};
  follow_with(f, "resnet18", models::ResNet18<double>(o),
              loss<double>(Shape{4, 1, 16, 16}, 3, Shape{4}), [](auto& net) { return sgd(net); });
  follow_in_float(f, "resnet18", models::ResNet18<float>(o),
                  loss<float>(Shape{4, 1, 16, 16}, 3, Shape{4}));
}

TEST_CASE("PyTorch parity: U-Net trained") {
  Fixture f("models.json", "unet");
  const models::UNetOptions o{.channels = 1, .classes = 2, .base = 4, .depth = 2};
  follow_with(f, "unet", models::UNet<double>(o),
              loss<double>(Shape{2, 1, 16, 16}, 2, Shape{2, 16, 16}),
              [](auto& net) { return sgd(net); });
  follow_in_float(f, "unet", models::UNet<float>(o),
                  loss<float>(Shape{2, 1, 16, 16}, 2, Shape{2, 16, 16}));

  const models::UNetOptions plain{
      .channels = 2, .classes = 3, .base = 4, .depth = 3, .batch_norm = false};
  follow_with(f, "unet plain", models::UNet<double>(plain),
              loss<double>(Shape{2, 2, 16, 8}, 3, Shape{2, 16, 8}),
              [](auto& net) { return sgd(net); });
  CHECK(f.left().empty());
}

TEST_CASE("PyTorch parity: every part of the other models") {
  const models::ResNetOptions o{.channels = 3, .classes = 5, .width = 4};
  check_forward("forward resnet34", models::ResNet34<double>(o), Shape{4, 3, 64, 64});
  check_forward("forward resnet50", models::ResNet50<double>(o), Shape{4, 3, 64, 64});
  models::AlexNetOptions a{.channels = 3, .classes = 5, .width = 4, .hidden = 16, .dropout = 0};
  check_forward("forward alexnet", models::AlexNet<double>(a), Shape{2, 3, 95, 95});
  a.channels = 1;
  a.small_images = true;
  check_forward("forward alexnet small", models::AlexNet<double>(a), Shape{2, 1, 28, 28});
  check_forward("forward lenet5", models::LeNet5<double>(), Shape{2, 1, 28, 28});
}
