// What in an image made a classifier say what it said, as a heat map over the image.
//
// A map shows where the network looked, and not whether it was right to look there. Two methods may
// disagree; a map can look sensible for a network that knows nothing
// (docs/concepts/explanations.md).

#include "../common/classifier.hpp"
#include "../common/command_line.hpp"
#include "../common/paths.hpp"
#include "../common/program.hpp"
#include "../common/read_input.hpp"
#include "../common/say.hpp"

#include <ebb/explain/grad_cam.hpp>
#include <ebb/explain/integrated_gradients.hpp>
#include <ebb/explain/occlusion.hpp>
#include <ebb/explain/overlay.hpp>
#include <ebb/explain/saliency.hpp>
#include <ebb/explain/smooth_grad.hpp>
#include <ebb/io/png.hpp>

#include <cstdio>

namespace explain = ebb::explain;
using ebb::Index;

namespace {

struct Options {
  std::string model, image, method = "gradcam", output, called;
  Range range;
  int threads = 0;
};

int class_of(const ModelFile& file, const Options& o, const std::vector<double>& p) {
  if (o.called.empty()) return static_cast<int>(std::max_element(p.begin(), p.end()) - p.begin());
  const auto found = std::find(file.classes.begin(), file.classes.end(), o.called);
  if (found == file.classes.end()) {
    std::string names;
    for (const auto& name : file.classes) names += (names.empty() ? "" : ", ") + name;
    throw ebb::ValueError("--class: the model has no class '" + o.called + "'; it has " + names);
  }
  return static_cast<int>(found - file.classes.begin());
}

// The map, and a line with what is worth knowing about it.
template <class Net>
ebb::Tensor<float, 3> heat(const Options& o, const Net& net, const char* part,
                           const ebb::Tensor<float, 4>& x, int target, std::string& note) {
  const auto targets = ebb::Tensor<int, 1>::from(ebb::Shape{1}, std::vector<int>{target});
  if (o.method == "gradcam") {
    note = ebb::message("from the activations of ", part, ", enlarged to the image");
    return explain::grad_cam(net, x, targets, part);
  }
  if (o.method == "saliency") {
    note = "size of the score's gradient in each pixel";
    return explain::saliency(net, x, targets);
  }
  if (o.method == "smoothgrad") {
    note = "mean gradient over 50 copies with noise of 0.15 of the image's range";
    return explain::heat_map(explain::smooth_grad(net, x, targets));
  }
  if (o.method == "integrated") {
    constexpr int steps = 200;
    const auto parts = explain::integrated_gradients(net, x, targets, steps);
    double sum = 0;
    for (Index i = 0; i < parts.size(); ++i) sum += static_cast<double>(parts.data()[i]);
    const auto blank = ebb::Tensor<float, 4>::zeros(x.shape());
    const auto rise = static_cast<double>(explain::target_scores(net, x, targets)[0] -
                                          explain::target_scores(net, blank, targets)[0]);
    char text[200];
    std::snprintf(text, sizeof text,
                  "attributions add up to %.4f; the score rose by %.4f from the training images' "
                  "mean grey; completeness gap %.1e (%d steps)",
                  sum, rise, std::fabs(sum - rise), steps);
    note = text;
    return explain::heat_map(parts);
  }
  const Index side = std::max<Index>(1, std::min(x.extent(2), x.extent(3)) / 4);
  const auto fall =
      explain::occlusion(net, x, targets, {.size = side, .stride = std::max<Index>(1, side / 3)});
  float most = 0;
  for (Index i = 0; i < fall.size(); ++i) most = std::fmax(most, fall.data()[i]);
  char text[160];
  std::snprintf(text, sizeof text,
                "a grey patch of %d x %d lowers the probability by up to %.3f, on average over its "
                "places",
                static_cast<int>(side), static_cast<int>(side), static_cast<double>(most));
  note = text;
  return fall;
}

// Every pixel as a square, so that a person sees it.
explain::Overlay enlarged(const explain::Overlay& x) {
  const int k = std::max(1, 448 / std::max(x.width, x.height));
  explain::Overlay y{k * x.width, k * x.height, {}};
  y.pixels.reserve(x.pixels.size() * static_cast<std::size_t>(k) * static_cast<std::size_t>(k));
  for (int i = 0; i < y.height; ++i)
    for (int j = 0; j < y.width; ++j)
      for (int c = 0; c < 3; ++c)
        y.pixels.push_back(x.pixels[static_cast<std::size_t>(3 * (i / k * x.width + j / k) + c)]);
  return y;
}

void write_picture(const std::string& path, const explain::Overlay& x) {
  if (path != "-") return explain::write_overlay(path, x);
  const std::string png = ebb::io::encode_png(x.width, x.height, 3, x.pixels);
  std::fwrite(png.data(), 1, png.size(), stdout);
}

int work(int argc, char** argv) {
  Options o;
  CLI::App app(
      "Shows what in an image made a classifier say what it said. For research: not a medical "
      "device.");
  app.footer(
      "Examples:\n"
      "  explain --load pneumonia.safetensors --image chest.png --output why.png\n"
      "  explain --load digits.safetensors --image 7.png --method integrated --class 1 --output "
      "-\n");
  option(app, "--load,--model", o.model, "The model: what mnist --save or medmnist --save wrote",
         "FILE")
      ->required();
  option(app, "--image", o.image,
         "PNG, JPEG, BMP, DICOM or NIfTI (of several slices the middle one)", "FILE")
      ->required();
  const std::vector<std::string> methods{"gradcam", "saliency", "smoothgrad", "integrated",
                                         "occlusion"};
  option(app, "--method", o.method,
         "gradcam, saliency, smoothgrad, integrated, occlusion [gradcam]", "NAME")
      ->check(one_of(methods, "method"));
  option(app, "--output", o.output,
         "The image under its heat map, as PNG of 400 pixels a side or more; - is standard output",
         "PNG")
      ->required();
  option(app, "--class", o.called, "The class to explain [the most probable]", "NAME");
  add_range(app, o.range);
  add_threads(app, o.threads);
  if (const auto code = parse(app, argc, argv, "explain")) return *code;

  Paths paths;
  paths.reads("--load", o.model).reads("--image", o.image);
  paths.writes("--output", o.output, Kind::png).check();
  if (o.output == "-") give_standard_output_away();
  ebb::set_num_threads(o.threads);
  const ModelFile file = open_model(o.model);
  if (file.segments())
    throw ebb::ValueError(o.model +
                          ": it is a segmenter, whose mask already says where it looks; explain is "
                          "for classifiers (use predict for masks)");
  say("%s\n", about(file).c_str());
  take_range(o.range, file);
  const PreparedImage image = prepare(file, read_input(o.image, false, o.range).front().image);
  if (!image.changed.empty()) say("%s: %s\n", o.image.c_str(), image.changed.c_str());
  with_classifier(file, [&](const auto& net, const char* part) {
    const auto p = class_probabilities(file, net, image.input);
    const int best = static_cast<int>(std::max_element(p.begin(), p.end()) - p.begin());
    const int target = class_of(file, o, p);
    std::string note;
    const auto map = heat(o, net, part, image.input, target, note);
    const auto at = [](int c) { return static_cast<std::size_t>(c); };
    say_result("predicted: %s, probability %.3f\n", file.classes[at(best)].c_str(), p[at(best)]);
    say_result("explained: %s, probability %.3f, by %s\n", file.classes[at(target)].c_str(),
               p[at(target)], o.method.c_str());
    say("%s\n", note.c_str());
    float most = 0;
    for (Index i = 0; i < map.size(); ++i) most = std::fmax(most, map.data()[i]);
    if (!(most > 0)) say("nothing in the image speaks for this class: the map is empty\n");
    write_picture(o.output, enlarged(explain::overlay(image.shown, map)));
    if (o.output == "-") return;
    say("wrote %s\n", o.output.c_str());
  });
  return 0;
}

}  // namespace

int main(int argc, char** argv) { return run_program("explain", work, argc, argv); }
