#include "command_line.hpp"

#include "optimizers.hpp"
#include "provenance.hpp"
#include "say.hpp"

#include <algorithm>
#include <cstdio>

namespace {

constexpr double infinity = std::numeric_limits<double>::max();

template <class Value>
std::string with_default(const std::string& what, const Value& value) {
  return ebb::message(what, " [", value, "]");
}

void add_device(CLI::App& app, TrainingOptions& o, Gpu gpu) {
  const bool used = gpu == Gpu::used;
  option(app, "--device", o.device,
         with_default(used ? "Where to compute: cpu or cuda" : "Where to compute", o.device),
         "NAME")
      ->check(CLI::Validator(
          [gpu, used](const std::string& name) {
            if (name == "cpu" || (used && name == "cuda")) return std::string();
            if (name != "cuda")
              return "there is no device '" + name + "'; use cpu" + (used ? " or cuda" : "");
            return std::string(gpu == Gpu::not_built
                                   ? "this program was built for the CPU alone; leave --device "
                                     "out, or build it for a GPU: cmake -DEBB_CUDA=ON"
                                   : "this program knows the CPU alone; leave --device out");
          },
          ""));
  if (!used) return;
  option(app, "--precision", o.precision,
         with_default("Of products on a GPU: fp32, or on tensor cores tf32 or bf16", o.precision),
         "NAME")
      ->check(CLI::Validator(
          [](const std::string& name) {
            return name == "fp32" || name == "tf32" || name == "bf16"
                       ? std::string()
                       : "there is no precision '" + name + "'; use fp32, tf32 or bf16";
          },
          ""));
}

}  // namespace

CLI::Option* optional_number(CLI::App& app, const char* name, std::optional<double>& value,
                             const std::string& what, const char* expected) {
  return app
      .add_option_function<double>(
          name, [&value](const double& given) { value = given; }, what)
      ->take_last()
      ->type_name("X")
      ->check(number(0.0, infinity, expected));
}

void add_threads(CLI::App& app, int& threads) {
  option(app, "--threads", threads, "Threads; the result does not depend on it [0: all there are]",
         "N")
      ->check(number(0, 1024, "a number of threads: use 0 (all) to 1024"));
}

void add_training_options(CLI::App& app, TrainingOptions& o, Gpu gpu) {
  option(app, "--epochs", o.epochs, with_default("Passes over the training images", o.epochs), "N")
      ->check(number(0, 1000000, "a number of epochs: use a whole number from 0 on"));
  option(app, "--batch-size", o.batch_size, with_default("Images per step", o.batch_size), "N")
      ->check(number(1, 1000000, "a batch size: use a whole number from 1 on"));
  option(app, "--optimizer", o.optimizer, with_default("One of " + optimizer_names(), o.optimizer),
         "NAME")
      ->check(CLI::Validator(
          [](const std::string& name) {
            return is_optimizer(name)
                       ? std::string()
                       : "there is no optimizer '" + name + "'; use one of " + optimizer_names();
          },
          ""));
  optional_number(app, "--lr", o.lr,
                  o.lr ? with_default("Learning rate", *o.lr)
                       : "Learning rate [sgd: 0.01, adam: 0.001, ...: what suits the optimizer]",
                  "a learning rate: use a number that is not negative");
  option(app, "--seed", o.seed,
         with_default("Of the initial weights and the order of images", o.seed), "N")
      ->check(number(std::uint64_t{0}, std::numeric_limits<std::uint64_t>::max(),
                     "a seed: use a whole number from 0 on"));
  add_threads(app, o.threads);
  add_device(app, o, gpu);
  option(app, "--save", o.save,
         "Writes the trained weights here at the end, with what predict and explain need to know: "
         "for PyTorch's torch.load where the name ends in .pt, .pth or .ckpt, else safetensors "
         "[not written]",
         "FILE");
  option(app, "--load", o.load,
         "Starts from the weights in this file, safetensors or PyTorch's, under its own "
         "normalisation, classes and the like [random weights]",
         "FILE");
  option(app, "--resume", o.resume,
         "Training checkpoint: written after every epoch and, if it exists at the start, continued "
         "from there (and not from --load) to the same result, bit for bit, as without the "
         "interruption [none]",
         "FILE");
  option(app, "--csv", o.csv,
         "Writes loss and metrics of every epoch here; - is standard output [not written]", "FILE");
  option(app, "--licence", o.licence,
         "Of the images, to be kept in the file of --save: \"CC BY 4.0\" [not stated]", "TEXT");
}

namespace {

// Levenshtein's: letters to put in, take out or change (Soviet Physics Doklady 10, 1966).
std::size_t distance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, change});
    }
  }
  return row[b.size()];
}

std::vector<std::string> names_of_options(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* o : app.get_options())
    for (const std::string& name : o->get_lnames()) names.push_back("--" + name);
  return names;
}

// A sentence for the first word that is neither an option nor wanted; empty when there is none.
std::string about_unknown(const CLI::App& app) {
  for (const std::string& word : app.remaining()) {
    if (!word.starts_with("-") || word == "-" || word == "--") continue;
    const std::string name = word.substr(0, word.find('='));
    const std::string meant = nearest(name, names_of_options(app));
    return "there is no option " + name + (meant.empty() ? "" : "; did you mean " + meant + "?");
  }
  return {};
}

// The words of a command line as a shell takes them.
std::string in_shell(const std::string& word) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string("_-+=./,:@%").find(c) != std::string::npos;
  };
  if (!word.empty() && std::all_of(word.begin(), word.end(), plain)) return word;
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

}  // namespace

std::string nearest(const std::string& word, const std::vector<std::string>& words) {
  std::string best;
  std::size_t least = std::max<std::size_t>(2, word.size() / 3) + 1;
  for (const std::string& one : words)
    if (const std::size_t d = distance(word, one); d < least) least = d, best = one;
  return best;
}

CLI::Validator one_of(std::vector<std::string> words, std::string what) {
  return CLI::Validator(
      [words = std::move(words), what = std::move(what)](const std::string& word) -> std::string {
        if (std::find(words.begin(), words.end(), word) != words.end()) return {};
        std::string all;
        for (std::size_t i = 0; i < words.size(); ++i)
          all += (i == 0 ? "" : i + 1 == words.size() ? " or " : ", ") + words[i];
        const std::string meant = nearest(word, words);
        return "there is no " + what + " '" + word + "'; use " + all +
               (meant.empty() ? "" : " (did you mean " + meant + "?)");
      },
      "");
}

std::optional<int> parse(CLI::App& app, int argc, char** argv, const char* program) {
  app.get_formatter()->column_width(28);
  bool silent = false;
  app.add_flag("--quiet", silent, "Say results and errors only [off]");
  app.set_version_flag("--version", std::string(program) + " of ebb " + library_version(),
                       "Say the version and end");
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    std::fputs(app.help().c_str(), stdout);
    return 0;
  } catch (const CLI::CallForVersion& version) {
    std::printf("%s\n", version.what());
    return 0;
  } catch (const CLI::ParseError& error) {
    const std::string unknown = about_unknown(app);
    std::fprintf(stderr, "%s: %s\n%s --help lists the options\n", program,
                 unknown.empty() ? error.what() : unknown.c_str(), program);
    return 2;
  }
  if (silent) be_quiet();
  return {};
}

std::optional<int> parse(CLI::App& app, int argc, char** argv, const char* program,
                         TrainingOptions& options) {
  const auto code = parse(app, argc, argv, program);
  for (const CLI::Option* o : app.get_options())
    if (o->count() > 0)
      for (const std::string& name : o->get_lnames()) options.given.insert("--" + name);
  options.command = program;
  for (int i = 1; i < argc; ++i) options.command += " " + in_shell(argv[i]);
  if (options.csv == "-") give_standard_output_away();
  return code;
}
