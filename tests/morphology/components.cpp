#include <ebb/morphology/components.hpp>

#include "tests/morphology/scene.hpp"
#include "tests/support/match.hpp"

using namespace ebb;
using morphology::Connectivity;

// Expected numbers: tests/oracle/shape.py (scikit-image).
TEST_CASE("components: of an image and a volume, by faces and by corners", "[shape]") {
  const auto mask = test::scene();
  CHECK(morphology::components(mask, 1, Connectivity::faces).count == 5);
  const auto found = morphology::components(mask, 1, Connectivity::corners);
  CHECK(found.count == 4);
  Index checksum = 0;
  for (Index i = 0; i < mask.size(); ++i) checksum += found.labels.data()[i] * (i % 1009);
  CHECK(checksum == 1666151);
  CHECK(found.labels(2, 70) == 1);  // numbered as they come, row by row
  CHECK(found.labels(56, 25) == found.labels(55, 24));
  CHECK(morphology::components(test::volume(), 1, Connectivity::faces).count == 3);
  CHECK(morphology::components(test::volume(), 1, Connectivity::corners).count == 2);
}

TEST_CASE("components: arms that meet late are one", "[shape]") {
  // A comb, a spiral and a checkerboard: labels must be joined across many rows.
  const int comb = 31;
  Tensor<int, 2> mask(Shape{9, comb});
  for (Index y = 0; y < 9; ++y)
    for (Index x = 0; x < comb; ++x) mask(y, x) = x % 2 == 0 || y == 8;
  CHECK(morphology::components(mask, 1, Connectivity::faces).count == 1);
  CHECK(morphology::components(mask, 0, Connectivity::corners).count == 15);
  for (Index i = 0; i < mask.size(); ++i)
    mask.mutable_data()[i] = static_cast<int>((i / comb + i % comb) % 2);
  CHECK(morphology::components(mask, 1, Connectivity::corners).count == 1);
  CHECK(morphology::components(mask, 1, Connectivity::faces).count == 9 * comb / 2);
  CHECK(morphology::components(mask, 7, Connectivity::faces).count == 0);
  const auto full = Tensor<std::uint8_t, 3>::full({3, 4, 5}, 255);
  CHECK(morphology::components(full, 255, Connectivity::faces).count == 1);
  CHECK(morphology::components(Tensor<int, 2>(Shape{0, 3}), 1, Connectivity::faces).count == 0);
}
