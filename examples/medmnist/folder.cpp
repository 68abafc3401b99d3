// Images in folders, of one size or of many.
#include "../common/say.hpp"
#include "options.hpp"

#include <ebb/data/sets/image_folder.hpp>

#include <algorithm>
#include <cmath>
#include <filesystem>

namespace data = ebb::data;
namespace fs = std::filesystem;
using ebb::Index;

namespace {

bool is_folder(const std::string& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

// The size that all images have, or else the median of their heights and of their widths.
struct Sizes {
  ebb::Size2 size{};
  bool alike = true;
};
Sizes sizes_below(const std::vector<std::string>& roots) {
  std::vector<Index> heights, widths;
  Sizes found;
  for (const auto& root : roots)
    for (const auto& path : data::list_image_folder(root).paths) {
      const ebb::Size2 size = data::image_info(path).size;
      found.alike = found.alike && (heights.empty() || found.size == size);
      found.size = size;
      heights.push_back(size.height);
      widths.push_back(size.width);
    }
  if (found.alike) return found;
  const auto median = [](std::vector<Index>& all) {
    const auto middle = all.begin() + static_cast<std::ptrdiff_t>(all.size() / 2);
    std::nth_element(all.begin(), middle, all.end());
    return *middle;
  };
  found.size = {median(heights), median(widths)};
  return found;
}

// The images under the names of the network that goes on, or of --classes: folders are known by
// their names, wherever these stand.
data::Dataset<> named(const data::Dataset<>& set, const std::vector<std::string>& classes,
                      const std::string& root) {
  if (classes.empty() || set.classes() == classes) return set;
  std::vector<int> number;
  for (const std::string& name : set.classes()) {
    const auto found = std::find(classes.begin(), classes.end(), name);
    if (found == classes.end()) {
      std::string all;
      for (const auto& one : classes) all += (all.empty() ? "" : ", ") + one;
      throw ebb::ValueError(ebb::message(root, ": its folder '", name, "' is none of the classes ",
                                         all, "; rename it, or take it away"));
    }
    number.push_back(static_cast<int>(found - classes.begin()));
  }
  ebb::Tensor<int, 1> labels({set.size()});
  for (Index i = 0; i < set.size(); ++i) labels(i) = number[static_cast<std::size_t>(set.label(i))];
  return {set.images(), labels, classes};
}

// The images of each class from share `from` to share `to` of them, in the order they have.
data::Dataset<> share(const data::Dataset<>& set, double from, double to) {
  std::vector<Index> seen(set.classes().size()), positions;
  const auto all = set.class_sizes();
  for (Index i = 0; i < set.size(); ++i) {
    const auto c = static_cast<std::size_t>(set.label(i));
    const auto place = static_cast<double>(seen[c]++);
    const auto count = static_cast<double>(all[c]);
    if (place >= std::round(from * count) && place < std::round(to * count)) positions.push_back(i);
  }
  return set.subset(positions);
}

}  // namespace

data::MedMnist read_folder(Options& o) {
  const bool splits = is_folder(o.data + "/train");
  std::vector<std::string> roots{o.data};
  if (splits) {
    roots = {o.data + "/train", o.data + "/val", o.data + "/test"};
    for (const auto& root : roots)
      if (!is_folder(root))
        throw ebb::FileError(ebb::message("--data: ", o.data, " has a folder train, and no ", root,
                                          "; make it, with a folder for each class"));
  }
  data::ImageFolderOptions how{.size = o.size, .fit = fit_of(o)};
  if (o.range) how.range = *o.range;
  if (o.loaded) how.channels = static_cast<int>(o.loaded->channels);
  if (o.size == ebb::Size2{}) {
    const Sizes sizes = sizes_below(roots);
    how.size = sizes.size;
    if (!sizes.alike)
      say("images of several sizes: each is brought to %s pixels (--size gives another)\n",
          ebb::message(sizes.size).c_str());
  }
  const auto read = [&](const std::string& root, const std::vector<std::string>& classes) {
    const auto set = data::read_image_folder(root, how);
    how.channels = static_cast<int>(set.channels());
    assume_range(o.range, root, data::list_image_folder(root).paths);
    return named(set, classes, root);
  };
  data::MedMnist set;
  if (splits) {
    set.train = read(roots[0], o.classes);
    set.validation = read(roots[1], set.train.classes());
    set.test = read(roots[2], set.train.classes());
    return set;
  }
  if (!(o.val_fraction + o.test_fraction < 1))
    throw ebb::ValueError("--val-fraction and --test-fraction leave nothing to train on");
  const auto all = read(o.data, o.classes);
  const double held = 1 - o.val_fraction - o.test_fraction;
  set.train = share(all, 0, held);
  set.validation = share(all, held, 1 - o.test_fraction);
  set.test = share(all, 1 - o.test_fraction, 1);
  say("data: %td training, %td validation and %td test images out of one folder, the last of each "
      "class by name held out\n",
      set.train.size(), set.validation.size(), set.test.size());
  return set;
}
