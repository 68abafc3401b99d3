// The device layer: memory, streams, copies, recorded work.
#include "tests/support/gpu_emulator.hpp"

#include <ebb/cuda.cuh>

#include "tests/support/catch.hpp"

#include <numeric>
#include <string>
#include <thread>

using namespace ebb;
using Catch::Matchers::Contains;

namespace {

std::vector<float> numbers(std::size_t n) {
  std::vector<float> x(n);
  std::iota(x.begin(), x.end(), 1.0f);
  return x;
}

template <class T>
EBB_KERNEL add_kernel(Index n, T by, T* x) {
  for (Index i = gpu::thread(); i < n; i += gpu::threads()) x[i] += by;
}
void add(float by, Tensor<float, 1, Cuda>& x) {
  gpu::launch(gpu::blocks_for(x.size()), gpu::block_size, 0, add_kernel<float>, x.size(), by,
              x.mutable_data());
}

/// On the emulator, also with streams that run as late as they may.
template <class F>
void early_and_late(F&& f) {
  f();
#if defined(EBB_GPU_EMULATOR)
  gpu::emulator::config.late = true;
  try {
    f();
    gpu::synchronize();
  } catch (...) {
    gpu::emulator::config.late = false;
    throw;
  }
  gpu::emulator::config.late = false;
#endif
}

}  // namespace

TEST_CASE("cuda: numbers go to the GPU and come back, whatever their number") {
  early_and_late([] {
    const std::size_t piece = gpu::Staging::piece / sizeof(float);
    for (const std::size_t n : {std::size_t{1}, piece - 1, piece, piece + 1, 40 * piece + 3}) {
      std::vector<float> host = numbers(n);
      const auto x = Tensor<float, 1, Cuda>::from({static_cast<Index>(n)}, host);
      std::fill(host.begin(), host.end(), -1.0f);  // what was uploaded has been read
      CHECK(x.values() == numbers(n));
      CHECK(x.clone().values() == numbers(n));
    }
  });
}

TEST_CASE("cuda: the pool gives a block to the next who asks") {
  early_and_late([] {
    { Tensor<float, 1, Cuda> first({1000}); }
    const std::size_t before = Cuda::stats().allocations;
    for (int i = 0; i < 10; ++i) {
      auto x = Tensor<float, 1, Cuda>::from({1000}, numbers(1000));
      add(1, x);
      CHECK(x.values()[999] == 1001);
    }
    CHECK(Cuda::stats().allocations == before);
  });
  Cuda::trim();
  const MemoryStats stats = Cuda::stats();
  CHECK(stats.bytes_reserved == stats.bytes_in_use);
}

TEST_CASE("cuda: pinned memory is copied beside the program") {
  early_and_late([] {
    auto x = Tensor<float, 1, Cuda>::from({100}, numbers(100));
    CudaHost<float> host(100);
    host.download_from(x.data());
    host.wait();
    CHECK(host.done());
    CHECK(host[99] == 100);
    for (Index i = 0; i < host.size(); ++i) host[i] = static_cast<float>(-i);
    host.upload_to(x.mutable_data());
    add(1, x);
    host.wait();
    host[7] = 1000;  // the copy is done
    CHECK(x.values()[7] == -6);
  });
  CHECK_NOTHROW(CudaHost<float>(0).upload_to(nullptr));
}

TEST_CASE("cuda: a scope's stream comes after what was before it, and before what follows") {
  early_and_late([] {
    const CudaStream own;
    auto x = Tensor<float, 1, Cuda>::from({100}, numbers(100));
    {
      const CudaStream::Scope scope(own);
      CHECK(&gpu::stream() == &own.stream());
      add(1, x);
      const auto inner = x.clone();  // of the other stream's pool
      x = Tensor<float, 1, Cuda>();
      x = inner;
    }
    CHECK(&gpu::stream() != &own.stream());
    add(1, x);
    CHECK(x.values()[0] == 3);
  });
}

TEST_CASE(
    "cuda: an ordered scope goes to another stream with given events, one aside in no order") {
  early_and_late([] {
    const CudaStream own;
    gpu::Event begun, ended;
    auto x = Tensor<float, 1, Cuda>::from({100}, numbers(100));
    for (int i = 0; i < 3; ++i) {
      add(1, x);
      {
        const gpu::OrderedScope scope(own.stream(), begun, ended);
        CHECK(&gpu::stream() == &own.stream());
        CHECK(x.clone().values()[0] == static_cast<float>(2 + 2 * i));  // waits for this stream
        add(1, x);
        const gpu::OrderedScope same(own.stream(), begun, ended);
      }
      CHECK(&gpu::stream() != &own.stream());
    }
    CHECK(x.values()[0] == 7);
    {
      const gpu::AsideScope aside(own.stream());
      add(1, x);
      ended.record(own.stream());
    }
    ended.hold(gpu::stream());
    CHECK(x.values()[0] == 8);
  });
}

TEST_CASE("cuda: threads share a stream, or have their own") {
  early_and_late([] {
    std::vector<float> sums(4);
    std::vector<std::string> errors(4);
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t < sums.size(); ++t)
      threads.emplace_back([&sums, &errors, t] {
        try {
          const CudaStream own;
          const CudaStream::Scope scope(own);
          for (int i = 0; i < 5; ++i) {
            auto x = Tensor<float, 1, Cuda>::from({3}, numbers(3));
            add(static_cast<float>(t), x);
            sums[t] += x.values()[0];
          }
        } catch (const Error& thrown) {  // nobody else would catch it
          errors[t] = thrown.what();
        }
      });
    for (auto& thread : threads) thread.join();
    CHECK(errors == std::vector<std::string>(4));
    CHECK(sums == std::vector<float>{5, 10, 15, 20});
  });
}

TEST_CASE("cuda: recorded work is replayed, with memory of its own") {
  early_and_late([] {
    const CudaStream own;
    auto x = Tensor<float, 1, Cuda>::from({100}, numbers(100));
    auto y = Tensor<float, 1, Cuda>::from({100}, numbers(100));
    gpu::Graph graph;
    {
      const CudaStream::Scope scope(own);
      const auto step = [&] {
        auto between = x.clone();  // is free again before the step ends
        add(1, between);
        Cuda::copy(y.mutable_data(), between.data(), 400);
        add(1, x);
      };
      step();
      const std::size_t before = Cuda::stats().allocations;
      graph = gpu::Graph::record(step);
      CHECK(Cuda::stats().allocations == before);
      CHECK_THROWS_WITH(gpu::Graph::record([&] { x.values(); }), Contains("being captured"));
      CHECK_THROWS_WITH(gpu::Graph::record([] { Tensor<float, 1, Cuda>::from({3}, numbers(3)); }),
                        Contains("being captured"));
    }
    CHECK(x.values()[0] == 2);  // once, by the run before
    for (int i = 0; i < 3; ++i) {
      const Tensor<float, 1, Cuda> other({100});  // not of the graph's memory
      graph.replay();
    }
    CHECK(x.values()[0] == 5);
    CHECK(y.values()[0] == 5);
    Cuda::trim();  // must leave the graph what it uses
    graph.replay();
    CHECK(y.values()[99] == 105);
  });
  CHECK_THROWS_WITH(gpu::Graph::record([] {}), Contains("CudaStream::Scope"));
}

TEST_CASE("cuda: a block let go of while a step is captured stays the graph's") {
  early_and_late([] {
    const CudaStream own;
    auto x = Tensor<float, 1, Cuda>::from({100}, numbers(100));
    auto y = Tensor<float, 1, Cuda>({100});
    gpu::Graph graph;
    {
      const CudaStream::Scope scope(own);
      graph = gpu::Graph::record([&] {
        Cuda::copy(y.mutable_data(), x.data(), 400);
        x = Tensor<float, 1, Cuda>();
      });
    }
    const Tensor<float, 1, Cuda> other =
        Tensor<float, 1, Cuda>::from({100}, std::vector<float>(100));
    graph.replay();
    CHECK(y.values() == numbers(100));
  });
}

TEST_CASE("cuda: what a recorded step used is not given to others on its stream") {
  early_and_late([] {
    const CudaStream own;
    const CudaStream::Scope scope(own);
    const auto x = Tensor<float, 1, Cuda>::from({100}, numbers(100));
    Tensor<float, 1, Cuda> y;
    const auto step = [&] {
      auto between = x.clone();
      add(1, between);
      y = between.clone();
    };
    step();
    y = Tensor<float, 1, Cuda>();
    auto graph = gpu::Graph::record(step);
    graph.replay();
    CHECK(y.values()[99] == 101);
    y = Tensor<float, 1, Cuda>();  // the graph goes on writing there
    std::vector<Tensor<float, 1, Cuda>> others;
    for (int i = 0; i < 4; ++i)
      others.push_back(Tensor<float, 1, Cuda>::from({100}, std::vector<float>(100, -1)));
    graph.replay();
    for (const auto& other : others) CHECK(other.values() == std::vector<float>(100, -1));
    // Another of the same stream has memory of its own.
    step();
    y = Tensor<float, 1, Cuda>();
    const auto second = gpu::Graph::record(step);
    const std::size_t used = Cuda::stats().bytes_in_use;
    graph = gpu::Graph();
    second.replay();
    CHECK(y.values()[0] == 2);
    CHECK(Cuda::stats().bytes_in_use == used);
  });
  Cuda::trim();
  CHECK(Cuda::stats().bytes_reserved == Cuda::stats().bytes_in_use);
}

TEST_CASE("cuda: a GPU of which there is no such number") {
  CHECK(Cuda::count() >= 1);
  CHECK_NOTHROW(Cuda::select(gpu::device()));
  CHECK_THROWS_WITH(Cuda::select(1000), Contains("GPU 1000 was asked for; this machine has"));
  CHECK_THROWS_AS(Cuda::select(-1), DeviceError);
}

TEST_CASE("cuda: memory that is not there is told of, and the process goes on") {
#if defined(EBB_GPU_EMULATOR)
  Cuda::trim();
  gpu::emulator::config.memory = std::size_t{64} << 20;
  const Index half = (Index{28} << 20) / 4;
#else
  const auto half = static_cast<Index>(gpu::driver::memory().free / 4 / 10 * 6);
#endif
  {
    Tensor<float, 1, Cuda> first({half});
    CHECK_THROWS_AS((Tensor<float, 1, Cuda>({half * 2})), OutOfMemory);
    CHECK_THROWS_WITH((Tensor<float, 1, Cuda>({half * 2})),
                      Contains("out of GPU memory: ") && Contains(" are wanted; tensors of this") &&
                          Contains("wait for reuse") && Contains(" are free"));
    fill(Cuda{}, first.mut(), 3.0f);
    float found = 0;
    Cuda::download(&found, first.data() + half - 1, sizeof found);
    CHECK(found == 3);
    // What waits in the pool is given up for what is wanted.
    first = Tensor<float, 1, Cuda>();
    CHECK(Cuda::stats().bytes_reserved > Cuda::stats().bytes_in_use);
    CHECK_NOTHROW(Tensor<float, 1, Cuda>({half / 2 * 3}));
  }
#if defined(EBB_GPU_EMULATOR)
  {  // the memory of other streams as well
    const CudaStream own;
    {
      const CudaStream::Scope scope(own);
      Tensor<float, 1, Cuda> elsewhere({half});
    }
    CHECK_NOTHROW(Tensor<float, 1, Cuda>({half / 2 * 3}));
  }
  try {
    Tensor<float, 1, Cuda> much({half * 4});
    FAIL("too much memory was given");
  } catch (const OutOfMemory& thrown) {
    CHECK_THAT(thrown.what(), Contains("112.0 MiB are wanted") && Contains("64.0 MiB"));
  }
  gpu::emulator::config.memory = std::size_t{64} << 30;
#endif
  Cuda::trim();
}

#if defined(EBB_GPU_EMULATOR)
TEST_CASE("cuda: a machine without a GPU says so") {
  gpu::emulator::config.devices = 0;
  std::string told, select_told;
  std::thread([&] {  // who has not used the GPU before
    try {
      Tensor<float, 1, Cuda> x({3});
    } catch (const DeviceError& thrown) {
      told = thrown.what();
    }
  })
      .join();
  CHECK(Cuda::count() == 0);
  CHECK_THROWS_WITH(Cuda::select(0), Contains("this machine has none"));
  gpu::emulator::config.devices = 1;
  CHECK_THAT(told, Contains("this machine has no GPU to offer") &&
                       Contains("no CUDA-capable device is detected") && Contains("use Cpu"));
}

TEST_CASE("cuda: uninitialised tensors are not-a-number, also of memory that was used before") {
  early_and_late([] {
    { const auto used = Tensor<float, 1, Cuda>::from({1000}, numbers(1000)); }
    CHECK(std::isnan(Tensor<float, 1, Cuda>({1000}).values()[500]));
  });
}
#endif
