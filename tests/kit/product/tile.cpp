#include <ebb/kit/product/tile.hpp>

#include "tests/support/kernels.hpp"
#include "tests/support/random.hpp"

using namespace ebb;
using namespace ebb::test;

namespace {

/// One tile of every height and width against plain loops: rows of A apart or interleaved, rows of
/// B where an offset table says, results into a wider matrix whose other elements stay.
template <class T>
void check_broadcast(typename kernel::simd::Tiles<T>::Broadcast tile, Index rows, Index columns,
                     Index depth, bool interleaved, bool add) {
  const Index apart = columns + 5;
  const auto a = random<T>(Shape{rows * (depth + 3)}, 1);
  const auto b = random<T>(Shape{(depth + 1) * apart}, 2);
  const auto before = random<T>(Shape{rows * apart}, 3), c = before.clone();
  std::vector<Index> offset;
  for (Index k = 0; k < depth; ++k) offset.push_back((k * 7 + 1) % (depth + 1) * apart);

  const Index step = interleaved ? rows : 1;
  std::vector<const T*> row;
  for (Index i = 0; i < rows; ++i) row.push_back(a.data() + (interleaved ? i : i * (depth + 3)));
  tile(depth, row.data(), step, b.data(), offset.data(), c.mutable_data(), apart, add);

  double worst = 0;
  for (Index i = 0; i < rows; ++i)
    for (Index j = 0; j < apart; ++j) {
      double sum = add || j >= columns ? static_cast<double>(before(i * apart + j)) : 0;
      for (Index k = 0; k < depth && j < columns; ++k)
        sum += static_cast<double>(row[static_cast<std::size_t>(i)][k * step]) *
               static_cast<double>(b(offset[static_cast<std::size_t>(k)] + j));
      worst = std::max(worst, std::abs(sum - static_cast<double>(c(i * apart + j))));
    }
  INFO(rows << " x " << columns << ", depth " << depth << ", interleaved " << interleaved
            << ", add " << add);
  CHECK(worst < (sizeof(T) == 4 ? 1e-6 : 1e-14) * static_cast<double>(depth + 8));
}

/// The same for tiles whose rows are evenly apart.
template <class T>
void check_even(typename kernel::simd::Tiles<T>::Even tile, Index rows, Index columns, Index depth,
                bool interleaved, bool add) {
  const Index apart = columns + 5;
  const auto a = random<T>(Shape{rows * (depth + 3)}, 1);
  const auto b = random<T>(Shape{(depth + 1) * apart}, 2);
  const auto before = random<T>(Shape{rows * apart}, 3), c = before.clone();
  const Index row = interleaved ? 1 : depth + 3, step = interleaved ? rows : 1;
  tile(depth, a.data(), row, step, b.data(), apart, c.mutable_data(), apart, add);

  double worst = 0;
  for (Index i = 0; i < rows; ++i)
    for (Index j = 0; j < apart; ++j) {
      double sum = add || j >= columns ? static_cast<double>(before(i * apart + j)) : 0;
      for (Index k = 0; k < depth && j < columns; ++k)
        sum += static_cast<double>(a(i * row + k * step)) * static_cast<double>(b(k * apart + j));
      worst = std::max(worst, std::abs(sum - static_cast<double>(c(i * apart + j))));
    }
  INFO(rows << " x " << columns << ", depth " << depth << ", interleaved " << interleaved
            << ", add " << add);
  CHECK(worst < (sizeof(T) == 4 ? 1e-6 : 1e-14) * static_cast<double>(depth + 8));
}

template <class T>
void check_tiles() {
  const kernel::simd::Tiles<T> tiles = kernel::simd::tiles<T>();
  for (const Index depth : {0, 1, 2, 3, 36, 100})
    for (const bool interleaved : {false, true})
      for (const bool add : {false, true}) {
        for (int v = 1; v <= tiles.vectors; ++v)
          check_broadcast<T>(tiles.broadcast[v - 1], tiles.rows, v * tiles.lanes, depth,
                             interleaved, add);
        for (int v = 1; v <= tiles.vectors; ++v)
          check_even<T>(tiles.wide[v - 1], tiles.rows, v * tiles.lanes, depth, interleaved, add);
        for (Index r = 1; r <= 2; ++r)
          check_even<T>(tiles.slim[r - 1], r, 4 * tiles.lanes, depth, interleaved, add);
        for (int v = 1; v <= tiles.tall_vectors; ++v)
          check_even<T>(tiles.tall[v - 1], tiles.tall_rows, v * tiles.lanes, depth, interleaved,
                        add);
      }
}

}  // namespace

TEST_CASE("tiles: wide and tall ones against plain loops, on every instruction set", "[matmul]") {
  each_isa([](Isa set) {
    INFO(to_string(set));
    check_tiles<float>();
    check_tiles<double>();
  });
}
