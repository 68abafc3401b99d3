// Sources of one's own, tables, and what goes wrong in them.
#include <ebb/data/load/loader.hpp>
#include <ebb/data/sets/tensor_set.hpp>

#include "tests/support/tensors.hpp"

#include <atomic>
#include <chrono>
#include <stdexcept>

using namespace ebb;
using namespace ebb::data;
using ebb::test::contains;
using ebb::test::error_of;

namespace {

/// An image in three dimensions, numbers about the patient, and what is to be told from them.
struct Scan {
  Tensor<float, 4> volume;
  Tensor<double, 1> table;
  std::int64_t age = 0;
  bool ill = false;
};

/// Sample i says i everywhere, and what it drew.
struct Scans {
  struct Batch {
    Tensor<float, 5> volumes;
    Tensor<double, 2> tables;
    Tensor<std::int64_t, 1> ages;
    Tensor<bool, 1> ill;
  };
  Index count = 23;

  Index size() const { return count; }
  Scan get(Index i, RandomStream random) const {
    return {Tensor<float, 4>::full({1, 2, 3, 2}, static_cast<float>(i) + random.uniform(0)),
            Tensor<double, 1>({3}, {random.uniform<double>(1), static_cast<double>(i), 7}), 10 * i,
            i % 2 == 1};
  }
};

/// The same without a name for batches, and without chance.
struct Pairs {
  Index size() const { return 10; }
  std::pair<Tensor<float, 1>, float> get(Index i) const {
    return {Tensor<float, 1>::full({2}, static_cast<float>(i)), static_cast<float>(2 * i)};
  }
};

/// Makes whole batches and counts them.
struct Whole {
  std::atomic<int>* made;
  Index size() const { return 10; }
  std::tuple<Tensor<Index, 1>, Tensor<float, 1>> batch(std::span<const Index> samples,
                                                       std::span<const RandomStream> random) const {
    ++*made;
    const auto count = static_cast<Index>(samples.size());
    Tensor<Index, 1> numbers({count});
    Tensor<float, 1> draws({count});
    for (Index i = 0; i < count; ++i) {
      numbers(i) = samples[static_cast<std::size_t>(i)];
      draws(i) = random[static_cast<std::size_t>(i)].uniform(0);
    }
    return {numbers, draws};
  }
};

/// One epoch as numbers, whatever the batches are made of.
template <class Any>
std::vector<double> run(Any& loader) {
  std::vector<double> all;
  for (const auto& batch : loader)
    std::apply(
        [&](const auto&... part) {
          const auto one = [&](const auto& x) {
            for (Index i = 0; i < x.size(); ++i) all.push_back(static_cast<double>(x.data()[i]));
          };
          (one(part), ...);
        },
        data::detail::fields(batch));
  return all;
}

/// Fails with `E` at sample 13, whichever thread asks for it.
template <class E>
struct Broken {
  Index size() const { return 40; }
  Tensor<float, 1> get(Index i) const {
    if (i == 13) throw E("the scanner was off");
    return Tensor<float, 1>::full({4}, static_cast<float>(i));
  }
};
struct OwnError : std::runtime_error {
  using std::runtime_error::runtime_error;
};
struct OwnShapeError : ShapeError {
  using ShapeError::ShapeError;
};

}  // namespace

TEST_CASE("a source of one's own: volumes, a table and numbers, in the batch that it names") {
  Loader loader(Scans{}, {.batch_size = 10, .shuffle = true, .seed = 4});
  std::vector<int> seen(23);
  std::vector<Index> sizes;
  for (const auto& [volumes, tables, ages, ill] : loader) {
    const Index count = ages.extent(0);
    sizes.push_back(count);
    REQUIRE(volumes.shape() == Shape{count, 1, 2, 3, 2});
    REQUIRE(tables.shape() == Shape{count, 3});
    for (Index i = 0; i < count; ++i) {
      const Index number = ages(i) / 10;
      ++seen[static_cast<std::size_t>(number)];
      CHECK(ill(i) == (number % 2 == 1));
      CHECK(tables(i, 1) == static_cast<double>(number));
      CHECK(std::floor(volumes(i, 0, 1, 2, 1)) == static_cast<float>(number));
    }
  }
  CHECK(sizes == std::vector<Index>{10, 10, 3});
  CHECK(seen == std::vector<int>(23, 1));
}

TEST_CASE("what a source draws is a function of seed, epoch and sample: the same for any threads") {
  const auto epochs = [](int threads, Index batch_size) {
    Loader loader(Scans{}, {.batch_size = batch_size, .seed = 9, .threads = threads});
    std::vector<std::vector<double>> all{run(loader), run(loader)};
    loader.set_epoch(0);
    CHECK(run(loader) == all[0]);
    return all;
  };
  const auto expected = epochs(0, 4);
  CHECK(expected[0] != expected[1]);
  for (const int threads : {1, 4}) CHECK(epochs(threads, 4) == expected);
  // The size of a batch changes no sample.
  Loader one(Scans{}, {.batch_size = 1, .seed = 9}), all(Scans{}, {.batch_size = 23, .seed = 9});
  const auto whole = all.begin();
  Index at = 0;
  for (const auto& batch : one) {
    CHECK(batch.volumes(0, 0, 0, 0, 0) == whole->volumes(at, 0, 0, 0, 0));
    CHECK(batch.tables(0, 0) == whole->tables(at, 0));
    ++at;
  }
}

TEST_CASE("a source that names no batch gives tuples") {
  Loader loader(Pairs{}, {.batch_size = 4});
  Index at = 0;
  for (const auto& [x, y] : loader) {
    static_assert(std::is_same_v<std::remove_cvref_t<decltype(x)>, Tensor<float, 2>>);
    for (Index i = 0; i < y.extent(0); ++i, ++at) CHECK(x(i, 1) * 2 == y(i));
  }
  CHECK(at == 10);
  const Loader alone(Broken<Error>{});
  static_assert(std::is_same_v<decltype(alone)::Batch, std::tuple<Tensor<float, 2>>>);
}

TEST_CASE("samples of one's own are transformed, as a whole or in their first part") {
  const auto whole = [](const Scan& x, RandomStream random) {
    Scan y = x;
    y.age += random.below(1000, 3);
    return y;
  };
  for (const int threads : {0, 3}) {
    Loader older(Scans{}, {.batch_size = 23, .threads = threads, .transform = whole});
    Loader again(Scans{}, {.batch_size = 5, .transform = whole});
    Index at = 0, moved = 0;
    const auto all = older.begin();
    for (const auto& batch : again)
      for (Index i = 0; i < batch.ages.extent(0); ++i, ++at) {
        CHECK(batch.ages(i) == all->ages(at));
        moved += all->ages(at) != 10 * at;
      }
    CHECK(moved > 15);
  }
  Loader doubled(Pairs{}, {.transform = [](const Tensor<float, 1>& x) {
                   return Tensor<float, 1>::full({3}, 2 * x(0));
                 }});
  const auto batch = doubled.begin();
  CHECK(std::get<0>(*batch).shape() == Shape{10, 3});
  CHECK(std::get<0>(*batch)(4, 2) == std::get<1>(*batch)(4));
}

TEST_CASE("a source may make whole batches") {
  std::atomic<int> made{0};
  const auto epochs = [&](int threads) {
    Loader loader(Whole{&made}, {.batch_size = 4, .shuffle = true, .seed = 2, .threads = threads});
    return std::vector{run(loader), run(loader)};
  };
  const auto expected = epochs(0);
  CHECK(made == 6);
  CHECK(expected[0] != expected[1]);
  for (const int threads : {1, 4}) CHECK(epochs(threads) == expected);
}

TEST_CASE("a table comes in rows, in the order of seed and epoch, for any threads") {
  Tensor<double, 2> features({50, 3});
  Tensor<float, 1> targets({50});
  Tensor<std::uint8_t, 3> codes({50, 1, 2});
  for (Index i = 0; i < 50; ++i) {
    for (Index k = 0; k < 3; ++k) features(i, k) = static_cast<double>(10 * i + k);
    targets(i) = static_cast<float>(i);
    codes(i, 0, 1) = codes(i, 0, 0) = static_cast<std::uint8_t>(i);
  }
  const auto epochs = [&](int threads, bool transformed) {
    Loader<TensorSet<Tensor<double, 2>, Tensor<float, 1>, Tensor<std::uint8_t, 3>>>::Options
        options{.batch_size = 8, .shuffle = true, .seed = 3, .threads = threads};
    if (transformed) options.transform = [](const Tensor<double, 1>& x) { return x.clone(); };
    Loader loader(TensorSet(features, targets, codes), options);
    for (const auto& [x, y, z] : loader)
      for (Index i = 0; i < y.extent(0); ++i) {
        REQUIRE(x(i, 2) == static_cast<double>(10 * y(i) + 2));
        REQUIRE(static_cast<float>(z(i, 0, 1)) == y(i));
      }
    return std::vector{run(loader), run(loader)};
  };
  const auto expected = epochs(0, false);
  CHECK(expected[0] != expected[1]);
  for (const int threads : {0, 1, 4})
    for (const bool one_by_one : {false, true}) CHECK(epochs(threads, one_by_one) == expected);
}

TEST_CASE("what get throws reaches the loop with its sentence and the sample, and nothing hangs") {
  const auto text = []<class E>(std::type_identity<E>, int threads) {
    Loader loader(Broken<E>{}, {.batch_size = 4, .threads = threads});
    for (int epoch = 0; epoch < 2; ++epoch) {  // the loader may be used again
      Index seen = 0;
      const std::string told = error_of<Error>([&] {
        for (const auto& [x] : loader) seen += x.extent(0);
      });
      CHECK(seen == 12);
      if (epoch == 1) return told;
    }
    return std::string();
  };
  for (const int threads : {0, 1, 4}) {
    const std::string expected = "loader: sample 13: the scanner was off";
    CHECK(text(std::type_identity<FileError>(), threads) == expected);
    CHECK(text(std::type_identity<ShapeError>(), threads) == expected);
    CHECK(text(std::type_identity<Error>(), threads) == expected);
    CHECK(text(std::type_identity<OwnError>(), threads) == expected);
    // One of the library's that somebody added to is not cut short.
    CHECK(text(std::type_identity<OwnShapeError>(), threads) == "the scanner was off");
  }
  Loader files(Broken<FileError>{}, {.batch_size = 20});
  CHECK_THROWS_AS(run(files), FileError);
  Loader others(Broken<OwnShapeError>{}, {.batch_size = 20});
  CHECK_THROWS_AS(run(others), OwnShapeError);
  // An error of another family is inside of the one that tells of it.
  Loader own(Broken<OwnError>{}, {.batch_size = 20});
  bool nested = false;
  try {
    run(own);
  } catch (const Error& error) {
    try {
      std::rethrow_if_nested(error);
    } catch (const OwnError&) {
      nested = true;
    }
  }
  CHECK(nested);
}

TEST_CASE("what batch throws names the sample that the batch begins with") {
  struct Off {
    Index size() const { return 10; }
    Tensor<float, 1> batch(std::span<const Index> samples) const {
      if (samples[0] == 6) throw ValueError("no network");
      return Tensor<float, 1>({static_cast<Index>(samples.size())});
    }
  };
  for (const int threads : {0, 2}) {
    Loader loader(Off{}, {.batch_size = 3, .threads = threads});
    CHECK(error_of<ValueError>([&] { run(loader); }) ==
          "loader: the batch that begins with sample 6: no network");
  }
}

TEST_CASE("samples of several sizes do not make a batch, and one by one they do") {
  struct Words {
    Index size() const { return 4; }
    std::pair<int, Tensor<int, 1>> get(Index i) const {
      return {static_cast<int>(i), Tensor<int, 1>::zeros({i < 2 ? 5 : 6})};
    }
  };
  Loader broken(Words{}, {.batch_size = 3});
  CHECK(error_of<ShapeError>([&] { run(broken); }) ==
        "loader: with sample 2 the batch has in part 2 the shape (3, 6) where the first one asks "
        "for (3, 5); the samples of a batch must have one size, so let the transform end with a "
        "crop, or use a batch size of 1");
  Loader single(Words{}, {.batch_size = 1});
  CHECK(run(single).size() == 4 + 5 + 5 + 6 + 6);
}

TEST_CASE("a loop over one's own source that is left early ends its threads") {
  struct Slow {
    std::atomic<int>* running;
    Index size() const { return 100; }
    int get(Index i) const {
      ++*running;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      --*running;
      return static_cast<int>(i);
    }
  };
  std::atomic<int> running{0};
  for (const int threads : {0, 1, 4}) {
    Loader loader(Slow{&running}, {.batch_size = 2, .threads = threads});
    for (const auto& [x] : loader)
      if (x(0) == 4) break;
    CHECK(running == 0);
    CHECK(loader.epoch() == 1);
    Index seen = 0;
    for (const auto& [x] : loader) seen += x.extent(0);  // and may be gone over again
    CHECK(seen == 100);
  }
}

TEST_CASE("without threads, the one that asks loads, and no sooner") {
  struct Here {
    std::atomic<int>* made;
    std::thread::id by = std::this_thread::get_id();
    Index size() const { return 10; }
    int get(Index i) const {
      ++*made;
      if (std::this_thread::get_id() != by) throw ValueError("another thread");
      return static_cast<int>(i);
    }
  };
  std::atomic<int> made{0};
  Loader loader(Here{&made}, {.batch_size = 2, .threads = 0});
  int seen = 0;
  for (const auto& [x] : loader) CHECK(made == (seen += static_cast<int>(x.extent(0))));
  Loader other(Here{&made}, {.batch_size = 2, .threads = 1});
  CHECK(contains(error_of<ValueError>([&] { run(other); }), "sample 1: another thread"));
}

TEST_CASE("an iterator outlives its loader") {
  auto it = [] {
    Loader loader(Pairs{}, {.batch_size = 4, .threads = 2});
    return loader.begin();
  }();
  ++it;
  CHECK(std::get<1>(*it)(0) == 8);
}
