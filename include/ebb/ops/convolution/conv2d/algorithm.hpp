/// \file
/// The ways to compute a convolution on the CPU, and the switch that asks for one of them.
/// README.md in this folder draws them; cpu/plan.hpp chooses.
#pragma once

#include <ebb/core/error.hpp>

#include <atomic>
#include <cstdlib>
#include <string>
#include <string_view>

namespace ebb::inline EBB_ABI {

/// Ways to compute a convolution.
///  - `reference`: the plain loops of reference.hpp, for every geometry.
///  - `pointwise`: a 1x1 kernel that touches every pixel once; one product of matrices an image.
///  - `depthwise`: groups of one input and one output channel; a plane in a frame of zeros.
///  - `three_rows`: kernels three rows high, of stride 1; rows of pixels read where they lie.
///  - `unfolded`: what each of a few outputs sees is a row of a matrix (im2col).
///  - `images`: vectors run along the images of a batch.
///  - `channels`: vectors run along channels.
///  - `lines`: vectors run along lines of pixels, which are laid out for the taps.
///  - `winograd`: fewer multiplications, for 3x3 kernels of stride 1 and floats.
///  - `direct`: no way of its own; who asks for it gets any but Winograd's.
enum class ConvAlgorithm {
  reference,
  pointwise,
  depthwise,
  three_rows,
  unfolded,
  images,
  channels,
  lines,
  winograd,
  direct
};

/// The three linear maps that a convolution and its gradients are made of.
enum class ConvPass { forward, grad_input, grad_weight };

namespace detail {

inline constexpr const char* conv_algorithms[] = {
    "reference", "pointwise", "depthwise", "three_rows", "unfolded",
    "images",    "channels",  "lines",     "winograd",   "direct"};

/// What the switch asks for; `automatic` stands for the cost model.
struct ConvSwitch {
  static constexpr int automatic = -1;

  static int from_environment() {
    const char* wanted = std::getenv("EBB_CONV");
    if (wanted == nullptr || *wanted == '\0') return automatic;
    int at = 0;
    std::string choices;
    for (const char* name : conv_algorithms) {
      if (std::string_view(wanted) == name) return at;
      choices += (at++ == 0 ? "" : ", ") + std::string(name);
    }
    throw ValueError(message("EBB_CONV=", wanted, ": the choices are ", choices,
                             "; unset the variable to let the library choose"));
  }
  static std::atomic<int>& value() {
    static std::atomic<int> chosen{from_environment()};
    return chosen;
  }
};

}  // namespace detail

inline const char* to_string(ConvAlgorithm algorithm) {
  return detail::conv_algorithms[static_cast<std::size_t>(algorithm)];
}

/// Overrides the cost model for the whole process, wherever the algorithm applies. So does the
/// environment variable EBB_CONV: `EBB_CONV=direct` turns Winograd's algorithm off.
inline void set_conv2d_algorithm(ConvAlgorithm algorithm) {
  detail::ConvSwitch::value().store(static_cast<int>(algorithm), std::memory_order_relaxed);
}

/// Lets the cost model choose again.
inline void reset_conv2d_algorithm() {
  detail::ConvSwitch::value().store(detail::ConvSwitch::automatic, std::memory_order_relaxed);
}

}  // namespace ebb
