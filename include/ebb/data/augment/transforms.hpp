/// \file
/// Functions from image to image: the fixed ones, and how transforms are composed. An image is a
/// `Tensor<float, 3>` of shape (channels, height, width) in host memory.
///
/// A transform is anything callable as `f(image)`, or as `f(image, random)` where `random` is a
/// RandomStream of its own for each sample and epoch. It is const, returns a new image (or the one
/// it was given) and changes none, so that any thread may apply it to any sample in any order.
#pragma once

#include <ebb/core/random.hpp>
#include <ebb/core/size2.hpp>
#include <ebb/data/augment/image.hpp>
#include <ebb/data/augment/random.hpp>

#include <functional>
#include <tuple>
#include <vector>

namespace ebb::inline EBB_ABI::data {

template <class F>
concept FixedTransform = std::is_invocable_r_v<Image, const F&, const Image&>;
template <class F>
concept RandomTransform = std::is_invocable_r_v<Image, const F&, const Image&, RandomStream>;

/// Applies a transform of either kind.
template <class F>
requires(FixedTransform<F> || RandomTransform<F>) Image
    apply(const F& transform, const Image& x, RandomStream random) {
  if constexpr (RandomTransform<F>)
    return transform(x, random);
  else
    return transform(x);
}

/// Several transforms one after the other, each with a random stream of its own:
/// `Compose(RandomCrop{.size = 28, .padding = 2}, Normalize(0.1307f, 0.3081f))`.
template <class... F>
class Compose {
 public:
  explicit Compose(F... transforms) : transforms_(std::move(transforms)...) {}

  Image operator()(Image x, RandomStream random) const {
    std::uint64_t position = 0;
    std::apply([&](const F&... f) { ((x = apply(f, x, derive(random, position++))), ...); },
               transforms_);
    return x;
  }

 private:
  std::tuple<F...> transforms_;
};

namespace detail {

/// A transform of either kind as one function.
template <class F>
struct Applied {
  F transform;
  Image operator()(const Image& x, RandomStream random) const {
    return apply(transform, x, random);
  }
};

}  // namespace detail

/// Any transform, its type forgotten: what a Loader keeps. Empty, it does nothing.
class Transform {
 public:
  Transform() = default;
  template <class F>
  requires(!std::same_as<std::remove_cvref_t<F>, Transform> &&
           (FixedTransform<std::remove_cvref_t<F>> || RandomTransform<std::remove_cvref_t<F>>))
      Transform(F&& f)
      : apply_(detail::Applied<std::remove_cvref_t<F>>{std::forward<F>(f)}) {}

  explicit operator bool() const { return static_cast<bool>(apply_); }
  Image operator()(const Image& x, RandomStream random) const {
    return apply_ ? apply_(x, random) : x;
  }
  /// The transform itself where it is an F, else none.
  template <class F>
  const F* as() const {
    const auto* const applied = apply_.target<detail::Applied<F>>();
    return applied ? &applied->transform : nullptr;
  }

 private:
  std::function<Image(const Image&, RandomStream)> apply_;
};

/// Bytes from 0 to 255 become floats from 0 to 1; floats stay as they are. A Loader does this
/// itself before the first transform, so that in a `Compose` it changes nothing.
struct ToTensor {
  template <class T, int N>
  Tensor<float, N> operator()(const Tensor<T, N>& x) const {
    if constexpr (std::is_same_v<T, float>) {
      return x;
    } else {
      Tensor<float, N> y(x.shape());
      const T* from = x.data();
      float* to = y.mutable_data();
      for (Index i = 0; i < x.size(); ++i) to[i] = detail::to_float(from[i]);
      return y;
    }
  }
};
inline constexpr ToTensor to_tensor;

/// y = (x - mean) / std, channel by channel.
class Normalize {
 public:
  /// The same for every channel. \throws ValueError when std is not positive.
  Normalize(float mean, float std) : Normalize(std::vector{mean}, std::vector{std}) {}
  /// One mean and one standard deviation per channel.
  Normalize(std::vector<float> mean, std::vector<float> std)
      : mean_(std::move(mean)), std_(std::move(std)) {
    if (mean_.size() != std_.size() || mean_.empty())
      throw ValueError(message("Normalize: ", mean_.size(), " means came with ", std_.size(),
                               " standard deviations; give one of each per channel"));
    for (const float s : std_)
      if (!(s > 0))
        throw ValueError(message("Normalize: a standard deviation is ", s,
                                 "; it divides the pixels, so it must be above 0"));
  }

  /// \throws ShapeError when the image has another number of channels.
  Image operator()(const Image& x) const {
    const Index channels = x.extent(0), pixels = x.extent(1) * x.extent(2);
    if (mean_.size() != 1 && static_cast<Index>(mean_.size()) != channels)
      throw ShapeError(message("Normalize: ", mean_.size(), " means were given for an image of ",
                               channels, " channels, of shape ", x.shape()));
    Image y(x.shape());
    for (Index c = 0; c < channels; ++c) {
      const auto at = mean_.size() == 1 ? 0 : static_cast<std::size_t>(c);
      const float mean = mean_[at], std = std_[at];
      const float* from = x.data() + c * pixels;
      float* to = y.mutable_data() + c * pixels;
      for (Index i = 0; i < pixels; ++i) to[i] = (from[i] - mean) / std;
    }
    return y;
  }

  /// One for each channel, or one for all.
  const std::vector<float>& mean() const { return mean_; }
  const std::vector<float>& std() const { return std_; }

 private:
  std::vector<float> mean_, std_;
};

/// Pixels from `left`, `top` on, of the given size; where the window leaves the image, `fill`.
inline Image window(const Image& x, Index top, Index left, Size2 size, float fill = 0) {
  if (size.height < 0 || size.width < 0)
    throw ValueError(message("window: the size ", size, " is negative"));
  Image y({x.extent(0), size.height, size.width});
  const auto from = x.view();
  float* to = y.mutable_data();
  for (Index c = 0; c < x.extent(0); ++c)
    for (Index i = top; i < top + size.height; ++i)
      for (Index j = left; j < left + size.width; ++j)
        *to++ = i >= 0 && i < x.extent(1) && j >= 0 && j < x.extent(2) ? from(c, i, j) : fill;
  return y;
}

/// A border of `padding` (height: above and below, width: left and right) of value `fill`.
struct Pad {
  Size2 padding;
  float fill = 0;

  Image operator()(const Image& x) const {
    return window(x, -padding.height, -padding.width,
                  {x.extent(1) + 2 * padding.height, x.extent(2) + 2 * padding.width}, fill);
  }
};

/// The middle of an image; what is larger than the image is filled with `fill`.
struct CenterCrop {
  Size2 size;
  float fill = 0;

  Image operator()(const Image& x) const {
    const auto half = [](Index d) { return d >= 0 ? d / 2 : -((1 - d) / 2); };  // rounds down
    return window(x, half(x.extent(1) - size.height), half(x.extent(2) - size.width), size, fill);
  }
};

/// Mirrors left and right.
inline Image horizontal_flip(const Image& x) {
  Image y(x.shape());
  const Index rows = x.extent(0) * x.extent(1), width = x.extent(2);
  for (Index i = 0; i < rows; ++i)
    for (Index j = 0; j < width; ++j)
      y.mutable_data()[i * width + j] = x.data()[i * width + width - 1 - j];
  return y;
}

/// Mirrors top and bottom.
inline Image vertical_flip(const Image& x) {
  Image y(x.shape());
  const Index height = x.extent(1), width = x.extent(2);
  for (Index c = 0; c < x.extent(0); ++c)
    for (Index i = 0; i < height; ++i)
      Cpu::copy(y.mutable_data() + (c * height + i) * width,
                x.data() + (c * height + height - 1 - i) * width,
                static_cast<std::size_t>(width) * sizeof(float));
  return y;
}

}  // namespace ebb::data
