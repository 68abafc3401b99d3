// Files go both ways between torch.save and ebb. Runs where Python has torch.
#include <ebb/io/state.hpp>
#include <ebb/nn/nn.hpp>
#include <ebb/ops/ops.hpp>

#include "tests/io/pytorch_files.hpp"
#include "tests/support/python.hpp"
#include "tests/train/files.hpp"

using namespace ebb;

namespace {

/// The tutorial's network.
struct Cnn {
  nn::Conv2d<> conv1{1, 16, 3, {.padding = 1}}, conv2{16, 32, 3, {.padding = 1}};
  nn::Linear<> fc1{32 * 28 * 28, 64}, fc2{64, 10};

  auto operator()(const auto& x) const {
    return fc2(relu(fc1(flatten(relu(conv2(relu(conv1(x))))))));
  }
  static void visit(auto& self, auto&& f) {
    f("conv1", self.conv1);
    f("conv2", self.conv2);
    f("fc1", self.fc1);
    f("fc2", self.fc2);
  }
};

}  // namespace

TEST_CASE("PyTorch's files are read here as there, and ebb's there as here") {
  const std::string interpreter = test::python("torch, numpy");
  if (interpreter.empty()) return;
  const test::TemporaryFolder folder;
  const auto run = [&](const std::string& what) {
    const std::string command =
        interpreter + " -W ignore " + test::oracle("pytorch_files.py") + " " + what;
    return std::system(command.c_str());
  };

  // Every kind of file, and random views of random storages.
  for (const char* seed : {"1", "2"}) {
    REQUIRE(run("write " + (folder / "files.txt") + " " + seed) == 0);
    const auto files = test::torch_files(folder / "files.txt");
    CHECK(files.size() >= 80);
    test::check_torch_files(files);
  }

  // The tutorial's last step.
  REQUIRE(run("tutorial " + (folder / "")) == 0);
  Cnn net;
  const auto report = io::load(net, folder / "model_params.pth");
  CHECK(report.missing.empty());
  CHECK(report.unexpected.empty());
  const io::PytorchFile values(folder / "values.pt");
  const auto x = values.get<float, 4>("x");
  CHECK(test::difference(net(x), values.get<float, 2>("y")) < 1e-5);

  // What Python says of them is metadata.
  CHECK(io::PytorchFile(folder / "told.pth").metadata() ==
        io::Metadata{{"mean", "0"}, {"model", "mnist"}});

  manual_seed(5);
  const Cnn other;
  io::save(other, folder / "ebb_params.pth", {{"classes", "0,1"}});
  io::save(other, folder / "half.pth", {}, {.floats = io::Dtype::f16});
  io::save(other, folder / "brain.pth", {}, {.floats = io::Dtype::bf16});
  io::write_pytorch(folder / "ebb_values.pt",
                    std::vector<io::NamedTensor>{{"x", x}, {"y", other(x)}});

  // Every type that this PyTorch has.
  std::vector<io::NamedTensor> every;
  std::string lines;
  for (const auto& given : test::torch_files(folder / "files.txt")) {
    if (given.name != "protocol2" && given.name != "newer") continue;
    const io::PytorchFile file(given.name, given.bytes);
    for (const auto& [name, t] : file.tensors()) {
      every.emplace_back(name, t.dtype, t.shape, file.bytes_of(name));
      lines += test::line_of(file, name) + "\n";
    }
  }
  test::write_file(folder / "every.txt", lines);
  io::write_pytorch(folder / "every.pt", every, {{"classes", "a,b"}, {"note", "a \xC3\xA9"}});
  io::write_pytorch(folder / "tied.pt", std::vector<io::NamedTensor>{{"a", x}, {"b", x}});
  CHECK(run("read " + (folder / "")) == 0);
  // What PyTorch loaded and saved again still has what ebb wrote beside it.
  const io::PytorchFile again(folder / "again.pt");
  CHECK(again.tensors().size() == every.size());
  CHECK(again.metadata().at("note") == "a \xC3\xA9");
}
