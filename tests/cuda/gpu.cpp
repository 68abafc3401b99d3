// Kernels of tests/cuda/planted.hpp without their bugs, on a GPU or emulated.
#include "tests/support/gpu_emulator.hpp"

#include "tests/cuda/planted.hpp"
#include "tests/support/catch.hpp"

using namespace ebb;
using namespace ebb::test;

namespace {

/// Four elements a thread, of x or, in every second thread, zeros.
template <class T>
EBB_KERNEL every_second_kernel(const T* x, T* y) {
  EBB_SHARED(T, all, [4 * 32]);
  const unsigned at = 4 * threadIdx.x;
  gpu::cp_async16_or_zeros(all + at, threadIdx.x % 2 ? nullptr : x + at, threadIdx.x % 2 == 0);
  gpu::cp_async_commit();
  gpu::cp_async_wait<0>();
  EBB_UNROLL_BY(2)
  for (unsigned i = 0; i < 4; ++i) y[at + i] = all[at + i];
}

}  // namespace

TEST_CASE("gpu: shared memory, barriers, collectives and atomics") {
  CHECK(turns_around<Bug::none>());
  CHECK(sums_steps<Bug::none>());
  CHECK(counts_threads<Bug::none>());
  CHECK(last_sums<Bug::none>());
  CHECK(doubles<Bug::none>());
  CHECK(shifts_in_shared<Bug::none>());

  const OnGpu<float> x(counting(32)), y(32);
  gpu::launch(1, 32, 0, two_barriers<Bug::none>, y);
  CHECK(y.values() == std::vector<float>(32, 1));
  gpu::launch(1, 32, 0, sum_of_half_a_warp<Bug::none>, x, y);
  CHECK(y.values()[3] == 120);
  CHECK(y.values()[16] == 16);
}

TEST_CASE("gpu: asynchronous copies, products of a warp, the barrier of a grid") {
  CHECK(sums_rows<Bug::none>());
  const OnGpu<float> x(counting(128, 1)), y(128);
  gpu::launch(1, 32, 0, every_second_kernel<float>, x, y);
  const std::vector<float> found = y.values();
  CHECK(found[3] == 4);
  CHECK(found[4] == 0);
  CHECK(found[7] == 0);
  CHECK(found[8] == 9);
  CHECK(multiplies_bf16<Bug::none>());
  CHECK(multiplies_tf32<Bug::none>());
  CHECK(finds_fractions<Bug::none>());
}

TEST_CASE("gpu: numbers of tensor cores are rounded to the nearest") {
  CHECK(gpu::to_float(gpu::to_bf16(1.0f + 1.0f / 256)) == 1);  // a tie, to even
  CHECK(gpu::to_float(gpu::to_bf16(1.0f + 3.0f / 256)) == 1.0f + 4.0f / 256);
  CHECK(gpu::to_float(gpu::to_bf16(-INFINITY)) == -INFINITY);
  CHECK(std::isnan(gpu::to_float(gpu::to_bf16(NAN))));
  CHECK(gpu::to_bf16_pair(1, -2) == 0xc0003f80u);
  CHECK(gpu::bits_float(gpu::to_tf32(1.0f + 1.0f / 2048)) == 1.0f + 1.0f / 1024);
  CHECK(gpu::bits_float(gpu::to_tf32(INFINITY)) == INFINITY);
}
