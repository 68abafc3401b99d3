// Published weight files load because parameters and buffers have torchvision's names and shapes,
// in its order: tests/oracle/torchvision_names.py lists them.

#include <ebb/models/alexnet.hpp>
#include <ebb/models/resnet.hpp>

#include "tests/support/catch.hpp"

#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

using namespace ebb;

namespace {

using Lines = std::vector<std::string>;

/// The lines below [name].
Lines published(const std::string& name) {
  const char* source = std::getenv("EBB_SOURCE");
  const std::string path =
      std::string(source ? source : ".") + "/tests/oracle/fixtures/torchvision_names.txt";
  std::ifstream file(path);
  INFO(path);
  REQUIRE(file.good());
  Lines lines;
  bool inside = false;
  for (std::string line; std::getline(file, line);)
    if (line[0] == '[')
      inside = line == '[' + name + ']';
    else if (inside)
      lines.push_back(line);
  return lines;
}

template <class Net>
Lines ours(const Net& net) {
  Lines lines;
  nn::visit_state(net, [&](const std::string& path, const auto& part) {
    std::string line = path;
    const auto shape = part.shape();
    for (int axis = 0; axis < std::remove_cvref_t<decltype(part.value())>::rank; ++axis)
      line += ' ' + std::to_string(shape[axis]);
    lines.push_back(line);
  });
  return lines;
}

}  // namespace

TEST_CASE("ResNets have torchvision's names and shapes") {
  REQUIRE(published("resnet18").size() == 122);
  CHECK(ours(models::ResNet18<>()) == published("resnet18"));
  REQUIRE(published("resnet34").size() == 218);
  CHECK(ours(models::ResNet34<>()) == published("resnet34"));
  REQUIRE(published("resnet50").size() == 320);
  CHECK(ours(models::ResNet50<>()) == published("resnet50"));
}

TEST_CASE("AlexNet has torchvision's names and shapes") {
  REQUIRE(published("alexnet").size() == 16);
  CHECK(ours(models::AlexNet<>()) == published("alexnet"));
}
