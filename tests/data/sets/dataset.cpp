#include <ebb/data/sets/dataset.hpp>

#include "tests/support/tensors.hpp"

using namespace ebb;
using namespace ebb::data;
using ebb::test::contains;
using ebb::test::error_of;

namespace {

/// n images of 1x2x2, all pixels of image i are i; labels 0, 1, 2, 0, ... ; 4 classes.
Dataset<std::uint8_t> numbered(Index n) {
  Tensor<std::uint8_t, 4> images({n, 1, 2, 2});
  Tensor<int, 1> labels({n});
  for (Index i = 0; i < n; ++i) {
    for (Index k = 0; k < 4; ++k) images.mutable_data()[4 * i + k] = static_cast<std::uint8_t>(i);
    labels(i) = static_cast<int>(i % 3);
  }
  return {images, labels, {"a", "b", "c", "d"}};
}

}  // namespace

TEST_CASE("a dataset knows its sizes and classes") {
  const auto d = numbered(7);
  CHECK(d.size() == 7);
  CHECK(d.channels() == 1);
  CHECK(d.image_size() == Size2(2, 2));
  CHECK(d.class_count() == 4);
  CHECK(d.class_sizes() == std::vector<Index>{3, 2, 2, 0});
  CHECK(d.label(4) == 1);
  CHECK(d.image(4)(0, 1, 1) == 4);
  const LabelledImage sample = d.get(4);
  CHECK(sample.label == 1);
  CHECK(sample.image.values() == std::vector<float>(4, 4.0f / 255));
  CHECK_THROWS_AS(d.get(7), ValueError);
  CHECK(Dataset<float>().size() == 0);
}

TEST_CASE("classes without names are numbered") {
  const Dataset<float> d(Tensor<float, 4>::zeros({3, 1, 1, 1}), Tensor<int, 1>({3}, {0, 4, 2}));
  CHECK(d.classes() == std::vector<std::string>{"0", "1", "2", "3", "4"});
}

TEST_CASE("labels that name no class are refused with their position and value") {
  const auto images = Tensor<float, 4>::zeros({3, 1, 1, 1});
  const auto text = [&](std::initializer_list<int> labels, std::vector<std::string> names) {
    return error_of<ValueError>(
        [&] { Dataset<float>(images, Tensor<int, 1>({3}, labels), std::move(names)); });
  };
  CHECK(contains(text({0, 1, 2}, {"a", "b"}),
                 "label 2 of image 2 is out of range; there are 2 classes, 0 to 1"));
  CHECK(
      contains(text({0, -1, 2}, {}), "label -1 of image 1 is out of range; classes count from 0"));
  CHECK(contains(text({0, 2000000000, 2}, {}), "asks for more than"));
}

TEST_CASE("images and labels must be as many, and defined") {
  const auto images = Tensor<float, 4>::zeros({3, 1, 1, 1});
  CHECK(contains(error_of<ShapeError>([&] {
                   Dataset<float>(images, Tensor<int, 1>({2}, {0, 0}));
                 }),
                 "3 images, of shape (3, 1, 1, 1), came with 2 labels"));
  CHECK_THROWS_AS(Dataset<float>({}, Tensor<int, 1>({0})), ValueError);
}

TEST_CASE("a subset has the images asked for, in that order") {
  const auto d = numbered(7);
  const auto s = d.subset(std::vector<Index>{5, 1, 1});
  CHECK(s.size() == 3);
  CHECK(s.image(0)(0, 0, 0) == 5);
  CHECK(s.image(2)(0, 1, 0) == 1);
  CHECK(s.label(0) == 2);
  CHECK(s.classes() == d.classes());
  CHECK(d.subset({}).size() == 0);
  CHECK(contains(error_of<ValueError>([&] { d.subset(std::vector<Index>{7}); }),
                 "there is no image 7; the dataset holds 7, 0 to 6"));
  CHECK_THROWS_AS(d.image(-1), ValueError);
}

TEST_CASE("a split puts each image in one part") {
  const auto d = numbered(10);
  for (const double fraction : {0.0, 0.33, 0.8, 1.0}) {
    const auto [first, second] = split(d, fraction, 5);
    CHECK(first.size() == std::llround(fraction * 10));
    std::vector<int> seen(10);
    for (const auto* part : {&first, &second})
      for (Index i = 0; i < part->size(); ++i) {
        ++seen[part->image(i)(0, 0, 0)];
        CHECK(part->label(i) == part->image(i)(0, 0, 0) % 3);
      }
    CHECK(seen == std::vector<int>(10, 1));
  }
  CHECK(test::same_bits(split(d, 0.5, 5).first.images(), split(d, 0.5, 5).first.images()));
  CHECK_FALSE(test::same_bits(split(d, 0.5, 5).first.images(), split(d, 0.5, 6).first.images()));
  for (const double nonsense : {-0.1, 1.1, std::nan("")}) {
    CHECK(contains(error_of<ValueError>([&] { split(d, nonsense); }), "use a number from 0 to 1"));
    CHECK_THROWS_AS(stratified_split(d, nonsense), ValueError);
  }
}

TEST_CASE("a stratified split keeps the balance of classes") {
  Tensor<int, 1> labels({1000});
  for (Index i = 0; i < 1000; ++i) labels(i) = i < 900 ? 0 : 1;
  const Dataset<float> d(Tensor<float, 4>::zeros({1000, 1, 1, 1}), labels);
  const auto [train, validation] = stratified_split(d, 0.8, 3);
  CHECK(train.class_sizes() == std::vector<Index>{720, 80});
  CHECK(validation.class_sizes() == std::vector<Index>{180, 20});
}
