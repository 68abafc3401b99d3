#include <ebb/io/pytorch.hpp>

#include <ebb/data/read/npz.hpp>
#include <ebb/io/state.hpp>
#include <ebb/models/lenet5.hpp>

#include "tests/data/real_data.hpp"
#include "tests/io/networks.hpp"
#include "tests/io/pytorch_files.hpp"
#include "tests/train/files.hpp"

using namespace ebb;
using namespace ebb::io;
using ebb::test::archive_of;
using ebb::test::contains;
using ebb::test::error_of;

namespace {

const test::TemporaryFolder folder;

const std::vector<test::TorchFile>& fixtures() {
  static const auto files = test::torch_files("tests/oracle/fixtures/pytorch_files.txt");
  return files;
}

const test::Bytes& fixture(const std::string& name) {
  for (const auto& file : fixtures())
    if (file.name == name) return file.bytes;
  FAIL("no such fixture: " + name);
  return fixtures()[0].bytes;
}

std::vector<NamedTensor> some() {
  return {{"b", Tensor<float, 2>({2, 3}, {1, 2, 3, 4, 5, 6})},
          {"a", Tensor<double, 0>(0.5)},
          {"labels", Tensor<int, 1>({3}, {7, -8, 9})},
          {"count", Tensor<std::int64_t, 0>(1LL << 40)},
          {"flags", Tensor<bool, 1>({2}, {true, false})},
          {"wide", Tensor<std::uint16_t, 1>({2}, {1, 65535})},
          {"none", Tensor<float, 2>({0, 4})}};
}

}  // namespace

// Files and tensors by PyTorch 2.15: tests/oracle/pytorch_files.py.
TEST_CASE("files of torch.save give their tensors bit for bit") {
  REQUIRE(fixtures().size() == 22);
  test::check_torch_files(fixtures());
}

TEST_CASE("what a checkpoint holds beside tensors is metadata, or passed over") {
  for (const char* name : {"checkpoint2", "checkpoint4"}) {
    INFO(name);
    const PytorchFile file(name, fixture(name));
    const Metadata& m = file.metadata();
    CHECK(m.at("epoch") == "17");
    CHECK(m.at("global_step") == "1099511627776");
    CHECK(m.at("best") == "0.75");
    CHECK(m.at("step32") == "-0.5");
    CHECK(m.at("count") == "-3");
    CHECK(m.at("small") == "200");
    CHECK(m.at("flag") == "true");
    CHECK(m.at("name") == "a net \xC3\xA9");
    CHECK(m.at("on") == "true");
    CHECK(m.at("rate") == "0.001");
    CHECK(m.at("hyper_parameters.args.hidden") == "32");
    CHECK(m.at("hyper_parameters.args.lr") == "0.5");
    CHECK(m.at("hyper_parameters.layers.1") == "2");
    CHECK(m.at("hyper_parameters.t.1") == "x");
    CHECK(m.at("set.0") == "5");
    CHECK(m.at("optimizer_states.0.param_groups.0.lr") == "0.001");
    CHECK_FALSE(m.contains("none"));
    CHECK_FALSE(m.contains("huge"));
    CHECK_FALSE(m.contains("bytes"));
  }
}

TEST_CASE("an entry that is the state dict can be named") {
  const auto names = [](const char* key) {
    return PytorchFile("x", fixture("under_model"), {.key = key}).names();
  };
  CHECK(names("") == std::vector<std::string>{"a.b", "a.w", "c.w"});
  CHECK(names("model_ema") == std::vector<std::string>{"a.w"});
  CHECK(PytorchFile("x", fixture("nested"), {.key = "c"}).names() == std::vector<std::string>{"w"});
  CHECK(PytorchFile("x", fixture("nested"), {.key = "c.w"}).names() ==
        std::vector<std::string>{""});
  CHECK(contains(error_of<FileError>([&] { names("nothing"); }), "it has no entry 'nothing'"));
}

TEST_CASE("tensors are read as C++ types as those of safetensors are") {
  const PytorchFile file("x", fixture("protocol2"));
  const auto half = file.get<float, 2>("float16"), brain = file.get<float, 2>("bfloat16");
  CHECK(half(1, 1) == 1.0f);
  CHECK(half(0, 0) == from_float16(0xB555));
  CHECK(brain(0, 0) == from_bfloat16(0xBEAB));
  CHECK(file.get<bool, 2>("bool")(0, 0));
  CHECK(file.get<std::int64_t, 2>("int64")(1, 2) == 4);
  CHECK(file.get<double, 2>("float32", {.convert = true})(1, 0) ==
        static_cast<double>(2.0f / 3.0f));
  CHECK(
      contains(error_of<FileError>([&] { file.get<double, 2>("float32"); }),
               "pytorch: 'x': tensor 'float32' is of type F32, and F64 was asked for; let it be"));
  CHECK(contains(error_of<FileError>([&] { file.get<float, 1>("nowhere"); }),
                 "it holds no tensor 'nowhere'"));
  // Turned, in parts, and converted.
  const PytorchFile views("x", fixture("strided"));
  const auto turned = views.get<double, 2>("half", {.convert = true});
  REQUIRE(turned.shape() == Shape{6, 2});
  CHECK(turned(1, 1) == static_cast<double>(from_float16(to_float16(14.0f / 7))));
}

TEST_CASE("tensors come back as they went, as archive and with metadata") {
  const std::string path = folder / "some.pth";
  write_pytorch(path, some(), {{"made by", "a test"}, {"text", "\"quoted\"\n\xC3\xBC"}});
  const PytorchFile file(path);
  CHECK(file.names().size() == 7);
  CHECK(file.get<float, 2>("b").values() == std::vector<float>{1, 2, 3, 4, 5, 6});
  CHECK(file.get<double, 0>("a").item() == 0.5);
  CHECK(file.get<int, 1>("labels").values() == std::vector<int>{7, -8, 9});
  CHECK(file.get<std::int64_t, 0>("count").item() == 1LL << 40);
  CHECK(file.get<bool, 1>("flags")(0));
  CHECK(file.get<std::uint16_t, 1>("wide")(1) == 65535);
  CHECK(file.get<float, 2>("none").shape() == Shape{0, 4});
  CHECK(file.metadata() == Metadata{{"made by", "a test"}, {"text", "\"quoted\"\n\xC3\xBC"}});
  const std::string once = test::read_file(path);
  write_pytorch(folder / "twice.pth", some(), file.metadata());
  CHECK(test::read_file(folder / "twice.pth") == once);
}

TEST_CASE("bytes of any type go from file to file") {
  const PytorchFile file("x", fixture("newer"));
  std::vector<NamedTensor> all;
  for (const auto& [name, t] : file.tensors())
    all.emplace_back(name, t.dtype, t.shape, file.bytes_of(name));
  write_pytorch(folder / "newer.pt", all);
  write_safetensors(folder / "newer.safetensors", all);
  CHECK(test::lines_of(PytorchFile(folder / "newer.pt")) == test::lines_of(file));
  CHECK(test::lines_of(SafetensorsFile(folder / "newer.safetensors")) == test::lines_of(file));
}

TEST_CASE("elements that are shared are written once") {
  const Tensor<float, 1> x = Tensor<float, 1>::full({10'000}, 3);
  write_pytorch(folder / "tied.pt", std::vector<NamedTensor>{{"a", x}, {"b", x}, {"c", x.clone()}});
  CHECK(std::filesystem::file_size(folder / "tied.pt") < 3 * 40'000);
  CHECK(PytorchFile(folder / "tied.pt").get<float, 1>("b")(9'999) == 3);
}

TEST_CASE("names and metadata must be unique and text") {
  const Tensor<float, 0> x(1);
  const auto text = [&](std::vector<NamedTensor> tensors, const Metadata& metadata = {}) {
    return error_of<ValueError>([&] { write_pytorch(folder / "never", tensors, metadata); });
  };
  CHECK(contains(text({{"a", x}, {"a", x}}), "the name 'a' is used by two tensors"));
  CHECK(contains(text({{"\xff", x}}), "is not valid UTF-8"));
  CHECK(contains(text({}, {{"k", "\xff"}}), "is not valid UTF-8"));
  CHECK_FALSE(std::filesystem::exists(folder / "never"));
}

TEST_CASE("archives of many records and with numbers of 64 bits are read") {
  std::vector<NamedTensor> many;
  for (int i = 0; i < 70'000; ++i) many.emplace_back(std::to_string(i), Tensor<int, 0>(i));
  write_pytorch(folder / "many.pt", many);
  const PytorchFile file(folder / "many.pt");
  CHECK(file.tensors().size() == 70'000);
  CHECK(file.get<int, 0>("69999").item() == 69'999);
  // The same archive as it would be beyond 4 GiB.
  test::Memory memory;
  io::detail::write_archive(memory, some(), {});
  const PytorchFile narrow("x", memory.bytes);
  std::vector<test::Record> records;
  const auto text = [&](const std::string& record) {
    data::detail::ByteSource source(memory.bytes);
    const data::detail::ZipDirectory all(io::detail::pytorch_words("x"), source);
    for (const auto& entry : all.entries())
      if (entry.name == record)
        return std::string(
            reinterpret_cast<const char*>(memory.bytes.data()) + all.begin_of(entry, source),
            entry.bytes);
    return std::string();
  };
  for (const char* name : {"data.pkl", "data/0", "data/1", "data/2", "data/3", "data/4", "data/5"})
    records.push_back({message("archive/", name), text(message("archive/", name))});
  CHECK(test::lines_of(PytorchFile("x", archive_of(records, 1))) == test::lines_of(narrow));
}

TEST_CASE("files of others give the tensors that PyTorch found in them") {
  const std::string models = test::real_data("models");
  if (models.empty()) return;
  for (const char* name :
       {"lenet_mnist__mnist_cnn.pt", "LeNet__mnist_cnn.pt", "mnist-onnxjs__best_model.pt",
        "machine-learning-book__epoch=17-step=15479.ckpt"}) {
    INFO(name);
    const std::string path = models + "/" + name;
    const auto file = open_weights(path);
    const data::NpzFile stored(path.substr(0, path.rfind('.')) + ".npz");
    REQUIRE(file->tensors().size() == stored.members().size());
    for (const auto& [tensor, info] : file->tensors()) {
      INFO(tensor);
      const data::Array expected = stored.get(tensor);
      REQUIRE(expected.shape == info.shape);
      CHECK(file->bytes_of(tensor) == expected.bytes);
    }
  }
  CHECK(PytorchFile(models + "/machine-learning-book__epoch=17-step=15479.ckpt")
            .metadata()
            .at("epoch") == "18");
  // TorchScript, with weights of its own.
  const PytorchFile script(models + "/mnist-onnxjs__mnist_cnn.pt");
  CHECK(script.tensors().size() == 26);
  CHECK(script.info("conv_block_1.dw_conv.weight").shape == std::vector<Index>{16, 1, 3, 3});
  // A LeNet-5 by PyTorch's names.
  models::LeNet5<> net;
  io::load(net, models + "/LeNet__mnist_cnn.pt");
  CHECK(net.fc3.bias.name() == "fc3.bias");
}
