#include <ebb/data/sets/mnist.hpp>

#include "tests/data/real_data.hpp"
#include "tests/support/tensors.hpp"
#include "tests/train/files.hpp"

using namespace ebb;
using namespace ebb::data;
using ebb::test::contains;
using ebb::test::error_of;

namespace {

const test::TemporaryFolder folder;

void write_four(const std::string& where, bool gzip, const std::string& suffix) {
  std::filesystem::create_directories(where);
  for (const std::string part : {"train", "t10k"}) {
    const Index n = part == "train" ? 3 : 2;
    write_idx(where + "/" + part + "-images-idx3-ubyte" + suffix,
              Tensor<std::uint8_t, 3>::full({n, 4, 5}, 7), {.gzip = gzip});
    write_idx(where + "/" + part + "-labels-idx1-ubyte" + suffix,
              Tensor<std::uint8_t, 1>::full({n}, 9), {.gzip = gzip});
  }
}

}  // namespace

TEST_CASE("the four files are found, gzipped or not") {
  write_four(folder / "plain", false, "");
  write_four(folder / "packed", true, ".gz");
  for (const char* where : {"plain", "packed"}) {
    const auto [train, held_out] = read_mnist(folder / where);
    CHECK(train.images().shape() == Shape{3, 1, 4, 5});
    CHECK(held_out.images().shape() == Shape{2, 1, 4, 5});
    CHECK(train.class_count() == 10);
    CHECK(train.label(2) == 9);
  }
  const std::string dotted = folder / "dotted";
  std::filesystem::create_directory(dotted);
  test::write_file(dotted + "/train-images.idx3-ubyte", "x");
  CHECK(find_idx(dotted, "train-images-idx3-ubyte") == dotted + "/train-images.idx3-ubyte");
}

TEST_CASE("a folder without the files is an error that names the missing one") {
  CHECK(
      contains(error_of<FileError>([] { read_mnist(folder / "nowhere"); }), "there is no folder"));
  write_four(folder / "three", false, "");
  std::filesystem::remove(folder / "three/t10k-labels-idx1-ubyte");
  CHECK(contains(error_of<FileError>([] { read_mnist(folder / "three"); }),
                 "neither 't10k-labels-idx1-ubyte' nor 't10k-labels-idx1-ubyte.gz' is in"));
}

TEST_CASE("images and labels must go together") {
  const std::string images = folder / "images", labels = folder / "labels";
  write_idx(images, Tensor<std::uint8_t, 3>::full({3, 2, 2}, 1));
  write_idx(labels, Tensor<std::uint8_t, 1>({2}, {0, 1}));
  const auto text = [&](std::vector<std::string> classes) {
    return error_of<FileError>([&] { read_idx_dataset(images, labels, classes); });
  };
  CHECK(contains(text({}),
                 "do not go together: dataset: 3 images, of shape (3, 1, 2, 2), came with 2"));
  write_idx(labels, Tensor<std::uint8_t, 1>({3}, {0, 200, 1}));
  CHECK(contains(text({"a", "b"}), "label 200 of image 1 is out of range; there are 2 classes"));
}

TEST_CASE("the real MNIST has the counts it is known for") {
  const std::string where = test::real_data("mnist");
  if (where.empty()) return;
  const auto [train, held_out] = read_mnist(where);
  CHECK(train.images().shape() == Shape{60000, 1, 28, 28});
  CHECK(held_out.images().shape() == Shape{10000, 1, 28, 28});
  CHECK(train.class_sizes() ==
        std::vector<Index>{5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949});
  CHECK(held_out.class_sizes() ==
        std::vector<Index>{980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009});
  double sum = 0, squares = 0;
  for (Index i = 0; i < train.images().size(); ++i) {
    const double p = train.images().data()[i] / 255.0;
    sum += p;
    squares += p * p;
  }
  const auto n = static_cast<double>(train.images().size());
  CHECK(std::abs(sum / n - 0.1307) < 5e-5);
  CHECK(std::abs(std::sqrt(squares / n - sum / n * sum / n) - 0.3081) < 5e-5);
}
