// Convolutions, pools, resizing, normalisation.
#include "driver.hpp"

namespace difftest {
namespace {

template <class T>
void convolution_of(const Case& asked, Result& result) {
  const auto x = asked.tensor<T, 4>(0), w = asked.tensor<T, 4>(1);
  const auto b = asked.tensor<T, 1>(2);
  if (asked.text("f") == "conv2d") {
    Conv2dOptions options{.stride = asked.size("stride", 1),
                          .padding = asked.size("padding", 0),
                          .dilation = asked.size("dilation", 1),
                          .groups = asked.whole("groups", 1)};
    if (asked.whole("relu")) options.activation = relu;
    differentiate<T>(
        asked, result,
        [&](const auto& image, const auto& weight, const auto& bias) {
          return conv2d(image, weight, bias, options);
        },
        x, w, b);
  } else {
    const ConvTranspose2dOptions options{.stride = asked.size("stride", 1),
                                         .padding = asked.size("padding", 0),
                                         .output_padding = asked.size("more", 0),
                                         .groups = asked.whole("groups", 1),
                                         .dilation = asked.size("dilation", 1)};
    differentiate<T>(
        asked, result,
        [&](const auto& image, const auto& weight, const auto& bias) {
          return conv_transpose2d(image, weight, bias, options);
        },
        x, w, b);
  }
}

template <class T>
void pooling_of(const Case& asked, Result& result) {
  const auto x = asked.tensor<T, 4>(0);
  const std::string f = asked.text("f");
  const auto run = [&](auto op) { differentiate<T>(asked, result, op, x); };
  if (f == "max") {
    const MaxPool2dOptions options{.kernel = asked.size("kernel", 2),
                                   .stride = asked.size("stride", 0),
                                   .padding = asked.size("padding", 0),
                                   .dilation = asked.size("dilation", 1),
                                   .ceil_mode = asked.whole("ceil") != 0};
    return run([=](const auto& v) { return max_pool2d(v, options); });
  }
  if (f == "avg") {
    const AvgPool2dOptions options{.kernel = asked.size("kernel", 2),
                                   .stride = asked.size("stride", 0),
                                   .padding = asked.size("padding", 0),
                                   .ceil_mode = asked.whole("ceil") != 0,
                                   .count_include_pad = asked.whole("inside") == 0};
    return run([=](const auto& v) { return avg_pool2d(v, options); });
  }
  if (f == "adaptive")
    return run([&](const auto& v) { return adaptive_avg_pool2d(v, asked.size("size", 1)); });
  unknown(asked);
}

template <class T>
void resizing_of(const Case& asked, Result& result) {
  const auto x = asked.tensor<T, 4>(0);
  const Size2 size = asked.size("size", 1);
  const bool align = asked.whole("align") != 0;
  if (asked.text("f") == "nearest")
    differentiate<T>(
        asked, result, [&](const auto& v) { return upsample_nearest2d(v, size); }, x);
  else
    differentiate<T>(
        asked, result, [&](const auto& v) { return upsample_bilinear2d(v, size, align); }, x);
}

template <class T>
void normalisation_of(const Case& asked, Result& result) {
  const auto x = asked.tensor<T, 4>(0);
  const auto w = asked.tensor<T, 1>(1), b = asked.tensor<T, 1>(2);
  const std::string f = asked.text("f");
  const auto run = [&](auto op) { differentiate<T>(asked, result, op, x, w, b); };
  if (f == "batch") {
    const auto mean = asked.tensor<T, 1>(3), variance = asked.tensor<T, 1>(4);
    const BatchNormOptions options{.training = asked.whole("training") != 0,
                                   .momentum = asked.number("momentum", 0.1)};
    run([&](const auto& v, const auto&... p) {
      return batch_norm(v, mean, variance, p..., options);
    });
    result.add(mean);
    return result.add(variance);
  }
  if (f == "group") {
    const int groups = asked.whole("groups", 1);
    return run([&](const auto& v, const auto&... p) { return group_norm(v, groups, p...); });
  }
  if (f == "layer") return run([](const auto& v, const auto&... p) { return layer_norm(v, p...); });
  unknown(asked);
}

}  // namespace

void convolution(const Case& asked, Result& result) {
  with_scalar(asked, [&]<class T>(T) { convolution_of<T>(asked, result); });
}
void pooling(const Case& asked, Result& result) {
  with_scalar(asked, [&]<class T>(T) { pooling_of<T>(asked, result); });
}
void resizing(const Case& asked, Result& result) {
  with_scalar(asked, [&]<class T>(T) { resizing_of<T>(asked, result); });
}
void normalisation(const Case& asked, Result& result) {
  with_scalar(asked, [&]<class T>(T) { normalisation_of<T>(asked, result); });
}

}  // namespace difftest
