/// \file
/// Functions that the C library has as well, as objects: `ebb::tanh` is overloaded beside C's, so
/// that `tanh(x)` means what x is, and the name of overloaded functions cannot be handed on. Here
/// it can, as `relu` can from `ebb`.
#pragma once

#include <ebb/ops/elementwise/abs.hpp>
#include <ebb/ops/elementwise/exp.hpp>
#include <ebb/ops/elementwise/log.hpp>
#include <ebb/ops/elementwise/sqrt.hpp>
#include <ebb/ops/elementwise/square.hpp>
#include <ebb/ops/elementwise/tanh.hpp>
#include <ebb/ops/elementwise/trigonometric.hpp>

namespace ebb::inline EBB_ABI::nn {

/// `nn::Sequential(nn::Linear<>(2, 8), nn::tanh, nn::Linear<>(8, 1))`, and `nn::tanh(x)`.
inline constexpr Tanh tanh;
/// `ebb::abs` as an object.
inline constexpr Abs abs;
/// `ebb::exp` as an object.
inline constexpr Exp exp;
/// `ebb::log` as an object.
inline constexpr Log log;
/// `ebb::sqrt` as an object.
inline constexpr Sqrt sqrt;
/// `ebb::square` as an object.
inline constexpr Square square;
/// `ebb::sin` as an object.
inline constexpr Sin sin;
/// `ebb::cos` as an object.
inline constexpr Cos cos;

}  // namespace ebb::nn
