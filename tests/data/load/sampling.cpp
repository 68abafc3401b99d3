#include <ebb/data/load/loader.hpp>
#include <ebb/data/load/sampling.hpp>
#include <ebb/data/sets/tensor_set.hpp>

#include "tests/support/match.hpp"
#include "tests/support/tensors.hpp"

#include <array>

using namespace ebb;
using namespace ebb::data;
using namespace ebb::test;

namespace {

/// A source whose sample i is i.
TensorSet<Tensor<int, 1>> numbers(Index n) {
  Tensor<int, 1> x({n});
  for (Index i = 0; i < n; ++i) x(i) = static_cast<int>(i);
  return TensorSet(x);
}
using Options = Loader<TensorSet<Tensor<int, 1>>>::Options;

std::vector<int> epoch(Index n, const Options& options, std::uint64_t number = 0) {
  Loader loader(numbers(n), options);
  loader.set_epoch(number);
  std::vector<int> all;
  for (const auto& [x] : loader)
    for (Index i = 0; i < x.extent(0); ++i) all.push_back(x(i));
  return all;
}

/// The share of a sample is within five standard deviations of its probability p in n draws.
void check_share(double share, double p, double n) {
  INFO("share " << share << " of probability " << p);
  CHECK(std::abs(share - p) <= 5 * std::sqrt(p * (1 - p) / n) + 1e-12);
}

}  // namespace

TEST_CASE("with replacement, a sample comes as often as its weight says") {
  const std::vector<double> weights{1, 0, 3, 0.5, 5.5, 0};
  const Index draws = 60000;
  const auto drawn = epoch(6, {.sampling = weighted(weights, {.samples = draws})});
  REQUIRE(drawn.size() == 60000);
  std::array<double, 6> share{};
  for (const int i : drawn) share[static_cast<std::size_t>(i)] += 1.0 / draws;
  for (std::size_t i = 0; i < 6; ++i) check_share(share[i], weights[i] / 10, draws);
  CHECK(share[1] == 0);
  CHECK(share[5] == 0);
  // Draws do not depend on each other: pairs come as often as the product says.
  double pairs = 0;
  for (std::size_t i = 0; i + 1 < drawn.size(); i += 2)
    pairs += (drawn[i] == 4 && drawn[i + 1] == 2) * 2.0 / draws;
  check_share(pairs, 0.55 * 0.3, draws / 2);
}

TEST_CASE("without replacement, samples come once, by weight among those that are left") {
  // P(first is i) = w_i / W; P(i, then j) = w_i / W * w_j / (W - w_i). How often each of
  // torch.utils.data.WeightedRandomSampler's pairs comes in as many draws is the same to within
  // chance: tests/oracle/weighted_sampling.py.
  const std::vector<double> weights{1, 2, 0, 5};
  const Options options{.batch_size = 2,
                        .sampling = weighted(weights, {.samples = 2, .replacement = false})};
  Loader loader(numbers(4), options);
  const int epochs = 20000;
  double pairs[4][4] = {};
  for (int e = 0; e < epochs; ++e)
    for (const auto& [x] : loader) pairs[x(0)][x(1)] += 1.0 / epochs;
  for (std::size_t i = 0; i < 4; ++i)
    for (std::size_t j = 0; j < 4; ++j)
      check_share(pairs[i][j], i == j ? 0 : weights[i] / 8 * weights[j] / (8 - weights[i]), epochs);
}

TEST_CASE("balanced sampling shows all classes equally often") {
  const std::vector<int> labels{0, 0, 0, 0, 0, 0, 0, 7, 2, 2};
  const Sampling many = balanced(Tensor<int, 1>::from({10}, labels), {.samples = 30000});
  CHECK(many.samples == 30000);
  CHECK(balanced(labels).draw(10, RandomStream{3, 4}) ==
        weighted({1.0 / 7, 1.0 / 7, 1.0 / 7, 1.0 / 7, 1.0 / 7, 1.0 / 7, 1.0 / 7, 1, 0.5, 0.5})
            .draw(10, RandomStream{3, 4}));
  double share[8] = {};
  for (const int i : epoch(10, {.sampling = many}))
    share[labels[static_cast<std::size_t>(i)]] += 1.0 / 30000;
  for (const int label : {0, 2, 7}) check_share(share[label], 1.0 / 3, 30000);
}

TEST_CASE("a weighted epoch is a function of seed and epoch, and counts what it draws") {
  const Sampling sampling = weighted({1, 2, 3, 4}, {.samples = 21});
  const auto drawn = [&](std::uint64_t seed, int threads, std::uint64_t number) {
    return epoch(4, {.batch_size = 5, .sampling = sampling, .seed = seed, .threads = threads},
                 number);
  };
  const auto expected = drawn(1, 0, 0);
  CHECK(expected.size() == 21);
  for (const int threads : {1, 4}) CHECK(drawn(1, threads, 0) == expected);
  CHECK(drawn(2, 0, 0) != expected);
  CHECK(drawn(1, 0, 1) != expected);
  Loader loader(numbers(4), Options{.batch_size = 5, .sampling = sampling});
  CHECK(loader.size() == 5);
  CHECK(loader.samples() == 21);
  Loader whole(numbers(4), Options{.batch_size = 5, .sampling = sampling, .drop_last = true});
  CHECK(whole.size() == 4);
  CHECK(whole.samples() == 20);
  // As many as there are, if nothing else is said.
  CHECK(epoch(4, {.sampling = weighted({1, 1, 1, 1})}).size() == 4);
}

TEST_CASE("a sample that is drawn twice is not augmented alike") {
  struct Noise {
    Index size() const { return 2; }
    int get(Index, RandomStream random) const { return static_cast<int>(random.bits(0) >> 1); }
  };
  for (const int threads : {0, 4}) {
    Loader loader(Noise{}, {.sampling = weighted({1, 1}, {.samples = 64}), .threads = threads});
    std::vector<int> all;
    for (const auto& [x] : loader) all.insert(all.end(), x.data(), x.data() + x.size());
    std::sort(all.begin(), all.end());
    CHECK(std::unique(all.begin(), all.end()) == all.end());
    CHECK(all.size() == 64);
  }
}

TEST_CASE("a sampling of one's own says which samples an epoch has") {
  const auto every_other = [](Index n, RandomStream) {
    std::vector<Index> order;
    for (Index i = 1; i < n; i += 2) order.push_back(i);
    return order;
  };
  CHECK(epoch(7, {.batch_size = 2, .sampling = {.samples = 3, .draw = every_other}}) ==
        std::vector<int>{1, 3, 5});
  const auto text = [&](Index samples, Index n) {
    return error_of<ValueError>(
        [&] { epoch(n, {.sampling = {.samples = samples, .draw = every_other}}); });
  };
  CHECK_THAT(text(4, 7), contains("the sampling drew 3 numbers; it must draw 4, from 0 to 6"));
  CHECK_THAT(text(0, 7), contains("draw 1 or more"));
  const auto beyond = [](Index n, RandomStream) { return std::vector<Index>{n}; };
  CHECK_THAT(error_of<ValueError>([&] { epoch(7, {.sampling = {.samples = 1, .draw = beyond}}); }),
             contains("it must draw 1, from 0 to 6"));
}

TEST_CASE("weights that make no sense are refused") {
  const auto refused = [](const std::vector<double>& weights, WeightedOptions options = {}) {
    return error_of<ValueError>([&] { weighted(weights, options); });
  };
  CHECK_THAT(refused({1, -2, 3, 4}), contains("the weight of sample 1 is -2"));
  CHECK_THAT(refused({1, 2, std::nan(""), 4}), contains("the weight of sample 2 is"));
  CHECK_THAT(refused({0, 0, 0, 0}), contains("the weights add up to 0"));
  CHECK_THAT(refused({}), contains("the weights add up to 0"));
  CHECK_THAT(refused({HUGE_VAL, 0, 0, 0}), contains("the weights add up to inf"));
  CHECK_THAT(refused({1, 2, 3, 4}, {.samples = -1}), contains("-1 samples an epoch"));
  // PyTorch 2.15 refuses the others too, but goes on to samples of weight 0 here.
  CHECK_THAT(
      refused({1, 0, 3, 4}, {.samples = 4, .replacement = false}),
      contains("4 samples are to be drawn without replacement, but 3 have a weight above 0"));
  CHECK_THAT(error_of<ValueError>([] {
               Loader(numbers(4), Options{.sampling = weighted({1, 2, 3})});
             }),
             contains("draws 3 samples of a source of 3, and this source has 4"));
}
