/// \file
/// The upsampling layer.
#pragma once

#include <ebb/ops/pooling/upsample/upsample.hpp>

namespace ebb::inline EBB_ABI::nn {

enum class Interpolation { nearest, bilinear };

struct UpsampleOptions {
  Interpolation mode = Interpolation::nearest;
  bool align_corners = false;  ///< bilinear only
};

/// Enlarges images by a factor, `nn::Upsample<>{2}`, or to a size, `nn::Upsample<>{Size2{28, 28}}`
/// (ops/upsample).
template <class T = float, class Device = Cpu>
struct Upsample {
  Scale2 scale{1};
  Size2 size;  ///< used where it is not 0
  UpsampleOptions options;

  /// By 1, to be assigned to.
  Upsample() = default;
  explicit Upsample(Scale2 factors, UpsampleOptions o = {}) : scale(factors), options(o) {}
  explicit Upsample(double factor, UpsampleOptions o = {}) : Upsample(Scale2{factor}, o) {}
  explicit Upsample(Size2 to, UpsampleOptions o = {}) : size(to), options(o) {}

  template <Operand X>
  auto operator()(const X& x) const {
    const bool to_size = size != Size2();
    if (options.mode == Interpolation::nearest)
      return to_size ? upsample_nearest2d(x, size) : upsample_nearest2d(x, scale);
    return to_size ? upsample_bilinear2d(x, size, options.align_corners)
                   : upsample_bilinear2d(x, scale, options.align_corners);
  }

  static constexpr void visit(auto& self, auto&& f) {
    f("scale", self.scale);
    f("size", self.size);
    f("options", self.options);
  }
};

}  // namespace ebb::nn
