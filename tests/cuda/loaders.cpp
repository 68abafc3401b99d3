// Loaders of the GPU beside the one of the CPU.
#include "tests/support/gpu_emulator.hpp"

#include <ebb/cuda.cuh>
#include <ebb/data/augment/augment.hpp>
#include <ebb/data/load/cuda_loader.cuh>
#include <ebb/data/load/cuda_prefetch.cuh>
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
  Loader<T> expected(images, host);
  CudaLoader<T> loader(images, {.batch_size = batch,
                                .shuffle = true,
                                .drop_last = drop_last,
                                .seed = 5,
                                .normalize = normalize});
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
  CudaLoader<float> in_order(numbered<float>(5, {1, 2, 2}), {.batch_size = 2});
  CHECK(run(in_order).labels == std::vector<int>{0, 1, 2, 3, 4});
  CudaLoader<float> empty(numbered<float>(0, {1, 2, 2}), {.batch_size = 2, .shuffle = true});
  CHECK(run(empty).labels.empty());
}

TEST_CASE("cuda: next() goes on over the epochs, as it is and in a captured step") {
  const auto images = numbered<std::uint8_t>(11, {1, 4, 4});
  for (const Index batch : {4, 8}) {  // two batches an epoch, and one
    early_and_late([&] {
      Loader<std::uint8_t> host(
          images, {.batch_size = batch, .shuffle = true, .drop_last = true, .seed = 5});
      const CudaLoaderOptions options{
          .batch_size = batch, .shuffle = true, .drop_last = true, .seed = 5};
      CudaLoader loader(images, options), captured(images, options);
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
  Loader host(images, options), behind(images, options);
  CudaPrefetch ahead(behind);
  CudaLoader resident(images, {.batch_size = 6, .shuffle = true, .seed = 4});
  const double expected = fitted(Cpu{}, host);
  CHECK(std::fabs(fitted(Cuda{}, resident) - expected) <= 1e-5 * expected);
  CHECK(std::fabs(fitted(Cuda{}, ahead) - expected) <= 1e-5 * expected);
}

TEST_CASE("cuda: options of a loader that make no sense are told of") {
  const auto images = numbered<float>(5, {1, 2, 2});
  CHECK_THROWS_WITH((CudaLoader<float>(images, {.batch_size = 0})), Contains("a batch size of 0"));
  CHECK_THROWS_WITH((CudaLoader<float>(images, {.batch_size = 6, .drop_last = true})),
                    Contains("leaves nothing of a dataset of 5"));
  CHECK_THROWS_WITH((CudaLoader<float>(images, {.batch_size = 2, .normalize = three})),
                    Contains("3 means were given for images of 1 channels"));
  CudaLoader<float> loader(images, {.batch_size = 2});
  CHECK_THROWS_WITH(loader.next(), Contains("set drop_last"));
  CudaLoader<float> one(images, {.batch_size = 5, .shuffle = true});
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
      CHECK(loader.size() == 6);
      for (int epoch = 0; epoch < 3; ++epoch) CHECK(run(loader) == run(expected));
      CHECK(loader.epoch() == 3);
      for (const auto& batch : loader) {  // left early
        CHECK(batch.size() == 4);
        break;
      }
      loader.set_epoch(1);
      expected.set_epoch(1);
      std::vector<CudaBatch<>> kept;
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
    Loader host(images, {.batch_size = 4, .shuffle = true});
    CudaPrefetch loader(host);
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
  Loader host(images, {.batch_size = 4, .transform = [](const Image& x) {
                         if (x(0, 0, 0) == static_cast<float>(9 * 20 * 7 % 251) / 255.0f)
                           throw ValueError("the tenth image");
                         return x;
                       }});
  CudaPrefetch loader(host, 2);
  int seen = 0;
  const auto all = [&] {
    for (const auto& batch : loader) seen += static_cast<int>(batch.size());
  };
  CHECK_THROWS_WITH(all(), Contains("the tenth image"));
  CHECK(seen == 8);
}
