// What all programs have in common: options, words, and what they write.
#include "tests/examples/digits.hpp"
#include "tests/examples/saved_model.hpp"

using namespace ebb;
using namespace ebb::test;

namespace {

const std::vector<std::string> programs{"mnist",   "medmnist", "segment", "predict",
                                        "explain", "inspect",  "speedrun"};

/// A program whose standard output goes to `where`.
Outcome run_into(const std::string& where, const TemporaryFolder& folder,
                 const std::string& program, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {"-c", "\"$0\" \"$@\" > " + where, program});
  return run(folder, "/bin/sh", arguments);
}

}  // namespace

TEST_CASE("every program states its options, defaults and an example") {
  const TemporaryFolder folder;
  for (const std::string& name : programs) {
    const std::string program = example(name);
    if (program.empty()) continue;
    const Outcome help = run(folder, program, {"--help"});
    INFO(name << "\n" << help.out << help.err);
    CHECK(help.code == 0);
    CHECK_THAT(help.out, contains("--quiet") && contains("Examples:\n  " + name + " "));
    // Each option has a default in brackets, or must be given. Its entry goes on until the next.
    std::string options = help.out.substr(help.out.find("Options:"));
    options = options.substr(0, options.find("Examples:"));
    for (std::size_t at = options.find("\n  --"); at != options.npos;) {
      const std::size_t next = options.find("\n  --", at + 1);
      const std::string entry = options.substr(at, next - at);
      const bool ends = entry.find("--version") != entry.npos;
      INFO(entry);
      CHECK((ends || entry.find('[') != entry.npos || entry.find("REQUIRED") != entry.npos));
      at = next;
    }
    const Outcome version = run(folder, program, {"--version"});
    CHECK(version.code == 0);
    CHECK_THAT(version.out, StartsWith(name + " of ebb ") && contains("."));
    const Outcome unknown = run(folder, program, {"--quite"});
    CHECK(unknown.code == 2);
    CHECK_THAT(unknown.err, StartsWith(name + ": there is no option --quite; did you mean "
                                              "--quiet?\n"));
  }
}

TEST_CASE("a full disk behind standard output is a sentence, and no success") {
  if (!std::filesystem::exists("/dev/full")) return;
  const TemporaryFolder folder;
  for (const std::string& name : programs) {
    const std::string program = example(name);
    if (program.empty()) continue;
    const Outcome outcome = run_into("/dev/full", folder, program, {"--help"});
    INFO(name);
    CHECK(outcome.code == 1);
    CHECK_THAT(outcome.err, StartsWith(name + ": standard output took only a part") &&
                                contains("No space left"));
  }
}

TEST_CASE("what is read, and what something else made, is never written over") {
  const SavedModel model("explain");
  const std::string medmnist = example("medmnist"), predict = example("predict");
  if (!model.there() || predict.empty()) return;
  const TemporaryFolder folder;
  const std::string npz = model.file("images.npz"), weights = model.file("w"),
                    image = model.file("left.png"), text = model.file("letter.txt"),
                    page = model.file("results/report.html"), link = model.file("link");
  write_file(text, "Dear reader,\n");
  std::filesystem::create_directory(model.file("results"));
  write_file(page, "{\"not\": \"a page\"}");
  std::filesystem::create_symlink(npz, link);
  std::filesystem::create_directory(model.file("masks"));
  std::filesystem::copy_file(image, model.file("masks/a_mask.png"));
  model.write_others();
  struct Case {
    std::string program;
    std::vector<std::string> arguments;
    std::string sentence;
  };
  const auto train = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"--data", npz});
    return more;
  };
  const auto look = [&](const std::string& output) {
    return std::vector<std::string>{"--load", weights, "--image", image, "--output", output};
  };
  const Case cases[] = {
      {"medmnist", train({"--save", npz}), "--save: " + npz + " is the file of --data"},
      {"medmnist", train({"--save", link}), "is the file of --data"},
      {"medmnist", train({"--csv", npz}), "is the file of --data"},
      {"medmnist", train({"--resume", npz}), "is the file of --data"},
      {"medmnist", train({"--load", weights, "--save", weights}), "is the file of --load"},
      {"medmnist", train({"--save", model.file("x"), "--csv", model.file("x")}),
       "is the file of --"},
      {"medmnist", train({"--save", model.file("results")}), "is a folder; name a file in it"},
      {"medmnist", train({"--save", text}), "exists and is not a file of weights"},
      {"medmnist", train({"--csv", text}), "exists and is not a table of epochs"},
      {"medmnist", train({"--resume", weights}), "exists and is not a checkpoint"},
      {"medmnist", train({"--report", text}), "is a file; name a folder"},
      {"medmnist", train({"--report", model.file("results")}), "not what this program writes"},
      {"medmnist", train({"--csv", model.file("no/such.csv")}), "there is no folder"},
      {"explain", look(image), "is the file of --image"},
      {"explain", look(weights), "is the file of --load"},
      {"explain", look(text), "exists and is not a PNG image"},
      {"predict",
       {"--load", model.file("unet"), "--output", model.file("masks"),
        model.file("masks/a_mask.png")},
       "may be written over"},
      {"predict", {"--load", weights, "--output", text, image}, "is a file; name a folder"},
  };
  const auto all = [&] {
    std::string bytes;
    for (const auto& path : {npz, weights, image, text, page, model.file("masks/a_mask.png")})
      bytes += read_file(path) + "|";
    return bytes;
  };
  const std::string before = all();
  for (const Case& c : cases) {
    const Outcome outcome = run(folder, example(c.program), c.arguments);
    INFO(c.program << ": " << c.sentence << "\n" << outcome.err);
    CHECK(outcome.code == 1);
    CHECK(outcome.out.empty());  // it said so before it read anything
    CHECK_THAT(outcome.err, StartsWith(c.program + ": ") && contains(c.sentence));
    CHECK((all() == before));
  }
}

TEST_CASE("a file size that is reached leaves the old file, and no success") {
  // What a full disk does, by a limit that the shell sets: 512 bytes a file (POSIX, ulimit -f).
  const SavedModel model("explain");
  const std::string medmnist = example("medmnist");
  if (!model.there()) return;
  const TemporaryFolder folder;
  const std::string old = read_file(model.file("w"));
  const Outcome outcome =
      run(folder, "/bin/sh",
          {"-c", "trap '' XFSZ; ulimit -f 8; \"$0\" \"$@\"", medmnist, "--data",
           model.file("images.npz"), "--epochs", "1", "--quiet", "--save", model.file("w")});
  INFO(outcome.out << outcome.err);
  CHECK(outcome.code == 1);
  CHECK_THAT(outcome.err, StartsWith("medmnist: save: ") && contains("File too large") &&
                              contains("the old file is unchanged"));
  CHECK((read_file(model.file("w")) == old));
  for (const auto& entry :
       std::filesystem::directory_iterator(std::filesystem::path(model.file("w")).parent_path()))
    CHECK_THAT(entry.path().string(), !contains(".tmp"));
}

TEST_CASE("predict and explain take what mnist saves") {
  const SavedModel model("predict");
  const std::string mnist = example("mnist"), explain = example("explain");
  if (!model.there() || mnist.empty() || explain.empty()) return;
  const TemporaryFolder folder, images;
  write_idx(images, 128, 50);
  const std::string weights = folder / "digits";
  const Outcome trained = run(folder, mnist,
                              {"--data", images.path.string(), "--epochs", "1", "--licence",
                               "CC BY-SA 3.0", "--save", weights, "--quiet", "--csv", "-"});
  INFO(trained.out << trained.err);
  REQUIRE(trained.code == 0);
  // With --csv - the table is all there is on standard output.
  CHECK_THAT(trained.out, StartsWith("epoch,lr,training_loss"));
  CHECK(std::count(trained.out.begin(), trained.out.end(), '\n') == 2);
  CHECK_THAT(trained.err, StartsWith("test accuracy: "));

  const Outcome said = model.run_it({"--load", weights, model.file("left.png")});
  INFO(said.out << said.err);
  CHECK(said.code == 0);
  CHECK_THAT(said.out, contains("mnist of 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, learnt from data ") &&
                           contains("licence of the data: CC BY-SA 3.0") &&
                           contains("resized from 12 x 12 to 28 x 28"));
  const Outcome seen =
      run(folder, explain, {"--load", weights, "--image", model.file("left.png"), "--output", "-"});
  CHECK(seen.code == 0);
  CHECK_THAT(seen.out, StartsWith("\x89PNG"));
  CHECK_THAT(seen.err, contains("activations of conv2"));
}
