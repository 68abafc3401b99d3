/// \file
/// Whether a peer computed what it was asked for: some elements of the result, worked out one by
/// one on the host from the very numbers that the GPU had.
#pragma once

#include "benchmarks/cuda/shapes.hpp"

#include <ebb/core/error.hpp>

#include <cstdint>

namespace bench {

/// Numbers as they lie on the GPU, floats or bfloat16.
struct Numbers {
  std::vector<unsigned char> bytes;
  bool half;

  double operator[](long i) const {
    const auto at = static_cast<std::size_t>(i);
    std::uint32_t bits = 0;
    if (half) {
      std::uint16_t upper;
      std::memcpy(&upper, bytes.data() + at * sizeof upper, sizeof upper);
      bits = std::uint32_t{upper} << 16;
    } else {
      std::memcpy(&bits, bytes.data() + at * sizeof bits, sizeof bits);
    }
    float number;
    std::memcpy(&number, &bits, sizeof number);
    return static_cast<double>(number);
  }
};

/// A tensor of four axes, the channels behind the places or before them.
struct Images {
  const Numbers& numbers;
  long count, channels, height, width;
  bool channels_last;

  double operator()(long n, long c, long h, long w) const {
    return numbers[channels_last ? ((n * height + h) * width + w) * channels + c
                                 : ((n * channels + c) * height + h) * width + w];
  }
};

/// A sum of products, and that of their sizes, by which its rounding is bounded.
struct Sum {
  double value = 0, sizes = 0;
  void add(double a, double b) {
    value += a * b;
    sizes += std::fabs(a * b);
  }
  /// Generous: bfloat16 rounds by 2^-8, three times; another layout is wrong by all of it.
  bool is(double found) const { return std::fabs(found - value) <= sizes / 32 + 1e-30; }
};

/// \throws ebb::Error where x, w and y are not a convolution and the result of its pass.
inline void check_convolution(const ConvShape& s, int pass, const Images& x, const Images& w,
                              const Images& y) {
  const Images& result = pass == 0 ? y : pass == 1 ? x : w;
  // Calls f(i, j, h, v) for every tap (i, j) of the output (p, q), which reads x at (h, v).
  const auto each_tap = [&](long p, long q, auto f) {
    for (long i = 0; i < s.kernel; ++i)
      for (long j = 0; j < s.kernel; ++j) {
        const long h = p * s.stride + i - s.padding, v = q * s.stride + j - s.padding;
        if (h >= 0 && h < x.height && v >= 0 && v < x.width) f(i, j, h, v);
      }
  };
  for (long sample = 0; sample < 8; ++sample) {
    const long place = (sample * 7919 + 13) % (result.count * result.channels);
    const long first = place / result.channels, second = place % result.channels;
    const long row = sample * 31 % result.height, column = sample * 17 % result.width;
    Sum sum;
    if (pass == 0) {
      each_tap(row, column, [&](long i, long j, long h, long v) {
        for (long c = 0; c < s.in; ++c) sum.add(x(first, c, h, v), w(second, c, i, j));
      });
    } else if (pass == 1) {
      for (long p = 0; p < y.height; ++p)
        for (long q = 0; q < y.width; ++q)
          each_tap(p, q, [&](long i, long j, long h, long v) {
            if (h != row || v != column) return;
            for (long o = 0; o < s.out; ++o) sum.add(y(first, o, p, q), w(o, second, i, j));
          });
    } else {
      for (long p = 0; p < y.height; ++p)
        for (long q = 0; q < y.width; ++q)
          each_tap(p, q, [&](long i, long j, long h, long v) {
            if (i != row || j != column) return;
            for (long n = 0; n < s.batch; ++n) sum.add(y(n, first, p, q), x(n, second, h, v));
          });
    }
    if (const double found = result(first, second, row, column); !sum.is(found))
      throw ebb::Error(
          ebb::message("it computes something else: ", found, " where ", sum.value, " is right"));
  }
}

/// \throws ebb::Error where c is not the product of a and b.
inline void check_product(const GemmShape& s, const Numbers& a, const Numbers& b,
                          const Numbers& c) {
  for (long sample = 0; sample < 8; ++sample) {
    const long row = sample * 31 % s.m, column = sample * 7919 % s.n;
    Sum sum;
    for (long k = 0; k < s.k; ++k)
      sum.add(a[s.transposed_a ? k * s.m + row : row * s.k + k],
              b[s.transposed_b ? column * s.k + k : k * s.n + column]);
    if (const double found = c[row * s.n + column]; !sum.is(found))
      throw ebb::Error(
          ebb::message("it computes something else: ", found, " where ", sum.value, " is right"));
  }
}

}  // namespace bench
