#include <ebb/metrics/surface.hpp>

#include "tests/metrics/masks.hpp"
#include "tests/support/match.hpp"
#include "tests/support/tensors.hpp"

using namespace ebb;
using namespace ebb::test;

// Expected numbers: tests/oracle/metrics.py (scipy, scikit-learn).
TEST_CASE("surface: distances in physical units", "[metrics]") {
  const Masks<2> two(Shape{24, 31});
  const auto flat = metrics::surface_distances(two.predicted, two.truth, 7, {0.5, 0.8});
  CHECK(flat.from_predicted.size() == 37);
  CHECK(flat.from_truth.size() == 48);
  CHECK(flat.hausdorff() == Approx(8.490583018850943).epsilon(1e-13));
  CHECK(flat.hausdorff(0.95) == Approx(2.7146263207510373).epsilon(1e-13));
  CHECK(flat.average() == Approx(0.9179242813574667).epsilon(1e-13));
  CHECK(flat.within(1) == Approx(0.8).epsilon(1e-13));
  CHECK(flat.hausdorff(1) == flat.hausdorff());

  const Masks<3> three(Shape{19, 17, 23});
  const auto deep = metrics::surface_distances(three.predicted, three.truth, 7, {2.5, 0.7, 0.7});
  CHECK(deep.from_predicted.size() == 351);
  CHECK(deep.from_truth.size() == 336);
  CHECK(deep.hausdorff() == Approx(7.97370679169983).epsilon(1e-13));
  CHECK(deep.hausdorff(0.95) == Approx(2.5).epsilon(1e-13));
  CHECK(deep.average() == Approx(0.8009119179356753).epsilon(1e-13));
  CHECK(deep.within(1) == Approx(0.7947598253275109).epsilon(1e-13));
  CHECK(metrics::surface_distances(three.truth, three.truth, 7).hausdorff() == 0);
}

TEST_CASE("surface: one-element masks, edges, and what is not defined", "[metrics]") {
  auto a = Tensor<int, 2>::zeros({5, 7}), b = a.clone();
  a(0, 0) = 1;
  b(3, 4) = 1;
  const auto found = metrics::surface_distances(a, b, 1);
  CHECK(found.hausdorff() == 5);
  CHECK(found.average() == 5);
  CHECK(found.within(4.9) == 0);
  const auto full = Tensor<int, 2>::ones({5, 7});  // its surface lies at the image's edge
  CHECK(metrics::surface_distances(full, full, 1).from_truth.size() == 20);
  CHECK_THROWS_WITH(metrics::surface_distances(a, Tensor<int, 2>::zeros({5, 7}), 1),
                    contains("true mask has no foreground"));
  CHECK_THROWS_WITH(metrics::surface_distances(a, b, 1, {1, 0}), contains("along axis 1"));
  CHECK_THROWS_WITH(found.hausdorff(95), contains("0.95"));
}
