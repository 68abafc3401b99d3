/// \file
/// Follows a network through training beside PyTorch: the same weights, the same data, and the
/// losses noted by the scripts in tests/oracle. The C++ side of tests/oracle/follow.py.
#pragma once

#include "tests/support/catch.hpp"

#include <ebb/core/random.hpp>
#include <ebb/nn/visit.hpp>
#include <ebb/optim/optimizer.hpp>
#include <ebb/optim/sgd.hpp>
#include <ebb/tape/backward.hpp>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

namespace parity {

/// The cases of one script whose names begin with one of some words (with no words, all).
class Fixture {
 public:
  template <class... Words>
  explicit Fixture(const std::string& file, const Words&... words) {
    const std::string here = __FILE__;
    const std::string path =
        here.substr(0, here.rfind("parity/follow.hpp")) + "oracle/fixtures/" + file;
    std::ifstream stream(path);
    if (!stream) throw std::runtime_error("cannot read the fixture " + path);
    for (const auto& record : nlohmann::json::parse(stream)) {
      const std::string name = record["name"];
      const std::vector<std::string> wanted{std::string(words)...};
      const bool taken = std::any_of(wanted.begin(), wanted.end(), [&](const std::string& word) {
        return name == word || name.rfind(word + " ", 0) == 0;
      });
      if (!wanted.empty() && !taken) continue;
      cases_[name] = record;
      left_.insert(name);
    }
  }

  const nlohmann::json& take(const std::string& name) {
    left_.erase(name);
    const auto found = cases_.find(name);
    if (found == cases_.end()) throw std::runtime_error("no fixture is called '" + name + "'");
    return found->second;
  }
  /// Cases that no test asked for.
  const std::set<std::string>& left() const { return left_; }

 private:
  std::map<std::string, nlohmann::json> cases_;
  std::set<std::string> left_;
};

/// Uniform in [-1, 1), as many as `shape` holds.
template <int N>
ebb::Tensor<double, N> uniform(ebb::RandomStream stream, const ebb::Shape<N>& shape) {
  std::vector<double> values(static_cast<std::size_t>(shape.size()));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = 2 * stream.uniform<double>(i) - 1;
  return ebb::Tensor<double, N>::from(shape, values);
}

inline constexpr std::uint64_t parameters_from = 1'000'000;

/// What one step feeds the network.
struct Data {
  std::uint64_t seed = 0, step = 0;

  ebb::RandomStream stream(std::uint64_t k) const { return {seed, 16 * (step + 1) + k}; }

  template <int N>
  ebb::Tensor<double, N> target(const ebb::Shape<N>& shape) const {
    return uniform(stream(1), shape);
  }
  template <int N>
  ebb::Tensor<int, N> labels(ebb::Index classes, const ebb::Shape<N>& shape) const {
    std::vector<int> values(static_cast<std::size_t>(shape.size()));
    for (std::size_t i = 0; i < values.size(); ++i)
      values[i] = static_cast<int>(stream(2).below(classes, i));
    return ebb::Tensor<int, N>::from(shape, values);
  }
};

/// Inputs as plain tensors, for evaluation.
struct PlainData : Data {
  template <int N>
  ebb::Tensor<double, N> input(const ebb::Shape<N>& shape, std::uint64_t k = 0) const {
    return uniform(stream(k), shape);
  }
};

/// Inputs on a tape, for training.
struct TapedData : Data {
  ebb::Tape* tape = nullptr;

  template <int N>
  auto input(const ebb::Shape<N>& shape, std::uint64_t k = 0) const {
    return tape->input(uniform(stream(k), shape));
  }
};

/// The starting values of tests/oracle/follow.py.
template <class T, class Net>
void fill_as(Net& net, std::uint64_t seed) {
  std::uint64_t number = 0;
  ebb::nn::visit_parameters(net, [&]<class Tens>(const std::string&, ebb::Param<Tens>& p) {
    const ebb::Tensor<double, Tens::rank> u =
        uniform(ebb::RandomStream{seed, parameters_from + number++}, p.shape());
    const double per_output = static_cast<double>(p.size() / p.shape()[0]);
    const double bound = Tens::rank < 2 ? 0.5 : 1 / std::sqrt(per_output);
    std::vector<double> values = u.values();
    for (double& v : values) v *= bound;
    p.set(Tens::from(p.shape(), std::vector<T>(values.begin(), values.end())));
  });
}
template <class Net>
void fill(Net& net, std::uint64_t seed) {
  fill_as<double>(net, seed);
}

/// |a - b|, relative to b.
inline double relative(double a, double b) { return std::abs(a - b) / std::abs(b); }

/// Compares sum and sum of squares with a record; "" where they agree within 1e-9.
inline std::string compare_sums(const std::vector<double>& values, const nlohmann::json& record) {
  double sum = 0, squares = 0;
  for (double v : values) {
    sum += v;
    squares += v * v;
  }
  const double expected = record["squares"], expected_sum = record["sum"];
  // Sums of rounding errors alone (the bias in front of a batch norm) are as good as zero.
  const double scale = std::sqrt(expected * static_cast<double>(values.size())) + 1e-6;
  if (std::abs(sum - expected_sum) > 1e-9 * scale ||
      std::abs(squares - expected) > 1e-9 * (expected + 1e-12))
    return "sum " + std::to_string(sum) + " and squares " + std::to_string(squares) +
           ", expected " + std::to_string(expected_sum) + " and " + std::to_string(expected);
  return {};
}

struct Nothing {
  template <class... X>
  void operator()(const X&...) const {}
};

/// Trains `net` as the case `name` was trained by PyTorch and checks the loss at every step, the
/// first gradients, the trained state and a last loss in evaluation, each to 1e-9.
///
/// `loss_of(net, data)` is the loss of one step; `optimizer_of(net)` makes the optimizer, and
/// `before_step(net)` may change the gradients.
template <class Net, class Loss, class MakeOptimizer, class Before = Nothing>
void follow_with(Fixture& fixture, const std::string& name, Net net, Loss loss_of,
                 MakeOptimizer optimizer_of, Before before_step = {}) {
  INFO("case " << name);
  const nlohmann::json& record = fixture.take(name);
  const std::uint64_t seed = record["seed"];
  const std::vector<double> expected = record["loss"];
  fill(net, seed);
  auto optimizer = optimizer_of(net);
  ebb::nn::train(net);

  double worst = 0;
  std::size_t worst_step = 0;
  for (std::size_t step = 0; step < expected.size(); ++step) {
    ebb::Tape tape;
    optimizer.zero_grad();
    const auto loss = loss_of(net, TapedData{{seed, step}, &tape});
    ebb::backward(loss);
    if (step == 0)
      ebb::nn::visit_parameters(net, [&](const std::string& path, const auto& p) {
        REQUIRE(record["first_gradient"].contains(path));
        const std::string wrong = compare_sums(p.grad().values(), record["first_gradient"][path]);
        INFO("first gradient of " << path << ": " << wrong);
        CHECK(wrong.empty());
      });
    before_step(net);
    optimizer.step();
    const double error = relative(loss.item(), expected[step]);
    if (!(error <= worst)) {
      worst = error;
      worst_step = step;
    }
  }
  INFO("the loss is off by " << worst << " at step " << worst_step);
  CHECK(worst <= 1e-9);

  std::set<std::string> paths;
  ebb::nn::visit_state(net, [&]<class Leaf>(const std::string& path, const Leaf& leaf) {
    if constexpr (std::is_same_v<typename std::remove_cvref_t<decltype(leaf.value())>::scalar,
                                 double>) {
      paths.insert(path);
      INFO("trained " << path);
      REQUIRE(record["state"].contains(path));
      const nlohmann::json& state = record["state"][path];
      const std::vector<ebb::Index> shape = state["shape"];
      REQUIRE(shape.size() ==
              static_cast<std::size_t>(std::remove_cvref_t<decltype(leaf.shape())>::rank));
      for (std::size_t axis = 0; axis < shape.size(); ++axis)
        CHECK(shape[axis] == leaf.shape()[static_cast<int>(axis)]);
      CHECK(compare_sums(leaf.value().values(), state) == "");
    }
  });
  CHECK(paths.size() == record["state"].size());

  ebb::nn::eval(net);
  const double evaluated = loss_of(net, PlainData{{seed, expected.size()}}).item();
  CHECK(relative(evaluated, record["eval_loss"]) <= 1e-9);
}

/// The same with gradient descent of rate 0.2, as most cases have it.
template <class Net, class Loss>
void follow(Fixture& fixture, const std::string& name, Net net, Loss loss_of) {
  follow_with(fixture, name, std::move(net), loss_of,
              [](Net& n) { return ebb::optim::Optimizer(n, ebb::optim::Sgd{.lr = 0.2}); });
}

/// A layer in front, so that the gradient of the one behind reaches parameters too.
template <class First, class Second>
struct Pair {
  First first;
  Second second;

  template <class X>
  auto operator()(const X& x) const {
    return second(first(x));
  }
  static void visit(auto& self, auto&& f) {
    f("first", self.first);
    f("second", self.second);
  }
};
template <class First, class Second>
Pair(First, Second) -> Pair<First, Second>;

}  // namespace parity
