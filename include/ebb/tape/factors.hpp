/// \file
/// Gradients that are products of two small factors, multiplied out where they are used.
#pragma once

#include <ebb/core/shape.hpp>

namespace ebb::inline EBB_ABI {

/// A matrix (rows, columns) that is left^T right, for factors of few rows: the weight gradient of a
/// dense layer, dy^T x, at a small batch. It is as large as the weight, so writing it to memory
/// only for the optimizer to read it again can cost more than the rest of the step; an update
/// kernel expands it piece by piece, in cache, instead.
template <class T>
struct Factors {
  const T* left = nullptr;   ///< (terms, rows)
  const T* right = nullptr;  ///< (terms, columns)
  Index terms = 0, rows = 0, columns = 0;
  /// Writes elements [begin, end) of the flattened product to `to`: the same bits whatever the
  /// range, and those of the product written out at once.
  void (*expand)(const Factors& factors, Index begin, Index end, T* to) = nullptr;

  explicit operator bool() const { return expand != nullptr; }
};

}  // namespace ebb
