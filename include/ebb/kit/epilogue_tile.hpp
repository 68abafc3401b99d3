/// \file
/// How register tiles on the CPU carry an epilogue out.
#pragma once

#include <ebb/device/cpu/parallel.hpp>
#include <ebb/kit/epilogue.hpp>

namespace ebb::inline EBB_ABI::kernel::simd {

/// What of an epilogue is done after a part of the result has been stored, while that is still in
/// the nearest cache. It is one function for all activations, compiled once for a scalar, where
/// kernels would be compiled again for each; and it is the loop that the operations of these names
/// run, so that the bits are the same.
template <class T>
class Afterwards {
 public:
  Afterwards() = default;
  /// `target` is the result as a whole, from which the place in `add` follows. Ask before a
  /// parallel region: it may throw.
  Afterwards(const T* target, const T* add, const Activation& activation)
      : target_(target),
        add_(add),
        activation_(activation),
        run_(copy_for<const Afterwards>(wide_loops())) {}

  explicit operator bool() const { return run_ != nullptr; }
  /// `count` elements from `y` on.
  void operator()(T* y, Index count) const {
    if (run_ == nullptr || count <= 0) return;
    Afterwards part = *this;
    part.y_ = y;
    run_(const_cast<Afterwards*>(&part), count);
  }
  /// The same for rows that begin `stride` elements apart.
  void rows(T* y, Index stride, Index count, Index length) const {
    for (Index r = 0; r < count && run_ != nullptr; ++r) (*this)(y + r * stride, length);
  }
  /// As a task of vector loops.
  void operator()(Index count) const {
    T* const y = y_;
    const T* const more = add_ == nullptr ? nullptr : add_ + (y - target_);
    if (more != nullptr) {
      EBB_SIMD
      for (Index i = 0; i < count; ++i) y[i] += more[i];
    }
    activation_.visit([=](const auto& f) {
      EBB_SIMD
      for (Index i = 0; i < count; ++i) y[i] = f.value(y[i]);
    });
  }

 private:
  T* y_ = nullptr;
  const T* target_ = nullptr;
  const T* add_ = nullptr;
  Activation activation_;
  TaskCall run_ = nullptr;
};

/// What of an epilogue registers do on their way to memory.
template <class T>
struct InRegisters {
  const T* bias = nullptr;  ///< one for each channel, or null
  bool add = false;         ///< what is there already comes on top
  bool relu = false;

  /// A sum with its bias, where `before` is what was there: the same for one number.
  T finish(T sum, const T* before) const {
    if (add) sum += *before;
    return relu && sum < T(0) ? T(0) : sum;
  }
};

/// An epilogue as the ways to compute a convolution are given it: a bias, an addition to what is
/// there and a relu are done in registers, all else `afterwards`.
template <class T>
struct TileEpilogue : InRegisters<T> {
  Afterwards<T> afterwards;

  /// Of a result at `y`.
  static TileEpilogue of(const Epilogue<T>& end, const T* y) {
    const bool adds = end.add == y && end.add != nullptr;
    const T* const other = adds ? nullptr : end.add;
    const bool relu = other == nullptr && end.activation.kind == Activation::relu;
    TileEpilogue tile{{end.bias, adds, relu}, {}};
    if (other != nullptr || (!relu && end.activation.kind != Activation::none))
      tile.afterwards = Afterwards<T>(y, other, end.activation);
    return tile;
  }
  /// The same from a channel on.
  TileEpilogue from(Index channel) const {
    TileEpilogue part = *this;
    if (part.bias != nullptr) part.bias += channel;
    return part;
  }
};

}  // namespace ebb::kernel::simd
