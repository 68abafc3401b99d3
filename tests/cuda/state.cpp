#include "tests/support/gpu_emulator.hpp"

#include <ebb/cuda.cuh>

#include "tests/support/catch.hpp"

using namespace ebb;
using Catch::Matchers::Contains;

namespace {

template <class T>
EBB_KERNEL check_labels_kernel(Index n, const T* labels, gpu::Faults* faults) {
  for (Index i = gpu::thread(); i < n; i += gpu::threads())
    if (labels[i] < 0 || labels[i] >= 10) gpu::report_bad_label(faults, i, labels[i], 10, -100);
}

template <class T>
EBB_KERNEL draw_kernel(RandomStream stream, const gpu::StepState* state, T* y) {
  y[0] = gpu::shifted(stream, state).template uniform<T>(5);
}

}  // namespace

TEST_CASE("cuda: a bad label is reported at the next read-back, the first one of the batch") {
  std::vector<int> host(1000, 3);
  host[700] = -7;
  host[317] = 12;
  const auto labels = Tensor<int, 1, Cuda>::from({1000}, host);
  gpu::launch(2, gpu::block_size, 0, check_labels_kernel<int>, labels.size(), labels.data(),
              gpu::faults());
  CHECK_THROWS_WITH(labels.values(), Contains("label 12 at position 317 is out of range") &&
                                         Contains("0 to 9, or -100 to be ignored"));
  CHECK_NOTHROW(labels.values());  // it was told once
}

TEST_CASE("cuda: outside a captured step, random streams are what they are") {
  const Tensor<float, 1, Cuda> y({1});
  gpu::launch(1, 1, 0, draw_kernel<float>, RandomStream{3, 4}, gpu::step_state(), y.mutable_data());
  CHECK(y.item() == RandomStream{3, 4}.uniform(5));
}
