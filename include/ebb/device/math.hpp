/// \file
/// Elementary functions for vectorised loops. In float they are straight lines of arithmetic, which
/// a compiler turns into vector code wherever a loop calls them; for other scalars they are std's,
/// or what argument-dependent lookup finds (dual numbers).
///
/// CUDA kernels call the same functions: the GPU then agrees with the CPU to the rounding of a
/// contracted a * b + c, and a test on the CPU is a test of both.
///
/// Method: reduction of the argument with a constant in two parts (Cody & Waite, "Software manual
/// for the elementary functions", 1980), then a polynomial that is best in the sense of Chebyshev,
/// found by Remez' exchange: `tests/oracle/minimax.py` prints every coefficient below.
/// Errors are measured over all floats, or a dense part of them, in tests/device/math.cpp.
#pragma once

#include <ebb/core/finite.hpp>
#include <ebb/device/branchless.hpp>

#include <cmath>
#include <cstdint>
#include <limits>

namespace ebb::inline EBB_ABI::math {

namespace detail {

/// 2^n for n in [-126, 127].
EBB_HD inline float power_of_two(std::uint32_t n) { return of_bits((n + 127u) << 23); }

/// x + rest = n log 2 + r with |r| <= log(2) / 2, for x in [-110, 90] and a small `rest`. n is
/// found by adding 1.5 2^23, which rounds to a whole number and leaves it in the low bits.
/// Not-a-number stays in r.
struct Reduced {
  std::uint32_t n;
  float r;

  EBB_HD explicit Reduced(float x) { reduce(x, x); }
  EBB_HD Reduced(float x, float rest) {
    EBB_AS_WRITTEN
    reduce(x + rest, x);
    r = as_written(r) + rest;
  }
  /// e^r - 1, relative error 2^-27.
  EBB_HD float exp_minus_one() const {
    const float q =
        0.499999931f +
        r * (0.166665148f + r * (0.0416684567f + r * (0.00836941905f + r * 0.00138131479f)));
    return r + r * r * q;
  }
  /// Of `x`, n being that of `near`, which is x but for little.
  EBB_HD void reduce(float near, float x) {
    EBB_AS_WRITTEN
    constexpr float magic = 12582912.0f;
    const float shifted = as_written(near * 1.44269504f + magic);
    const float whole = shifted - magic;
    n = bits(shifted) - bits(magic);
    // log 2 in two parts, the first of 15 bits, so that its product with n is exact.
    r = as_written(x - whole * 0.693145751953125f) - whole * 1.42860677e-6f;
  }
  /// e^(x + rest): 2^n in two factors, because it may be beyond the normal numbers on either side.
  EBB_HD float exp() const {
    EBB_AS_WRITTEN
    const auto half = static_cast<std::uint32_t>(static_cast<std::int32_t>(n) >> 1);
    return as_written((1.0f + exp_minus_one()) * power_of_two(half)) * power_of_two(n - half);
  }
};

/// Within [low, high]; not-a-number passes.
EBB_HD inline float clamped(float x, float low, float high) {
  return select(x < low, low, select(x > high, high, x));
}

}  // namespace detail

/// e^x; in float within 1 ulp, down to the smallest denormal number.
template <class T>
EBB_HD inline T exp(const T& x) {
  if constexpr (detail::is_float<T>) {
    const detail::Reduced part(detail::clamped(x, -105.0f, 89.0f));
    return part.exp();
  } else {
    using std::exp;
    return exp(x);
  }
}

/// e^x for x up to 88, as softmax needs it: in float within 2 ulp, but zero below -87, so that one
/// factor 2^n will do and nothing is denormal.
template <class T>
EBB_HD inline T exp_or_zero(const T& x) {
  if constexpr (detail::is_float<T>) {
    const detail::Reduced part(x);
    const float e = (1.0f + part.exp_minus_one()) * detail::power_of_two(part.n);
    return detail::of_bits(detail::bits(e) & (static_cast<std::uint32_t>(x < -87.0f) - 1u));
  } else {
    return exp(x);
  }
}

/// e^x - 1; in float within 2 ulp, however small x is.
template <class T>
EBB_HD inline T expm1(const T& x) {
  EBB_AS_WRITTEN
  if constexpr (detail::is_float<T>) {
    const detail::Reduced part(detail::clamped(x, -25.0f, 89.0f));
    const float half = detail::power_of_two(part.n - 1u);  // 2^n itself may be too large
    const float change = detail::as_written(half * part.exp_minus_one());
    return 2.0f * detail::as_written(change + (half - 0.5f));
  } else {
    using std::expm1;
    return expm1(x);
  }
}

/// log x; in float within 1 ulp. -infinity at 0, nan below.
template <class T>
EBB_HD inline T log(const T& x) {
  EBB_AS_WRITTEN
  if constexpr (detail::is_float<T>) {
    using Limits = std::numeric_limits<float>;
    const bool tiny = x < Limits::min();
    const float v = select(tiny, x * 8388608.0f, x);  // denormal numbers times 2^23
    // v = m 2^e with m in [sqrt 1/2, sqrt 2)
    constexpr std::uint32_t root_half = 0x3f3504f3u;
    const std::uint32_t shifted = detail::bits(v) - root_half;
    const float e =
        static_cast<float>(static_cast<std::int32_t>(shifted) >> 23) - select(tiny, 23.0f, 0.0f);
    const float f = detail::of_bits((shifted & 0x7fffffu) + root_half) - 1.0f;
    // log(1 + f) = f - f^2 / 2 + f^3 q(f)
    const float q =
        0.333333167f +
        f * (-0.250008103f +
             f * (0.200022862f +
                  f * (-0.166245558f +
                       f * (0.141811944f +
                            f * (-0.131287436f + f * (0.128816295f + f * -0.0785961558f))))));
    const float square = f * f;
    const float rest = square * (f * q - 0.5f) + e * 1.42860677e-6f;
    const float y = detail::as_written(rest + f) + e * 0.693145751953125f;
    const float inside = select(is_finite(x), y, x);
    return select(x < 0.0f, Limits::quiet_NaN(), select(x == 0.0f, -Limits::infinity(), inside));
  } else {
    using std::log;
    return log(x);
  }
}

/// log(1 + x); in float for x in [0, 1] alone, within 2 ulp: what 1 + x rounds off is put back.
template <class T>
EBB_HD inline T log1p(const T& x) {
  EBB_AS_WRITTEN
  if constexpr (detail::is_float<T>) {
    const float u = detail::as_written(1.0f + x);
    return log(u) + (x - detail::as_written(u - 1.0f)) / u;
  } else {
    using std::log1p;
    return log1p(x);
  }
}

/// tanh x; in float within 3 ulp, by e^(-2 |x|) - 1.
template <class T>
EBB_HD inline T tanh(const T& x) {
  if constexpr (detail::is_float<T>) {
    const std::uint32_t sign = detail::bits(x) & 0x80000000u;
    const float magnitude = detail::of_bits(detail::bits(x) ^ sign);
    const float e = expm1(-2.0f * magnitude);
    return detail::of_bits(detail::bits(-e / (e + 2.0f)) | sign);
  } else {
    using std::tanh;
    return tanh(x);
  }
}

namespace detail {

/// e^(-a^2 / 2 + extra), a >= 0 and `extra` between -2 and 0; rounding off a^2 / 2 would be the
/// error of the result, so it comes in two parts, the first exact.
EBB_HD inline float exp_of_minus_half_square(float a, float extra) {
  EBB_AS_WRITTEN
  const float near = of_bits(bits(select(a > 15.0f, 15.0f, a)) & 0xfffff000u);
  const float rest = -0.5f * ((a - near) * (a + near));
  const Reduced part(-0.5f * near * near, extra + select(rest > -1.0f, rest, -1.0f));
  return part.exp();
}
EBB_HD inline float magnitude(float x) { return of_bits(bits(x) & 0x7fffffffu); }

}  // namespace detail

/// e^(x + rest) for a `rest` of less than a unit: for sums whose rounding would be the error of the
/// result. In float within 1 ulp.
template <class T>
EBB_HD inline T exp_of_sum(const T& x, const T& rest) {
  if constexpr (detail::is_float<T>) {
    const detail::Reduced part(detail::clamped(x, -105.0f, 89.0f), rest);
    return part.exp();
  } else {
    return exp(x + rest);
  }
}

/// e^(-x^2 / 2); in float within 2 ulp.
template <class T>
EBB_HD inline T exp_of_minus_half_square(const T& x) {
  if constexpr (detail::is_float<T>)
    return detail::exp_of_minus_half_square(detail::magnitude(x), 0.0f);
  else
    return exp(T(-0.5) * x * x);
}

/// The standard normal distribution function, (1 + erf(x / sqrt 2)) / 2. In float the small side is
/// computed and the other is one less it, so that the lower tail keeps its digits (within 9 ulp):
/// with z = |x| / sqrt 2 and u = 1 / (1 + z / 2), erfc z = u e^(-z^2 + p(u)). The form is that of
/// Press et al., "Numerical recipes", 6.2.
template <class T>
EBB_HD inline T normal_cdf(const T& x) {
  if constexpr (detail::is_float<T>) {
    const float a = detail::magnitude(x);
    const float u = 1.0f / (1.0f + 0.35355339059327376220f * a);
    const float p = -1.2654955f +
                    u * (0.999629291f +
                         u * (0.377860567f +
                              u * (0.0774089055f +
                                   u * (-0.126561456f +
                                        u * (0.163260093f +
                                             u * (-0.993525971f +
                                                  u * (1.38177969f +
                                                       u * (-0.777038949f + u * 0.16268339f))))))));
    const float tail = 0.5f * u * detail::exp_of_minus_half_square(a, p);
    return select(x < 0.0f, tail, 1.0f - tail);
  } else {
    using std::erfc;
    return T(0.5) * erfc(x * T(-0.70710678118654752440));
  }
}

}  // namespace ebb::math
