/// \file
/// What a kernel sees of a tensor: a pointer and extents, nothing else.
#pragma once

#include <ebb/core/shape.hpp>

#include <type_traits>

namespace ebb::inline EBB_ABI {

/// A non-owning, contiguous, row-major window on device memory. Indices are not checked.
template <class T, int N>
struct View {
  T* data = nullptr;
  Shape<N> shape{};

  EBB_HD constexpr Index extent(int axis) const { return shape[axis]; }
  EBB_HD constexpr Index size() const { return shape.size(); }

  template <class... I>
  requires(sizeof...(I) == static_cast<std::size_t>(N)) EBB_HD constexpr T& operator()(
      I... index) const {
    Index at = 0;
    [[maybe_unused]] int axis = 0;
    ((at = at * shape[axis++] + static_cast<Index>(index)), ...);
    return data[at];
  }

  EBB_HD constexpr operator View<const T, N>() const requires(!std::is_const_v<T>) {
    return {data, shape};
  }
};

/// Where a backward kernel leaves its result. The first writer of a gradient overwrites
/// (`add == false`), later ones add, so that gradients are never zero-filled first.
/// A kernel must define every element when `add` is false.
template <class T, int N>
struct Into {
  T* data = nullptr;
  Shape<N> shape{};
  bool add = false;

  EBB_HD constexpr Index size() const { return shape.size(); }
  EBB_HD constexpr View<T, N> view() const { return {data, shape}; }

  /// Overwrites element `at`, or adds to it.
  EBB_HD constexpr void put(Index at, T value) const {
    if (add)
      data[at] += value;
    else
      data[at] = value;
  }
};

}  // namespace ebb
