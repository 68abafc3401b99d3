#include "source.hpp"

#include "download.hpp"
#include "say.hpp"

#include <ebb/data/drawn/stroke_digits.hpp>

#include <cstdlib>
#include <filesystem>
#include <sstream>

namespace fs = std::filesystem;
namespace data = ebb::data;

namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

// Where downloads are kept, after the XDG base directory specification; empty: nowhere.
std::string cache_folder() {
  const std::string cache = environment("XDG_CACHE_HOME"), home = environment("HOME");
  if (fs::path(cache).is_absolute()) return cache + "/ebb/mnist";
  return home.empty() ? "" : home + "/.cache/ebb/mnist";
}

// Where Debian's package dataset-fashion-mnist puts its files; empty when it is not installed.
std::string fashion_folder() {
  std::string roots = environment("XDG_DATA_DIRS");
  if (roots.empty()) roots = "/usr/local/share:/usr/share";
  std::istringstream list(roots);
  for (std::string root; std::getline(list, root, ':');) {
    const std::string folder = root + "/datasets/fashion-mnist";
    std::error_code ignored;
    if (!root.empty() && fs::is_directory(folder, ignored)) return folder;
  }
  return {};
}

Source take(std::string name, data::TrainTest images, const std::string& why) {
  say("data: %s, %td training and %td test images, %s\n", name.c_str(), images.train.size(),
      images.test.size(), why.c_str());
  return {std::move(images), std::move(name)};
}

}  // namespace

Source find_images(const std::string& folder) {
  if (!folder.empty())
    return take("images", data::read_mnist(folder), "from " + folder + ", as --data says");

  const std::string cache = cache_folder();
  const Download mnist = fetch_mnist(cache);
  if (mnist.complete)
    return take("MNIST", data::read_mnist(cache),
                (mnist.fetched ? "downloaded to " : "from the cache ") + cache);
  say("MNIST is not to be had: %s\n(with the four files in a folder, say --data FOLDER)\n",
      mnist.problem.c_str());

  const std::string fashion = fashion_folder();
  if (!fashion.empty())
    return take("Fashion-MNIST",
                data::read_mnist(fashion, {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
                                           "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"}),
                "from Debian's package in " + fashion);

  // The second lot starts where the first can never reach, so that no test image was trained on.
  return take("drawn digits",
              {data::stroke_digits(20000), data::stroke_digits(4000, {.first = 1'000'000})},
              "drawn by the program, since Debian's package dataset-fashion-mnist is not installed "
              "either");
}

void require_images(const Source& source) {
  for (const auto& [part, name] :
       {std::pair{&source.images.train, "training"}, std::pair{&source.images.test, "test"}})
    if (part->size() == 0)
      throw ebb::ValueError(ebb::message("there are no ", name,
                                         " images; put files that hold some in the folder of "
                                         "--data, or leave --data out"));
}
