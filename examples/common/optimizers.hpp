// Any of the library's optimizers, chosen by name, for any network.
#pragma once

#include <ebb/nn/visit.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

std::string optimizer_names();  // "gd, sgd, ..."
bool is_optimizer(const std::string& name);

// The parameters of a network without its type: a module of their names and places. The network
// must outlive it.
template <class Device = ebb::Cpu>
class Parameters {
 public:
  template <class Net>
  explicit Parameters(const Net& net) {
    ebb::nn::visit_parameters(net, [this](const std::string& path, const auto& parameter) {
      list_.emplace_back(path, &parameter);
    });
  }

  static void visit_leaves(auto& self, const std::string&, auto&& f) {
    for (const auto& [path, place] : self.list_)
      std::visit([&, &name = path](const auto* parameter) { f(name, *parameter); }, place);
  }

 private:
  template <int Rank>
  using Place = const ebb::Param<ebb::Tensor<float, Rank, Device>>*;
  std::vector<std::pair<std::string, std::variant<Place<1>, Place<2>, Place<4>>>> list_;
};

// The type of an `ebb::optim::Optimizer` hidden, so that the training loop is compiled once and not
// once per rule.
template <class Device = ebb::Cpu>
class AnyOptimizer {
 public:
  using State = std::function<void(const std::string&, ebb::Tensor<float, 1, Device>&)>;
  using Number = std::function<void(const std::string&, double&)>;

  virtual ~AnyOptimizer() = default;
  virtual void zero_grad() const = 0;
  virtual void step() = 0;
  virtual double lr() const = 0;
  virtual void set_lr(double lr) = 0;
  virtual std::string description() const = 0;  // "sgd, lr 0.01, momentum 0.9"

  // What a checkpoint saves.
  template <class Where = ebb::Cpu>
  void visit_state(const State& f) {
    each_state(f);
  }
  template <class Where = ebb::Cpu>
  void visit_numbers(const Number& f) {
    each_number(f);
  }

 private:
  virtual void each_state(const State& f) = 0;
  virtual void each_number(const Number& f) = 0;
};

// What is asked of an optimizer; empty: what suits it at batches of 64.
struct OptimizerSettings {
  std::optional<double> lr{}, momentum{}, weight_decay{};
};

// The optimizer called `name`. Throws ebb::ValueError when there is none, or a setting makes no
// sense.
template <class Device>
std::unique_ptr<AnyOptimizer<Device>> make_optimizer(const std::string& name,
                                                     const Parameters<Device>& parameters,
                                                     const OptimizerSettings& settings);
