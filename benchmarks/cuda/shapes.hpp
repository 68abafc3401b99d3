/// \file
/// The shapes that operations are measured on, by ebb's program for GPUs and by its peers.
#pragma once

#include "benchmarks/cuda/report.hpp"
#include "benchmarks/kernels/shapes.hpp"

namespace bench {

/// Convolutions of the tutorial's CNN at batch 64, of ResNet-18 for 28x28 at batch 128, and of the
/// U-Net (base 32, depth 4) on 256x256 at batch 8.
inline constexpr ConvShape gpu_conv_shapes[] = {
    {"CNN conv1", 64, 1, 28, 28, 16, 3, 1, 1, 1},
    {"CNN conv2", 64, 16, 28, 28, 32, 3, 1, 1, 1},
    {"ResNet conv1", 128, 1, 28, 28, 64, 3, 1, 1, 1},
    {"ResNet layer1", 128, 64, 28, 28, 64, 3, 1, 1, 1},
    {"ResNet layer2, first", 128, 64, 28, 28, 128, 3, 2, 1, 1},
    {"ResNet layer2, short cut", 128, 64, 28, 28, 128, 1, 2, 0, 1},
    {"ResNet layer2", 128, 128, 14, 14, 128, 3, 1, 1, 1},
    {"ResNet layer3", 128, 256, 7, 7, 256, 3, 1, 1, 1},
    {"ResNet layer4", 128, 512, 4, 4, 512, 3, 1, 1, 1},
    {"U-Net down.0.conv1", 8, 1, 256, 256, 32, 3, 1, 1, 1},
    {"U-Net down.0.conv2", 8, 32, 256, 256, 32, 3, 1, 1, 1},
    {"U-Net up.0.conv1", 8, 64, 256, 256, 32, 3, 1, 1, 1},
    {"U-Net down.1.conv2", 8, 64, 128, 128, 64, 3, 1, 1, 1},
    {"U-Net down.2.conv2", 8, 128, 64, 64, 128, 3, 1, 1, 1},
    {"U-Net down.3.conv2", 8, 256, 32, 32, 256, 3, 1, 1, 1},
    {"U-Net bottom.conv2", 8, 512, 16, 16, 512, 3, 1, 1, 1},
    {"U-Net head", 8, 32, 256, 256, 2, 1, 1, 0, 1},
};

/// Square products, and the tutorial's fc1 at batch 64.
inline constexpr GemmShape gpu_gemm_shapes[] = {
    {"1024 x 1024 x 1024", false, false, 1024, 1024, 1024},
    {"2048 x 2048 x 2048", false, false, 2048, 2048, 2048},
    {"4096 x 4096 x 4096", false, false, 4096, 4096, 4096},
    {"CNN fc1: y, 64 x 64 x 25088", false, true, 64, 64, 25088},
    {"CNN fc1: dW, 64 x 25088 x 64", true, false, 64, 25088, 64},
    {"CNN fc1: dx, 64 x 25088 x 64", false, false, 64, 25088, 64},
};

/// The same in small, for trying the programs out in the tests' emulator.
inline constexpr ConvShape tiny_conv_shapes[] = {{"tiny", 2, 3, 6, 6, 4, 3, 2, 1, 1}};
inline constexpr GemmShape tiny_gemm_shapes[] = {{"5 x 4 x 6", false, true, 5, 4, 6}};

/// The three passes of a convolution, by the names of their rows.
inline constexpr const char* passes[] = {"forward", "input gradient", "weight gradient"};

inline constexpr const char* precisions[] = {"fp32", "tf32", "bf16"};

inline Operation operation_of(const ConvShape& s, const char* pass, const char* precision) {
  const std::string kernel = std::to_string(s.kernel);
  std::string op = "conv" + kernel + "x" + kernel;
  if (s.stride > 1) op += " stride " + std::to_string(s.stride);
  std::string shape;
  for (const long extent : {s.batch, s.in, s.height, s.width})
    shape += (shape.empty() ? "" : "x") + std::to_string(extent);
  return {op + " " + pass, shape + " -> " + std::to_string(s.out), precision, s.name, s.flops(), 0};
}

inline Operation operation_of(const GemmShape& s, const char* precision) {
  return {"matmul", s.name, precision, "", s.flops(), 0};
}

/// Whether a row is asked for: the filter of the command line is part of its operation's name, its
/// shape's or its layer's.
inline bool asked_for(const Operation& o, const std::string& filter) {
  return (o.op + " " + o.shape + " " + o.layer).find(filter) != std::string::npos;
}

}  // namespace bench
