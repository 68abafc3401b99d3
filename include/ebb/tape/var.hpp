/// \file
/// Variables on a tape, and what an operation accepts.
#pragma once

#include <ebb/tape/param.hpp>
#include <ebb/tape/tape.hpp>

#include <concepts>
#include <type_traits>

namespace ebb::inline EBB_ABI {

/// A node that holds the gradient of a value of type `Tens`.
template <class Tens>
struct ValueNode : Tape::Node {
  Slot<Tens> slot;

  ValueNode(const char* name, const Shape<Tens::rank>& shape) : Node(name), slot(shape) {}
  void pull(Retain, bool) override {}  // a leaf passes nothing on, and keeps its gradient
  void forget_gradient() override {}
  void describe(NodeInfo& info) const override {
    info.shape = to_string(slot.shape());
    info.size = slot.shape().size();
    info.bytes = static_cast<std::size_t>(info.size) * sizeof(typename Tens::scalar);
  }
};

/// A value made by an operation while a tape records: a cheap handle to the value, and to where its
/// gradient gathers. When the tape is cleared or destroyed the value stays; whatever needs the tape
/// throws a ValueError that says which variable it was and where its tape ended.
template <class Tens>
class Var {
 public:
  using tensor_type = Tens;

  /// `op` is the operation that made a value which has no node.
  Var(Tens value, ValueNode<Tens>* node, Tape& tape, const char* op = "input")
      : value_(std::move(value)),
        node_(node),
        tape_(&tape),
        life_(&tape.life()),
        pass_(life_->pass.load(std::memory_order_relaxed)),
        op_(node != nullptr ? node->op : op) {}

  const Tens& value() const { return value_; }
  const Shape<Tens::rank>& shape() const { return value_.shape(); }
  Index extent(int axis) const { return value_.extent(axis); }
  Index size() const { return value_.size(); }
  typename Tens::scalar item() const { return value_.item(); }

  /// Whether gradients flow into it: false for inputs, and for what depends on inputs alone.
  bool wants_grad() const { return node_ != nullptr; }

  /// The gradient after `backward`: for what was `watch`ed, and for everything on a tape that keeps
  /// gradients. Undefined when none arrived.
  /// \throws ValueError when the tape was cleared or destroyed since.
  Tens grad() const {
    auto* const node = checked_node();
    return node != nullptr ? node->slot.grad() : Tens();
  }

  /// \throws ValueError when the tape was cleared or destroyed since.
  Tape& tape() const {
    require_tape();
    return *tape_;
  }

  /// The value of a variable that is about to go, which leaves it without one.
  Tens take() && { return std::move(value_); }

  /// \throws ValueError when the tape was cleared or destroyed since.
  ValueNode<Tens>* checked_node() const {
    require_tape();
    return node_;
  }

 private:
  void require_tape() const {
    if (pass_ != life_->pass.load(std::memory_order_relaxed)) [[unlikely]]
      fail();
  }
  /// Apart, so that it costs the callers of `require_tape` nothing.
  [[noreturn, gnu::cold, gnu::noinline]] void fail() const {
    detail::throw_ended(*life_, pass_,
                        message("a variable of shape ", shape(), ", made by '", op_, "',"));
  }

  Tens value_;
  ValueNode<Tens>* node_;
  Tape* tape_;
  const detail::Life* life_;
  std::uint64_t pass_;
  const char* op_;
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

/// " (layer conv1)" for a parameter called "conv1.weight"; "" where nothing has a name.
template <Operand X>
std::string layer_of(const X& x) {
  if constexpr (is_param<X>) {
    const std::string& name = x.name();
    if (!name.empty()) return " (layer " + name.substr(0, name.rfind('.')) + ")";
  }
  return {};
}

}  // namespace ebb
