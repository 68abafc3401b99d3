/// \file
/// Matrix products.
#pragma once

#include <ebb/kit/product/cpu.hpp>
#include <ebb/tape/lift.hpp>
#include <ebb/tape/track.hpp>

namespace ebb::inline EBB_ABI {
namespace detail {

template <Operand A, Operand B>
void check_matmul(const A& a, const B& b) {
  const auto& x = a.shape();
  const auto& y = b.shape();
  constexpr int na = rank_of<A>, nb = rank_of<B>;
  if (x[na - 1] != y[nb - 2])
    throw ShapeError(message("matmul", layer_of(a), layer_of(b), ": ", x, " times ", y,
                             ": the columns of the first (", x[na - 1],
                             ") must be as many as the rows of the second (", y[nb - 2],
                             "); transpose() one of them, perhaps"));
  if constexpr (na == 3 && nb == 3)
    if (x[0] != y[0])
      throw ShapeError(message("matmul: ", x, " times ", y, ": the batches hold ", x[0], " and ",
                               y[0], " matrices; they must hold equally many"));
}

}  // namespace detail

/// The product of two matrices, (m, k) times (k, n) is (m, n), or of each pair of two batches,
/// (b, m, k) times (b, k, n) is (b, m, n), or of a batch with one matrix, (b, m, k) times (k, n).
/// da = dy b^T, db = a^T dy (Giles, "Collected matrix derivative results for forward and reverse
/// mode algorithmic differentiation", 2008).
/// \throws ShapeError when the inner extents, or the batches, differ.
template <Operand A, Operand B>
auto matmul(const A& a, const B& b) {
  static_assert(SameKind<A, B>,
                "ebb::matmul: both operands must have one scalar type and live on one device");
  constexpr int na = rank_of<A>, nb = rank_of<B>;
  static_assert((na == 2 && nb == 2) || (na == 3 && nb == 3) || (na == 3 && nb == 2),
                "ebb::matmul: the operands must be two matrices, two batches of matrices (rank 3), "
                "or a batch and one matrix; reshape() or flatten() them first");
  using T = scalar_of<A>;
  using Device = device_of<A>;
  detail::check_matmul(a, b);
  const auto x = value(a);
  const auto w = value(b);

  if constexpr (na == nb) {
    Shape<na> shape = x.shape();
    shape[na - 1] = w.shape()[nb - 1];
    Tensor<T, na, Device> y(shape);
    gemm(Device{}, {}, x.view(), w.view(), Into<T, na>{y.mutable_data(), shape});
    const Op op{"matmul", y.size() * x.extent(-1)};
    return track(
        op, y,
        [x, w, da = sink(a), db = sink(b)](const auto& dy) {
          if (da) gemm(Device{}, {.b = true}, dy.view(), w.view(), da.into());
          if (db) gemm(Device{}, {.a = true}, x.view(), dy.view(), db.into());
        },
        a, b);
  } else {  // the rows of all matrices are those of one tall matrix
    const Shape<2> tall{x.extent(0) * x.extent(1), x.extent(2)};
    const Shape<2> result{tall[0], w.extent(1)};
    Tensor<T, 3, Device> y({x.extent(0), x.extent(1), w.extent(1)});
    gemm(Device{}, {}, x.reshape(tall).view(), w.view(), Into<T, 2>{y.mutable_data(), result});
    const Op op{"matmul", y.size() * x.extent(-1)};
    return track(
        op, y,
        [x, w, tall, result, da = sink(a), db = sink(b)](const auto& dy) {
          const auto g = dy.reshape(result);
          if (da) {
            const auto into = da.into();
            gemm(Device{}, {.b = true}, g.view(), w.view(), Into<T, 2>{into.data, tall, into.add});
          }
          if (db) gemm(Device{}, {.a = true}, x.reshape(tall).view(), g.view(), db.into());
        },
        a, b);
  }
}

/// The same where one operand is of dual numbers, and the other constant.
template <Operand A, Operand B>
requires MixesDual<A, B>
auto matmul(const A& a, const B& b) {
  return with_lifted([](const auto&... both) { return matmul(both...); }, a, b);
}

}  // namespace ebb
