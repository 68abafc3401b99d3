#include "tests/examples/saved_model.hpp"

using namespace ebb;
using namespace ebb::test;

TEST_CASE("predict gives probabilities, and refers what is not one class", "[predict]") {
  const SavedModel model("predict");
  if (!model.there()) return;
  const Outcome outcome =
      model.run_it({"--model", model.file("w"), model.file("left.png"), model.file("right.png")});
  INFO(outcome.out << outcome.err);
  REQUIRE(outcome.code == 0);
  CHECK_THAT(outcome.out, contains("left.png") && contains("right.png") && contains("set at 90 %"));

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
