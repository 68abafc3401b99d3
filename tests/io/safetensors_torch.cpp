// Files go both ways between safetensors.torch and ebb. Runs where Python has torch and
// safetensors.
#include <ebb/io/state.hpp>

#include "tests/io/networks.hpp"
#include "tests/support/python.hpp"
#include "tests/support/tensors.hpp"
#include "tests/train/files.hpp"

using namespace ebb;
using ebb::test::SmallNet;

TEST_CASE("weights saved by PyTorch give the same outputs in ebb, and the other way") {
  const std::string interpreter = test::python();
  if (interpreter.empty()) return;
  const test::TemporaryFolder folder;
  const auto run = [&](const std::string& what) {
    const std::string command = interpreter + " " + test::oracle("safetensors_roundtrip.py") + " " +
                                what + " " + (folder / "");
    return std::system(command.c_str());
  };

  REQUIRE(run("write") == 0);
  SmallNet<> net;
  io::load(net, folder / "torch.safetensors");
  const io::SafetensorsFile values(folder / "values.safetensors");
  const auto x = values.get<float, 4>("x");
  CHECK(test::difference(net(x), values.get<float, 2>("y")) < 1e-5);
  CHECK(values.get<float, 1>("half").values() == values.get<float, 1>("half_as_float").values());
  CHECK(values.get<float, 1>("brain").values() == values.get<float, 1>("brain_as_float").values());
  CHECK(values.get<bool, 1>("flags")(0));
  CHECK(values.get<std::int8_t, 1>("small")(0) == -3);
  CHECK(values.get<std::int16_t, 1>("short")(5) == 2);
  CHECK(values.get<double, 2>("double").shape() == Shape{2, 3});

  SmallNet<> other;
  nn::train(other);
  other(x);  // moves the running statistics
  nn::eval(other);
  io::save(other, folder / "ebb.safetensors");
  io::write_safetensors(folder / "ebb_values.safetensors",
                        std::vector<io::NamedTensor>{{"x", x}, {"y", other(x)}});
  std::string keys;
  nn::visit_state(other, [&](const std::string& path, const auto&) { keys += path + "\n"; });
  test::write_file(folder / "keys.txt", keys);
  CHECK(run("read") == 0);
}
