/// \file
/// Layers one after another, known at compile time.
#pragma once

#include <ebb/tape/var.hpp>

#include <string>
#include <tuple>

namespace ebb::nn {

/// Calls its layers in turn; they are named "0", "1", ... Anything callable is a layer:
///
///     nn::Sequential net(nn::Linear<>(2, 8), relu, nn::Linear<>(8, 1));
template <class... Layers>
class Sequential {
 public:
  Sequential() requires(sizeof...(Layers) > 0) = default;
  Sequential(Layers... layers) : layers_(std::move(layers)...) {}

  template <Operand X>
  auto operator()(const X& x) const {
    return run<0>(x);
  }

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

  static void visit(auto& self, auto&& f) {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      (f(std::to_string(I), std::get<I>(self.layers_)), ...);
    }
    (std::index_sequence_for<Layers...>{});
  }

 private:
  template <std::size_t I, class X>
  auto run(const X& x) const {
    if constexpr (I == sizeof...(Layers))
      return x;
    else
      return run<I + 1>(std::get<I>(layers_)(x));
  }

  std::tuple<Layers...> layers_;
};

}  // namespace ebb::nn
