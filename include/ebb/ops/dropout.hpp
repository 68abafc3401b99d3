/// \file
/// Dropout.
#pragma once

#include <ebb/core/random.hpp>
#include <ebb/tape/var.hpp>

namespace ebb {

/// Which elements a dropout keeps, as a pure function of their number: the mask is never stored.
struct DropoutMask {
  RandomStream stream;
  std::uint32_t threshold = 0;  ///< dropped are the elements whose 24 random bits are below

  /// Drops with probability p, to within 2^-24.
  static DropoutMask of(RandomStream stream, double p) {
    return {stream, static_cast<std::uint32_t>(p * 16777216.0 + 0.5)};
  }

  EBB_HD constexpr bool keeps(std::uint32_t bits) const { return (bits >> 8) >= threshold; }
};

/// Kernel: y[i] = scale x[i] where the mask keeps element i, else 0. Forward and backward alike.
template <class T, int N>
void apply_dropout(Cpu, const DropoutMask& mask, T scale, View<const T, N> x, Into<T, N> y) {
  constexpr Index cost = 16;  // ten rounds for four elements
  parallel_ranges(y.size(), cost, [&](Index begin, Index end) {
    static_assert(chunk % 4 == 0);  // so that a task begins with a block of random words
    for (Index i = begin; i < end; i += 4) {
      const Philox block =
          Philox::block(mask.stream.seed, mask.stream.stream, static_cast<std::uint64_t>(i / 4));
      for (Index k = 0; k < 4 && i + k < end; ++k)
        y.put(i + k, mask.keeps(block.word[k]) ? scale * x.data[i + k] : T(0));
    }
  });
}

/// x of any shape -> each element with probability 1 - p, divided by 1 - p, else zero: the mean
/// stays what it was. The backward pass draws the same numbers of `stream` again instead of keeping
/// a mask. Srivastava, Hinton, Krizhevsky, Sutskever & Salakhutdinov, "Dropout: a simple way to
/// prevent neural networks from overfitting", JMLR 15 (2014).
/// \throws ValueError when p is not in [0, 1].
template <Operand X>
auto dropout(const X& x, double p, RandomStream stream) {
  if (!(p >= 0.0 && p <= 1.0))
    throw ValueError(message("dropout: the probability of dropping is ", p,
                             "; it must be at least 0 and at most 1"));
  using T = scalar_of<X>;
  using Device = device_of<X>;
  const auto mask = DropoutMask::of(stream, p);
  const T scale = static_cast<T>(p < 1.0 ? 1.0 / (1.0 - p) : 0.0);
  tensor_of<X> y(x.shape());
  apply_dropout(Device{}, mask, scale, value(x).view(),
                Into<T, rank_of<X>>{y.mutable_data(), y.shape(), false});
  return track(
      "dropout", y,
      [mask, scale, dx = sink(x)](const auto& dy) {
        if (dx) apply_dropout(Device{}, mask, scale, dy.view(), dx.into());
      },
      x);
}

/// The same with a fresh stream of the calling thread's default generator.
template <Operand X>
auto dropout(const X& x, double p) {
  return dropout(x, p, default_generator().stream());
}

}  // namespace ebb
