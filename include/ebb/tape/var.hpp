/// \file
/// Variables on a tape, and `track`: the one call by which an operation becomes differentiable.
#pragma once

#include <ebb/tape/param.hpp>
#include <ebb/tape/tape.hpp>

#include <concepts>
#include <optional>
#include <span>
#include <type_traits>

namespace ebb {

/// A node that holds the gradient of a value of type `Tens`.
template <class Tens>
struct ValueNode : Tape::Node {
  Slot<Tens> slot;

  ValueNode(const char* op, const Shape<Tens::rank>& shape) : Node(op), slot(shape) {}
  bool reached() const override { return false; }  // a leaf passes nothing on
  void pull() override {}
  void release(bool) override {}
  void release_gradient(bool) override {}
  void describe(NodeInfo& info) const override {
    info.shape = to_string(slot.shape());
    info.size = slot.shape().size();
    info.bytes = static_cast<std::size_t>(info.size) * sizeof(typename Tens::scalar);
  }
};

/// A value made by an operation while a tape records: a cheap handle to the value, and to where its
/// gradient gathers. Valid until the tape is cleared or destroyed.
template <class Tens>
class Var {
 public:
  using tensor_type = Tens;

  Var(Tens value, ValueNode<Tens>* node, Tape& tape)
      : value_(std::move(value)), node_(node), tape_(&tape), pass_(tape.pass()) {}

  const Tens& value() const { return value_; }
  const Shape<Tens::rank>& shape() const { return value_.shape(); }
  Index extent(int axis) const { return value_.extent(axis); }
  Index size() const { return value_.size(); }
  typename Tens::scalar item() const { return value_.item(); }

  /// Whether gradients flow into it: false for inputs, and for what depends on inputs alone.
  bool wants_grad() const { return node_ != nullptr; }

  /// The gradient after `backward`: for what was `watch`ed, and for everything on a tape that keeps
  /// gradients. Undefined when none arrived.
  Tens grad() const { return node_ ? checked_node()->slot.grad() : Tens(); }

  Tape& tape() const { return *tape_; }

  /// \throws ValueError when the tape was cleared since.
  ValueNode<Tens>* checked_node() const {
    if (pass_ != tape_->pass())
      throw ValueError(
          "tape: this variable was made before the tape was cleared; watch its value again");
    return node_;
  }

 private:
  Tens value_;
  ValueNode<Tens>* node_;
  Tape* tape_;
  std::uint64_t pass_;
};

// --- what an operation accepts: a Tensor, a Var or a Param ---

template <class>
inline constexpr bool is_var = false;
template <class Tens>
inline constexpr bool is_var<Var<Tens>> = true;
template <class>
inline constexpr bool is_param = false;
template <class Tens>
inline constexpr bool is_param<Param<Tens>> = true;

/// What operations take: a plain tensor (nothing is recorded), a variable, or a parameter.
template <class X>
concept Operand = is_tensor<X> || is_var<X> || is_param<X>;

/// The plain tensor behind an operand.
template <class T, int N, class Device>
const Tensor<T, N, Device>& value(const Tensor<T, N, Device>& x) {
  return x;
}
template <class Tens>
const Tens& value(const Var<Tens>& x) {
  return x.value();
}
template <class Tens>
const Tens& value(const Param<Tens>& x) {
  return x.value();
}

template <Operand X>
using tensor_of = std::remove_cvref_t<decltype(value(std::declval<const X&>()))>;
template <Operand X>
using scalar_of = typename tensor_of<X>::scalar;
template <Operand X>
using device_of = typename tensor_of<X>::device;
template <Operand X>
inline constexpr int rank_of = tensor_of<X>::rank;

template <class X, int N>
concept OfRank = Operand<X> && rank_of<X>
== N;

/// Operands of one scalar type on one device.
template <class X, class... Others>
concept SameKind = Operand<X> &&(Operand<Others>&&...) &&
                   (std::same_as<scalar_of<X>, scalar_of<Others>> && ...) &&
                   (std::same_as<device_of<X>, device_of<Others>> && ...);

// --- sinks: where a pullback leaves the gradient of an operand ---

/// Converts to false when no gradient is wanted. `into()` is where a kernel writes it; `give(g)`
/// hands over one that exists already. A plain tensor's sink is always empty.
template <class X>
class Sink {
 public:
  constexpr explicit operator bool() const { return false; }
  Into<typename X::scalar, X::rank> into() const { return {}; }
  void give(const X&) const {}
};

template <class Tens>
class Sink<Var<Tens>> {
 public:
  explicit Sink(ValueNode<Tens>* node) : node_(node) {}
  explicit operator bool() const { return node_ != nullptr; }
  auto into() const { return node_->slot.into(); }
  void give(const Tens& gradient) const { node_->slot.give(gradient); }

 private:
  ValueNode<Tens>* node_;
};

template <class Tens>
class Sink<Param<Tens>> {
 public:
  explicit Sink(const Param<Tens>& p) : cell_(p.trainable() ? p.cell() : nullptr) {}
  explicit operator bool() const { return cell_ != nullptr; }
  auto into() const { return cell_->slot.into(); }
  void give(const Tens& gradient) const { cell_->slot.give(gradient); }

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

/// Kernel: the first element that is nan or infinite, or -1.
template <class T, int N>
Index first_non_finite(Cpu, View<const T, N> x) {
  using std::isfinite;
  for (Index i = 0; i < x.size(); ++i)
    if (!isfinite(x.data[i])) return i;
  return -1;
}

/// " (layer conv1)" for a parameter called "conv1.weight"; "" where nothing has a name.
template <Operand X>
std::string layer_of(const X& x) {
  if constexpr (is_param<X>) {
    const std::string& name = x.name();
    if (!name.empty()) return " (layer " + name.substr(0, name.rfind('.')) + ")";
  }
  return {};
}

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

template <class Y, class Pullback>
struct OpNode final : ValueNode<Y> {
  std::optional<Pullback> pullback;

  OpNode(const char* op, const Shape<Y::rank>& shape, Pullback&& p)
      : ValueNode<Y>(op, shape), pullback(std::move(p)) {}
  bool reached() const override { return this->slot.filled(); }
  void pull() override { (*pullback)(this->slot.grad()); }
  void release(bool keep_gradient) override {
    pullback.reset();
    this->released = true;
    release_gradient(keep_gradient);
  }
  void release_gradient(bool keep_gradient) override {
    if (!keep_gradient) this->slot.clear();
  }
};

template <class Y>
void require_finite(const Op& op, const std::string& label, const Y& y) {
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
/// dy`), so that inference does not instantiate it. Operands may also be vectors of operands.
template <class Y, class Pullback, class... X>
auto track(Op op, Y y, Pullback pullback, const X&... operands) {
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
        wanted = wanted || operand.trainable();
        if (name.empty()) name = operand.name();
      }
    };
    (detail::each_operand(operands, look), ...);
    if (tape == nullptr) throw ValueError(message(op.name, ": the list of operands is empty"));
    const std::string label(name.substr(0, name.rfind('.')));
    if (tape->options().check_finite) detail::require_finite(op, label, y);
    if (!wanted) return Var<Y>(std::move(y), nullptr, *tape);

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

/// The same value, with the flow of gradients cut.
template <Operand X>
auto detach(const X& x) {
  if constexpr (is_var<X>)
    return Var<tensor_of<X>>(x.value(), nullptr, x.tape());
  else
    return value(x);
}

// --- backward ---

/// Gradients of `loss` with respect to everything it depends on: parameters gather them in
/// `p.grad()`, watched variables in `x.grad()`. Gradients add up over calls.
/// \throws ValueError when nothing the loss depends on wants a gradient, or when an earlier
/// backward pass released what this one needs.
template <class Tens>
void backward(const Var<Tens>& loss, Retain retain = Retain::no) {
  static_assert(
      Tens::rank == 0,
      "ebb::backward: the loss must be a scalar; reduce it with mean() or sum() first, or "
      "pass the gradient of the result as a second argument");
  backward(loss, Tens::ones(loss.shape()), retain);
}

/// The vector-Jacobian product: starts from `dy`, the gradient of some scalar with respect to `y`.
template <class Tens>
void backward(const Var<Tens>& y, const Tens& dy, Retain retain = Retain::no) {
  auto* node = y.checked_node();
  if (node == nullptr)
    throw ValueError(
        "backward: nothing this value depends on wants a gradient; watch() a variable, or use "
        "parameters that are trainable");
  if (!(dy.shape() == y.shape()))
    throw ShapeError(message("backward: the value has shape ", y.shape(),
                             " but the gradient given for it has shape ", dy.shape()));
  y.tape().forget_gradients();
  node->slot.give(dy);
  y.tape().run(retain);
}

/// A plain tensor has no tape to walk back.
template <class T, int N, class Device, class... Rest>
void backward(const Tensor<T, N, Device>&, Rest...) {
  static_assert(N < 0,
                "ebb::backward: this is a plain tensor, so nothing was recorded; make an input of "
                "the computation a variable with tape.input(x) or tape.watch(x)");
}

}  // namespace ebb
