/// \file
/// Which GPU the figures are of.
#pragma once

#include "benchmarks/cuda/report.hpp"

#include <ebb/device/gpu/device.cuh>

namespace bench {

/// CUDA numbers its versions 1000 major + 10 minor.
inline std::string cuda_version(int number) {
  return std::to_string(number / 1000) + "." + std::to_string(number % 1000 / 10);
}

/// The GPU, the CUDA version that its driver knows, and the one that the program is linked with.
/// \throws DeviceError where there is no GPU.
inline Line device_line(const char* who) {
  Line line("device");
  line.add("who", who).add("name", ebb::gpu::device_name());
#if defined(__CUDACC__)
  int driver = 0, runtime = 0;
  ebb::gpu::driver::check(cudaDriverGetVersion(&driver), "asking for the driver");
  ebb::gpu::driver::check(cudaRuntimeGetVersion(&runtime), "asking for the runtime");
  line.add("driver", cuda_version(driver)).add("runtime", cuda_version(runtime));
#else
  line.add("driver", "none").add("runtime", "none");
#endif
  return line;
}

}  // namespace bench
