// Convolutions, pooling and resizing. ONNX allows one padding above and another below an image;
// where they differ, the image is padded first. One-dimensional vectors run as images one row high.

#include "runner.hpp"

#include <ebb/ops/ops.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace onnx_vectors {
namespace {

using Extents = std::vector<std::int64_t>;

/// Windows of a convolution or pooling over height and width.
struct Window {
  std::array<std::int64_t, 2> kernel{}, stride{1, 1}, dilation{1, 1}, before{}, after{};

  ebb::Size2 size(const std::array<std::int64_t, 2>& pair) const { return {pair[0], pair[1]}; }
  bool even() const { return before == after; }
  bool padded() const { return before[0] + before[1] + after[0] + after[1] > 0; }
};

/// An image of rank 3 (one-dimensional) or 4 as (n, c, h, w). \throws Skip for volumes.
Value image(const Value& v) {
  if (v.rank() == 3) return reshaped(v, {v.shape[0], v.shape[1], 1, v.shape[2]});
  if (v.rank() == 4) return v;
  throw Skip("images of " + std::to_string(v.rank() - 2) + " dimensions: ebb has two");
}

/// The attributes of `v` for an input and a kernel of these sizes.
Window window_of(const Vector& v, const Value& x, Extents kernel) {
  const bool line = kernel.size() == 1;
  const auto pair = [&](const std::string& key, Extents otherwise) {
    Extents e = v.integers(key, std::move(otherwise));
    if (line) e.insert(e.begin(), 1);
    return std::array<std::int64_t, 2>{e.at(0), e.at(1)};
  };
  Window w;
  w.stride = pair("strides", line ? Extents{1} : Extents{1, 1});
  w.dilation = pair("dilations", line ? Extents{1} : Extents{1, 1});
  if (line) kernel.insert(kernel.begin(), 1);
  w.kernel = {kernel.at(0), kernel.at(1)};
  const std::string automatic = v.text("auto_pad", "NOTSET");
  if (automatic == "SAME_UPPER" || automatic == "SAME_LOWER") {
    for (std::size_t k = 0; k < 2; ++k) {
      const std::int64_t in = x.shape[k + 2], out = (in + w.stride[k] - 1) / w.stride[k];
      const std::int64_t total = std::max<std::int64_t>(
          0, (out - 1) * w.stride[k] + (w.kernel[k] - 1) * w.dilation[k] + 1 - in);
      w.before[k] = automatic == "SAME_UPPER" ? total / 2 : total - total / 2;
      w.after[k] = total - w.before[k];
    }
  } else if (v.has("pads")) {
    const Extents pads = v.integers("pads");
    if (line) {
      w.before[1] = pads.at(0);
      w.after[1] = pads.at(1);
    } else {
      w.before = {pads.at(0), pads.at(1)};
      w.after = {pads.at(2), pads.at(3)};
    }
  }
  return w;
}

template <class T>
ebb::Tensor<T, 4> padded(const ebb::Tensor<T, 4>& x, const Window& w, double value) {
  ebb::Margins<4> margins;
  for (std::size_t k = 0; k < 2; ++k) margins.axis[k + 2] = {w.before[k], w.after[k]};
  ebb::PadOptions options;
  options.value = value;
  return ebb::pad(x, margins, options);
}

Extents spatial(const Value& v) { return {v.shape.begin() + 2, v.shape.end()}; }

Results conv(const Vector& v) {
  const Value x = image(v.inputs.at(0)), weight = image(v.inputs.at(1));
  const Window w = window_of(v, x, spatial(v.inputs[1]));
  return {with_real(x, [&]<class T>(T) {
    ebb::Conv2dOptions options;
    options.stride = w.size(w.stride);
    options.dilation = w.size(w.dilation);
    options.groups = v.integer("group", 1);
    auto input = tensor<T, 4>(x);
    if (w.even())
      options.padding = ebb::Padding2(w.before[0], w.before[1]);
    else
      input = padded(input, w, 0);
    const auto kernel = tensor<T, 4>(weight);
    const auto y = v.given(2) ? ebb::conv2d(input, kernel, tensor<T, 1>(v.inputs[2]), options)
                              : ebb::conv2d(input, kernel, options);
    return reshaped(result(y), v.outputs.at(0).shape);
  })};
}

/// The whole transposed convolution, then the stretch that padding leaves: ONNX's pads may differ
/// above and below, and may follow from the output shape that is asked for.
Results conv_transpose(const Vector& v) {
  const Value x = image(v.inputs.at(0)), weight = image(v.inputs.at(1));
  Vector unpadded = v;
  unpadded.attributes.erase("auto_pad");
  Window w = window_of(unpadded, x, spatial(v.inputs[1]));
  const bool line = v.inputs[0].rank() == 3;
  const auto pair = [&](const std::string& key) {
    Extents e = v.integers(key, line ? Extents{0} : Extents{0, 0});
    if (line) e.insert(e.begin(), 0);
    return std::array<std::int64_t, 2>{e.at(0), e.at(1)};
  };
  const auto extra = pair("output_padding");
  const std::string automatic = v.text("auto_pad", "NOTSET");
  if (v.has("output_shape") || automatic != "NOTSET") {
    const auto wanted = pair("output_shape");
    for (std::size_t k = 0; k < 2; ++k) {
      const std::int64_t in = x.shape[k + 2];
      const std::int64_t out = v.has("output_shape") ? wanted[k] : in * w.stride[k];
      const std::int64_t total =
          w.stride[k] * (in - 1) + extra[k] + (w.kernel[k] - 1) * w.dilation[k] + 1 - out;
      // What is too much is split with the larger half above, for SAME_UPPER below; what is
      // missing is added below.
      const std::int64_t half = total / 2;
      w.before[k] = total < 0 ? 0 : automatic == "SAME_UPPER" ? half : total - half;
      w.after[k] = total - w.before[k];
    }
  }
  return {with_real(x, [&]<class T>(T) {
    ebb::ConvTranspose2dOptions options;
    options.stride = w.size(w.stride);
    options.dilation = w.size(w.dilation);
    options.groups = v.integer("group", 1);
    if (w.even()) {
      options.padding = ebb::Size2(w.before[0], w.before[1]);
      options.output_padding = ebb::Size2(extra[0], extra[1]);
      const auto y = v.given(2)
                         ? ebb::conv_transpose2d(tensor<T, 4>(x), tensor<T, 4>(weight),
                                                 tensor<T, 1>(v.inputs[2]), options)
                         : ebb::conv_transpose2d(tensor<T, 4>(x), tensor<T, 4>(weight), options);
      return reshaped(result(y), v.outputs.at(0).shape);
    }
    auto y = ebb::conv_transpose2d(tensor<T, 4>(x), tensor<T, 4>(weight), options);
    // Rows and columns beyond the last window are output padding: zero, as no bias is given.
    ebb::Margins<4> margins;
    for (std::size_t k = 0; k < 2; ++k)
      margins.axis[k + 2] = {0, std::max<std::int64_t>(0, extra[k] - w.after[k])};
    y = ebb::pad(y, margins);
    for (int k = 0; k < 2; ++k) {
      const auto at = static_cast<std::size_t>(k);
      const std::int64_t begin = w.before[at];
      const std::int64_t cut = std::max<std::int64_t>(0, w.after[at] - extra[at]);
      y = ebb::slice(y, k + 2, begin, y.extent(k + 2) - cut);
    }
    return reshaped(result(y), v.outputs.at(0).shape);
  })};
}

Results max_pool(const Vector& v) {
  if (v.integer("storage_order", 0) != 0) throw Skip("column-major indices: ebb returns none");
  const Value x = image(v.inputs.at(0));
  const Window w = window_of(v, x, v.integers("kernel_shape"));
  return {with_real(x, [&]<class T>(T) {
    ebb::MaxPool2dOptions options;
    options.kernel = w.size(w.kernel);
    options.stride = w.size(w.stride);
    options.dilation = w.size(w.dilation);
    options.ceil_mode = v.integer("ceil_mode", 0) != 0;
    auto input = tensor<T, 4>(x);
    if (w.even() && 2 * w.before[0] <= w.kernel[0] && 2 * w.before[1] <= w.kernel[1])
      options.padding = ebb::Size2(w.before[0], w.before[1]);
    else
      input = padded(input, w, -std::numeric_limits<double>::infinity());
    return reshaped(result(ebb::max_pool2d(input, options)), v.outputs.at(0).shape);
  })};
}

Results average_pool(const Vector& v) {
  const Value x = image(v.inputs.at(0));
  const Window w = window_of(v, x, v.integers("kernel_shape"));
  const bool count_padding = v.integer("count_include_pad", 0) != 0;
  return {with_real(x, [&]<class T>(T) {
    ebb::AvgPool2dOptions options;
    options.kernel = w.size(w.kernel);
    options.stride = w.size(w.stride);
    options.ceil_mode = v.integer("ceil_mode", 0) != 0;
    options.count_include_pad = count_padding;
    const auto input = tensor<T, 4>(x);
    if (w.even() && 2 * w.before[0] <= w.kernel[0] && 2 * w.before[1] <= w.kernel[1]) {
      options.padding = ebb::Size2(w.before[0], w.before[1]);
      return reshaped(result(ebb::avg_pool2d(input, options)), v.outputs.at(0).shape);
    }
    const auto y = ebb::avg_pool2d(padded(input, w, 0), options);
    if (count_padding) return reshaped(result(y), v.outputs.at(0).shape);
    // The share of each window that lies on the image undoes what its padding took away.
    const auto ones = ebb::Tensor<T, 4>::ones(input.shape());
    return reshaped(result(y / ebb::avg_pool2d(padded(ones, w, 0), options)),
                    v.outputs.at(0).shape);
  })};
}

Results global_average_pool(const Vector& v) {
  return {with_real(v.inputs.at(0), [&]<class T>(T) {
    return result(ebb::global_avg_pool2d(tensor<T, 4>(image(v.inputs[0]))));
  })};
}

Results global_max_pool(const Vector& v) {
  return {with_real(v.inputs.at(0), [&]<class T>(T) {
    return result(ebb::max(tensor<T, 4>(image(v.inputs[0])), ebb::Axes{2, 3}, ebb::keep_axis));
  })};
}

/// Where ONNX reads output position `i` of an axis.
double source_position(const std::string& mode, double i, double scale, double in, double out) {
  if (mode == "half_pixel") return (i + 0.5) / scale - 0.5;
  if (mode == "pytorch_half_pixel") return out > 1 ? (i + 0.5) / scale - 0.5 : 0;
  if (mode == "align_corners") return out > 1 ? i * (in - 1) / (out - 1) : 0;
  if (mode == "asymmetric") return i / scale;
  throw Skip("coordinates '" + mode + "': PyTorch, whose convention ebb has, offers none such");
}

double nearest(const std::string& mode, double x) {
  if (mode == "floor") return std::floor(x);
  if (mode == "ceil") return std::ceil(x);
  if (mode == "round_prefer_ceil") return std::floor(x + 0.5);
  return std::ceil(x - 0.5);
}

/// Runs a resize, to a size or by a factor, where ebb reads the same positions as ONNX.
Results resized(const Vector& v, const std::string& mode, const std::string& coordinates,
                const std::string& rounding) {
  const Value& x = v.inputs.at(0);
  const Value& expected = v.outputs.at(0);
  std::vector<double> scales;
  for (const Value& input : v.inputs)
    if (&input != &x && input.kind == Kind::real32 && input.numbers.size() == 4)
      scales = input.numbers;
  if (mode == "cubic") throw Skip("cubic interpolation: ebb has nearest and bilinear");
  if (x.rank() != 4) throw Skip("rank " + std::to_string(x.rank()));
  const bool corners = coordinates == "align_corners";
  for (std::size_t k = 2; k < 4; ++k) {
    const auto in = static_cast<double>(x.shape[k]), out = static_cast<double>(expected.shape[k]);
    const double scale = scales.empty() ? out / in : scales[k];
    for (double i = 0; i < out; ++i) {
      const double at =
          source_position(coordinates, i, scale, in, scales.empty() ? out : in * scale);
      const double step = corners ? (out > 1 ? (in - 1) / (out - 1) : 0) : 1 / scale;
      const double ours = mode == "nearest" ? std::floor(i / scale)
                          : corners         ? i * step
                                            : (i + 0.5) * step - 0.5;
      if (mode == "nearest" && std::clamp(nearest(rounding, at), 0.0, in - 1) != ours)
        throw Skip("nearest pixel by '" + coordinates + "', '" + rounding +
                   "': another than floor(i / scale), PyTorch's and ebb's");
      if (mode == "linear" && std::abs(at - ours) > 1e-6)
        throw Skip("positions by '" + coordinates +
                   "': PyTorch, whose conventions ebb has, reads "
                   "others here");
    }
  }
  return {with_real(x, [&]<class T>(T) {
    const auto input = tensor<T, 4>(x);
    const auto run = [&](auto target) {
      return result(mode == "linear" ? ebb::upsample_bilinear2d(input, target, corners)
                                     : ebb::upsample_nearest2d(input, target));
    };
    if (scales.empty()) return run(ebb::Size2(expected.shape[2], expected.shape[3]));
    return run(ebb::Scale2{scales[2], scales[3]});
  })};
}

Results resize(const Vector& v) {
  return resized(v, v.text("mode", "nearest"),
                 v.text("coordinate_transformation_mode", "half_pixel"),
                 v.text("nearest_mode", "round_prefer_floor"));
}

Results upsample(const Vector& v) {
  return resized(v, v.text("mode", "nearest"), "asymmetric", "floor");
}

}  // namespace

void add_images(Table& table) {
  table["Conv"] = conv;
  table["ConvTranspose"] = conv_transpose;
  table["MaxPool"] = max_pool;
  table["AveragePool"] = average_pool;
  table["GlobalAveragePool"] = global_average_pool;
  table["GlobalMaxPool"] = global_max_pool;
  table["Resize"] = resize;
  table["Upsample"] = upsample;
}

}  // namespace onnx_vectors
