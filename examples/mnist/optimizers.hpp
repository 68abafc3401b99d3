// Any of the library's optimizers, chosen by name.
#pragma once

#include <ebb/tensor/tensor.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>

struct Cnn;

std::string optimizer_names();  // "gd, sgd, ..."
bool is_optimizer(const std::string& name);

// The type of an `ebb::optim::Optimizer` hidden, so that the training loop is compiled once and not
// once per rule.
class AnyOptimizer {
 public:
  using State = std::function<void(const std::string&, ebb::Tensor<float, 1>&)>;
  using Number = std::function<void(const std::string&, double&)>;

  virtual ~AnyOptimizer() = default;
  virtual void zero_grad() const = 0;
  virtual void step() = 0;
  virtual double lr() const = 0;
  virtual std::string description() const = 0;  // "sgd, lr 0.01, momentum 0.9"

  // What a checkpoint saves.
  template <class Device = ebb::Cpu>
  void visit_state(const State& f) {
    each_state(f);
  }
  void visit_numbers(const Number& f) { each_number(f); }

 private:
  virtual void each_state(const State& f) = 0;
  virtual void each_number(const Number& f) = 0;
};

// The optimizer called `name`, with a learning rate that suits it unless one is given.
std::unique_ptr<AnyOptimizer> make_optimizer(const std::string& name, const Cnn& net,
                                             std::optional<double> lr,
                                             std::optional<double> momentum);
