// Weights of the tutorial's CNN, trained here and used in PyTorch, and the other way: every one of
// MNIST's 10,000 test images gets the same class. The other side is tests/oracle/mnist_weights.py.
#include <ebb/data/sets/mnist.hpp>
#include <ebb/io/state.hpp>
#include <ebb/nn/nn.hpp>
#include <ebb/ops/ops.hpp>
#include <ebb/optim/optimizer.hpp>
#include <ebb/optim/sgd.hpp>
#include <ebb/tape/backward.hpp>

#include "tests/data/real_data.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/python.hpp"
#include "tests/train/files.hpp"

using namespace ebb;

namespace {

struct Cnn {
  nn::Conv2d<> conv1{1, 16, 3, {.padding = 1}}, conv2{16, 32, 3, {.padding = 1}};
  nn::Linear<> fc1{32 * 28 * 28, 64}, fc2{64, 10};

  auto operator()(const auto& x) const {
    return fc2(relu(fc1(flatten(relu(conv2(relu(conv1(x))))))));
  }
  static void visit(auto& self, auto&& f) {
    f("conv1", self.conv1);
    f("conv2", self.conv2);
    f("fc1", self.fc1);
    f("fc2", self.fc2);
  }
};

/// Images [begin, begin + count) as the network wants them.
Tensor<float, 4> normalized(const data::Dataset<std::uint8_t>& set, Index begin, Index count) {
  Tensor<float, 4> x(Shape{count, Index{1}, Index{28}, Index{28}});
  const std::uint8_t* pixels = set.images().data() + begin * 784;
  for (Index i = 0; i < x.size(); ++i)
    x.mutable_data()[i] = (static_cast<float>(pixels[i]) / 255 - 0.1307f) / 0.3081f;
  return x;
}

std::vector<int> classes(const Cnn& net, const data::Dataset<std::uint8_t>& set) {
  std::vector<int> all;
  for (Index begin = 0; begin < set.size(); begin += 500)
    for (const int c : argmax(net(normalized(set, begin, 500)), 1).values()) all.push_back(c);
  return all;
}

int differing(const std::vector<int>& a, const std::vector<int>& b) {
  REQUIRE(a.size() == b.size());
  int count = 0;
  for (std::size_t i = 0; i < a.size(); ++i) count += a[i] != b[i];
  return count;
}

}  // namespace

TEST_CASE("10,000 test images are classified alike here and in PyTorch, whoever trained") {
  const std::string folder = test::real_data("mnist");
  const std::string interpreter = test::python();
  if (folder.empty() || interpreter.empty()) return;
  const test::TemporaryFolder scratch;
  const auto pytorch = [&](const std::string& what, const std::string& weights) {
    const std::string out = scratch / "classes.safetensors";
    REQUIRE(std::system((interpreter + " " + test::oracle("mnist_weights.py") + " " + what + " " +
                         folder + " " + weights + " " + out)
                            .c_str()) == 0);
    return io::SafetensorsFile(out).get<int, 1>("classes").values();
  };
  const auto digits = data::read_mnist(folder);
  const auto right = [&](const std::vector<int>& predicted) {
    int count = 0;
    for (std::size_t i = 0; i < predicted.size(); ++i)
      count += predicted[i] == digits.test.labels()(static_cast<Index>(i));
    return count;
  };

  manual_seed(1);
  Cnn trained;
  optim::Optimizer optimizer(trained, optim::Sgd{.lr = 0.01, .momentum = 0.9});
  for (Index step = 0; step < 40; ++step) {
    Tensor<int, 1> labels(Shape{64});
    for (Index i = 0; i < 64; ++i) labels(i) = digits.train.labels()(64 * step + i);
    optimizer.zero_grad();
    Tape tape;
    backward(cross_entropy(trained(tape.input(normalized(digits.train, 64 * step, 64))), labels));
    optimizer.step();
  }
  const auto here = classes(trained, digits.test);
  CHECK(right(here) > 7000);  // the comparison is of a network that has learnt something
  const std::string weights = scratch / "weights.safetensors";
  io::save(trained, weights);
  CHECK(differing(here, pytorch("predict", weights)) == 0);

  const auto there = pytorch("train", weights);
  CHECK(right(there) > 7000);
  Cnn loaded;
  io::load(loaded, weights);
  CHECK(differing(classes(loaded, digits.test), there) == 0);
}
