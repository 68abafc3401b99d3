// Sizes, names and errors; the numbers are beside PyTorch's in tests/parity/models.cpp.

#include <ebb/models.hpp>
#include <ebb/tape/backward.hpp>

#include "tests/support/tensors.hpp"

#include <set>

using namespace ebb;
using ebb::test::contains;
using ebb::test::error_of;

namespace {

template <class Net>
std::set<std::string> names(const Net& net) {
  std::set<std::string> found;
  nn::visit_state(net, [&](const std::string& path, const auto&) { found.insert(path); });
  return found;
}

}  // namespace

// The numbers of parameters that torchvision's documentation states for its weights.
TEST_CASE("models have torchvision's sizes and names") {
  const models::ResNet18<> r18;
  CHECK(nn::count_parameters(r18) == 11689512);
  CHECK(nn::count_parameters(models::ResNet34<>()) == 21797672);
  CHECK(nn::count_parameters(models::ResNet50<>()) == 25557032);
  const auto n = names(r18);
  CHECK(n.size() == 122);  // len(torchvision.models.resnet18().state_dict())
  for (const char* name :
       {"conv1.weight", "bn1.num_batches_tracked", "layer1.0.bn1.running_mean",
        "layer2.0.downsample.0.weight", "layer4.1.bn2.running_var", "fc.weight", "fc.bias"})
    CHECK(n.count(name) == 1);
  CHECK(n.count("layer1.0.downsample.0.weight") == 0);

  const models::AlexNet<> alexnet;
  CHECK(nn::count_parameters(alexnet) == 61100840);
  const std::set<std::string> expected{
      "features.0.weight",   "features.0.bias",   "features.3.weight",   "features.3.bias",
      "features.6.weight",   "features.6.bias",   "features.8.weight",   "features.8.bias",
      "features.10.weight",  "features.10.bias",  "classifier.1.weight", "classifier.1.bias",
      "classifier.4.weight", "classifier.4.bias", "classifier.6.weight", "classifier.6.bias"};
  CHECK(names(alexnet) == expected);
}

TEST_CASE("models give what they promise for images of many sizes") {
  const models::UNet<> unet({.channels = 3, .classes = 4, .base = 2, .depth = 2});
  CHECK(unet(Tensor<float, 4>::zeros({1, 3, 12, 20})).shape() == Shape{1, 4, 12, 20});
  const auto n = names(unet);
  for (const char* name : {"down.0.conv1.weight", "down.1.bn2.running_var", "bottom.conv1.weight",
                           "rise.0.bias", "up.1.conv2.weight", "head.bias"})
    CHECK(n.count(name) == 1);
  CHECK(n.count("down.0.conv1.bias") == 0);  // the norm would take it away again
  const models::ResNet18<> small({.channels = 1, .classes = 2, .small_images = true, .width = 4});
  CHECK(small(Tensor<float, 4>::zeros({2, 1, 28, 28})).shape() == Shape{2, 2});
  const models::MedicalCnn<> cnn({.channels = 3, .classes = 5, .width = 4});
  CHECK(cnn(Tensor<float, 4>::zeros({2, 3, 28, 28})).shape() == Shape{2, 5});
}

TEST_CASE("a probe sees the parts and changes nothing") {
  manual_seed(1);
  const models::ResNet18<> net({.channels = 1, .classes = 2, .small_images = true, .width = 4});
  const auto x = test::ramp<float>(Shape{2, 1, 28, 28});
  models::Recorder<Tensor<float, 4>> recorder;
  CHECK(test::same_bits(net.run(x, recorder), net(x)));
  REQUIRE(recorder.seen.size() == 5);
  CHECK(recorder.at("stem").shape() == Shape{2, 4, 28, 28});
  CHECK(recorder.at("layer4").shape() == Shape{2, 32, 4, 4});
  CHECK(contains(error_of<ValueError>([&] { recorder.at("layer5"); }),
                 "stem, layer1, layer2, layer3, layer4"));
}

TEST_CASE("models have the same bits for any number of threads") {
  const models::UNet<> net({.base = 4, .depth = 2});
  CHECK(test::same_for_any_threads([&] {
    Tape tape;
    const auto x = tape.watch(test::ramp<float>(Shape{2, 1, 16, 16}));
    nn::zero_grad(net);
    backward(sum(square(net(x))));
    return x.grad();
  }));
}

TEST_CASE("models say what does not fit") {
  const auto image = Tensor<float, 4>::zeros({1, 1, 30, 32});
  CHECK(contains(error_of<ShapeError>([&] { models::UNet<>({.base = 2})(image); }),
                 "multiples of 8"));
  CHECK(contains(error_of<ShapeError>([&] { models::LeNet5<>()(image); }), "28 by 28"));
  CHECK(contains(error_of<ValueError>([] { models::UNet<>({.depth = 0}); }), "use 1 to 8"));
  CHECK(contains(error_of<ValueError>([] { models::ResNet18<>({.classes = 0}); }),
                 "linear: out = 0"));
}
