// Loaders of the GPU beside the one of the CPU.
#include "tests/support/gpu_emulator.hpp"

#include <ebb/cuda.cuh>
#include <ebb/data/augment/augment.hpp>
#include <ebb/data/load/cuda_loader.cuh>
#include <ebb/data/sets/tensor_set.hpp>
#include <ebb/train/fit.hpp>

#include "tests/support/catch.hpp"

using namespace ebb;
using namespace ebb::data;
using Catch::Matchers::Contains;

namespace {

/// n images whose pixels are all different, and labels that tell their number.
template <class T>
Dataset<T> numbered(Index n, const Shape<3>& image) {
  Tensor<T, 4> images({n, image[0], image[1], image[2]});
  Tensor<int, 1> labels({n});
  for (Index i = 0; i < images.size(); ++i) images.mutable_data()[i] = static_cast<T>(i * 7 % 251);
  for (Index i = 0; i < n; ++i) labels(i) = static_cast<int>(i);
  return {images, labels};
}

struct Epoch {
  std::vector<float> images;
  std::vector<int> labels;
  std::vector<Index> sizes;
  bool operator==(const Epoch&) const = default;

  void add(const auto& x, const auto& y) {
    for (const float v : x.values()) images.push_back(v);
    for (const int v : y.values()) labels.push_back(v);
    sizes.push_back(y.extent(0));
  }
};
Epoch run(auto& loader) {
  Epoch epoch;
  for (const auto& [x, y] : loader) epoch.add(x, y);
  return epoch;
}

/// On the emulator, also with streams that run as late as they may.
template <class F>
void early_and_late(F&& f) {
  f();
#if defined(EBB_GPU_EMULATOR)
  gpu::emulator::config.late = true;
  f();
  gpu::synchronize();
  gpu::emulator::config.late = false;
#endif
}

template <class T>
void check_resident(const Shape<3>& image, Index batch, bool drop_last,
                    const std::optional<Normalize>& normalize) {
  const auto images = numbered<T>(11, image);
  LoaderOptions host{.batch_size = batch, .shuffle = true, .drop_last = drop_last, .seed = 5};
  if (normalize) host.transform = *normalize;
  Loader expected(images, host);
  host.resident = true;
  Loader loader(images, host, Cuda{});
  CHECK(loader.size() == expected.size());
  for (int epoch = 0; epoch < 3; ++epoch) CHECK(run(loader) == run(expected));
  loader.set_epoch(7);
  expected.set_epoch(7);
  CHECK(run(loader) == run(expected));
  CHECK(loader.epoch() == 8);
}

const Normalize three({0.1f, 0.2f, 0.3f}, {0.5f, 0.25f, 2.0f});

}  // namespace

TEST_CASE("cuda: a data set on the GPU gives the batches of the CPU's loader") {
  early_and_late([] {
    check_resident<std::uint8_t>({1, 4, 4}, 4, false, Normalize(0.1307f, 0.3081f));
    check_resident<std::uint8_t>({3, 5, 7}, 4, true, three);  // packs of one pixel
    check_resident<float>({3, 4, 2}, 11, false, three);
    check_resident<float>({2, 3, 3}, 3, false, {});
    check_resident<std::uint8_t>({1, 72, 64}, 2, true, {});  // several blocks an image
  });
  Loader in_order(numbered<float>(5, {1, 2, 2}), {.batch_size = 2, .resident = true}, Cuda{});
  CHECK(run(in_order).labels == std::vector<int>{0, 1, 2, 3, 4});
  Loader empty(numbered<float>(0, {1, 2, 2}), {.batch_size = 2, .shuffle = true, .resident = true},
               Cuda{});
  CHECK(run(empty).labels.empty());
}

TEST_CASE("cuda: next() goes on over the epochs, as it is and in a captured step") {
  const auto images = numbered<std::uint8_t>(11, {1, 4, 4});
  for (const Index batch : {4, 8}) {  // two batches an epoch, and one
    early_and_late([&] {
      LoaderOptions options{.batch_size = batch, .shuffle = true, .drop_last = true, .seed = 5};
      Loader host(images, options);
      options.resident = true;
      Loader loader(images, options, Cuda{}), captured(images, options, Cuda{});
      Tensor<int, 1, Cuda> labels;
      auto step = capture([&] {
        const auto [x, y] = captured.next();
        labels = y;
        return x * 2;
      });
      Epoch by_turns, by_replays, expected;
      for (int i = 0; i < 9; ++i) {
        const auto [x, y] = loader.next();
        by_turns.add(x * 2, y);
        const auto& twice = step();
        by_replays.add(twice, labels);
      }
      while (expected.sizes.size() < 9)
        for (const auto& [x, y] : host)
          if (expected.sizes.size() < 9) expected.add(x * 2, y);
      CHECK(by_turns == expected);
      CHECK(by_replays == expected);
      CHECK(captured.epoch() == loader.epoch());
    });
  }
}

TEST_CASE("cuda: fit takes the batches of either loader") {
  const auto images = numbered<std::uint8_t>(24, {1, 2, 2});
  const auto fitted = [&]<class Device>(Device, auto& loader) {
    manual_seed(1);
    nn::Sequential net(Flatten{}, nn::Linear<float, Device>(4, 24));
    optim::Optimizer opt(net, optim::Sgd{.lr = 0.1});
    return fit(net, opt, loader, {.epochs = 2}).epochs.back().loss;
  };
  const LoaderOptions options{.batch_size = 6, .shuffle = true, .seed = 4};
  Loader host(images, options);
  Loader ahead(images, options, Cuda{});
  Loader resident(images, {.batch_size = 6, .shuffle = true, .seed = 4, .resident = true}, Cuda{});
  const double expected = fitted(Cpu{}, host);
  CHECK(std::fabs(fitted(Cuda{}, resident) - expected) <= 1e-5 * expected);
  CHECK(std::fabs(fitted(Cuda{}, ahead) - expected) <= 1e-5 * expected);
}

TEST_CASE("cuda: options of a loader that make no sense are told of") {
  const auto images = numbered<float>(5, {1, 2, 2});
  const auto made = [&](LoaderOptions options) {
    options.resident = true;
    return Loader(images, options, Cuda{});
  };
  CHECK_THROWS_WITH(made({.batch_size = 0}), Contains("a batch size of 0"));
  CHECK_THROWS_WITH(made({.batch_size = 6, .drop_last = true}),
                    Contains("leaves nothing of an epoch of 5"));
  CHECK_THROWS_WITH(made({.batch_size = 2, .transform = three}),
                    Contains("3 means were given for images of 1 channels"));
  CHECK_THROWS_WITH(made({.transform = RandomHorizontalFlip()}),
                    Contains("normalised and no more"));
  CHECK_THROWS_WITH(Loader(images, {.resident = true}), Contains("give the loader Cuda{}"));
  CHECK_THROWS_WITH(Loader(TensorSet(Tensor<int, 1>({3})), {.resident = true}, Cuda{}),
                    Contains("only labelled images"));
  CHECK_THROWS_WITH(Loader(images, {.batch_size = 5}, Cuda{}).next(), Contains("set resident"));
  auto loader = made({.batch_size = 2});
  CHECK_THROWS_WITH(loader.next(), Contains("set drop_last"));
  auto one = made({.batch_size = 5, .shuffle = true});
  auto step = capture([&] {
    one.next();
    one.next();
    return one.next().images;
  });
  step();
  CHECK_THROWS_WITH(step(), Contains("more batches than an epoch has"));
  Loader host(images, {.batch_size = 2});
  CHECK_THROWS_WITH((CudaPrefetch(host, 0)), Contains("0 batches ahead"));
}

TEST_CASE("cuda: batches that are copied ahead are the loader's") {
  const auto images = numbered<std::uint8_t>(23, {1, 5, 4});
  const LoaderOptions options{.batch_size = 4,
                              .shuffle = true,
                              .seed = 2,
                              .transform = Compose(RandomHorizontalFlip(), Normalize(0.5f, 0.2f))};
  early_and_late([&] {
    for (const int ahead : {1, 2, 9}) {
      Loader expected(images, options), host(images, options);
      CudaPrefetch loader(host, ahead);
      for (int epoch = 0; epoch < 3; ++epoch) CHECK(run(loader) == run(expected));
      CHECK(host.epoch() == 3);
      for (const auto& batch : loader) {  // left early
        CHECK(batch.size() == 4);
        break;
      }
      host.set_epoch(1);
      expected.set_epoch(1);
      std::vector<CudaBatch> kept;
      for (const auto& batch : loader) kept.push_back(batch);
      Epoch epoch;
      for (const auto& [x, y] : kept) epoch.add(x, y);
      CHECK(epoch == run(expected));
    }
  });
}

TEST_CASE("cuda: batches that are copied ahead reach captured steps, and take no new memory") {
  const auto images = numbered<std::uint8_t>(24, {1, 5, 4});
  early_and_late([&] {
    Loader loader(images, {.batch_size = 4, .shuffle = true}, Cuda{});
    Loader same(images, {.batch_size = 4, .shuffle = true});
    const auto like = Tensor<float, 4>(Shape{4, 1, 5, 4});
    auto step = capture([](const auto& x) { return sum(x); }, like);
    std::size_t allocations = 0;
    for (int epoch = 0; epoch < 4; ++epoch) {
      std::vector<float> sums, expected;
      for (const auto& [x, y] : loader) sums.push_back(step(x).item());
      for (const auto& [x, y] : same) expected.push_back(sum(to<Cuda>(x)).item());
      CHECK(sums == expected);
      if (epoch == 2) allocations = Cuda::stats().allocations;
    }
    CHECK(Cuda::stats().allocations == allocations);
  });
}

TEST_CASE("cuda: what a transform throws is thrown at its batch") {
  const auto images = numbered<std::uint8_t>(12, {1, 5, 4});
  Loader loader(images,
                {.batch_size = 4,
                 .transform =
                     [](const Image& x) {
                       if (x(0, 0, 0) == static_cast<float>(9 * 20 * 7 % 251) / 255.0f)
                         throw ValueError("the tenth image");
                       return x;
                     }},
                Cuda{});
  int seen = 0;
  const auto all = [&] {
    for (const auto& batch : loader) seen += static_cast<int>(batch.size());
  };
  CHECK_THROWS_WITH(all(), Contains("the tenth image"));
  CHECK(seen == 8);
}

TEST_CASE("cuda: any source's batches are copied ahead, weights and repeats are the CPU's") {
  Tensor<double, 2> x({20, 3});
  Tensor<int, 1> y({20});
  Tensor<std::uint8_t, 3> z({20, 2, 2});
  for (Index i = 0; i < 20; ++i) {
    for (Index k = 0; k < 3; ++k) x(i, k) = static_cast<double>(i + k);
    y(i) = static_cast<int>(i);
    for (Index k = 0; k < 4; ++k) z.mutable_data()[4 * i + k] = static_cast<std::uint8_t>(i);
  }
  const TensorSet table(x, y, z);
  Loader expected(table, {.batch_size = 6, .shuffle = true, .seed = 8, .threads = 2});
  Loader loader(table, {.batch_size = 6, .shuffle = true, .seed = 8, .threads = 2}, Cuda{});
  for (int epoch = 0; epoch < 2; ++epoch) {
    auto it = expected.begin();
    for (const auto& [a, b, c] : loader) {
      CHECK(a.values() == std::get<0>(*it).values());
      CHECK(b.values() == std::get<1>(*it).values());
      CHECK(c.values() == std::get<2>(*it).values());
      ++it;
    }
    CHECK(it == expected.end());
  }
  const auto images = numbered<std::uint8_t>(11, {1, 4, 4});
  const Sampling drawn = weighted({1, 1, 1, 5, 1, 1, 1, 0, 1, 1, 1}, {.samples = 26});
  for (const bool resident : {false, true})
    for (LoaderOptions options : {LoaderOptions{.batch_size = 4, .sampling = drawn, .seed = 5},
                                  LoaderOptions{.batch_size = 4, .repeats = 3},
                                  LoaderOptions{.batch_size = 4, .repeats = 2, .shuffle = true}}) {
      Loader host(images, options);
      options.resident = resident;
      Loader on_gpu(images, options, Cuda{});
      CHECK(on_gpu.samples() == host.samples());
      for (int epoch = 0; epoch < 3; ++epoch) CHECK(run(on_gpu) == run(host));
    }
}
