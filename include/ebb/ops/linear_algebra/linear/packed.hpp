/// \file
/// The affine map with weights that were packed once.
#pragma once

#include <ebb/device/isa.hpp>
#include <ebb/ops/linear_algebra/linear/linear.hpp>

#include <utility>

namespace ebb::inline EBB_ABI {

/// Weights of `linear` as its product reads them; `pack_linear` makes them. Copies share one
/// memory, which nobody writes any more: any number of threads may run with it at once. Later
/// changes of the weights do not reach it.
template <class T>
class PackedLinear {
 public:
  static_assert(std::is_same_v<T, float> || std::is_same_v<T, double>,
                "ebb::pack_linear: weights must be floats or doubles");

  /// What `pack_linear` does; `layer` is named in messages.
  PackedLinear(const Tensor<T, 2>& w, Index rows, std::string layer = "")
      : layer_(std::move(layer)), w_(w.shape()), rows_(rows) {
    const Index elements = kernel::linear_packed<T>(Cpu{}, rows, w.view());
    packed_ = elements > 0;
    memory_ = Tensor<T, 1>(Shape<1>{packed_ ? elements : w.size()});
    kernel::linear_pack<T>(Cpu{}, rows, w.view(), memory_.mut());
  }

  /// Of the packed weights.
  Index bytes() const { return memory_.size() * Index{sizeof(T)}; }

  /// Runs them: activation(x w^T + bias + add), of which bias and add may be absent.
  template <int N, class B, class S>
  Tensor<T, N> run(const Tensor<T, N>& x, const B& bias, Activation activation,
                   const S& add) const {
    Shape<N> shape = x.shape();
    if (shape[N - 1] != w_[1])
      throw ShapeError(message("linear", layer_, ": the packed weight ", w_, " expects ", w_[1],
                               " features, but the input ", shape, " has ", shape[N - 1],
                               N == 2 ? "; flatten() an image first" : ""));
    shape[N - 1] = w_[0];
    if (detail::present(bias)) detail::check_linear_bias(layer_, w_, bias.shape());
    Tensor<T, N> y(shape);
    if (detail::present(add)) detail::check_added("linear", layer_, add.shape(), shape);
    const Shape<2> rows = detail::as_matrix(x.shape());
    if (rows[0] > 0) check(rows[0]);
    kernel::detail::gemm_matrix<T>({.b = true}, rows[0], w_[0], w_[1], x.data(),
                                   {memory_.data(), packed_}, y.mutable_data(), false,
                                   detail::epilogue_of<T>(bias, add, activation));
    return y;
  }

 private:
  /// That a product of so many rows reads what was packed.
  void check(Index rows) const {
    if (isa() != isa_)
      throw ValueError(message("linear", layer_, ": the weights were packed for ", to_string(isa_),
                               ", but kernels now use ", to_string(isa()),
                               "; pack them again after set_isa()"));
    if (rows != rows_ && !kernel::linear_reads_like<T>(Cpu{}, rows, rows_, w_))
      throw ValueError(message("linear", layer_, ": the weights were packed for ", rows_,
                               rows_ == 1 ? " row; " : " rows; ", rows,
                               " want them in another layout: pack them for so many, too"));
  }

  std::string layer_;  ///< for messages
  Shape<2> w_;
  Index rows_;
  Isa isa_ = isa();
  bool packed_ = false;  ///< else they are as they were
  Tensor<T, 1> memory_;
};

/// Packs a weight (out, in) for inputs of so many rows, to be used many times: `linear(x, packed)`
/// has the same bits as `linear(x, w)`. Other numbers of rows will do where they want the same
/// layout: a product of few rows, up to sixteen, reads the weight as it lies, so that packing is a
/// copy. \throws ValueError when rows are negative.
template <Operand W>
PackedLinear<scalar_of<W>> pack_linear(const W& w, Index rows = 1) {
  static_assert(rank_of<W> == 2, "ebb::pack_linear: the weight must have rank 2, (out, in)");
  static_assert(std::is_same_v<device_of<W>, Cpu>,
                "ebb::pack_linear: weights are packed on the CPU; GPUs read them as they lie");
  if (rows < 0)
    throw ValueError(message("pack_linear", layer_of(w), ": there are ", rows,
                             " rows; there must be 0 or more"));
  return {value(w), rows, layer_of(w)};
}

/// linear with packed weights, for plain tensors: nothing is recorded. \throws ShapeError when x
/// does not fit; ValueError when it wants another layout than was packed, or when the instruction
/// set was changed since.
template <Operand X, class T>
auto linear(const X& x, const PackedLinear<T>& w, Activation activation = Activation::none) {
  return linear(x, w, Tensor<T, 1>(), activation);
}

/// The same plus a bias (out). A bias that is an absent `Param` counts as none.
template <Operand X, class T, Operand B>
auto linear(const X& x, const PackedLinear<T>& w, const B& b,
            Activation activation = Activation::none) {
  return linear(x, w, b, activation, Tensor<T, rank_of<X>>());
}

/// The same plus `add`, of the result's shape, before the activation.
/// \throws ShapeError when `add` has another shape.
template <Operand X, class T, Operand B, Operand S>
auto linear(const X& x, const PackedLinear<T>& w, const B& b, Activation activation, const S& add) {
  static_assert(!is_var<X> && !is_var<B> && !is_var<S>,
                "ebb::linear: packed weights have no gradient; give them plain tensors, or give "
                "linear the weights themselves");
  static_assert(std::is_same_v<X, Tensor<T, rank_of<X>>>,
                "ebb::linear: packed weights want an input of their scalar type on the CPU");
  return w.run(x, b, activation, add);
}

}  // namespace ebb
