/// \file
/// The group normalisation layer.
#pragma once

#include <ebb/nn/options.hpp>
#include <ebb/ops/normalisation/group_norm/group_norm.hpp>

namespace ebb::inline EBB_ABI::nn {

struct GroupNormOptions {
  double eps = 1e-5;
  bool affine = true;  ///< with weight and bias
};

/// x (n, c, ...) -> the same shape, normalised over groups of channels (ops/group_norm).
template <class T = float, class Device = Cpu>
struct GroupNorm {
  Param<Tensor<T, 1, Device>> weight, bias;
  Index groups = 1;
  double eps = 1e-5;

  /// Without channels, to be assigned to.
  GroupNorm() = default;
  /// \throws ValueError when the groups do not divide the channels.
  GroupNorm(Index number_of_groups, Index channels, GroupNormOptions options = {})
      : groups(number_of_groups), eps(options.eps) {
    detail::require_positive("group_norm", "channels", channels);
    detail::require_positive("group_norm", "groups", groups);
    if (channels % groups != 0)
      throw ValueError(
          message("group_norm: groups = ", groups, " must divide the ", channels, " channels"));
    if (!(eps >= 0)) throw ValueError(message("group_norm: eps = ", eps, " must not be negative"));
    if (!options.affine) return;
    weight = Tensor<T, 1, Device>::ones({channels});
    bias = Tensor<T, 1, Device>::zeros({channels});
  }

  template <Operand X>
  auto operator()(const X& x) const {
    return group_norm(x, groups, weight, bias, eps);
  }

  static constexpr void visit(auto& self, auto&& f) {
    f("weight", self.weight);
    f("bias", self.bias);
    f("groups", self.groups);
    f("eps", self.eps);
  }
};

}  // namespace ebb::nn
