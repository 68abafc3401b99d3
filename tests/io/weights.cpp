#include <ebb/io/weights.hpp>

#include <ebb/io/state.hpp>

#include "tests/io/networks.hpp"
#include "tests/support/tensors.hpp"
#include "tests/train/files.hpp"

using namespace ebb;
using namespace ebb::io;
using ebb::test::contains;
using ebb::test::error_of;
using ebb::test::SmallNet;
using ebb::test::state_of;

namespace {

const test::TemporaryFolder folder;

std::vector<unsigned char> bytes_of(const std::string& path) {
  const std::string text = test::read_file(path);
  return {text.begin(), text.end()};
}

}  // namespace

TEST_CASE("the name of a file says how it is written, its first bytes how it is read") {
  manual_seed(2);
  const SmallNet<> net;
  for (const char* name : {"net.pt", "net.pth", "net.ckpt", "net.safetensors", "net", "net.pthx"}) {
    INFO(name);
    const std::string path = folder / name;
    io::save(net, path, {{"classes", "a,b"}});
    CHECK(test::read_file(path).starts_with("PK") == is_pytorch_name(name));
    // Under a name that says the opposite.
    std::filesystem::rename(path, folder / (is_pytorch_name(name) ? "x.safetensors" : "x.pth"));
    const std::string other = folder / (is_pytorch_name(name) ? "x.safetensors" : "x.pth");
    SmallNet<> loaded;
    const LoadReport report = io::load(loaded, other);
    CHECK(report.missing.empty());
    CHECK(state_of(loaded) == state_of(net));
    CHECK(open_weights(other)->metadata().at("classes") == "a,b");
  }
}

TEST_CASE("a file of neither kind is refused as what its name says it is") {
  test::write_file(folder / "text.pth", "hello there");
  test::write_file(folder / "text.safetensors", "hello there");
  const auto text = [](const std::string& path) {
    return error_of<FileError>([&] { open_weights(path); });
  };
  CHECK(contains(text(folder / "text.pth"), "it is no file of PyTorch"));
  CHECK(contains(text(folder / "text.safetensors"), "safetensors: '"));
  CHECK(contains(text(folder / "none.pth"), "No such file or directory; check the path"));
  CHECK(contains(text(folder / "none.safetensors"), "No such file or directory; check the path"));
  CHECK(contains(text(folder.path.string()), "it is a folder"));
}

TEST_CASE("weights are loaded from memory") {
  manual_seed(3);
  const SmallNet<> net;
  io::save(net, folder / "m.pth");
  io::save(net, folder / "m.safetensors");
  SmallNet<> one, two;
  io::load(one, PytorchFile("memory", bytes_of(folder / "m.pth")));
  io::load(two, SafetensorsFile("memory", bytes_of(folder / "m.safetensors")));
  CHECK(state_of(one) == state_of(net));
  CHECK(state_of(two) == state_of(net));
  auto cut = bytes_of(folder / "m.safetensors");
  cut.resize(cut.size() - 1);
  CHECK(contains(error_of<FileError>([&] { SafetensorsFile("memory", cut); }),
                 "safetensors: 'memory': "));
}

TEST_CASE("strict loading lists what a file of PyTorch lacks, and prefixes apply") {
  const SmallNet<> net;
  write_weights(folder / "part.pth", state_dict(net, "model."));
  SmallNet<> other;
  const auto before = state_of(other);
  const std::string text = error_of<FileError>([&] { io::load(other, folder / "part.pth"); });
  CHECK(contains(text, "pytorch: '"));
  CHECK(contains(text, "missing from the file: 'conv1.weight'"));
  CHECK(contains(text, "its names begin with 'model.': load it with .prefix = \"model.\""));
  CHECK(state_of(other) == before);
  io::load(other, folder / "part.pth", {.prefix = "model."});
  CHECK(state_of(other) == state_of(net));
}

TEST_CASE("half precision is written to both kinds of file, and read again") {
  manual_seed(4);
  const SmallNet<> net;
  for (const char* name : {"half.pth", "half.safetensors"})
    for (const Dtype type : {Dtype::f16, Dtype::bf16}) {
      INFO(name << io::name(type));
      io::save(net, folder / name, {}, {.floats = type});
      const auto file = open_weights(folder / name);
      CHECK(file->info("fc1.weight").dtype == type);
      CHECK(file->info("bn1.num_batches_tracked").dtype == Dtype::i64);
      SmallNet<> loaded;
      io::load(loaded, folder / name);
      const auto a = state_of(net), b = state_of(loaded);
      double most = 0;
      for (std::size_t i = 0; i < a.size(); ++i)
        most = std::max(most, std::abs(a[i] - b[i]) / std::max(std::abs(a[i]), 1e-3));
      CHECK(most > 0);
      CHECK(most <= (type == Dtype::f16 ? 0x1p-11 : 0x1p-8));
    }
}
