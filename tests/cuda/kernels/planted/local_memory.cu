// A kernel that check.sh must find fault with: an array that threads index at run time.
#include <ebb/device/gpu/launch.cuh>

template <class T>
EBB_KERNEL planted_kernel(const int* at, const T* x, T* y) {
  T all[32];
  for (int i = 0; i < 32; ++i) all[at[i]] = x[at[i + 1]];
  y[threadIdx.x] = all[at[threadIdx.x]];
}

void use_planted() { ebb::gpu::launch(1, 32, 0, planted_kernel<float>, nullptr, nullptr, nullptr); }
