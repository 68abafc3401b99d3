/// \file
/// Layers one after another, known at compile time.
#pragma once

#include <ebb/kit/activation.hpp>
#include <ebb/nn/draws.hpp>
#include <ebb/tape/var.hpp>

#include <string>
#include <tuple>

namespace ebb::inline EBB_ABI::nn {

/// Calls its layers in turn; they are named "0", "1", ... Anything callable is a layer:
///
///     nn::Sequential net(nn::Linear<>(2, 8), relu, nn::Linear<>(8, 1));
///
/// Initial weights are drawn from left to right, whatever the order in which the compiler makes the
/// layers (nn/draws.hpp). Layers are values: one that exists already is copied, or moved in.
///
/// A layer that can rectify its result while it stores it takes the `relu` after it in: the same
/// elements as one operation. What no pullback saved of a layer's output is freed, or written over,
/// as soon as the next layer has run.
template <class... Layers>
class Sequential {
 public:
  Sequential() requires(sizeof...(Layers) > 0) = default;
  Sequential(Layers... layers) : layers_(std::move(layers)...) {
    if constexpr (sizeof...(Layers) > 1)
      std::apply([](const auto&... all) { detail::draw_from_left_to_right(all...); }, layers_);
  }

  template <class X>
  requires Operand<std::remove_cvref_t<X>>
  auto operator()(X&& x) const { return run<0>(std::forward<X>(x)); }

  /// Layer number I: `net.get<0>().weight`.
  template <std::size_t I>
  auto& get() {
    return std::get<I>(layers_);
  }
  template <std::size_t I>
  const auto& get() const {
    return std::get<I>(layers_);
  }
  static constexpr std::size_t size() { return sizeof...(Layers); }

  /// On another device: see `to<Device>(net)`.
  static Sequential moved(const auto& other, const auto& mover) {
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
      return Sequential(mover.template part<Layer<I>>(other.template get<I>())...);
    }
    (std::index_sequence_for<Layers...>{});
  }

  static void visit(auto& self, auto&& f) {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      (f(std::to_string(I), std::get<I>(self.layers_)), ...);
    }
    (std::index_sequence_for<Layers...>{});
  }

 private:
  template <class...>
  friend class Sequential;

  template <std::size_t I>
  using Layer = std::tuple_element_t<I, std::tuple<Layers...>>;

  /// Whether layer I takes in the activation that is layer I + 1.
  template <std::size_t I, class X>
  static constexpr bool fuses() {
    if constexpr (I + 1 < size())
      return std::is_convertible_v<Layer<I + 1>, Activation> &&
             std::is_invocable_v<const Layer<I>&, X, Activation>;
    else
      return false;
  }

  template <std::size_t I, class X>
  auto run(X&& x) const {
    if constexpr (I == size())
      return std::forward<X>(x);
    else if constexpr (fuses<I, X>())
      return run<I + 2>(call(get<I>(), std::forward<X>(x), static_cast<Activation>(get<I + 1>())));
    else
      return run<I + 1>(call(get<I>(), std::forward<X>(x)));
  }

  /// A temporary is gone when the layer has run, not at the end of the whole chain.
  template <class L, class X, class... Next>
  static auto call(const L& layer, X&& x, Next... next) {
    if constexpr (std::is_lvalue_reference_v<X>) {
      return layer(x, next...);
    } else {
      X mine = std::forward<X>(x);
      return layer(std::move(mine), next...);
    }
  }

  std::tuple<Layers...> layers_;
};

namespace detail {

/// What the name of an overloaded function can become, and any layer too, so that what cannot be
/// deduced ends in a sentence.
struct LayerOrName {
  LayerOrName(Tensor<float, 2> (*)(const Tensor<float, 2>&)) {}
  template <class Layer>
  LayerOrName(const Layer&) {}
};

}  // namespace detail

template <>
class Sequential<detail::LayerOrName> {
  using L = detail::LayerOrName;

 public:
  template <class Wrong = void>
  Sequential(L, L, L = 0, L = 0, L = 0, L = 0, L = 0, L = 0) {
    static_assert(!std::is_void_v<Wrong>,
                  "ebb::nn::Sequential: a layer is the name of an overloaded function, such as "
                  "ebb::tanh, which has no type of its own; write the object, nn::tanh");
  }
};

Sequential(detail::LayerOrName, detail::LayerOrName, detail::LayerOrName = 0,
           detail::LayerOrName = 0, detail::LayerOrName = 0, detail::LayerOrName = 0,
           detail::LayerOrName = 0, detail::LayerOrName = 0)
    ->Sequential<detail::LayerOrName>;

}  // namespace ebb::nn
