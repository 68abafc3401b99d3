#include <ebb/io/state.hpp>

#include "tests/io/networks.hpp"
#include "tests/support/tensors.hpp"
#include "tests/train/files.hpp"

using namespace ebb;
using ebb::test::contains;
using ebb::test::error_of;
using ebb::test::SmallNet;
using ebb::test::state_of;

namespace {

const test::TemporaryFolder folder;

/// A part of SmallNet, and a layer that it does not have.
struct OtherNet {
  nn::Linear<> fc2{7, 3}, fc3{2, 2};
  static void visit(auto& self, auto&& f) {
    f("fc2", self.fc2);
    f("fc3", self.fc3);
  }
};

struct WiderNet {
  nn::Linear<> fc2{8, 3};
  static void visit(auto& self, auto&& f) { f("fc2", self.fc2); }
};

}  // namespace

TEST_CASE("a network comes back as it was saved, buffers included") {
  manual_seed(1);
  const SmallNet<> net;
  SmallNet<> other;
  other.bn1.running_mean.set(Tensor<float, 1>::full({4}, 3));
  REQUIRE(state_of(net) != state_of(other));
  const std::string path = folder / "net.safetensors";
  io::save(net, path);
  const auto report = io::load(other, path);
  CHECK(state_of(net) == state_of(other));
  CHECK(report.missing.empty());
  CHECK(report.unexpected.empty());
  CHECK(other.conv1.weight.name() == "conv1.weight");
  const io::SafetensorsFile file(path);
  CHECK(file.metadata().at("format") == "pt");
  CHECK(file.info("bn1.num_batches_tracked").dtype == io::Dtype::i64);
  CHECK(file.info("conv1.weight").shape == std::vector<Index>{4, 1, 3, 3});
}

TEST_CASE("strict loading lists what is missing and what is left over, and changes nothing") {
  const SmallNet<> net;
  const std::string path = folder / "net.safetensors";
  io::save(net, path);
  OtherNet other;
  const auto before = state_of(other);
  const std::string text = error_of<FileError>([&] { io::load(other, path); });
  CHECK(contains(text, "missing from the file: 'fc3.weight', 'fc3.bias'; in the file alone: "));
  CHECK(contains(text, "'conv1.bias', 'conv1.weight', 'fc1.weight'"));
  CHECK(contains(text, ".strict = false"));
  CHECK(state_of(other) == before);
}

TEST_CASE("partial loading takes what fits and reports the rest") {
  const SmallNet<> net;
  const std::string path = folder / "net.safetensors";
  io::save(net, path);
  OtherNet other;
  const auto kept = other.fc3.weight.value().values();
  const auto report = io::load(other, path, {.strict = false});
  CHECK(test::same_bits(other.fc2.weight.value(), net.fc2.weight.value()));
  CHECK(other.fc3.weight.value().values() == kept);
  CHECK(report.missing == std::vector<std::string>{"fc3.weight", "fc3.bias"});
  CHECK(report.unexpected.size() == 8);
}

TEST_CASE("partial loading where nothing fits is an error") {
  io::write_safetensors(folder / "alien", std::vector<io::NamedTensor>{{"x", Tensor<float, 0>(1)}});
  OtherNet other;
  CHECK(contains(error_of<FileError>([&] { io::load(other, folder / "alien", {.strict = false}); }),
                 "it holds nothing that the program has: that has 'fc2.weight'"));
}

TEST_CASE("names may begin with a prefix in the file") {
  const SmallNet<> net;
  auto tensors = io::state_dict(net, "model.");
  tensors.emplace_back("epoch", Tensor<int, 0>(3));
  io::write_safetensors(folder / "prefixed", tensors);
  SmallNet<> other;
  io::load(other, folder / "prefixed", {.prefix = "model."});
  CHECK(state_of(other) == state_of(net));
  CHECK_THROWS_AS(io::load(other, folder / "prefixed"), FileError);
}

TEST_CASE("a tensor of another shape or type is refused by name, strict or not") {
  const SmallNet<> net;
  const std::string path = folder / "net.safetensors";
  io::save(net, path);
  WiderNet wider;
  CHECK(contains(error_of<FileError>([&] { io::load(wider, path, {.strict = false}); }),
                 "tensor 'fc2.weight' has shape (3, 7) in the file and (3, 8) in the program"));
  // Every other shape of as many elements, or of none: of another rank, turned, and padded by ones.
  using Shapes = std::vector<io::NamedTensor>;
  for (const auto& tensor : Shapes{{"fc2.weight", Tensor<float, 2>({7, 3})},
                                   {"fc2.weight", Tensor<float, 1>({21})},
                                   {"fc2.weight", Tensor<float, 3>({3, 7, 1})},
                                   {"fc2.weight", Tensor<float, 2>({0, 7})},
                                   {"fc2.bias", Tensor<float, 2>({1, 3})},
                                   {"fc2.bias", Tensor<float, 0>(1)},
                                   {"bn1.num_batches_tracked", Tensor<std::int64_t, 1>({1})}}) {
    io::write_safetensors(folder / "shapes", Shapes{tensor});
    SmallNet<> other;
    const auto kept = state_of(other);
    CHECK(contains(
        error_of<FileError>([&] { io::load(other, folder / "shapes", {.strict = false}); }),
        "has shape"));
    CHECK(state_of(other) == kept);
  }
  SmallNet<double> precise;
  const auto before = state_of(precise);
  const std::string text = error_of<FileError>([&] { io::load(precise, path); });
  CHECK(contains(text, "tensor 'conv1.weight' is of type F32, and F64 was asked for; let it be"));
  CHECK(contains(text, "and 4 more"));
  CHECK(state_of(precise) == before);
  io::load(precise, path, {.convert = true});
  CHECK(state_of(precise) == state_of(net));
}

TEST_CASE("parts of a file are loaded by patterns of names, and the report says which") {
  CHECK(io::detail::fits("conv*", "conv1.weight"));
  CHECK(io::detail::fits("*.bias", "a.b.bias"));
  CHECK(io::detail::fits("*a*b*", "xxaxxabx"));
  CHECK(io::detail::fits("*", ""));
  CHECK(io::detail::fits("fc1.bias", "fc1.bias"));
  CHECK_FALSE(io::detail::fits("", "x"));
  CHECK_FALSE(io::detail::fits("conv", "conv1"));
  CHECK_FALSE(io::detail::fits("*.bias", "bias"));
  CHECK_FALSE(io::detail::fits("a*b", "abc"));

  using Names = std::vector<std::string>;
  const SmallNet<> net;
  const std::string path = folder / "net.safetensors";
  io::save(net, path);
  SmallNet<> other;
  const auto kept = other.fc2.weight.value().values();
  const auto report = io::load(other, path, {.only = {"conv*", "fc*"}, .except = {"fc2.*"}});
  CHECK(report.loaded == Names{"conv1.weight", "conv1.bias", "fc1.weight"});
  CHECK(report.left_out.size() == 7);
  CHECK(report.missing.empty());
  CHECK(report.unexpected.empty());
  CHECK(test::same_bits(other.fc1.weight.value(), net.fc1.weight.value()));
  CHECK(other.fc2.weight.value().values() == kept);
  // A head of another size stays; asked for, it is still an error.
  WiderNet wider;
  CHECK_THROWS_AS(io::load(wider, path, {.only = {"fc2.*"}}), FileError);
  io::load(wider, path, {.only = {"fc2.*"}, .except = {"fc2.weight"}});
  CHECK(test::same_bits(wider.fc2.bias.value(), net.fc2.bias.value()));
  // What is asked for must be there, and something must be asked for.
  OtherNet lacks;
  CHECK(contains(error_of<FileError>([&] { io::load(lacks, path, {.only = {"fc3*"}}); }),
                 "missing from the file: 'fc3.weight', 'fc3.bias'; in the file alone: none"));
  CHECK(contains(error_of<FileError>([&] { io::load(lacks, path, {.only = {"encoder*"}}); }),
                 "no name of the program is asked for by .only and .except; it has 'fc2.weight'"));
}

TEST_CASE("an optimizer's view of the network follows what is loaded") {
  const SmallNet<> net;
  const std::string path = folder / "net.safetensors";
  io::save(net, path);
  SmallNet<> other;
  const auto cell = other.fc2.bias.cell();
  io::load(other, path);
  CHECK(cell->flat_value().values() == net.fc2.bias.value().values());
}

TEST_CASE("a network that cannot be saved leaves the old file") {
  const SmallNet<> net;
  CHECK(contains(error_of<FileError>([&] { io::save(net, folder / "no/such/net"); }),
                 "cannot be written: No such file or directory"));
}
