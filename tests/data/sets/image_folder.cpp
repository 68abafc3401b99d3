#include <ebb/data/sets/image_folder.hpp>

#include "tests/data/read/image_writer.hpp"
#include "tests/data/real_data.hpp"
#include "tests/support/tensors.hpp"
#include "tests/train/files.hpp"

using namespace ebb;
using namespace ebb::data;
using ebb::test::contains;
using ebb::test::error_of;
using ebb::test::picture;
using ebb::test::write_file;
using ebb::test::write_image;

namespace {

namespace fs = std::filesystem;

/// root/dog/{1, 2}.png, root/cat/{b.bmp, a.png}; grey, 6 x 4.
struct Animals : test::TemporaryFolder {
  Animals() {
    fs::create_directory(path / "dog");
    fs::create_directory(path / "cat");
    write_image(*this / "dog/1.png", ByteImage::full({1, 6, 4}, 10));
    write_image(*this / "dog/2.png", ByteImage::full({1, 6, 4}, 20));
    write_image(*this / "cat/b.png", ByteImage::full({1, 6, 4}, 30));
    write_image(*this / "cat/a.png", ByteImage::full({1, 6, 4}, 40));
  }
  std::string root() const { return path.string(); }
  std::string error(ImageFolderOptions options = {}) const {
    return error_of<FileError>([&] { read_image_folder(root(), options); });
  }
};

}  // namespace

TEST_CASE("a folder per class becomes a dataset, sorted by name") {
  const Animals animals;
  write_file(animals / "dog/.hidden", "not an image");
  write_file(animals / "README", "beside the classes");
  fs::create_directory(animals.path / ".git");
  const auto d = read_image_folder(animals.root());
  CHECK(d.classes() == std::vector<std::string>{"cat", "dog"});
  CHECK(d.images().shape() == Shape{4, 1, 6, 4});
  CHECK(d.labels().values() == std::vector<int>{0, 0, 1, 1});
  const int expected[] = {40, 30, 10, 20};
  for (Index i = 0; i < 4; ++i) CHECK(d.image(i)(0, 5, 3) == expected[i]);
}

TEST_CASE("images can be limited, coloured and resized") {
  const Animals animals;
  const auto limited = read_image_folder(animals.root(), {.limit = 1});
  CHECK(limited.class_sizes() == std::vector<Index>{1, 1});
  CHECK(read_image_folder(animals.root(), {.channels = 3}).channels() == 3);
  write_image(animals / "dog/large.jpg", picture(3, 50, 60));
  CHECK(contains(animals.error(), "large.jpg' is 50x60 pixels and '"));
  CHECK(contains(animals.error(), "a.png' is 6x4; give a .size"));
  const auto resized = read_image_folder(animals.root(), {.size = {10, 12}});
  CHECK(resized.images().shape() == Shape{5, 1, 10, 12});
}

TEST_CASE("a folder that is no folder of classes is refused") {
  const Animals animals;
  const auto text = [](const std::string& root) {
    return error_of<FileError>([&] { read_image_folder(root); });
  };
  CHECK(contains(text(animals / "nowhere"), "cannot be listed: No such file or directory"));
  CHECK(contains(text(animals / "dog/1.png"), "cannot be listed"));
  CHECK(contains(text(animals / "dog"), "holds no folder; it must hold one folder per class"));
  fs::create_directory(animals.path / "emu");
  CHECK(contains(animals.error(), "emu' holds no file; remove it"));
}

TEST_CASE("a file that is no image is named, and the first of several") {
  const Animals animals;
  write_file(animals / "dog/z.txt", "no image");
  write_file(animals / "cat/z.txt", "no image");
  CHECK(contains(animals.error(), "cat/z.txt': it is no PNG, JPEG or BMP image"));
  CHECK(contains(animals.error({.size = 8}), "cat/z.txt"));
  fs::remove(animals.path / "cat/z.txt");
  const std::string whole = test::read_file(animals / "dog/1.png");
  write_file(animals / "dog/z.txt", whole.substr(0, whole.size() - 20));
  CHECK(contains(animals.error(), "dog/z.txt': its image data is damaged"));
}

TEST_CASE("nonsense options of an image folder are refused") {
  const Animals animals;
  const auto text = [&](ImageFolderOptions options) {
    return error_of<ValueError>([&] { read_image_folder(animals.root(), options); });
  };
  CHECK(contains(text({.channels = 4}), "4 channels"));
  CHECK(contains(text({.size = {0, 5}}), "images of 0x5"));
  CHECK(contains(text({.limit = -1}), "a limit of -1"));
}

TEST_CASE("real X-rays by class are read") {
  const std::string where = test::real_data("pneumoniamnist/png_by_class");
  if (where.empty()) return;
  const auto d = read_image_folder(where);
  CHECK(d.images().shape() == Shape{80, 1, 28, 28});
  CHECK(d.class_sizes() == std::vector<Index>{40, 40});
  CHECK(d.classes() == std::vector<std::string>{"normal", "pneumonia"});
}
