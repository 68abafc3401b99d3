/// \file
/// Convolution with weights that were packed once: plan, pack and run apart.
#pragma once

#include <ebb/device/isa.hpp>
#include <ebb/ops/convolution/conv2d/conv2d.hpp>

#include <utility>

namespace ebb::inline EBB_ABI {

/// Weights of `conv2d` in the layout, or in Winograd's domain, that its plan reads; `pack_conv2d`
/// makes them. Copies share one memory, which nobody writes any more: any number of threads may run
/// with it at once, each `conv2d(x, packed)` with scratch memory of its own. Later changes of the
/// weights do not reach it.
template <class T>
class PackedConv2d {
 public:
  static_assert(std::is_same_v<T, float> || std::is_same_v<T, double>,
                "ebb::pack_conv2d: weights must be floats or doubles");

  /// What `pack_conv2d` does; `layer` is named in messages.
  PackedConv2d(const Tensor<T, 4>& w, const Conv2dOptions& options, const Shape<4>& x,
               std::string layer = "")
      : options_(options),
        layer_(std::move(layer)),
        x_(x),
        w_(w.shape()),
        plan_(kernel::detail::Conv2dPlan::of<T>(
            kernel::detail::conv2d_geometry(layer_, x, w_, options_), ConvPass::forward)),
        memory_(Shape<1>{kernel::detail::conv2d_packed<T>(plan_)}) {
    kernel::conv2d_pack<T>(Cpu{}, plan_, w.view(), memory_.mut());
  }

  /// The way that was planned, and the geometry that it was planned for.
  ConvAlgorithm algorithm() const { return plan_.way; }
  const kernel::Conv2dGeometry& geometry() const { return plan_.g; }
  /// Of the packed weights.
  Index bytes() const { return memory_.size() * Index{sizeof(T)}; }

  /// Runs them: activation(conv2d(x, w) + bias + add), of which bias and add may be absent.
  template <class B, class S>
  Tensor<T, 4> run(const Tensor<T, 4>& x, const B& bias, const S& add) const {
    const kernel::detail::Conv2dPlan plan = plan_for(x.shape());
    const kernel::Conv2dGeometry& g = plan.g;
    if (detail::present(bias))
      kernel::detail::check_conv2d_bias("conv2d", layer_, bias.shape(), g.out_channels);
    Tensor<T, 4> y({g.batch, g.out_channels, g.output.height, g.output.width});
    if (detail::present(add)) detail::check_added("conv2d", layer_, add.shape(), y.shape());
    if (g.batch > 0)
      kernel::conv2d_run<T>(Cpu{}, plan, x.view(), memory_.view(), y.mut(),
                            detail::epilogue_of<T>(bias, add, options_.activation));
    return y;
  }

 private:
  /// The plan for an input of this shape, if it reads what was packed.
  kernel::detail::Conv2dPlan plan_for(const Shape<4>& x) const {
    if (isa() != plan_.isa)
      throw ValueError(message("conv2d", layer_, ": the weights were packed for ",
                               to_string(plan_.isa), ", but kernels now use ", to_string(isa()),
                               "; pack them again after set_isa()"));
    if (x == x_) return plan_;
    const kernel::detail::Conv2dPlan plan = kernel::detail::Conv2dPlan::of<T>(
        kernel::detail::conv2d_geometry(layer_, x, w_, options_), ConvPass::forward);
    if (x[0] > 0 && !kernel::detail::same_layout<T>(plan, plan_))
      throw ValueError(message("conv2d", layer_, ": the weights were packed for an input ", x_,
                               ", by ", to_string(plan_.way), "; an input ", x, " goes by ",
                               to_string(plan.way), " and wants them in another layout: pack them ",
                               "for that shape, too"));
    return plan;
  }

  Conv2dOptions options_;
  std::string layer_;  ///< for messages
  Shape<4> x_, w_;
  kernel::detail::Conv2dPlan plan_;
  Tensor<T, 1> memory_;
};

/// Packs weights (out, C / groups, kH, kW) for inputs of shape x (N, C, H, W), to be used many
/// times: `conv2d(x, packed)` has the same bits as `conv2d(x, w, options)`, and is spared what that
/// does to the weights at each call. Inputs of other shapes will do where their plan reads the
/// same layout.
/// \throws ShapeError, ValueError when extents or options do not fit together.
template <Operand W>
PackedConv2d<scalar_of<W>> pack_conv2d(const W& w, const Conv2dOptions& options,
                                       const Shape<4>& x) {
  static_assert(rank_of<W> == 4,
                "ebb::pack_conv2d: the weight must have rank 4 (out, in / groups, kH, kW)");
  static_assert(std::is_same_v<device_of<W>, Cpu>,
                "ebb::pack_conv2d: weights are packed on the CPU; GPUs read them as they lie");
  return {value(w), options, x, layer_of(w)};
}

/// conv2d with packed weights, and with the options that they were packed with, for plain tensors:
/// nothing is recorded. \throws ShapeError when x does not fit; ValueError when it wants another
/// layout than was packed, or when the instruction set was changed since.
template <Operand X, class T>
Tensor<T, 4> conv2d(const X& x, const PackedConv2d<T>& w) {
  return conv2d(x, w, Tensor<T, 1>());
}

/// The same plus a bias (out). A bias that is an absent `Param` counts as none.
template <Operand X, class T, Operand B>
Tensor<T, 4> conv2d(const X& x, const PackedConv2d<T>& w, const B& b) {
  return conv2d(x, w, b, Tensor<T, 4>());
}

/// The same plus `add`, of the result's shape, before the activation.
/// \throws ShapeError when `add` has another shape.
template <Operand X, class T, Operand B, Operand S>
Tensor<T, 4> conv2d(const X& x, const PackedConv2d<T>& w, const B& b, const S& add) {
  static_assert(!is_var<X> && !is_var<B> && !is_var<S>,
                "ebb::conv2d: packed weights have no gradient; give them plain tensors, or give "
                "conv2d the weights themselves");
  static_assert(std::is_same_v<X, Tensor<T, 4>>,
                "ebb::conv2d: packed weights want an input of rank 4 (N, C, H, W), of their scalar "
                "type, on the CPU");
  return w.run(x, b, add);
}

}  // namespace ebb
