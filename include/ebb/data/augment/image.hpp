/// \file
/// What transforms take and give: an image of floats.
#pragma once

#include <ebb/tensor/tensor.hpp>

#include <cstdint>

namespace ebb::inline EBB_ABI::data {

/// An image (channels, height, width) in host memory.
using Image = Tensor<float, 3>;

namespace detail {

/// A float as it is; a byte from 0 to 255 as a number from 0 to 1.
inline float to_float(std::uint8_t byte) { return static_cast<float>(byte) / 255.0f; }
inline float to_float(float value) { return value; }

}  // namespace detail

}  // namespace ebb::data
