/// \file
/// The layer normalisation layer.
#pragma once

#include <ebb/nn/options.hpp>
#include <ebb/ops/normalisation/layer_norm/layer_norm.hpp>

namespace ebb::inline EBB_ABI::nn {

struct LayerNormOptions {
  double eps = 1e-5;
  bool affine = true;  ///< with weight and bias (PyTorch's elementwise_affine)
};

/// x (..., s) -> the same shape, normalised over its last M axes s (ops/layer_norm).
/// `nn::LayerNorm<>{64}`; over more axes `nn::LayerNorm<float, Cpu, 2>{Shape{8, 8}}`.
template <class T = float, class Device = Cpu, int M = 1>
struct LayerNorm {
  Param<Tensor<T, M, Device>> weight, bias;
  Shape<M> normalized{};
  double eps = 1e-5;

  /// Over no extents, to be assigned to.
  LayerNorm() = default;
  /// \throws ValueError when an extent is below 1.
  explicit LayerNorm(const Shape<M>& shape, LayerNormOptions options = {})
      : normalized(shape), eps(options.eps) {
    for (int axis = 0; axis < M; ++axis)
      detail::require_positive("layer_norm", "an extent of the normalised shape", shape[axis]);
    if (!(eps >= 0)) throw ValueError(message("layer_norm: eps = ", eps, " must not be negative"));
    if (!options.affine) return;
    weight = Tensor<T, M, Device>::ones(shape);
    bias = Tensor<T, M, Device>::zeros(shape);
  }
  explicit LayerNorm(Index features, LayerNormOptions options = {}) requires(M == 1)
      : LayerNorm(Shape<1>{features}, options) {}

  template <Operand X>
  auto operator()(const X& x) const {
    return layer_norm(x, normalized, weight, bias, eps);
  }

  static constexpr void visit(auto& self, auto&& f) {
    f("weight", self.weight);
    f("bias", self.bias);
    f("normalized", self.normalized);
    f("eps", self.eps);
  }
};

}  // namespace ebb::nn
