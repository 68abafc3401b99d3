/// \file
/// `track`: the one call by which an operation becomes differentiable, and the sinks through which
/// its pullback leaves the gradients.
#pragma once

#include <ebb/core/finite.hpp>
#include <ebb/tape/var.hpp>

#include <cmath>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ebb::inline EBB_ABI {

// --- sinks: where a pullback leaves the gradient of an operand ---

/// Converts to false when no gradient is wanted. `into()` is where a kernel writes it; `into(dy)`
/// is the same for a kernel that reads dy[i] only to write element i, and writes over dy where
/// nobody else holds it, so it must be the pullback's last use of dy. `give(g)` hands over a
/// gradient that exists already. A plain tensor's sink is always empty.
template <class X>
class Sink {
 public:
  constexpr explicit operator bool() const { return false; }
  Into<typename X::scalar, X::rank> into() const { return {}; }
  Into<typename X::scalar, X::rank> into(const X&) const { return {}; }
  void give(const X&) const {}
};

template <class Tens>
class Sink<Var<Tens>> {
 public:
  explicit Sink(ValueNode<Tens>* node) : node_(node) {}
  explicit operator bool() const { return node_ != nullptr; }
  auto into() const { return node_->slot.into(); }
  auto into(const Tens& dy) const { return node_->slot.into(dy); }
  void give(const Tens& gradient) const { node_->slot.give(gradient); }

 private:
  ValueNode<Tens>* node_;
};

template <class Tens>
class Sink<Param<Tens>> {
 public:
  explicit Sink(const Param<Tens>& p) : cell_(p && p.trainable() ? p.cell() : nullptr) {}
  explicit operator bool() const { return cell_ != nullptr; }
  auto into() const { return slot().into(); }
  auto into(const Tens& dy) const { return slot().into(dy); }
  void give(const Tens& gradient) const { slot().give(gradient); }
  /// Where a gradient that need not be multiplied out may be left (`ParamSlot::defer`).
  auto& slot() const {
    detail::arrive(cell_);
    return cell_->slot;
  }

 private:
  std::shared_ptr<typename Param<Tens>::Cell> cell_;
};

/// The sink of an operand, to be captured by a pullback.
template <Operand X>
Sink<X> sink(const X& x) {
  if constexpr (is_var<X>)
    return Sink<X>(x.checked_node());
  else if constexpr (is_param<X>)
    return Sink<X>(x);
  else
    return {};
}

// --- track ---

namespace kernel {

/// Kernel: the first element that is nan or infinite, or -1.
template <class T, int N>
Index first_non_finite(Cpu, View<const T, N> x) {
  using math::is_finite;
  for (Index i = 0; i < x.size(); ++i)
    if (!is_finite(x.data[i])) return i;
  return -1;
}

}  // namespace kernel

namespace detail {

/// Calls f(x) on an operand, or on each operand of a list.
template <class X, class F>
void each_operand(const X& x, F&& f) {
  if constexpr (Operand<X>)
    f(x);
  else
    for (const auto& one : x) f(one);
}

template <class X>
struct element {
  using type = X;
};
template <class X>
struct element<std::vector<X>> {
  using type = X;
};
template <class X, std::size_t N>
struct element<std::span<X, N>> {
  using type = std::remove_const_t<X>;
};

/// Whether an operand, or a list of them, is recorded.
template <class X>
inline constexpr bool tracked = is_var<typename element<X>::type>;

/// Whether an operand, or a list of them, consists of parameters.
template <class X>
inline constexpr bool learned = is_param<typename element<X>::type>;

/// Whether no gradient is lost in an operation named by an `O`: a variable takes part, or no
/// parameter, or none but the weights of a layer.
template <class O, class First, class... Rest>
inline constexpr bool loses_nothing = tracked<First> || (tracked<Rest> || ...) ||
                                      !(learned<First> ||
                                        (!std::is_same_v<O, LayerOp> && (learned<Rest> || ...)));

template <class Y, class Pullback>
struct OpNode final : ValueNode<Y> {
  std::optional<Pullback> pullback;

  OpNode(const char* name, const Shape<Y::rank>& shape, Pullback&& p)
      : ValueNode<Y>(name, shape), pullback(std::move(p)) {}
  void pull(Retain retain, bool keep_gradient) override {
    if (!this->slot.filled()) return;
    this->require_saved();
    // Taken out of its slot, so that the pullback may be its only holder and write over it.
    (*pullback)(keep_gradient ? this->slot.grad() : this->slot.take());
    if (retain == Retain::yes) return;
    pullback.reset();
    this->released = true;
  }
  void forget_gradient() override { this->slot.clear(); }
};

template <class Y>
void require_finite(const Op& op, std::string_view label, const Y& y) {
  if constexpr (!std::is_integral_v<typename Y::scalar>) {
    const Index at = first_non_finite(typename Y::device{}, y.view());
    if (at >= 0)
      throw NumericError(message(
          op.name, label.empty() ? "" : " (layer ", label, label.empty() ? "" : ")", ": element ",
          at, " of its result, of shape ", y.shape(),
          ", is not finite; it is the "
          "first operation to yield nan or inf. Lower the learning rate, clip the gradients, or "
          "check the input for values that are not finite"));
  }
}

}  // namespace detail

/// Gives `y` a pullback if a tape records any operand; otherwise hands `y` back as it is.
///
/// `pullback(dy)` receives the gradient of `y` as a tensor and writes those of the operands through
/// the sinks it captured; what it captures is what is saved. It should be generic (`const auto&
/// dy`), so that inference does not instantiate it. Where dy is not `shared()` it may use its
/// memory
/// (`sink.into(dy)`). Operands may also be vectors of operands.
///
/// `name_of_op` is an `Op`, or its name. Parameters alone, or with plain tensors, are refused:
/// nothing would be recorded, and what is computed of the result later could not teach them. The
/// weights of a layer are an exception, where `name_of_op` is a `LayerOp`: without it there were no
/// inference.
template <class O, class Y, class Pullback, class... X>
auto track(O name_of_op, Y y, Pullback pullback, const X&... operands) {
  static_assert(
      detail::loses_nothing<O, X...>,
      "ebb: a parameter (Param) meets no variable (Var) in this operation, so nothing is recorded "
      "and its gradient would be lost. Write p.on(x) in place of the parameter p, where x is the "
      "layer's input: it is a variable where x is one, and the plain value where x is plain. Where "
      "there is no such x, tape.watch(p) is a variable; detach(p) is a constant on purpose");
  const Op op(name_of_op);
  if constexpr ((detail::tracked<X> || ...)) {
    Tape* tape = nullptr;
    bool wanted = op.learns;
    int inputs = 0;
    std::string_view name;
    const auto look = [&]<class Z>(const Z& operand) {
      if constexpr (is_var<Z>) {
        if (tape != nullptr && tape != &operand.tape())
          throw ValueError(message(op.name,
                                   ": its operands are recorded on two different tapes; "
                                   "watch them on one"));
        tape = &operand.tape();
        if (operand.checked_node() != nullptr) {
          wanted = true;
          ++inputs;
        }
      } else if constexpr (is_param<Z>) {
        if (!operand.defined()) return;  // a layer without bias
        wanted = wanted || operand.trainable();
        operand.cell()->arrival.used_by.store(op.name, std::memory_order_relaxed);
        if (name.empty()) name = operand.name();
      }
    };
    (detail::each_operand(operands, look), ...);
    if (tape == nullptr) throw ValueError(message(op.name, ": the list of operands is empty"));
    const std::string_view label = name.substr(0, name.rfind('.'));
    if (tape->options().check_finite) detail::require_finite(op, label, y);
    if (!wanted) return Var<Y>(std::move(y), nullptr, *tape, op.name);

    auto* node = tape->push<detail::OpNode<Y, Pullback>>(op.name, y.shape(), std::move(pullback));
    node->macs = op.macs;
    node->label = tape->keep(label);
    const Tape::Node** list = tape->keep_inputs(inputs);
    node->inputs = list;
    node->input_count = inputs;
    const auto note = [&]<class Z>(const Z& operand) {
      if constexpr (is_var<Z>)
        if (operand.checked_node() != nullptr) *list++ = operand.checked_node();
    };
    (detail::each_operand(operands, note), ...);
    return Var<Y>(std::move(y), node, *tape);
  } else {
    return y;
  }
}

template <class Tens>
Var<Tens> Tape::input(Tens x) {
  static_cast<void>(x.data());  // throws when undefined
  if (options_.check_finite) detail::require_finite("input", {}, x);
  return Var<Tens>(std::move(x), nullptr, *this);
}

template <class Tens>
Var<Tens> Tape::watch(Tens x) {
  static_cast<void>(x.data());
  auto* node = push<ValueNode<Tens>>("watch", x.shape());
  return Var<Tens>(std::move(x), node, *this);
}

template <class Tens>
Var<Tens> Tape::watch(const Param<Tens>& p) {
  return track(
      "parameter", p.value(),
      [dp = sink(p)](const auto& dy) {
        if (dp) dp.give(dy);
      },
      p, input(p.value()));
}

template <class Tens>
template <class X>
auto Param<Tens>::on(const X& x) const {
  static_assert(is_var<X> || is_tensor<X>,
                "ebb::Param::on: give the layer's input, a variable or a plain tensor; a parameter "
                "is on no tape");
  if constexpr (is_var<X>)
    return x.tape().watch(*this);
  else
    return value();
}

/// The same value, with the flow of gradients cut. `detach(p)` is a parameter as a constant.
template <Operand X>
auto detach(const X& x) {
  if constexpr (is_var<X>)
    return Var<tensor_of<X>>(x.value(), nullptr, x.tape(), "detach");
  else
    return value(x);
}

/// Gives an operation's result that no number went into, as that of an empty batch, to the tape:
/// the gradients of its operands are zero.
template <class O, class Tens, class... X>
auto track_empty(O name_of_op, const Tens& y, const X&... operands) {
  return track(
      name_of_op, y,
      [... sinks = sink(operands)](const auto&) {
        [[maybe_unused]] const auto zero = [](const auto& gradient) {
          if (!gradient) return;
          const auto into = gradient.into();
          using T = std::remove_pointer_t<decltype(into.data)>;
          if (!into.add) fill(typename Tens::device{}, into.view(), T(0));
        };
        (zero(sinks), ...);
      },
      operands...);
}

}  // namespace ebb
