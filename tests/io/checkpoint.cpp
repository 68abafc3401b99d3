#include <ebb/data/augment/augment.hpp>
#include <ebb/data/drawn/stroke_digits.hpp>
#include <ebb/data/load/loader.hpp>
#include <ebb/io/checkpoint.hpp>
#include <ebb/optim/optim.hpp>

#include "tests/io/networks.hpp"
#include "tests/support/tensors.hpp"
#include "tests/train/files.hpp"

#include <optional>

using namespace ebb;
using ebb::test::contains;
using ebb::test::error_of;
using ebb::test::state_of;

namespace {

const test::TemporaryFolder folder;

/// All that makes resuming hard: dropout, batch norm, an optimizer with state, schedules that
/// compose.
struct Net {
  nn::Conv2d<> conv1{1, 4, 3, {.padding = 1}};
  nn::BatchNorm2d<> bn1{4};
  nn::Dropout<> dropout{0.3};
  nn::Linear<> fc1{4 * 10 * 10, 10};

  auto operator()(const auto& x) const { return fc1(dropout(flatten(relu(bn1(conv1(x)))))); }
  static void visit(auto& self, auto&& f) {
    f("conv1", self.conv1);
    f("bn1", self.bn1);
    f("dropout", self.dropout);
    f("fc1", self.fc1);
  }
};

template <class Rule>
struct Training {
  Net net;
  optim::Optimizer<Rule> opt;
  optim::Scheduler<optim::Optimizer<Rule>, optim::CosineLr> scheduler{opt, {.steps = 4}};
  optim::Scheduler<optim::Optimizer<Rule>, optim::WarmUp<>> warm_up{opt, {.steps = 3}};
  optim::ReduceOnPlateau plateau{{.patience = 0, .threshold = 0.5}};
  data::Loader<data::Dataset<>> loader{
      data::stroke_digits(40, {.size = 10, .seed = 1}),
      {.batch_size = 16,
       .shuffle = true,
       .seed = 2,
       .transform = data::Compose(data::RandomCrop{.size = 10, .padding = 1},
                                  data::Normalize(0.15f, 0.3f))}};
  std::vector<float> losses;

  explicit Training(Rule rule) : opt(net, rule) {}

  void epoch(std::int64_t number) {
    loader.set_epoch(static_cast<std::uint64_t>(number));
    for (const auto& [images, labels] : loader) {
      opt.zero_grad();
      Tape tape;
      const auto loss = cross_entropy(net(tape.input(images)), labels);
      backward(loss);
      opt.step();
      losses.push_back(loss.item());
    }
    scheduler.step();
    warm_up.step();
    plateau.step(losses.back(), opt);
  }
  void save(const std::string& path, std::int64_t epochs) {
    io::save_checkpoint(path, net, opt, {epochs, {{"note", "half way"}}}, scheduler, plateau,
                        warm_up);
  }
  io::Progress load(const std::string& path) {
    return io::load_checkpoint(path, net, opt, scheduler, plateau, warm_up);
  }
};

template <class Rule>
void check_resumes(Rule rule) {
  const std::string path = folder / "run.safetensors";
  std::vector<float> expected_losses;
  std::vector<double> expected;
  {
    manual_seed(7);
    Training<Rule> whole(rule);
    for (std::int64_t epoch = 0; epoch < 4; ++epoch) whole.epoch(epoch);
    expected = state_of(whole.net);
    expected_losses = whole.losses;
  }
  {
    manual_seed(7);
    Training<Rule> killed(rule);
    killed.epoch(0);
    killed.epoch(1);
    killed.save(path, 2);
    killed.epoch(2);  // lost
  }
  manual_seed(12345);  // a new process, with other weights and another random state
  Training<Rule> resumed(rule);
  const io::Progress progress = resumed.load(path);
  CHECK(progress.epoch == 2);
  CHECK(progress.metadata == io::Metadata{{"note", "half way"}});
  for (std::int64_t epoch = progress.epoch; epoch < 4; ++epoch) resumed.epoch(epoch);
  CHECK(std::equal(resumed.losses.begin(), resumed.losses.end(), expected_losses.begin() + 6));
  CHECK(state_of(resumed.net) == expected);
  CHECK(default_generator().seed == 7);
}

}  // namespace

TEST_CASE("a run that was killed and resumed has the bits of one that was not") {
  check_resumes(optim::Adam{.lr = 0.01});
  check_resumes(optim::Adam{.lr = 0.01, .amsgrad = true});
  check_resumes(optim::Sgd{.lr = 0.05, .momentum = 0.9, .nesterov = true});
  check_resumes(optim::NAdam{.lr = 0.01});
  check_resumes(optim::RMSprop{.lr = 0.01});
}

TEST_CASE("a momentum that was turned on just before the checkpoint begins at the next step") {
  const optim::Sgd still{.lr = 0.05, .dampening = 0.4};
  const optim::Sgd moving{.lr = 0.05, .momentum = 0.9, .dampening = 0.4};
  const auto begin = [&](bool save) {
    manual_seed(7);
    Training<optim::Sgd> run(still);
    run.epoch(0);
    run.opt.set_rule(moving);
    if (save) run.save(folder / "momentum", 1);
    run.epoch(1);
    return state_of(run.net);
  };
  const auto expected = begin(false);
  CHECK(begin(true) == expected);
  Training<optim::Sgd> resumed(moving);
  resumed.load(folder / "momentum");
  resumed.epoch(1);
  CHECK(state_of(resumed.net) == expected);

  // What waits for nothing says nothing: the file has the names of version 0.1.
  resumed.save(folder / "momentum", 2);
  for (const std::string& name : io::SafetensorsFile(folder / "momentum").names())
    CHECK_FALSE(contains(name, "waiting"));
}

TEST_CASE("a checkpoint saved before the first step resumes too") {
  manual_seed(3);
  Training<optim::Adam> a(optim::Adam{}), b(optim::Adam{});
  a.save(folder / "start", 0);
  a.epoch(0);
  CHECK(b.load(folder / "start").epoch == 0);
  b.epoch(0);
  CHECK(state_of(a.net) == state_of(b.net));
}

TEST_CASE("a checkpoint of another set-up is refused, and nothing is changed") {
  manual_seed(3);
  Training<optim::Adam> a(optim::Adam{});
  a.epoch(0);
  a.save(folder / "adam", 1);

  Training<optim::Sgd> sgd(optim::Sgd{.lr = 0.1, .momentum = 0.9});
  const auto before = state_of(sgd.net);
  const Generator random = default_generator();
  const double rate = sgd.opt.lr();
  const std::string text = error_of<FileError>([&] { sgd.load(folder / "adam"); });
  CHECK(contains(text, "missing from the file: 'optimizer."));
  CHECK(contains(text, "momentum_buffer"));
  CHECK(contains(text, "exp_avg"));
  CHECK(state_of(sgd.net) == before);
  CHECK(default_generator() == random);
  CHECK(sgd.opt.lr() == rate);

  CHECK(contains(error_of<FileError>([&] { io::load_checkpoint(folder / "adam", a.net, a.opt); }),
                 "in the file alone: 'part0."));
  io::save(a.net, folder / "weights");
  CHECK(contains(error_of<FileError>([&] { a.load(folder / "weights"); }),
                 "it is no training checkpoint; load weights alone with io::load"));
}

TEST_CASE("metadata may not be called what the format needs") {
  Training<optim::Adam> a(optim::Adam{});
  CHECK(contains(error_of<ValueError>([&] {
                   io::save_checkpoint(folder / "never", a.net, a.opt, {0, {{"format", "mine"}}});
                 }),
                 "the metadata called 'format'"));
}

TEST_CASE("the weights of a checkpoint are found under model") {
  Training<optim::Adam> a(optim::Adam{});
  a.save(folder / "adam", 5);
  manual_seed(99);
  Net net;
  io::load(net, folder / "adam", {.prefix = "model."});
  CHECK(state_of(net) == state_of(a.net));
  const io::SafetensorsFile file(folder / "adam");
  CHECK(test::same_bits(file.get<float, 2>("model.fc1.weight"), a.net.fc1.weight.value()));
  CHECK(file.get<std::int64_t, 0>("epoch").item() == 5);
  CHECK(file.get<double, 0>("optimizer.steps").item() == 0);
}
