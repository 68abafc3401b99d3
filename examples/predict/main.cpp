// What a saved model says of images: classes with how sure it is, or masks with their shapes.
//
// A classifier's probabilities are at the temperature that its validation images taught. Its
// conformal set holds the classes that are not implausible; where that is not exactly one, the
// program does not decide, and refers to a clinician.

#include "../common/classifier.hpp"
#include "../common/command_line.hpp"
#include "../common/masks.hpp"
#include "../common/page.hpp"
#include "../common/paths.hpp"
#include "../common/program.hpp"
#include "../common/read_input.hpp"
#include "../common/say.hpp"

#include <ebb/device/cpu/parallel.hpp>
#include <ebb/io/png.hpp>
#include <ebb/models/unet.hpp>
#include <ebb/morphology/csv.hpp>

#include <algorithm>
#include <exception>
#include <functional>
#include <new>
#include <set>

using ebb::Index;

namespace {

struct Options {
  std::string model, output, slices = "middle";
  std::vector<std::string> inputs;
  Range range;
  int threads = 0;
};

// The results of a segmenter are called so.
constexpr const char* mask_end = "_mask.png";
constexpr const char* shapes_end = "_shapes.csv";
bool is_a_result(const std::string& name) {
  return name.ends_with(mask_end) || name.ends_with(shapes_end);
}

void report(const ModelFile& file, const Picture& picture, const std::string& changed,
            const std::vector<double>& p) {
  std::vector<std::size_t> order(p.size());
  for (std::size_t c = 0; c < p.size(); ++c) order[c] = c;
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return p[a] > p[b]; });
  say_result("%s%s\n ", picture.name.c_str(),
             changed.empty() ? "" : (" (" + changed + ")").c_str());
  for (const std::size_t c : order) say_result(" %s %.3f", file.classes[c].c_str(), p[c]);
  say_result("\n");
  if (!file.conformal_threshold) {
    say_result("  no set: the model file has no conformal threshold\n");
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
  say_result("  set at %g %%: {%s}%s%s\n", 100 * file.conformal_coverage, set.c_str(),
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
  const auto mask = predict_mask(net, file, image.bytes);
  const Index area = mask.size(), found = std::count(mask.data(), mask.data() + area, 1);
  const auto parts = ebb::morphology::components(mask, 1, ebb::morphology::Connectivity::corners);
  // Pixels that do not say how large they are are taken to be as those of the training images.
  const bool measured = picture.unit != "pixels", as_learnt = !measured && file.spacing;
  const auto spacing = as_learnt ? *file.spacing : picture.spacing;
  const std::string unit = as_learnt ? "mm" : picture.unit;
  const auto table = ebb::morphology::measure(parts, {spacing[0], spacing[1]});
  if (measured && file.spacing && picture.spacing != *file.spacing)
    say_warning("predict: %s has pixels of %g x %g %s, and the network learnt from %g x %g mm\n",
                picture.name.c_str(), picture.spacing[0], picture.spacing[1], unit.c_str(),
                (*file.spacing)[0], (*file.spacing)[1]);
  say_result("%s%s\n  foreground %.1f %%, %d components\n", picture.name.c_str(),
             image.changed.empty() ? "" : (" (" + image.changed + ")").c_str(),
             100 * static_cast<double>(found) / static_cast<double>(area), parts.count);
  if (folder.empty()) {
    say_result("%s", ebb::morphology::to_csv(table).c_str());
    return;
  }
  const std::string base = folder + "/" + result_name(picture, used);
  std::vector<std::uint8_t> white(mask.data(), mask.data() + area);
  for (std::uint8_t& pixel : white) pixel = pixel != 0 ? 255 : 0;
  ebb::io::write_png(base + mask_end, static_cast<int>(mask.extent(1)),
                     static_cast<int>(mask.extent(0)), 1, white);
  write_text(base + shapes_end, ebb::morphology::to_csv(table));
  say_result("  wrote %s%s and %s%s (lengths in %s)\n", base.c_str(), mask_end, base.c_str(),
             shapes_end, unit.c_str());
}

// Every input, one after the other: with a sentence for each that fails, and a last one that names
// them. After Ctrl-C the picture under way is finished, and no other begun. Returns the exit code.
int each_input(const Options& o, const std::function<void(const Picture&)>& use) {
  std::vector<std::string> failed;
  std::size_t done = 0;
  const auto fail = [&](const std::string& path, const char* why) {
    say_warning("predict: %s: %s\n", path.c_str(), why);
    if (failed.empty() || failed.back() != path) failed.push_back(path);
  };
  catch_interrupts();
  for (const std::string& path : o.inputs) {
    if (interrupted()) break;
    try {
      for (const Picture& picture : read_input(path, o.slices == "all", o.range)) {
        if (interrupted()) break;
        use(picture);
        flush_standard_output();
      }
    } catch (const std::bad_alloc&) {
      fail(path, "there is not enough memory for it; use a smaller image, or one slice of it");
    } catch (const std::exception& error) {
      fail(path, error.what());
    }
    ++done;
  }
  if (interrupted()) {
    say_warning("predict: interrupted after %zu of %zu inputs; their results are there\n", done,
                o.inputs.size());
    return 130;
  }
  if (failed.empty()) return 0;
  if (o.inputs.size() > 1) {
    std::string names;
    for (const auto& path : failed) names += (names.empty() ? "" : ", ") + path;
    say_warning("predict: %zu of %zu inputs failed: %s\n", failed.size(), o.inputs.size(),
                names.c_str());
  }
  return 1;
}

int work(int argc, char** argv) {
  Options o;
  CLI::App app(
      "Says what a saved model makes of images. For research: not a medical device, and no output "
      "is fit to decide about a patient.");
  app.footer(
      "The exit code is 1 when an input failed: the others are answered all the same.\n"
      "Examples:\n"
      "  predict --load pneumonia.safetensors chest.png scan.dcm\n"
      "  predict --load liver.safetensors --output masks --slices all abdomen.nii.gz\n"
      "  predict --load lungs.safetensors --range 0,4095 scan_12_bits.png\n");
  option(app, "--load,--model", o.model,
         "The model: what mnist --save, medmnist --save or segment --save wrote", "FILE")
      ->required();
  option(app, "--output", o.output,
         "A folder for masks and tables of shapes of a segmenter [tables to standard output]",
         "DIR");
  option(app, "--slices", o.slices, "Of files with several slices or frames: middle, all [middle]",
         "WHICH")
      ->check(one_of({"middle", "all"}, "choice of slices"));
  add_range(app, o.range);
  add_threads(app, o.threads);
  app.add_option("inputs", o.inputs, "PNG, JPEG, BMP, DICOM or NIfTI files")
      ->required()
      ->type_name("INPUT...");
  if (const auto code = parse(app, argc, argv, "predict")) return *code;

  Paths paths;
  paths.reads("--load", o.model).writes_into("--output", o.output, is_a_result);
  for (const std::string& input : o.inputs) paths.reads("the input", input);
  paths.check();
  ebb::set_num_threads(o.threads);
  const ModelFile file = open_model(o.model);
  say("%s\n", about(file).c_str());
  take_range(o.range, file);
  int code = 0;
  if (file.segments()) {
    ebb::models::UNet<> net({.channels = file.channels,
                             .base = file.base,
                             .depth = file.depth,
                             .batch_norm = file.batch_norm});
    ebb::io::load(net, file.path);
    ebb::nn::eval(net);
    std::set<std::string> used;
    return each_input(o, [&](const Picture& p) { segment(file, net, p, o.output, used); });
  }
  if (!o.output.empty())
    throw ebb::ValueError(
        "--output is for masks, and " + o.model +
        " is a classifier: its answers go to standard output; leave --output out");
  with_classifier(file, [&](const auto& net, const char*) {
    code = each_input(o, [&](const Picture& picture) {
      const PreparedImage image = prepare(file, picture.image);
      report(file, picture, image.changed, class_probabilities(file, net, image.input));
    });
  });
  return code;
}

}  // namespace

int main(int argc, char** argv) { return run_program("predict", work, argc, argv); }
