// What a saved model says of images: classes with how sure it is, or masks with their shapes.
//
// A classifier's probabilities are at the temperature that its validation images taught. Its
// conformal set holds the classes that are not implausible; where that is not exactly one, the
// program does not decide, and refers to a clinician.

#include "../common/classifier.hpp"
#include "../common/command_line.hpp"
#include "../common/masks.hpp"
#include "../common/program.hpp"
#include "read_input.hpp"

#include <ebb/io/png.hpp>
#include <ebb/models/unet.hpp>
#include <ebb/shape/csv.hpp>

#include <cstdio>
#include <filesystem>
#include <functional>
#include <set>

using ebb::Index;

namespace {

struct Options {
  std::string model, output, slices = "middle";
  std::vector<std::string> inputs;
};

void say(const ModelFile& file, const Picture& picture, const std::string& changed,
         const std::vector<double>& p) {
  std::vector<std::size_t> order(p.size());
  for (std::size_t c = 0; c < p.size(); ++c) order[c] = c;
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return p[a] > p[b]; });
  std::printf("%s%s\n ", picture.name.c_str(),
              changed.empty() ? "" : (" (" + changed + ")").c_str());
  for (const std::size_t c : order) std::printf(" %s %.3f", file.classes[c].c_str(), p[c]);
  std::printf("\n");
  if (!file.conformal_threshold) {
    std::printf("  no set: the model file has no conformal threshold\n");
    return;
  }
  std::string set;
  int size = 0;
  for (const std::size_t c : order)
    if (1 - p[c] <= *file.conformal_threshold) {
      set += (size > 0 ? ", " : "") + file.classes[c];
      ++size;
    }
  const bool positive = size == 1 && set == file.positive;
  std::printf("  set at %g %%: {%s}%s%s\n", 100 * file.conformal_coverage, set.c_str(),
              size == 1 ? "" : ": refer to a clinician", positive ? ": positive" : "");
}

// The file name of a result: of the input's last part, and new for each picture.
std::string result_name(const Picture& picture, std::set<std::string>& used) {
  std::string stem = picture.name.substr(picture.name.find_last_of('/') + 1);
  for (char& c : stem)
    if (c == ' ' || c == '.') c = '_';
  std::string name = stem;
  for (int i = 2; !used.insert(name).second; ++i) name = stem + "_" + std::to_string(i);
  return name;
}

void segment(const ModelFile& file, const ebb::models::UNet<>& net, const Picture& picture,
             const std::string& folder, std::set<std::string>& used) {
  const PreparedImage image = prepare(file, picture.image);
  const auto mask = predict_mask(net, image.input, file.threshold);
  const Index area = mask.size();
  std::vector<std::uint8_t> white(static_cast<std::size_t>(area));
  Index found = 0;
  for (Index i = 0; i < area; ++i) {
    white[static_cast<std::size_t>(i)] = mask.data()[i] != 0 ? 255 : 0;
    found += mask.data()[i];
  }
  const auto parts = ebb::shape::components(mask, 1, ebb::shape::Connectivity::corners);
  const auto table = ebb::shape::measure(parts, {picture.spacing[0], picture.spacing[1]});
  std::printf("%s%s\n  foreground %.1f %%, %d components\n", picture.name.c_str(),
              image.changed.empty() ? "" : (" (" + image.changed + ")").c_str(),
              100 * static_cast<double>(found) / static_cast<double>(area), parts.count);
  if (folder.empty()) {
    std::printf("%s", ebb::shape::to_csv(table).c_str());
    return;
  }
  const std::string base = folder + "/" + result_name(picture, used);
  ebb::io::write_png(base + "_mask.png", static_cast<int>(mask.extent(1)),
                     static_cast<int>(mask.extent(0)), 1, white);
  ebb::shape::save_csv(base + "_shapes.csv", table);
  std::printf("  wrote %s_mask.png and %s_shapes.csv (lengths in %s)\n", base.c_str(), base.c_str(),
              picture.unit.c_str());
}

// Every input, with a sentence for each that fails; the exit code.
int each_input(const Options& o, const std::function<void(const Picture&)>& use) {
  int code = 0;
  for (const std::string& path : o.inputs) {
    try {
      for (const Picture& picture : read_input(path, o.slices == "all")) use(picture);
    } catch (const ebb::Error& error) {
      std::fflush(stdout);
      std::fprintf(stderr, "predict: %s: %s\n", path.c_str(), error.what());
      code = 1;
    }
  }
  return code;
}

int work(int argc, char** argv) {
  Options o;
  CLI::App app(
      "Says what a saved model makes of images. For research: not a medical device, and no output "
      "is fit to decide about a patient.");
  option(app, "--model", o.model, "What medmnist --save or segment --save wrote", "FILE")
      ->required();
  option(app, "--output", o.output, "A folder for masks and tables of shapes (of a segmenter)",
         "DIR");
  option(app, "--slices", o.slices, "Of files with several slices or frames: middle, all [middle]",
         "WHICH")
      ->check(CLI::IsMember({"middle", "all"}));
  app.add_option("inputs", o.inputs, "PNG, JPEG, BMP, DICOM or NIfTI files")
      ->required()
      ->type_name("INPUT...");
  if (const auto code = parse(app, argc, argv, "predict")) return *code;

  const ModelFile file = open_model(o.model);
  int code = 0;
  if (file.segments()) {
    ebb::models::UNet<> net({.channels = file.channels,
                             .base = file.base,
                             .depth = file.depth,
                             .batch_norm = file.batch_norm});
    ebb::io::load(net, file.path);
    ebb::nn::eval(net);
    make_folder("--output", o.output);
    std::set<std::string> used;
    return each_input(o, [&](const Picture& p) { segment(file, net, p, o.output, used); });
  }
  with_classifier(file, [&](const auto& net, const char*) {
    code = each_input(o, [&](const Picture& picture) {
      const PreparedImage image = prepare(file, picture.image);
      say(file, picture, image.changed, class_probabilities(file, net, image.input));
    });
  });
  return code;
}

}  // namespace

int main(int argc, char** argv) { return run_program("predict", work, argc, argv); }
