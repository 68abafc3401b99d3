/// \file
/// Dropout.
#pragma once

#include <ebb/ops/elementwise/dropout_cpu.hpp>
#include <ebb/tape/track.hpp>

namespace ebb::inline EBB_ABI {

/// x of any shape -> each element with probability 1 - p, divided by 1 - p, else zero: the mean
/// stays what it was. Saves a bit an element. Srivastava, Hinton, Krizhevsky, Sutskever &
/// Salakhutdinov, "Dropout: a simple way to prevent neural networks from overfitting", JMLR 15
/// (2014). \throws ValueError when p is not in [0, 1].
template <Operand X>
auto dropout(const X& x, double p, RandomStream stream) {
  if (!(p >= 0.0 && p <= 1.0))
    throw ValueError(message("dropout: the probability of dropping is ", p,
                             "; it must be at least 0 and at most 1"));
  using T = scalar_of<X>;
  using Device = device_of<X>;
  const auto mask = kernel::DropoutMask::of(stream, p);
  const T scale = static_cast<T>(p < 1.0 ? 1.0 / (1.0 - p) : 0.0);
  tensor_of<X> y(x.shape());
  Tensor<std::uint32_t, 1, Device> kept;
  const auto wanted = sink(x);
  if (wanted) kept = Tensor<std::uint32_t, 1, Device>(Shape{kernel::DropoutMask::words(y.size())});
  dropout_forward(Device{}, mask, scale, value(x).view(), y.mut(),
                  kept.defined() ? kept.mut() : View<std::uint32_t, 1>{});
  return track(
      "dropout", y,
      [kept, scale, dx = wanted](const auto& dy) {
        if (dx) dropout_backward(Device{}, kept.view(), scale, dy.view(), dx.into(dy));
      },
      x);
}

/// The same with a fresh stream of the calling thread's default generator.
template <Operand X>
auto dropout(const X& x, double p) {
  return dropout(x, p, default_generator().stream());
}

}  // namespace ebb
