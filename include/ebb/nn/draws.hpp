/// \file
/// Initial weights of layers that are made as arguments of one call.
///
/// `nn::Sequential(nn::Linear<>(2, 8), relu, nn::Linear<>(8, 1))` makes its layers before it
/// begins, and C++ leaves their order to the compiler: g++ makes the last one first, clang++ the
/// first. So that the seed alone decides, the container gives the streams that its layers took from
/// the default generator to them from left to right, and draws again what changes.
#pragma once

#include <ebb/nn/visit.hpp>

#include <algorithm>
#include <vector>

namespace ebb::inline EBB_ABI::nn::detail {

/// A parameter that was drawn when its layer was made.
struct DrawnParameter {
  void* cell;
  RandomStream stream;
  std::size_t layer;  ///< its place in the container
  /// Draws it again by another stream.
  void (*redraw)(void* cell, const RandomStream& stream);
  /// Whether it is as it was drawn. What its maker, or training, has changed must stay.
  bool (*untouched)(void* cell);

  friend bool operator<(const DrawnParameter& a, const DrawnParameter& b) {
    if (a.stream.seed != b.stream.seed) return a.stream.seed < b.stream.seed;
    if (a.layer != b.layer) return a.layer < b.layer;
    return a.stream.stream < b.stream.stream;
  }
};

template <class Tens>
DrawnParameter drawn_parameter(const Param<Tens>& p, std::size_t layer) {
  using Cell = typename Param<Tens>::Cell;
  return {p.cell().get(), p.cell()->drawn.stream, layer,
          [](void* cell, const RandomStream& stream) {
            auto& drawn = static_cast<Cell*>(cell)->drawn;
            drawn.stream = stream;
            drawn.by(static_cast<Cell*>(cell)->value, stream, drawn.a, drawn.b);
          },
          [](void* cell) {
            const auto& [by, stream, a, b] = static_cast<Cell*>(cell)->drawn;
            const Tens& now = static_cast<Cell*>(cell)->value;
            const Tens again(now.shape());
            by(again, stream, a, b);
            return again.values() == now.values();
          }};
}

/// Gives the streams to the parameters from left to right; within a layer their order stays.
inline void order_draws(std::vector<DrawnParameter>& all) {
  for (bool checked = false;; checked = true) {
    std::sort(all.begin(), all.end());
    std::vector<RandomStream> streams;
    streams.reserve(all.size());
    for (const DrawnParameter& p : all) streams.push_back(p.stream);
    std::sort(streams.begin(), streams.end(), [](const RandomStream& a, const RandomStream& b) {
      return a.seed != b.seed ? a.seed < b.seed : a.stream < b.stream;
    });
    bool in_order = true;
    for (std::size_t i = 0; i < all.size(); ++i) in_order &= all[i].stream == streams[i];
    if (in_order) return;
    if (checked) {
      for (std::size_t i = 0; i < all.size(); ++i)
        if (!(all[i].stream == streams[i])) all[i].redraw(all[i].cell, streams[i]);
      return;
    }
    std::erase_if(all, [](const DrawnParameter& p) { return !p.untouched(p.cell); });
  }
}

/// Notes the drawn parameters among leaves.
struct DrawCollector {
  std::vector<DrawnParameter>& all;
  std::size_t layer;

  template <class Leaf>
  void operator()(const std::string&, Leaf& leaf) const {
    if constexpr (is_param<std::remove_const_t<Leaf>>)
      if (leaf.cell()->drawn.by != nullptr) all.push_back(drawn_parameter(leaf, layer));
  }
};

/// For the constructor of a container, when it has its layers.
template <class... Layers>
void draw_from_left_to_right(const Layers&... layers) {
  std::vector<DrawnParameter> all;
  std::size_t place = 0;
  const auto collect = [&](const auto& layer) {
    DrawCollector note{all, place++};
    each_leaf(std::string(), layer, note);
  };
  (collect(layers), ...);
  order_draws(all);
}

}  // namespace ebb::nn::detail
