/// \file
/// The kernels of dropout.
#pragma once

#include <ebb/core/random.hpp>
#include <ebb/core/view.hpp>
#include <ebb/device/cpu/cpu.hpp>
#include <ebb/device/cpu/parallel.hpp>
#include <ebb/device/math.hpp>
#include <ebb/device/random.hpp>
#include <ebb/kit/counting.hpp>

#include <cmath>

namespace ebb::inline EBB_ABI::kernel {

/// Which elements a dropout keeps, as a pure function of their number.
struct DropoutMask {
  RandomStream stream;
  std::uint32_t threshold = 0;  ///< dropped are the elements whose 24 random bits are below

  /// Drops with probability p, to within 2^-24.
  static DropoutMask of(RandomStream stream, double p) {
    return {stream, static_cast<std::uint32_t>(std::lround(p * 16777216.0))};
  }

  EBB_HD constexpr bool keeps(std::uint32_t bits) const { return (bits >> 8) >= threshold; }

  /// Elements whose fate is one word of bits, the first of them the lowest.
  static constexpr Index word = 32;
  static constexpr Index words(Index elements) { return divide_up(elements, word); }
};

namespace detail {

/// y[i] = gain x[i] where bit i of `kept` is set, else 0 x[i], for `count` elements.
template <class T>
void keep_elements(const std::uint32_t* kept, T gain, const T* x, Index count, T* y, bool add) {
  constexpr Index word = DropoutMask::word;
  const auto factor = [gain](std::uint32_t bits, Index i) {
    return math::select((bits & (std::uint32_t{1} << i)) != 0, gain, T(0));
  };
  Index first = 0;
  for (; first + word <= count; first += word) {
    const std::uint32_t bits = *kept++;
    const T* const from = x + first;
    T* const to = y + first;
    if (add) {
      EBB_SIMD
      for (Index i = 0; i < word; ++i) to[i] += factor(bits, i) * from[i];
    } else {
      EBB_SIMD
      for (Index i = 0; i < word; ++i) to[i] = factor(bits, i) * from[i];
    }
  }
  for (Index i = 0; first + i < count; ++i) {
    const T value = factor(*kept, i) * x[first + i];
    y[first + i] = add ? y[first + i] + value : value;
  }
}

}  // namespace detail

/// Kernel: y[i] = scale x[i] where the mask keeps element i, else 0 x[i]. `kept`, which may be
/// absent, receives a bit an element.
template <class T, int N>
void dropout_forward(Cpu, const DropoutMask& mask, T scale, View<const T, N> x, View<T, N> y,
                     View<std::uint32_t, 1> kept) {
  constexpr Index cost = 8, word = DropoutMask::word;
  constexpr Index batch = 256;        // elements whose numbers are drawn together
  static_assert(chunk % batch == 0);  // so that a task begins with a word
  parallel_ranges(y.size(), cost, [&](Index begin, Index end) {
    std::uint32_t some[detail::array_size(batch / word)];
    for (Index first = begin; first < end; first += batch) {
      const Index count = end - first < batch ? end - first : batch;
      std::uint32_t* const bits = kept.data ? kept.data + first / word : some;
      draw_at_least(mask.stream, mask.threshold, static_cast<std::uint64_t>(first / word),
                    DropoutMask::words(count), bits);
      detail::keep_elements(bits, scale, x.data + first, count, y.data + first, false);
    }
  });
}

/// Kernel: dx[i] = scale dy[i] where element i was kept, else 0 dy[i].
template <class T, int N>
void dropout_backward(Cpu, View<const std::uint32_t, 1> kept, T scale, View<const T, N> dy,
                      Into<T, N> dx) {
  parallel_ranges(dx.size(), 1, [&](Index begin, Index end) {
    detail::keep_elements(kept.data + begin / DropoutMask::word, scale, dy.data + begin,
                          end - begin, dx.data + begin, dx.add);
  });
}

}  // namespace ebb::kernel
