// What the emulator itself finds. What it takes a sanitizer for is in sanitized.cpp.
#include "tests/support/gpu_emulator.hpp"

#include "tests/cuda/planted.hpp"
#include "tests/support/catch.hpp"

using namespace ebb;
using namespace ebb::test;
using Catch::Matchers::Contains;
using gpu::emulator::config;
using gpu::emulator::Order;

namespace {

/// The orders of threads in which `run` fails.
template <class F>
int failures(F&& run) {
  int failed = 0;
  for (const Order order : {Order::forward, Order::reverse, Order::random}) {
    config.order = order;
    failed += !run();
  }
  config.order = Order::forward;
  return failed;
}

struct Late {
  Late() { config.late = true; }
  ~Late() { config.late = false; }
};

template <int = 0>
EBB_KERNEL reads_nothing_written(float* y) {
  EBB_SHARED(float, all, [32]);
  y[threadIdx.x] = all[threadIdx.x];
}

template <int = 0>
EBB_KERNEL waits_in_part(float* y) {
  if (threadIdx.x == 7) __syncwarp();
  y[threadIdx.x] = 1;
}

template <int = 0>
EBB_KERNEL much_shared(float* y) {
  EBB_SHARED(float, all, [13000]);
  all[0] = 1;
  y[0] = all[0];
}

template <int = 0>
EBB_KERNEL misaligned_copy(const float* x) {
  EBB_SHARED(float, all, [8]);
  gpu::cp_async16(all + 1, x);
}

template <int = 0>
EBB_KERNEL leaves_early(float* y) {
  if (threadIdx.x >= 40) return;
  __syncthreads();  // waits for those that are left
  y[threadIdx.x] = gpu::warp_sum(threadIdx.x < 32 ? 1.0f : 0.0f);
}

}  // namespace

TEST_CASE("emulator: correct kernels are correct in every order of threads") {
  CHECK(failures(turns_around<Bug::none>) == 0);
  CHECK(failures(sums_steps<Bug::none>) == 0);
  CHECK(failures(counts_threads<Bug::none>) == 0);
  CHECK(failures(last_sums<Bug::none>) == 0);
  CHECK(failures(sums_rows<Bug::none>) == 0);
  CHECK(failures(multiplies_bf16<Bug::none>) == 0);
  CHECK(failures(multiplies_tf32<Bug::none>) == 0);
  CHECK(failures(finds_fractions<Bug::none>) == 0);
}

TEST_CASE("emulator: a missing barrier shows in the order of threads") {
  CHECK(failures(turns_around<Bug::planted>) > 0);
  CHECK(failures(sums_steps<Bug::planted>) > 0);
  CHECK(failures(finds_fractions<Bug::planted>) > 0);
}

TEST_CASE("emulator: barriers that threads come to apart") {
  const OnGpu<float> y(32);
  CHECK_THROWS_WITH(gpu::launch(1, 32, 0, two_barriers<Bug::planted>, y),
                    Contains("divergent __syncthreads") && Contains("planted.hpp"));
}

TEST_CASE("emulator: collectives that lanes are missing from") {
  const OnGpu<float> x(counting(32)), y(32);
  CHECK_THROWS_WITH(gpu::launch(1, 32, 0, sum_of_half_a_warp<Bug::planted>, x, y),
                    Contains("__shfl_xor_sync of mask ffffffff: lanes ffff0000 do not come"));
  CHECK_THROWS_WITH(gpu::launch(1, 32, 0, waits_in_part<0>, y),
                    Contains("__syncwarp") && Contains("ffffffff"));
  // After a failure the next kernel runs.
  gpu::launch(1, 32, 0, sum_of_half_a_warp<Bug::none>, x, y);
  CHECK(y.values()[0] == 120);
}

TEST_CASE("emulator: an asynchronous copy that nobody waits for is not there") {
  CHECK(failures(sums_rows<Bug::planted>) == 3);
}

TEST_CASE("emulator: fragments that change places make a wrong product") {
  CHECK(failures(multiplies_bf16<Bug::planted>) == 3);
  CHECK(failures(multiplies_tf32<Bug::planted>) == 3);
}

TEST_CASE("emulator: what was never written is not-a-number") {
  const OnGpu<float> y(32);
  CHECK(std::isnan(y.values()[5]));
  gpu::upload(y, counting(32).data(), 32 * sizeof(float));
  gpu::launch(1, 32, 0, reads_nothing_written<0>, y);
  CHECK(std::isnan(y.values()[5]));
}

TEST_CASE("emulator: launches that a GPU refuses") {
  const OnGpu<float> x(counting(32)), y(64);
  CHECK_THROWS_WITH(gpu::launch(1, 1025, 0, turn_around<Bug::none>, x, y),
                    Contains("1025 x 1 x 1 threads"));
  CHECK_THROWS_WITH(gpu::launch(0, 32, 0, turn_around<Bug::none>, x, y), Contains("a grid of 0"));
  CHECK_THROWS_WITH(gpu::launch(dim3(1, 65536), 32, 0, turn_around<Bug::none>, x, y),
                    Contains("65536"));
  CHECK_THROWS_WITH(gpu::launch(1, 32, 300000, turn_around<Bug::none>, x, y),
                    Contains("300000 bytes of shared memory"));
  CHECK_THROWS_WITH(gpu::launch(1, 1, 0, much_shared<0>, y), Contains("52000 bytes"));
  CHECK_THROWS_WITH(gpu::launch(1, 1, 0, misaligned_copy<0>, x), Contains("cp.async"));
  CHECK_THROWS_WITH(gpu::launch_cooperative(2000, 32, 0, turn_around<Bug::none>, x, y),
                    Contains("cooperative launch of 2000"));
}

TEST_CASE("emulator: threads that left the kernel are waited for no longer") {
  const OnGpu<float> y(64);
  CHECK_THROWS_WITH(gpu::launch(1, 64, 0, leaves_early<0>, y), Contains("exited lanes"));
}

TEST_CASE("emulator: late streams run when they are waited for") {
  const Late late;
  const OnGpu<float> x(counting(48));
  float early = -1;
  const auto on = gpu::stream().handle;
  gpu::driver::copy(on, &early, x, sizeof early, gpu::driver::Direction::to_host);
  CHECK(early == -1);
  gpu::synchronize();
  CHECK(early == 0);
  CHECK(doubles<Bug::none>());
}
