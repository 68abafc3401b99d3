// What optimizers.cpp is for the CPU and optimizers.cu for GPUs.
#pragma once

#include "optimizers.hpp"

#include <ebb/optim/adadelta.hpp>
#include <ebb/optim/adagrad.hpp>
#include <ebb/optim/adam.hpp>
#include <ebb/optim/gradient_descent.hpp>
#include <ebb/optim/lion.hpp>
#include <ebb/optim/nadam.hpp>
#include <ebb/optim/optimizer.hpp>
#include <ebb/optim/rmsprop.hpp>
#include <ebb/optim/sgd.hpp>

namespace optim = ebb::optim;

namespace {

template <class Rule, class Device>
class Of final : public AnyOptimizer<Device> {
 public:
  using typename AnyOptimizer<Device>::State;
  using typename AnyOptimizer<Device>::Number;

  Of(std::string name, const Parameters<Device>& parameters, Rule rule)
      : name_(std::move(name)), optimizer_(parameters, rule) {}

  void zero_grad() const override { optimizer_.zero_grad(); }
  void step() override { optimizer_.step(); }
  double lr() const override { return optimizer_.lr(); }
  void set_lr(double lr) override { optimizer_.set_lr(lr); }
  std::string description() const override {
    std::string text = ebb::message(name_, ", lr ", lr());
    if constexpr (requires(Rule rule) { rule.momentum; })
      text += ebb::message(", momentum ", optimizer_.rule().momentum);
    if constexpr (requires(Rule rule) { rule.weight_decay; })
      if (optimizer_.rule().weight_decay > 0)
        text += ebb::message(", weight decay ", optimizer_.rule().weight_decay);
    return text;
  }

 private:
  void each_state(const State& f) override { optimizer_.template visit_state<Device>(f); }
  void each_number(const Number& f) override { optimizer_.template visit_numbers<Device>(f); }

  std::string name_;
  optim::Optimizer<Rule> optimizer_;
};

template <class Device>
using Make = std::unique_ptr<AnyOptimizer<Device>> (*)(const std::string&,
                                                       const Parameters<Device>&,
                                                       const OptimizerSettings&);

// `Rule` with its own settings, but for those that are asked for.
template <class Rule, class Device>
std::unique_ptr<AnyOptimizer<Device>> make(const std::string& name,
                                           const Parameters<Device>& parameters, Rule rule,
                                           const OptimizerSettings& settings) {
  if (settings.lr) rule.lr = *settings.lr;
  if constexpr (requires { rule.momentum; })
    if (settings.momentum) rule.momentum = *settings.momentum;
  if constexpr (requires { rule.weight_decay; })
    if (settings.weight_decay) rule.weight_decay = *settings.weight_decay;
  return std::make_unique<Of<Rule, Device>>(name, parameters, rule);
}

// Learning rates for batches of 64.
template <class Device>
struct Named {
  const char* name;
  Make<Device> make;
};
#define WITH(...)                                                   \
  [](const std::string& name, const Parameters<Device>& parameters, \
     const OptimizerSettings& settings) { return make(name, parameters, __VA_ARGS__, settings); }
template <class Device>
const Named<Device> known_rules[] = {
    {"gd", WITH(optim::GradientDescent{.lr = 0.05})},
    {"sgd", WITH(optim::Sgd{.lr = 0.01, .momentum = 0.9})},
    {"adagrad", WITH(optim::Adagrad{.lr = 0.01})},
    {"rmsprop", WITH(optim::RMSprop{.lr = 0.001})},
    {"adadelta", WITH(optim::Adadelta{.lr = 1.0})},
    {"adam", WITH(optim::Adam{.lr = 0.001})},
    {"adamw", WITH(optim::AdamW{.lr = 0.001})},
    {"nadam", WITH(optim::NAdam{.lr = 0.001})},
    {"lion", WITH(optim::Lion{.lr = 0.0001})},
};
#undef WITH

}  // namespace

template <class Device>
std::unique_ptr<AnyOptimizer<Device>> make_optimizer(const std::string& name,
                                                     const Parameters<Device>& parameters,
                                                     const OptimizerSettings& settings) {
  for (const auto& one : known_rules<Device>)
    if (name == one.name) return one.make(name, parameters, settings);
  throw ebb::ValueError(
      ebb::message("there is no optimizer '", name, "'; use one of ", optimizer_names()));
}
