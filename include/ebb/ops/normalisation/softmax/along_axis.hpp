/// \file
/// What softmax and log-softmax do alike.
#pragma once

#include <ebb/ops/normalisation/softmax/cpu.hpp>
#include <ebb/tape/track.hpp>

namespace ebb::inline EBB_ABI::detail {

/// y along an axis of x, by a kernel `forward(device, axis, x, y)`; the gradient follows from y, by
/// `backward(device, axis, y, dy, dx)`.
template <Operand X, class Forward, class Backward>
auto softmax_along(const char* name, const X& x, int axis, const Forward& forward,
                   const Backward& backward) {
  using Device = device_of<X>;
  const int k = normalize_axis(name, axis, rank_of<X>);
  tensor_of<X> y(x.shape());
  forward(Device{}, k, value(x).view(), y.mut());
  return track(
      name, y,
      [k, y, backward, dx = sink(x)](const auto& dy) {
        if (dx) backward(Device{}, k, y.view(), dy.view(), dx.into());
      },
      x);
}

}  // namespace ebb::detail
