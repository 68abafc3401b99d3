#include <ebb/data/augment/augment.hpp>
#include <ebb/data/load/loader.hpp>

#include "tests/support/tensors.hpp"

#include <atomic>
#include <chrono>

using namespace ebb;
using namespace ebb::data;
using ebb::test::contains;
using ebb::test::error_of;

namespace {

/// n images of 1x4x3 whose first pixel tells their number; labels i mod 5.
Dataset<std::uint8_t> numbered(Index n) {
  Tensor<std::uint8_t, 4> images({n, 1, 4, 3});
  Tensor<int, 1> labels({n});
  for (Index i = 0; i < images.size(); ++i)
    images.mutable_data()[i] = static_cast<std::uint8_t>(i % 12 == 0 ? i / 12 : i * 7 % 256);
  for (Index i = 0; i < n; ++i) labels(i) = static_cast<int>(i % 5);
  return {images, labels, {"a", "b", "c", "d", "e"}};
}

/// All images and labels of an epoch, one after the other.
struct Epoch {
  std::vector<float> images;
  std::vector<int> labels;
  std::vector<Index> sizes;
  friend bool operator==(const Epoch&, const Epoch&) = default;
};

template <class Any>
Epoch run(Any& loader) {
  Epoch epoch;
  for (const auto& [images, labels] : loader) {
    const auto x = images.values();
    const auto y = labels.values();
    epoch.images.insert(epoch.images.end(), x.begin(), x.end());
    epoch.labels.insert(epoch.labels.end(), y.begin(), y.end());
    epoch.sizes.push_back(labels.extent(0));
  }
  return epoch;
}

const Compose augment(RandomCrop{.size = {4, 3}, .padding = 1}, RandomHorizontalFlip(),
                      RandomRotation{30}, GaussianNoise{0.1f}, Normalize(0.5f, 0.25f));

}  // namespace

TEST_CASE("a loader hands out the dataset in batches, bytes as numbers from 0 to 1") {
  for (const int threads : {0, 1}) {
    Loader loader(numbered(10), {.batch_size = 4, .threads = threads});
    CHECK(loader.size() == 3);
    const Epoch epoch = run(loader);
    CHECK(epoch.sizes == std::vector<Index>{4, 4, 2});
    CHECK(epoch.labels == std::vector<int>{0, 1, 2, 3, 4, 0, 1, 2, 3, 4});
    const auto d = numbered(10);
    for (std::size_t i = 0; i < epoch.images.size(); ++i)
      REQUIRE(epoch.images[i] == static_cast<float>(d.images().data()[i]) / 255.0f);
  }
}

TEST_CASE("drop_last leaves out a smaller last batch") {
  Loader loader(numbered(10), {.batch_size = 4, .drop_last = true});
  CHECK(loader.size() == 2);
  CHECK(run(loader).sizes == std::vector<Index>{4, 4});
}

TEST_CASE("images of floats are handed out as they are") {
  const Dataset<float> d(Tensor<float, 4>({2, 1, 1, 1}, {-3, 1000}), Tensor<int, 1>({2}, {0, 1}));
  Loader loader(d, {.batch_size = 2});
  CHECK(run(loader).images == std::vector<float>{-3, 1000});
}

TEST_CASE("a shuffled epoch holds each image once, in an order of seed and epoch") {
  const LoaderOptions options{.batch_size = 16, .shuffle = true, .seed = 5};
  Loader loader(numbered(200), options);
  const Epoch first = run(loader), second = run(loader);
  CHECK(loader.epoch() == 2);
  CHECK(first != second);
  std::vector<int> seen(200);
  for (std::size_t i = 0; i < 200; ++i) {
    const auto number = static_cast<std::size_t>(std::lround(first.images[i * 12] * 255));
    ++seen[number];
    CHECK(first.labels[i] == static_cast<int>(number % 5));
  }
  CHECK(seen == std::vector<int>(200, 1));

  loader.set_epoch(0);
  CHECK(run(loader) == first);
  Loader again(numbered(200), options);
  again.set_epoch(1);
  CHECK(run(again) == second);
  Loader other(numbered(200), {.batch_size = 16, .shuffle = true, .seed = 6});
  CHECK(run(other) != first);
}

TEST_CASE("batches are the same bits for any number of threads and any prefetch") {
  const auto epochs = [](int threads, Index prefetch) {
    Loader loader(numbered(157), {.batch_size = 10,
                                  .shuffle = true,
                                  .seed = 3,
                                  .prefetch = prefetch,
                                  .threads = threads,
                                  .transform = augment});
    return std::vector{run(loader), run(loader)};
  };
  const auto expected = epochs(0, 1);
  CHECK(expected[0] != expected[1]);
  for (const int threads : {1, 2, 3})
    for (const Index prefetch : {1, 2, 7, 100}) CHECK(epochs(threads, prefetch) == expected);
}

TEST_CASE("a sample looks the same in an epoch whatever its batch") {
  const auto images = [](Index batch_size) {
    Loader loader(numbered(50), {.batch_size = batch_size, .seed = 3, .transform = augment});
    return run(loader).images;
  };
  CHECK(images(1) == images(7));
  CHECK(images(1) == images(50));
}

TEST_CASE("transforms may change the extents, alike for all images") {
  Loader loader(numbered(9), {.batch_size = 4, .transform = Pad{1}});
  for (const Batch& batch : loader) CHECK(batch.images.extent(2) == 6);

  const auto uneven = [](const Image& x) {
    return x(0, 0, 0) > 5.5f / 255 ? window(x, 0, 0, {2, 2}) : x;
  };
  for (const int threads : {0, 2}) {
    Loader broken(numbered(9), {.batch_size = 4, .threads = threads, .transform = uneven});
    Index batches = 0;
    const std::string text = error_of<ShapeError>([&] {
      for (const Batch& batch : broken) batches += batch.size() > 0 ? 1 : 0;
    });
    CHECK(batches == 1);
    CHECK(contains(text,
                   "with sample 6 the batch has in part 1 the shape (4, 1, 2, 2) where the "
                   "first one asks for (4, 1, 4, 3)"));
  }
}

TEST_CASE("what a transform throws reaches the loop at the batch it belongs to") {
  const auto fails_at_30 = [](const Image& x) {
    if (std::lround(x(0, 0, 0) * 255) == 30) throw NumericError("thirty");
    return x;
  };
  for (const int threads : {0, 1, 3}) {
    Loader loader(numbered(100), {.batch_size = 8, .threads = threads, .transform = fails_at_30});
    Index batches = 0;
    CHECK(error_of<NumericError>([&] {
            for (const Batch& batch : loader) batches += batch.size() > 0 ? 1 : 0;
          }) == "loader: sample 30: thirty");
    CHECK(batches == 3);
  }
  Loader at_once(numbered(10), {.transform = [](const Image& x) -> Image {
                   throw NumericError(message("first of ", x.shape()));
                 }});
  CHECK_THROWS_AS(run(at_once), NumericError);
}

TEST_CASE("a first batch that fails ends the threads that make the next ones") {
  const auto fails_at_1 = [](const Image& x) {
    if (std::lround(x(0, 0, 0) * 255) == 1) throw NumericError("one");
    return x;
  };
  for (const int threads : {0, 1, 3}) {
    Loader loader(numbered(100), {.batch_size = 8, .threads = threads, .transform = fails_at_1});
    CHECK(error_of<NumericError>([&] { run(loader); }) == "loader: sample 1: one");
  }
}

TEST_CASE("after a batch that failed, no other one is begun") {
  // Those that were begun ahead of it are still being made, in buffers of their own.
  for (const int threads : {1, 3}) {
    std::atomic<int> made{0};
    const auto fails_at_2 = [&made](const Image& x) {
      ++made;
      if (std::lround(x(0, 0, 0) * 255) == 2) throw NumericError("two");
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
      return x;
    };
    Loader loader(numbered(100),
                  {.batch_size = 1, .prefetch = 1, .threads = threads, .transform = fails_at_2});
    auto it = loader.begin();
    ++it;
    CHECK_THROWS_AS(++it, NumericError);
    CHECK(it == loader.end());
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
    CHECK(made <= 4);  // images 0 to 3
  }
}

TEST_CASE("a loop that is left early ends its threads") {
  std::atomic<int> made{0};
  const auto count = [&made](const Image& x) {
    ++made;
    return x;
  };
  for (const int threads : {1, 3}) {
    Loader loader(numbered(250),
                  {.batch_size = 1, .prefetch = 2, .threads = threads, .transform = count});
    made = 0;
    for (const Batch& batch : loader) {
      CHECK(batch.size() == 1);
      break;
    }
    const int after = made;
    CHECK(after < 250);
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    CHECK(made == after);
    { auto untouched = loader.begin(); }
    CHECK_THROWS_AS(
        [&] {
          for (const Batch& batch : loader) throw ValueError(message(batch.size()));
        }(),
        ValueError);
  }
}

TEST_CASE("a loader prefetches no more than it was told") {
  std::atomic<int> made{0};
  Loader loader(
      numbered(100),
      {.batch_size = 1, .prefetch = 3, .threads = 2, .transform = [&made](const Image& x) {
         ++made;
         return x;
       }});
  int consumed = 0;
  for (const Batch& batch : loader) {
    consumed += static_cast<int>(batch.size());
    if (consumed == 10) std::this_thread::sleep_for(std::chrono::milliseconds(20));
    CHECK(made <= consumed + 3);
  }
  CHECK(consumed == 100);
}

TEST_CASE("batches may be kept after the loop went on") {
  for (const int threads : {0, 1, 2}) {
    const LoaderOptions options{.batch_size = 8, .shuffle = true, .threads = threads};
    Loader loader(numbered(100), options);
    std::vector<Batch> kept;
    for (const Batch& batch : loader) kept.push_back(batch);
    Loader again(numbered(100), options);
    std::size_t at = 0;
    for (const Batch& batch : again) {
      CHECK(test::same_bits(batch.images, kept[at].images));
      CHECK(test::same_bits(batch.labels, kept[at].labels));
      ++at;
    }
    CHECK(at == kept.size());
  }
}

TEST_CASE("two passes of one loader do not disturb each other") {
  Loader loader(numbered(60), {.batch_size = 7, .shuffle = true, .threads = 2});
  const Epoch first = run(loader), second = run(loader);
  loader.set_epoch(0);
  auto a = loader.begin(), b = loader.begin();
  Epoch left, right;
  for (; a != loader.end(); ++a, ++b) {
    for (const float v : a->images.values()) left.images.push_back(v);
    for (const float v : (*b).images.values()) right.images.push_back(v);
  }
  CHECK(left.images == first.images);
  CHECK(right.images == second.images);
}

TEST_CASE("after the first epochs, loading takes no memory from the system") {
  constexpr int first = 200;  // until the threads' stocks of small blocks are full
  for (const int threads : {0, 1, 3}) {
    Loader loader(numbered(200), {.batch_size = 16, .shuffle = true, .threads = threads});
    for (int epoch = 0; epoch < first; ++epoch) run(loader);
    const auto before = Cpu::stats().allocations;
    for (int epoch = 0; epoch < 5; ++epoch) run(loader);
    CHECK(Cpu::stats().allocations == before);
  }
  for (const int threads : {0, 1}) {  // with transforms: what one thread needs, it needs at once
    Loader loader(numbered(200), {.batch_size = 16, .threads = threads, .transform = augment});
    for (int epoch = 0; epoch < first; ++epoch) run(loader);
    const auto before = Cpu::stats().allocations;
    for (int epoch = 0; epoch < 5; ++epoch) run(loader);
    CHECK(Cpu::stats().allocations == before);
  }
}

TEST_CASE("an empty dataset has no batches") {
  Loader loader(Dataset<float>{}, {.shuffle = true});
  CHECK(loader.size() == 0);
  CHECK(run(loader).sizes.empty());
}

TEST_CASE("nonsense options of a loader are refused") {
  const auto text = [](LoaderOptions options) {
    return error_of<ValueError>([&] { Loader(numbered(10), options); });
  };
  CHECK(contains(text({.batch_size = 0}), "a batch size of 0 was given; use 1 or more"));
  CHECK(contains(text({.batch_size = -3}), "a batch size of -3"));
  CHECK(contains(text({.threads = -1}), "-1 threads were asked for"));
  CHECK(contains(text({.threads = 100000}), "100000 threads were asked for"));
  CHECK(contains(text({.prefetch = 0}), "prefetching 0 batches with 1 threads"));
  CHECK(text({.prefetch = 0, .threads = 0}).empty());
  CHECK(contains(text({.batch_size = 11, .drop_last = true}), "leaves nothing of an epoch of 10"));
}
