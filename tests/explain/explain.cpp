#include <ebb/explain.hpp>

#include <ebb/data/read/image_file.hpp>
#include <ebb/models/medical_cnn.hpp>

#include "tests/support/tensors.hpp"

#include <cstdio>
#include <filesystem>

using namespace ebb;
using ebb::test::contains;
using ebb::test::error_of;

namespace {

const models::MedicalCnn<double>& network() {
  static const models::MedicalCnn<double> net = [] {
    manual_seed(3);
    return models::MedicalCnn<double>({.classes = 3, .width = 4});
  }();
  return net;
}
const Tensor<double, 4> x = test::ramp<double>(Shape{2, 1, 12, 12});
const Tensor<int, 1> targets({2}, {2, 0});

}  // namespace

TEST_CASE("integrated gradients are complete") {
  const auto baseline = Tensor<double, 4>::full(x.shape(), 0.1);
  const auto here = explain::target_scores(network(), x, targets);
  const auto there = explain::target_scores(network(), baseline, targets);
  double coarse = 0, fine = 0;
  for (const int steps : {4, 2000}) {
    const auto a = explain::integrated_gradients(network(), x, targets, baseline, steps);
    double worst = 0;
    for (Index n = 0; n < 2; ++n) {
      double sum = 0;
      for (Index i = 0; i < 144; ++i) sum += a.data()[144 * n + i];
      const auto k = static_cast<std::size_t>(n);
      worst = std::max(worst, std::abs(sum - (here[k] - there[k])) / std::abs(here[k] - there[k]));
    }
    (steps == 4 ? coarse : fine) = worst;
  }
  INFO("off by " << coarse << " in 4 steps and " << fine << " in 2000");
  CHECK(fine < 1e-3);
  CHECK(fine < coarse);
}

TEST_CASE("Grad-CAM names the parts there are") {
  const std::string said =
      error_of<ValueError>([] { explain::grad_cam(network(), x, targets, "layer4"); });
  CHECK(contains(said, "layer4"));
  CHECK(contains(said, "block1, block2, block3, block4, block5"));
}

TEST_CASE("targets are checked") {
  CHECK(contains(error_of<ValueError>([] {
                   explain::saliency(network(), x, Tensor<int, 1>({2}, {0, 3}));
                 }),
                 "target 1 is class 3"));
  CHECK(contains(
      error_of<ShapeError>([] { explain::saliency(network(), x, Tensor<int, 1>({1}, {0})); }),
      "one class per image"));
  CHECK(contains(
      error_of<ValueError>([] { explain::occlusion(network(), x, targets, {.size = 20}); }),
      "does not fit"));
  CHECK(contains(error_of<ValueError>(
                     [] { explain::occlusion(network(), x, targets, {.size = 2, .stride = 3}); }),
                 "cover every pixel"));
  CHECK(contains(
      error_of<ValueError>([] { explain::smooth_grad(network(), x, targets, {.samples = 0}); }),
      "1 or more"));
}

TEST_CASE("explanations have the same bits for any number of threads") {
  CHECK(test::same_for_any_threads([] { return explain::saliency(network(), x, targets); }));
  CHECK(test::same_for_any_threads(
      [] { return explain::grad_cam(network(), x, targets, "block4"); }));
}

TEST_CASE("rank correlation") {
  using V = std::vector<double>;
  CHECK(explain::rank_correlation(V{1, 2, 3, 9}, V{0, 5, 6, 7}) == Approx(1));
  CHECK(explain::rank_correlation(V{1, 2, 3, 9}, V{4, 3, 2, 1}) == Approx(-1));
  // scipy.stats.spearmanr([1, 2, 2, 3], [1, 3, 2, 4]) = 0.9486832980505139
  CHECK(explain::rank_correlation(V{1, 2, 2, 3}, V{1, 3, 2, 4}) == Approx(0.9486832980505139));
  CHECK(explain::rank_correlation(V{1, 1}, V{1, 2}) == 0);
}

TEST_CASE("the check by randomised parameters tells what explains from what does not") {
  const auto seen = explain::parameter_randomisation(
      network(), [](const auto& net) { return explain::saliency(net, x, targets); });
  REQUIRE(seen.size() == 11);  // five blocks of conv and bn, and fc
  CHECK(seen.front().layer == "fc");
  CHECK(seen.back().layer == "block1.conv");
  CHECK(std::abs(seen.back().correlation) < 0.5);
  // An "explanation" that shows the image alone stays as it was.
  for (const auto& layer : explain::parameter_randomisation(
           network(), [](const auto&) { return explain::heat_map(x); }))
    CHECK(layer.correlation == Approx(1));
}

TEST_CASE("an overlay is grey where nothing was seen and yellow where most was") {
  const Tensor<double, 4> image({1, 1, 1, 4}, {0, 1, 0.4, 2});
  const Tensor<double, 3> heat({1, 1, 4}, {2, 0, std::nan(""), -1});
  const explain::Overlay y = explain::overlay(image, heat, 0, {.strength = 1});
  CHECK(y.pixels ==
        std::vector<std::uint8_t>{255, 255, 0, 255, 255, 255, 102, 102, 102, 255, 255, 255});
  const auto path = (std::filesystem::temp_directory_path() / "ebb_overlay.png").string();
  explain::write_overlay(path, y);
  const Tensor<std::uint8_t, 3> back = data::read_image(path);
  CHECK(back.shape() == Shape{3, 1, 4});
  CHECK(back(2, 0, 0) == 0);
  CHECK(back(1, 0, 2) == 102);
  std::filesystem::remove(path);
  CHECK(
      contains(error_of<ShapeError>([&] { explain::overlay(image, heat, 1); }), "cannot be drawn"));
}
