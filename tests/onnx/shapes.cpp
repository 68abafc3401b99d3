// Operators that move elements about. They take integers too.

#include "runner.hpp"

#include <ebb/ops/ops.hpp>
#include <ebb/tensor/tensor.hpp>

#include <algorithm>
#include <array>
#include <limits>

namespace onnx_vectors {
namespace {

using Extents = std::vector<std::int64_t>;

/// Calls f(tensor) with a tensor of real or integer elements.
template <int Low, int High, class F>
auto with_any(const Value& v, F&& f) {
  if (v.kind == Kind::integer)
    return with_rank<Low, High>(v, [&](auto rank) { return f(tensor<int, rank()>(v)); });
  return with_tensor<Low, High>(v, std::forward<F>(f));
}

Extents integers(const Value& v) {
  Extents numbers;
  for (double x : v.numbers) numbers.push_back(static_cast<std::int64_t>(x));
  return numbers;
}

/// The shape `wanted` as ebb::reshape takes it, whatever its rank.
Results reshape_to(const Vector& v, const Extents& wanted) {
  Value like;
  like.shape = wanted;
  return {with_any<1, 5>(v.inputs.at(0), [&](const auto& x) {
    return with_rank<0, 6>(
        like, [&](auto rank) { return result(ebb::reshape(x, shape_of<rank()>(like))); });
  })};
}

Results reshape(const Vector& v) {
  const Value& x = v.inputs.at(0);
  Extents wanted = integers(v.inputs.at(1));
  std::int64_t known = 1, size = 1;
  for (auto extent : x.shape) size *= extent;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i] == 0 && v.integer("allowzero", 0) == 0) wanted[i] = x.shape.at(i);
    if (wanted[i] >= 0) known *= wanted[i];
  }
  for (auto& extent : wanted)
    if (extent < 0) extent = size / known;
  return reshape_to(v, wanted);
}

Results flatten(const Vector& v) {
  const Value& x = v.inputs.at(0);
  std::int64_t axis = v.integer("axis", 1);
  if (axis < 0) axis += x.rank();
  if (axis == 1) return {with_any<2, 5>(x, [](const auto& t) { return result(ebb::flatten(t)); })};
  Extents shape{1, 1};
  for (int k = 0; k < x.rank(); ++k)
    shape[k < axis ? 0 : 1] *= x.shape[static_cast<std::size_t>(k)];
  return reshape_to(v, shape);
}

/// Squeeze, Unsqueeze and Identity keep the elements in order: only the shape is new, and the
/// expected output has it.
Results reshape_as_expected(const Vector& v) { return reshape_to(v, v.outputs.at(0).shape); }

Results concat(const Vector& v) {
  const int axis = static_cast<int>(v.integer("axis", 0));
  return {with_any<1, 4>(v.inputs.at(0), [&]<class T, int N>(const ebb::Tensor<T, N>&) {
    std::vector<ebb::Tensor<T, N>> list;
    for (const Value& input : v.inputs) list.push_back(tensor<T, N>(input));
    return result(ebb::concat(list, axis));
  })};
}

Results transpose(const Vector& v) {
  return {with_any<2, 4>(v.inputs.at(0), [&]<class T, int N>(const ebb::Tensor<T, N>& x) {
    std::array<int, static_cast<std::size_t>(N)> order{};
    const Extents perm = v.integers("perm");
    for (int k = 0; k < N; ++k)
      order[static_cast<std::size_t>(k)] =
          perm.empty() ? N - 1 - k : static_cast<int>(perm[static_cast<std::size_t>(k)]);
    return result(ebb::permute(x, order));
  })};
}

Results slice(const Vector& v) {
  const Extents begins = integers(v.inputs.at(1)), ends = integers(v.inputs.at(2));
  const Extents axes = v.given(3) ? integers(v.inputs[3]) : Extents{};
  if (v.given(4))
    for (auto step : integers(v.inputs[4]))
      if (step != 1) throw Skip("steps other than 1: ebb::slice takes a stretch without gaps");
  return {with_any<1, 4>(v.inputs.at(0), [&](const auto& x) {
    auto y = x;
    for (std::size_t i = 0; i < begins.size(); ++i) {
      const int axis = axes.empty() ? static_cast<int>(i) : static_cast<int>(axes[i]);
      const std::int64_t extent = y.extent(axis);
      const auto limited = [&](std::int64_t at) {
        return std::clamp<std::int64_t>(at < 0 ? at + extent : at, 0, extent);
      };
      const std::int64_t begin = limited(begins[i]), end = limited(ends[i]);
      if (begin >= end) throw Skip("an empty result: ebb::slice refuses it");
      y = ebb::slice(y, axis, begin, end);
    }
    return result(y);
  })};
}

Results split(const Vector& v) {
  Results results;
  const int axis = static_cast<int>(v.integer("axis", 0));
  std::int64_t begin = 0;
  for (const Value& expected : v.outputs) {
    const std::size_t at = static_cast<std::size_t>(axis < 0 ? axis + expected.rank() : axis);
    const std::int64_t end = begin + expected.shape[at];
    if (begin == end) throw Skip("an empty result: ebb::slice refuses it");
    results.push_back(with_any<1, 4>(
        v.inputs.at(0), [&](const auto& x) { return result(ebb::slice(x, axis, begin, end)); }));
    begin = end;
  }
  return results;
}

Results pad(const Vector& v) {
  const std::string mode = v.text("mode", "constant");
  const Extents pads = integers(v.inputs.at(1));
  ebb::PadOptions options;
  options.mode = mode == "edge"      ? ebb::PadMode::replicate
                 : mode == "reflect" ? ebb::PadMode::reflect
                                     : ebb::PadMode::constant;
  if (v.given(2)) options.value = v.inputs[2].numbers.at(0);
  return {with_any<1, 4>(v.inputs.at(0), [&]<class T, int N>(const ebb::Tensor<T, N>& x) {
    ebb::Margins<N> margins;
    for (int k = 0; k < N; ++k)
      margins.axis[k] = {pads[static_cast<std::size_t>(k)], pads[static_cast<std::size_t>(k + N)]};
    return result(ebb::pad(x, margins, options));
  })};
}

Results tile(const Vector& v) {
  const Extents repeats = integers(v.inputs.at(1));
  return {with_any<1, 4>(v.inputs.at(0), [&](const auto& x) {
    auto y = x;
    for (std::size_t axis = 0; axis < repeats.size(); ++axis)
      y = ebb::concat(std::vector<decltype(y)>(static_cast<std::size_t>(repeats[axis]), y),
                      static_cast<int>(axis));
    return result(y);
  })};
}

/// Channels to blocks of pixels, by two reshapes around a permutation.
Results depth_to_space(const Vector& v) {
  const std::int64_t b = v.integer("blocksize", 1);
  const bool column_row = v.text("mode", "DCR") == "CRD";
  return {with_real(v.inputs.at(0), [&]<class T>(T) {
    const auto x = tensor<T, 4>(v.inputs[0]);
    const auto n = x.extent(0), c = x.extent(1) / (b * b), h = x.extent(2), w = x.extent(3);
    const auto y =
        column_row
            ? ebb::permute(ebb::reshape(x, ebb::Shape{n, c, b, b, h, w}), {0, 1, 4, 2, 5, 3})
            : ebb::permute(ebb::reshape(x, ebb::Shape{n, b, b, c, h, w}), {0, 3, 4, 1, 5, 2});
    return result(ebb::reshape(y, ebb::Shape{n, c, h * b, w * b}));
  })};
}

Results space_to_depth(const Vector& v) {
  const std::int64_t b = v.integer("blocksize", 1);
  return {with_real(v.inputs.at(0), [&]<class T>(T) {
    const auto x = tensor<T, 4>(v.inputs[0]);
    const auto n = x.extent(0), c = x.extent(1), h = x.extent(2) / b, w = x.extent(3) / b;
    const auto y = ebb::permute(ebb::reshape(x, ebb::Shape{n, c, h, b, w, b}), {0, 3, 5, 1, 2, 4});
    return result(ebb::reshape(y, ebb::Shape{n, c * b * b, h, w}));
  })};
}

}  // namespace

void add_shapes(Table& table) {
  table["Reshape"] = reshape;
  table["Flatten"] = flatten;
  table["Squeeze"] = table["Unsqueeze"] = table["Identity"] = reshape_as_expected;
  table["Concat"] = concat;
  table["Transpose"] = transpose;
  table["Slice"] = slice;
  table["Split"] = split;
  table["Pad"] = pad;
  table["Tile"] = tile;
  table["DepthToSpace"] = depth_to_space;
  table["SpaceToDepth"] = space_to_depth;
}

}  // namespace onnx_vectors
