#include <ebb/morphology/measures.hpp>

#include "tests/morphology/scene.hpp"
#include "tests/support/match.hpp"

using namespace ebb;
using namespace ebb::test;
using morphology::Connectivity;

namespace {

constexpr double pi = 3.14159265358979323846;

struct Expected {
  double size, perimeter;
  Spacing<2> centroid, axes;
  double eccentricity, orientation, diameter;
  Shape<2> begin, end;
};

void check(const std::vector<Expected>& expected, const Spacing<2>& spacing) {
  const auto found =
      morphology::measure(morphology::components(scene(), 1, Connectivity::corners), spacing);
  REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    const auto& m = found[i];
    const auto& e = expected[i];
    INFO("component " << m.label);
    CHECK(m.size == Approx(e.size).epsilon(1e-12));
    if (e.perimeter > 0) CHECK(m.boundary == Approx(e.perimeter).epsilon(1e-12));
    for (std::size_t k = 0; k < 2; ++k) {
      CHECK(m.centroid[k] == Approx(e.centroid[k]).epsilon(1e-12));
      CHECK(m.axis_lengths[k] == Approx(e.axes[k]).epsilon(1e-12));
    }
    CHECK(m.eccentricity == Approx(e.eccentricity).margin(1e-7));
    CHECK(m.equivalent_diameter == Approx(e.diameter).epsilon(1e-12));
    CHECK(m.box_begin == e.begin);
    CHECK(m.box_end == e.end);
    if (m.eccentricity > 0.1)  // a disc has no direction
      CHECK(std::abs(m.axes[0][0] * std::cos(e.orientation) +
                     m.axes[0][1] * std::sin(e.orientation)) == Approx(1).epsilon(1e-12));
  }
}

}  // namespace

TEST_CASE("measures: an image's components as scikit-image has them", "[shape]") {
  // tests/oracle/shape.py
  check({{1, 2.681517061334488, {2, 70}, {0, 0}, 0, 0, 1.1283791670955126, {2, 70}, {3, 71}},
         {551,
          91.09264359317525,
          {18, 24},
          {37.584492808505438, 18.660626127706394},
          0.86803785613734963,
          -1.1369800079018411,
          26.486883341553696,
          {7, 7},
          {30, 42}},
         {512,
          148.70579216576806,
          {44, 58},
          {33.968735625571938, 33.968735625571938},
          0,
          0,
          25.532305945691693,
          {29, 43},
          {60, 74}},
         {161,
          54.10676510176222,
          {51.527950310559007, 14.565217391304348},
          {23.229982128769084, 9.24284777501523},
          0.91743555351903028,
          1.5605215662776237,
          14.317526556719258,
          {48, 5},
          {57, 26}}},
        {1, 1});
  check({{0.4, 0, {1, 56}, {0, 0}, 0, 0, 0.7136496464611084, {2, 70}, {3, 71}},
         {220.4,
          0,
          {9, 19.2},
          {28.671082490904361, 9.7847741705809206},
          0.9399628568793339,
          -1.33900649478745,
          16.751775895696248,
          {7, 7},
          {30, 42}},
         {204.8,
          0,
          {22, 46.4},
          {27.174988500457548, 16.984367812785965},
          0.7806247497997999,
          1.5707963267948966,
          16.148048140929024,
          {29, 43},
          {60, 74}},
         {64.4,
          0,
          {25.763975155279503, 11.652173913043478},
          {18.58344940762602, 4.6215572560910383},
          0.96858259023539739,
          1.5650348521917967,
          9.0551988758361617,
          {48, 5},
          {57, 26}}},
        {0.5, 0.8});
}

TEST_CASE("measures: a volume's components as scikit-image has them", "[shape]") {
  // tests/oracle/shape.py
  const auto found = morphology::measure(morphology::components(volume(), 1, Connectivity::corners),
                                         Spacing<3>{2.5, 0.7, 0.7});
  REQUIRE(found.size() == 2);
  const auto& m = found[0];
  CHECK(m.size == Approx(1749.3).epsilon(1e-12));
  CHECK(m.centroid[0] == Approx(15).epsilon(1e-12));
  CHECK(m.centroid[1] == Approx(7.6941176470588228).epsilon(1e-12));
  CHECK(m.centroid[2] == Approx(7.0161764705882339).epsilon(1e-12));
  const double axes[] = {22.879234772026386, 17.010564216335062, 8.580556852966644};
  for (std::size_t k = 0; k < 3; ++k) CHECK(m.axis_lengths[k] == Approx(axes[k]).epsilon(1e-12));
  CHECK(m.axes[0][0] == Approx(1).epsilon(1e-12));
  CHECK(m.box_begin == Shape{2, 4, 0});
  CHECK(m.box_end == Shape{11, 19, 22});
  CHECK(found[1].size == Approx(30.625).epsilon(1e-12));
  CHECK(found[1].axis_lengths[0] == Approx(6.5006221550096859).epsilon(1e-12));
  CHECK(found[1].axis_lengths[2] == Approx(2.6526908501714277).epsilon(1e-12));
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t j = 0; j < 3; ++j) {
      double dot = 0;
      for (std::size_t k = 0; k < 3; ++k) dot += m.axes[i][k] * m.axes[j][k];
      CHECK(dot == Approx(i == j ? 1 : 0).margin(1e-12));
    }
}

TEST_CASE("measures: discs, ellipses, rectangles and rings come near their formulas", "[shape]") {
  const auto first = [](const auto& inside, const Spacing<2>& spacing) {
    Tensor<int, 2> mask(Shape{140, 160});
    for (Index y = 0; y < 140; ++y)
      for (Index x = 0; x < 160; ++x)
        mask(y, x) = inside((static_cast<double>(y) - 69.5) * spacing[0],
                            (static_cast<double>(x) - 79.5) * spacing[1]);
    const auto found =
        morphology::measure(morphology::components(mask, 1, Connectivity::faces), spacing);
    REQUIRE(found.size() == 1);
    return found[0];
  };
  const auto disc = [](double y, double x) { return y * y + x * x <= 900; };
  for (const Spacing<2>& spacing : {Spacing<2>{1, 1}, Spacing<2>{0.6, 0.9}}) {
    const auto m = first(disc, spacing);
    CHECK(m.size == Approx(pi * 900).epsilon(0.005));
    CHECK(m.boundary == Approx(2 * pi * 30).epsilon(0.01));
    CHECK(m.compactness == Approx(1).epsilon(0.02));
    CHECK(m.axis_lengths[0] == Approx(60).epsilon(0.005));
    CHECK(m.equivalent_diameter == Approx(60).epsilon(0.005));
    CHECK(m.eccentricity < 0.1);
  }
  const auto ellipse =
      first([](double y, double x) { return y * y / 400 + x * x / 3600 <= 1; }, Spacing<2>{1, 1});
  CHECK(ellipse.axis_lengths[0] == Approx(120).epsilon(0.005));
  CHECK(ellipse.axis_lengths[1] == Approx(40).epsilon(0.005));
  CHECK(ellipse.axes[0][1] == Approx(1).epsilon(1e-6));
  CHECK(ellipse.eccentricity == Approx(std::sqrt(8.0 / 9)).epsilon(0.005));
  CHECK(ellipse.boundary == Approx(267.3).epsilon(0.02));  // Ramanujan's second formula
  const auto ring =
      first([](double y, double x) { return y * y + x * x <= 2500 && y * y + x * x > 900; },
            Spacing<2>{1, 1});
  CHECK(ring.size == Approx(pi * 1600).epsilon(0.005));
  CHECK(ring.boundary == Approx(2 * pi * 80).epsilon(0.01));
  // Sides along the axes are seen pi (1 + sqrt 2) / 8 = 0.948 as long as they are.
  const auto box = first([](double y, double x) { return std::abs(y) < 20 && std::abs(x) < 40; },
                         Spacing<2>{1, 1});
  CHECK(box.size == 40 * 80);
  CHECK(box.boundary == Approx(0.948 * 240).epsilon(0.02));
  CHECK(box.axis_lengths[0] == Approx(80 * 2 / std::sqrt(3)).epsilon(0.001));
}

TEST_CASE("measures: a ball's surface, whatever the spacing", "[shape]") {
  for (const Spacing<3>& spacing : {Spacing<3>{1, 1, 1}, Spacing<3>{1.5, 0.8, 0.8}}) {
    Tensor<int, 3> mask(Shape{44, 54, 54});
    for (Index i = 0; i < mask.size(); ++i) {
      const auto at = morphology::detail::position(mask.shape(), i);
      double square = 0;
      for (int k = 0; k < 3; ++k) {
        const double d = (static_cast<double>(at[k]) - 0.5 * static_cast<double>(mask.extent(k))) *
                         spacing[static_cast<std::size_t>(k)];
        square += d * d;
      }
      mask.mutable_data()[i] = square <= 20 * 20;
    }
    const auto found =
        morphology::measure(morphology::components(mask, 1, Connectivity::faces), spacing);
    REQUIRE(found.size() == 1);
    CHECK(found[0].size == Approx(4.0 / 3 * pi * 8000).epsilon(0.005));
    CHECK(found[0].boundary == Approx(4 * pi * 400).epsilon(0.01));
    CHECK(found[0].compactness == Approx(1).epsilon(0.03));
    CHECK(found[0].axis_lengths[2] == Approx(40).epsilon(0.005));
  }
}

TEST_CASE("measures: shares of directions are those of the literature", "[shape]") {
  // Ohser & Muecklich 2000: for a cubic lattice 0.0915558 for each of 3 axes, 0.0739613 for each of
  // 6 face diagonals, 0.0703913 for each of 4 space diagonals.
  std::vector<morphology::detail::Vector<3>> axes;
  std::vector<double> expected;
  for (const auto& step : morphology::detail::steps_back<3>(Connectivity::corners)) {
    double square = 0;
    for (int k = 0; k < 3; ++k) square += static_cast<double>(step[k] * step[k]);
    morphology::detail::Vector<3> axis{};
    for (int k = 0; k < 3; ++k)
      axis[static_cast<std::size_t>(k)] = static_cast<double>(step[k]) / std::sqrt(square);
    axes.push_back(axis);
    expected.push_back(square == 1 ? 0.0915558 : square == 2 ? 0.0739613 : 0.0703913);
  }
  const auto shares = morphology::detail::nearest_shares<3>(axes);
  REQUIRE(shares.size() == 13);
  for (std::size_t i = 0; i < 13; ++i) CHECK(shares[i] == Approx(expected[i]).margin(2e-4));
}

TEST_CASE("measures: nothing, and bad spacings", "[shape]") {
  const auto none = morphology::components(Tensor<int, 2>::zeros({3, 3}), 1, Connectivity::faces);
  CHECK(morphology::measure(none).empty());
  CHECK_THROWS_WITH(morphology::measure(none, {1, -2}), contains("along axis 1 is -2"));
}
