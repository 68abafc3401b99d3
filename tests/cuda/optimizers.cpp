#include "tests/support/gpu_emulator.hpp"

#include <ebb/cuda.cuh>

#include "tests/cuda/compare.hpp"
#include "tests/support/catch.hpp"

using namespace ebb;

namespace {

template <class T, class Device>
struct Parts {
  std::vector<Param<Tensor<T, 1, Device>>> all;
  static void visit(auto& self, auto&& f) {
    int i = 0;
    for (auto& part : self.all) f("p" + std::to_string(i++), part);
  }
};

/// The weights after some steps with fixed random gradients.
template <class Device, class T, class R>
std::vector<std::vector<T>> stepped(const R& rule, const std::vector<Index>& sizes, int steps) {
  Parts<T, Device> net;
  for (std::size_t i = 0; i < sizes.size(); ++i)
    net.all.emplace_back(to<Device>(test::random<T>(Shape<1>{sizes[i]}, 7 + i)));
  optim::Optimizer opt(net, rule);
  for (int s = 0; s < steps; ++s) {
    opt.zero_grad();
    Tape tape;
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      if (sizes[i] == 0 || (i == 1 && s == 1)) continue;  // one that misses a step
      const auto w = tape.watch(net.all[i]);
      backward(w * T(1), to<Device>(test::random<T>(Shape<1>{sizes[i]}, 100 * s + i)));
    }
    opt.step();
  }
  std::vector<std::vector<T>> weights;
  for (auto& part : net.all) weights.push_back(part.value().values());
  return weights;
}

template <class T, class R>
void check_rule(const R& rule, double tolerance,
                const std::vector<Index>& sizes = {5, 1, 1024, 2500, 1025}) {
  const auto cpu = stepped<Cpu, T>(rule, sizes, 4), cuda = stepped<Cuda, T>(rule, sizes, 4);
  for (std::size_t i = 0; i < sizes.size(); ++i)
    CHECK(test::deviation(cuda[i], cpu[i]) <= tolerance);
  CHECK(stepped<Cuda, T>(rule, sizes, 4) == cuda);
}

template <class R>
void check_rule_of_both(const R& rule) {
  check_rule<float>(rule, test::near_float);
  check_rule<double>(rule, test::near_double);
}

}  // namespace

TEST_CASE("cuda: update rules agree with the CPU over several steps") {
  check_rule_of_both(optim::Sgd{.lr = 0.1});
  check_rule_of_both(optim::Sgd{.lr = 0.1, .momentum = 0.9, .weight_decay = 0.01});
  check_rule_of_both(optim::Sgd{.lr = 0.1, .momentum = 0.9, .nesterov = true});
  check_rule_of_both(optim::Adam{.lr = 0.01, .weight_decay = 0.1});
  check_rule_of_both(optim::Adam{.lr = 0.01, .amsgrad = true});
  check_rule_of_both(optim::AdamW{.lr = 0.01});
  check_rule_of_both(optim::NAdam{});
  check_rule_of_both(optim::RMSprop{});
  check_rule_of_both(optim::Adagrad{});
  check_rule_of_both(optim::Adadelta{});
  check_rule_of_both(optim::Lion{});
  check_rule_of_both(optim::GradientDescent{});
}

TEST_CASE("cuda: more parameters than one launch takes are updated all the same") {
  check_rule<float>(optim::Adam{.lr = 0.01}, test::near_float, std::vector<Index>(200, 3));
}
