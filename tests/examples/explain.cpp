#include "tests/data/read/png_writer.hpp"
#include "tests/examples/saved_model.hpp"

using namespace ebb;
using namespace ebb::test;

TEST_CASE("explain draws an overlay by every method", "[explain]") {
  const SavedModel model("explain");
  if (!model.there()) return;
  for (const char* method : {"gradcam", "saliency", "smoothgrad", "integrated", "occlusion"}) {
    const std::string png = model.file(std::string(method) + ".png");
    const Outcome outcome =
        model.run_it({"--model", model.file("w"), "--image", model.file("right.png"), "--method",
                      method, "--output", png, "--class", "left"});
    INFO(method << "\n" << outcome.out << outcome.err);
    REQUIRE(outcome.code == 0);
    CHECK_THAT(outcome.out, contains("predicted: ") && contains("explained: left"));
    CHECK_THAT(outcome.out, contains(std::string("by ") + method));
    const auto info = data::image_info(png);
    CHECK(info.size.height >= 400);  // 12 pixels, enlarged
    CHECK(info.channels == 3);
  }
}

TEST_CASE("explain takes 16 bits as the model does", "[explain]") {
  const SavedModel model("explain");
  if (!model.there()) return;
  model.write_others();
  std::vector<std::uint16_t> pixels;  // 12 bits: 16 times those of 8
  for (const std::uint8_t v : data::read_image(model.file("right.png")).values())
    pixels.push_back(static_cast<std::uint16_t>(16 * v));
  write_deep_png(model.file("deep.png"), 12, pixels);
  const auto explained = [&](const std::string& weights, const std::string& image) {
    const Outcome outcome = model.run_it({"--load", model.file(weights), "--image",
                                          model.file(image), "--output", model.file("why.png")});
    INFO(outcome.out << outcome.err);
    REQUIRE(outcome.code == 0);
    return read_file(model.file("why.png"));
  };
  CHECK((explained("deep", "deep.png") == explained("w", "right.png")));
  CHECK((explained("w", "deep.png") != explained("w", "right.png")));
}

TEST_CASE("explain answers nonsense with a sentence", "[explain]") {
  const SavedModel model("explain");
  if (!model.there()) return;
  model.write_others();
  struct Case {
    std::string file, image, called, sentence;
  };
  const Case cases[] = {
      {"w", "right.png", "tumour", "has no class 'tumour'; it has left, right"},
      {"w", "missing.png", "left", "there is no such file"},
      {"w", "images.npz", "left", "no PNG, JPEG or BMP"},
      {"missing", "right.png", "left", "check the path"},
      {"bare", "right.png", "left", "its metadata has no 'model'"},
      {"vgg", "right.png", "left", "its model is 'vgg'"},
      {"narrow", "right.png", "left", "has shape"},
      {"unet", "right.png", "left", "it is a segmenter"},
  };
  for (const Case& c : cases) {
    const Outcome outcome =
        model.run_it({"--model", model.file(c.file), "--image", model.file(c.image), "--output",
                      model.file("x.png"), "--class", c.called});
    INFO(c.sentence << "\n" << outcome.err);
    CHECK(outcome.code == 1);
    CHECK_THAT(outcome.err, StartsWith("explain: ") && contains(c.sentence));
  }
}
