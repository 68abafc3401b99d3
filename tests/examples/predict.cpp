#include <ebb/models/tiled.hpp>

#include <algorithm>
#include <cmath>

#include "tests/data/read/png_writer.hpp"
#include "tests/examples/saved_model.hpp"

using namespace ebb;
using namespace ebb::test;

namespace {

/// Probabilities of the foreground by the network in `model`'s "unet", of an image in floats and as
/// a whole; where `mirrored`, with its mirror image around it, as far as the network reaches.
Tensor<double, 2> probabilities(const SavedModel& model, const data::ByteImage& image,
                                bool mirrored) {
  models::UNet<> net({.channels = 1, .classes = 2, .base = 2, .depth = 2});
  io::load(net, model.file("unet"));
  nn::eval(net);
  const Index height = image.extent(1), width = image.extent(2);
  const Index around = mirrored ? (net.reach() + 3) / 4 * 4 : 0;  // a multiple of 2^depth
  const auto inside = [](Index i, Index n) { return i < 0 ? -i : i < n ? i : 2 * (n - 1) - i; };
  Tensor<float, 4> x({1, 1, height + 2 * around, width + 2 * around});
  for (Index i = 0; i < x.extent(2); ++i)
    for (Index j = 0; j < x.extent(3); ++j) {
      const auto v = image.data()[inside(i - around, height) * width + inside(j - around, width)];
      x.mutable_data()[i * x.extent(3) + j] = (static_cast<float>(v) / 255 - 0.5f) / 0.25f;
    }
  const Tensor<float, 4> y = net(x);
  Tensor<double, 2> p({height, width});
  for (Index i = 0; i < height; ++i)
    for (Index j = 0; j < width; ++j) {
      const Index at = (around + i) * x.extent(3) + around + j;
      p.mutable_data()[i * width + j] =
          1 / (1 + std::exp(double{y.data()[at]} - double{y.data()[x.size() + at]}));
    }
  return p;
}

}  // namespace

TEST_CASE("predict gives probabilities, and refers what is not one class", "[predict]") {
  const SavedModel model("predict");
  if (!model.there()) return;
  const Outcome outcome =
      model.run_it({"--model", model.file("w"), model.file("left.png"), model.file("right.png")});
  INFO(outcome.out << outcome.err);
  REQUIRE(outcome.code == 0);
  CHECK_THAT(outcome.out, contains("left.png") && contains("right.png") && contains("set at 90 %"));

  // The same as PyTorch's file.
  const io::SafetensorsFile weights(model.file("w"));
  model.write("w.pth", weights, weights.metadata());
  const Outcome pytorch = model.run_it(
      {"--model", model.file("w.pth"), model.file("left.png"), model.file("right.png")});
  CHECK(pytorch.code == 0);
  CHECK(pytorch.out.substr(pytorch.out.find("left.png")) ==
        outcome.out.substr(outcome.out.find("left.png")));

  // A threshold that lets every class in, or none.
  model.write_others();
  for (const char* name : {"doubtful", "strange"}) {
    const Outcome referred = model.run_it({"--model", model.file(name), model.file("left.png")});
    INFO(referred.out << referred.err);
    CHECK(referred.code == 0);
    CHECK_THAT(referred.out, contains("refer to a clinician"));
  }
  const Outcome certain = model.run_it({"--model", model.file("certain"), model.file("left.png")});
  CHECK_THAT(certain.out, !contains("clinician"));
}

TEST_CASE("predict writes a segmenter's mask and its shapes", "[predict]") {
  const SavedModel model("predict");
  if (!model.there()) return;
  model.write_others();
  const Outcome outcome = model.run_it(
      {"--model", model.file("unet"), "--output", model.file("masks"), model.file("left.png")});
  INFO(outcome.out << outcome.err);
  REQUIRE(outcome.code == 0);
  CHECK_THAT(outcome.out, contains("components"));
  const auto mask = data::image_info(model.file("masks/left_png_mask.png"));
  CHECK(mask.size.height == 12);
  CHECK(mask.channels == 1);
  CHECK_THAT(read_file(model.file("masks/left_png_shapes.csv")), StartsWith("component,elements"));
}

TEST_CASE("predict's masks by tiles of bytes are those of the whole image in floats", "[predict]") {
  const SavedModel model("predict");
  if (!model.there()) return;
  model.write_others();
  const io::SafetensorsFile weights(model.file("unet"));
  // One tile, and several, from a million pixels on: these have mirror images at the borders. Both
  // sides are multiples of 2^depth.
  for (const Size2 size : {Size2{12, 16}, Size2{1100, 1000}}) {
    std::vector<std::uint8_t> pixels(static_cast<std::size_t>(size.area()));
    for (std::size_t i = 0; i < pixels.size(); ++i)
      pixels[i] = static_cast<std::uint8_t>(i * i / 7 % 256);
    io::write_png(model.file("x.png"), static_cast<int>(size.width), static_cast<int>(size.height),
                  1, pixels);
    const auto p =
        probabilities(model, data::read_image(model.file("x.png")), size.area() > 1 << 20);
    // At the median, half of the pixels are foreground.
    std::vector<double> sorted = p.values();
    std::nth_element(sorted.begin(), sorted.begin() + p.size() / 2, sorted.end());
    const double median = sorted[static_cast<std::size_t>(p.size() / 2)];
    io::Metadata metadata = weights.metadata();
    metadata["threshold"] = std::to_string(median);
    model.write("median", weights, metadata);
    const Outcome outcome = model.run_it(
        {"--load", model.file("median"), "--output", model.file("masks"), model.file("x.png")});
    INFO(outcome.out << outcome.err);
    REQUIRE(outcome.code == 0);
    const auto mask = data::read_image(model.file("masks/x_png_mask.png"));
    REQUIRE(mask.size() == p.size());
    Index white = 0, wrong = 0;
    for (Index i = 0; i < p.size(); ++i) {
      white += mask.data()[i] == 255;
      const bool near = std::abs(p.data()[i] - median) < 2e-6;  // six digits, and rounding
      wrong += !near && mask.data()[i] != (p.data()[i] >= median ? 255 : 0);
    }
    CHECK(wrong == 0);
    CHECK(std::abs(white - p.size() / 2) <= p.size() / 100 + 1);
    std::filesystem::remove_all(model.file("masks"));
  }
}

TEST_CASE("predict takes 16 bits as the model does, or as --range says", "[predict]") {
  const SavedModel model("predict");
  if (!model.there()) return;
  model.write_others();
  std::vector<std::uint16_t> pixels;  // 12 bits: 16 times those of 8
  for (const std::uint8_t v : data::read_image(model.file("left.png")).values())
    pixels.push_back(static_cast<std::uint16_t>(16 * v));
  write_deep_png(model.file("deep.png"), 12, pixels);
  const auto answer = [&](const Outcome& outcome) {  // the line of probabilities
    INFO(outcome.out << outcome.err);
    REQUIRE(outcome.code == 0);
    const std::size_t at = outcome.out.find(".png\n") + 5;
    return outcome.out.substr(at, outcome.out.find('\n', at) - at);
  };
  const std::string w = model.file("w"), deep = model.file("deep.png");
  const std::string of_bytes = answer(model.run_it({"--load", w, model.file("left.png")}));
  const Outcome said = model.run_it({"--load", w, "--range", "0,4080", deep});
  CHECK(answer(said) == of_bytes);
  CHECK(said.err.empty());
  const Outcome learnt = model.run_it({"--load", model.file("deep"), deep});
  CHECK(answer(learnt) == of_bytes);
  CHECK(learnt.err.empty());
  CHECK_THAT(learnt.out, contains("of 16 bits a value 0 is black and 4080 white"));

  const Outcome assumed = model.run_it({"--load", w, deep});
  CHECK(answer(assumed) != of_bytes);
  CHECK(assumed.err == deep +
                           ": 16 bits a value, from 1120 to 2880, taken from 0 (black) to 65535 "
                           "(white), so it is dark (--range 0,4095 makes 4095 white)\n");
  const Outcome other = model.run_it({"--load", model.file("deep"), "--range", "0,65535", deep});
  CHECK(answer(other) == answer(assumed));
  CHECK_THAT(other.err, StartsWith("--range says 0,65535, and ") && contains("says 0,4080: taken"));
  for (const char* range : {"4095", "9,9", "4095,0", "0,65536", "-1,5", "0,4095,", "black,white"}) {
    const Outcome wrong = model.run_it({"--load", w, "--range=" + std::string(range), deep});
    CHECK(wrong.code == 2);
    CHECK_THAT(wrong.err, contains(std::string(range) + "' is not a range: use two numbers"));
  }
  CHECK_THAT(model.run_it({"--load", model.file("upside"), deep}).err,
             contains("range = '9', which is no number from 10 to 65535"));
}

TEST_CASE("predict answers nonsense with a sentence, and goes on", "[predict]") {
  const SavedModel model("predict");
  if (!model.there()) return;
  model.write_others();
  const Outcome mixed =
      model.run_it({"--model", model.file("w"), model.file("missing.png"), model.file("left.png")});
  CHECK(mixed.code == 1);
  CHECK_THAT(mixed.err, StartsWith("predict: ") && contains("there is no such file"));
  CHECK_THAT(mixed.out, contains("left.png"));
  CHECK_THAT(mixed.err, contains("1 of 2 inputs failed: " + model.file("missing.png")));

  // A header of NIfTI-1 that promises 12 x 12 pixels in 0 slices.
  std::string slices(352, '\0');
  slices.replace(0, 4, std::string("\x5c\1\0\0", 4));
  slices.replace(40, 16, std::string("\3\0\x0c\0\x0c\0\0\0\1\0\1\0\1\0\1\0", 16));
  slices.replace(70, 4, std::string("\x10\0\x20\0", 4));   // float
  slices.replace(108, 4, std::string("\0\0\xb0\x43", 4));  // 352
  slices.replace(344, 3, "n+1");
  write_file(model.file("none.nii"), slices);
  const Outcome none = model.run_it({"--model", model.file("w"), model.file("none.nii")});
  CHECK(none.code == 1);
  INFO(none.err);
  CHECK_THAT(none.err, contains("none.nii") && contains("axis 3 the extent 0"));

  write_file(model.file("bad.nii"), "not a header");
  write_file(model.file("bad.dcm"), "not a header");
  for (const char* name : {"bad.nii", "bad.dcm", "images.npz"}) {
    const Outcome outcome = model.run_it({"--model", model.file("w"), model.file(name)});
    INFO(name << "\n" << outcome.err);
    CHECK(outcome.code == 1);
    CHECK_THAT(outcome.err, StartsWith("predict: ") && contains(name));
  }
  for (const auto& [name, sentence] : {std::pair{"bare", "has no 'model'"},
                                       {"vgg", "its model is 'vgg'"},
                                       {"narrow", "has shape"},
                                       {"numbers", "mean = 'grey'"}}) {
    const Outcome outcome = model.run_it({"--model", model.file(name), model.file("left.png")});
    INFO(name << "\n" << outcome.err);
    CHECK(outcome.code == 1);
    CHECK_THAT(outcome.err, contains(sentence));
  }
}

TEST_CASE("Ctrl-C leaves predict's finished answers whole", "[predict]") {
  const SavedModel model("predict");
  if (!model.there()) return;
  std::vector<std::string> words{"--load", model.file("w")};
  for (int i = 0; i < 20000; ++i) words.push_back(model.file(i % 2 ? "left.png" : "right.png"));
  const TemporaryFolder folder;
  Running running(folder, example("predict"), words);
  REQUIRE(running.wait_for("set at"));
  running.send(SIGINT);
  const Outcome outcome = running.wait();
  CHECK(outcome.code == 130);
  CHECK_THAT(outcome.err, contains("predict: interrupted after ") && contains(" of 20000 inputs"));
  CHECK(outcome.out.back() == '\n');
  CHECK_THAT(outcome.last_line(), contains("set at 90 %"));
}
