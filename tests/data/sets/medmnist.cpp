#include <ebb/data/sets/medmnist.hpp>

#include "tests/data/real_data.hpp"
#include "tests/support/tensors.hpp"

using namespace ebb;
using namespace ebb::data;
using ebb::test::contains;
using ebb::test::error_of;

// Counts: the README of the data, and MedMNIST's info.py.
TEST_CASE("PneumoniaMNIST's splits have their images and class counts") {
  const std::string where = test::real_data("pneumoniamnist");
  if (where.empty()) return;
  const MedMnist set = read_medmnist(where + "/pneumoniamnist.npz", {"normal", "pneumonia"});
  CHECK(set.train.images().shape() == Shape{4708, 1, 28, 28});
  CHECK(set.train.class_sizes() == std::vector<Index>{1214, 3494});
  CHECK(set.validation.class_sizes() == std::vector<Index>{135, 389});
  CHECK(set.test.class_sizes() == std::vector<Index>{234, 390});
  double sum = 0;
  for (const std::uint8_t pixel : set.train.images().values()) sum += pixel;
  CHECK(sum / 255 / static_cast<double>(set.train.images().size()) == Approx(0.5719).margin(5e-5));
  const MedMnist stored = read_medmnist(where + "/pneumoniamnist_balanced_stored.npz");
  CHECK(stored.train.class_sizes() == std::vector<Index>{1214, 1214});
  CHECK(contains(error_of<ValueError>(
                     [&] { read_medmnist(where + "/pneumoniamnist.npz", {"one class alone"}); }),
                 "out of range"));
}

TEST_CASE("RetinaMNIST's colours become channels") {
  const std::string where = test::real_data("retinamnist");
  if (where.empty()) return;
  const std::string path = where + "/retinamnist.npz";
  const MedMnist set = read_medmnist(path);
  CHECK(set.train.class_sizes() == std::vector<Index>{486, 128, 206, 194, 66});
  CHECK(set.test.class_sizes() == std::vector<Index>{174, 46, 92, 68, 20});
  const auto stored = NpzFile(path).get<std::uint8_t, 4>("test_images");
  for (Index c = 0; c < 3; ++c) CHECK(set.test.images()(399, c, 14, 9) == stored(399, 14, 9, c));
}
