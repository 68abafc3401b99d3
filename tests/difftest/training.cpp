// Losses, tied weights, update rules.
#include "driver.hpp"

namespace difftest {
namespace {

template <class T>
void loss_of(const Case& asked, Result& result) {
  const std::string f = asked.text("f");
  const auto reduction = asked.text("over") == "sum" ? Reduction::sum : Reduction::mean;
  const auto x = asked.tensor<T, 3>(0);
  const auto both = [&](auto op) { differentiate<T>(asked, result, op, x, asked.tensor<T, 3>(1)); };
  const auto one = [&](auto op) { differentiate<T>(asked, result, op, x); };
  const double a = asked.number("a", 1), b = asked.number("b", 1);
  const auto w = asked.has(2) ? asked.tensor<T, 1>(2) : Tensor<T, 1>();
  if (f == "mse")
    return both([=](const auto& v, const auto& t) { return mse_loss(v, t, reduction); });
  if (f == "l1")
    return both([=](const auto& v, const auto& t) { return l1_loss(v, t, reduction); });
  if (f == "huber")
    return both([=](const auto& v, const auto& t) { return huber_loss(v, t, a, reduction); });
  if (f == "bce") {
    const BceOptions<T> options{.pos_weight = w, .reduction = reduction};
    return both([=](const auto& v, const auto& t) { return bce_with_logits(v, t, options); });
  }
  if (f == "binary_focal")
    return both(
        [=](const auto& v, const auto& t) { return BinaryFocalLoss(a, b)(v, t, reduction); });
  const int ignored = asked.whole("ignore", -100);
  const RegionOptions region{
      .smooth = a, .batch = asked.whole("batch") != 0, .ignore_index = ignored};
  if (f == "dice_mask") {
    const auto mask = asked.tensor<T, 3>(1);
    return one([=](const auto& v) { return dice_loss(v, mask, region); });
  }
  const auto labels = asked.tensor<int, 2>(1);
  if (f == "cross_entropy") {
    const CrossEntropyOptions<T> options{w, ignored, a, reduction};
    return one([=](const auto& v) { return cross_entropy(v, labels, options); });
  }
  if (f == "nll") {
    const NllOptions<T> options{w, ignored, reduction};
    return one([=](const auto& v) { return nll_loss(v, labels, options); });
  }
  if (f == "focal") {
    const FocalOptions<T> options{a, w, ignored, reduction};
    return one([=](const auto& v) { return focal_loss(v, labels, options); });
  }
  if (f == "dice") return one([=](const auto& v) { return dice_loss(v, labels, region); });
  unknown(asked);
}

/// Networks in which a weight has several places: an encoder whose decoder is its transpose, a
/// masked weight, one that is normalised, and a penalty beside the loss.
template <class T>
void tied_of(const Case& asked, Result& result) {
  using Matrix = Tensor<T, 2>;
  const Param<Matrix> w(asked.tensor<T, 2>(1));
  const auto mask = asked.tensor<T, 2>(2);
  const std::string f = asked.text("f");
  Tape tape;
  const auto x = tape.watch(asked.tensor<T, 2>(0));
  const auto finish = [&](const auto& y) {
    result.add(y.value());
    backward(y, asked.tensor<T, 0>(3));
    result.add(x.grad());
    result.add(w.grad());
  };
  const auto v = w.on(x);  // the weight where no other operand is a variable
  if (f == "autoencoder") return finish(mse_loss(matmul(relu(linear(x, w)), w), x));
  if (f == "masked") return finish(mean(square(linear(x, v * mask))) + sum(square(v)) * T(0.1));
  if (f == "normalised")
    return finish(mean(tanh(linear(x, v / sqrt(sum(square(v), 1, keep_axis))))));
  if (f == "twice") return finish(mean(square(linear(x, w) + matmul(square(x), transpose(v)))));
  unknown(asked);
}

template <class Rule, class T>
void steps_of(const Case& asked, Result& result, const Rule& rule) {
  nn::Linear<T> net(asked.tensors[0].extents[1], asked.tensors[0].extents[0], {.bias = false});
  net.weight.set(asked.tensor<T, 2>(0));
  optim::Optimizer optimizer(net, rule);
  for (std::size_t step = 1; step < asked.tensors.size(); ++step) {
    optimizer.zero_grad();
    Tape tape;
    // The gradient of sum(g w) is g.
    const auto g = asked.tensor<T, 2>(step);
    const auto rows = Tensor<T, 2>::zeros({g.shape()[0], g.shape()[0]});
    for (Index i = 0; i < g.shape()[0]; ++i) rows.mutable_data()[i * g.shape()[0] + i] = T(1);
    const auto all = matmul(tape.watch(rows), net.weight);
    backward(sum(all * g));
    optimizer.step();
  }
  result.add(net.weight.value());
}

template <class T>
void rule_of(const Case& asked, Result& result) {
  const std::string f = asked.text("f");
  const auto number = [&](const char* key, double otherwise = 0) {
    return asked.number(key, otherwise);
  };
  const double lr = number("lr", 0.1), decay = number("decay");
  if (f == "sgd")
    return steps_of<optim::Sgd, T>(asked, result,
                                   {.lr = lr,
                                    .momentum = number("momentum"),
                                    .dampening = number("dampening"),
                                    .weight_decay = decay,
                                    .nesterov = number("nesterov") != 0});
  if (f == "adam")
    return steps_of<optim::Adam, T>(
        asked, result, {.lr = lr, .weight_decay = decay, .amsgrad = number("amsgrad") != 0});
  if (f == "adamw")
    return steps_of<optim::AdamW, T>(
        asked, result, {.lr = lr, .weight_decay = decay, .amsgrad = number("amsgrad") != 0});
  if (f == "rmsprop")
    return steps_of<optim::RMSprop, T>(asked, result,
                                       {.lr = lr,
                                        .weight_decay = decay,
                                        .momentum = number("momentum"),
                                        .centered = number("centered") != 0});
  if (f == "adagrad")
    return steps_of<optim::Adagrad, T>(asked, result, {.lr = lr, .weight_decay = decay});
  unknown(asked);
}

}  // namespace

void loss(const Case& asked, Result& result) {
  with_scalar(asked, [&]<class T>(T) { loss_of<T>(asked, result); });
}
void tied_weights(const Case& asked, Result& result) { tied_of<double>(asked, result); }
void update_rule(const Case& asked, Result& result) { rule_of<double>(asked, result); }

}  // namespace difftest
