/// \file
/// What a loader loads from: sources of samples, and transforms of samples.
///
/// A source is any type that has
///
///     Index size() const;                             // how many samples there are
///     Sample get(Index i) const;                      // sample number i, or
///     Sample get(Index i, RandomStream random) const; // with a random stream of its own
///
/// where a sample is a struct of tensors and numbers (or a tuple of them, or one alone). Several
/// threads call `get` at a time. A batch has an axis more: a `Tensor<float, 3>` becomes a
/// `Tensor<float, 4>`, an `int` a `Tensor<int, 1>`. It is a tuple, or the struct that the source
/// names: `using Batch = ...`. A source that makes a whole batch at once, because that is quicker,
/// has `batch(std::span<const Index> samples) const` beside `get` or in its place; where it draws,
/// `batch(samples, std::span<const RandomStream> randoms)`.
#pragma once

#include <ebb/data/augment/random.hpp>
#include <ebb/data/load/fields.hpp>

#include <concepts>
#include <functional>
#include <span>
#include <utility>

namespace ebb::inline EBB_ABI::data {

namespace detail {

template <class S>
concept HasSize = requires(const S& source) {
  { source.size() } -> std::convertible_to<Index>;
};
template <class S>
concept RandomGet = requires(const S& source) {
  source.get(Index{}, RandomStream{});
};
template <class S>
concept PlainGet = requires(const S& source) {
  source.get(Index{});
};
template <class S>
concept RandomBatch = requires(const S& source, std::span<const Index> samples,
                               std::span<const RandomStream> randoms) {
  source.batch(samples, randoms);
};
template <class S>
concept PlainBatch = requires(const S& source, std::span<const Index> samples) {
  source.batch(samples);
};
template <class S>
concept HasGet = RandomGet<S> || PlainGet<S>;
template <class S>
concept HasBatch = RandomBatch<S> || PlainBatch<S>;

template <class S>
auto get(const S& source, Index i, RandomStream random) {
  if constexpr (RandomGet<S>)
    return source.get(i, random);
  else
    return source.get(i);
}

/// What samples of a source are; where it only makes batches, nothing.
template <class S>
struct SampleOf {
  struct type {};
};
template <HasGet S>
struct SampleOf<S> {
  using type = decltype(get(std::declval<const S&>(), Index{}, RandomStream{}));
};

/// What a batch of samples is where nobody says otherwise.
struct NoBatch {};
template <class Sample>
auto tuple_batch() {
  using Parts = fields_of<const Sample>;
  if constexpr (all_fields<Parts>)
    return std::type_identity<typename BatchedParts<Parts>::type>();
  else
    return std::type_identity<NoBatch>();
}

}  // namespace detail

/// What a loader can load from; the head of source.hpp says what it has.
template <class S>
concept Source = detail::HasSize<S> &&(detail::HasGet<S> || detail::HasBatch<S>);

/// What a source gives for one sample.
template <detail::HasGet S>
using sample_of = decltype(detail::get(std::declval<const S&>(), Index{}, RandomStream{}));

/// A transform of samples, its type forgotten. It is anything callable as `f(sample)` or `f(sample,
/// random)`, which gives a sample; or as `f(part)` or `f(part, random)`, which gives what the first
/// part of a sample, an image for instance, becomes, while the others stay. `random` is a stream of
/// its own for each sample and epoch. Empty, it does nothing.
template <class Sample>
class SampleTransform {
  using First = std::remove_cvref_t<std::tuple_element_t<0, detail::fields_of<Sample>>>;
  template <class F>
  static constexpr bool whole = std::is_invocable_r_v<Sample, const F&, const Sample&>;
  template <class F>
  static constexpr bool whole_random =
      std::is_invocable_r_v<Sample, const F&, const Sample&, RandomStream>;
  template <class F>
  static constexpr bool first = std::is_invocable_r_v<First, const F&, const First&>;
  template <class F>
  static constexpr bool first_random =
      std::is_invocable_r_v<First, const F&, const First&, RandomStream>;

 public:
  SampleTransform() = default;
  template <class F>
  requires(!std::same_as<std::remove_cvref_t<F>, SampleTransform> &&
           (whole_random<std::remove_cvref_t<F>> || whole<std::remove_cvref_t<F>> ||
            first_random<std::remove_cvref_t<F>> || first<std::remove_cvref_t<F>>))
      SampleTransform(F&& f)
      : apply_([f = std::forward<F>(f)]([[maybe_unused]] Sample x,
                                        [[maybe_unused]] RandomStream random) -> Sample {
          using Plain = std::remove_cvref_t<F>;
          if constexpr (whole_random<Plain>) {
            return f(std::as_const(x), random);
          } else if constexpr (whole<Plain>) {
            return f(std::as_const(x));
          } else {
            auto& part = std::get<0>(detail::fields(x));
            if constexpr (first_random<Plain>)
              part = f(std::as_const(part), random);
            else
              part = f(std::as_const(part));
            return x;
          }
        }) {}

  explicit operator bool() const { return static_cast<bool>(apply_); }
  Sample operator()(Sample x, RandomStream random) const {
    return apply_ ? apply_(std::move(x), random) : x;
  }

 private:
  std::function<Sample(Sample, RandomStream)> apply_;
};

/// The transform of a source that makes whole batches: there is no sample to transform.
struct NoTransform {
  explicit operator bool() const { return false; }
};

namespace detail {

/// The type of a source's transforms: its own `Transform`, which changes the first part of a
/// sample, or any of samples.
template <class S>
auto transform_type() {
  if constexpr (!HasGet<S>) {
    return NoTransform();
  } else if constexpr (requires { typename S::Transform; }) {
    return typename S::Transform();
  } else if constexpr (std::same_as<decltype(tuple_batch<sample_of<S>>()),
                                    std::type_identity<NoBatch>>) {
    return NoTransform();
  } else {
    return SampleTransform<sample_of<S>>();
  }
}
template <class S>
using transform_of = decltype(transform_type<S>());

/// What a loader of this source hands out.
template <class S>
auto batch_type() {
  if constexpr (RandomBatch<S>) {
    return std::type_identity<decltype(std::declval<const S&>().batch(
        std::span<const Index>(), std::span<const RandomStream>()))>();
  } else if constexpr (PlainBatch<S>) {
    return std::type_identity<decltype(std::declval<const S&>().batch(std::span<const Index>()))>();
  } else if constexpr (!HasGet<S>) {
    return std::type_identity<NoBatch>();
  } else if constexpr (requires { typename S::Batch; }) {
    return std::type_identity<typename S::Batch>();
  } else {
    return tuple_batch<sample_of<S>>();
  }
}
template <class S>
using batch_of = typename decltype(batch_type<S>())::type;

/// The source's samples fill its batches, part by part.
template <class Sample, class Batch>
constexpr bool fills() {
  using Parts = fields_of<const Sample>;
  if constexpr (!all_fields<Parts>)
    return false;
  else
    return []<class... Part>(std::type_identity<std::tuple<Part&...>>) {
      return std::is_same_v<std::tuple<std::remove_const_t<Part>...>,
                            typename BatchedParts<Parts>::type>;
    }(std::type_identity<fields_of<Batch>>());
}

/// Whether batches can be made of a source's samples one by one.
template <class S>
constexpr bool collates() {
  if constexpr (!HasGet<S>)
    return false;
  else if constexpr (!all_fields<fields_of<const sample_of<S>>>)
    return false;
  else
    return fills<sample_of<S>, batch_of<S>>();
}

/// Refuses what is no source with a sentence that says what is missing.
template <class S>
constexpr bool expect_source() {
  static_assert(HasSize<S>,
                "ebb::data::Loader: this source does not say how many samples it has; give it a "
                "member `Index size() const`");
  static_assert(
      HasGet<S> || HasBatch<S>,
      "ebb::data::Loader: this source gives no samples; give it a const member `get(Index "
      "i)`, or `get(Index i, RandomStream random)`, that returns a struct or tuple of "
      "tensors and numbers");
  if constexpr (HasGet<S>) {
    static_assert(
        all_fields<fields_of<const sample_of<S>>>,
        "ebb::data::Loader: a part of what get() gives is neither a tensor in host memory "
        "nor a number, so no batch can be made of it");
    if constexpr (all_fields<fields_of<const sample_of<S>>>)
      static_assert(collates<S>(),
                    "ebb::data::Loader: the source's Batch does not fit its samples; for each part "
                    "of a sample it needs a tensor of the same elements with one axis more");
  }
  return true;
}

}  // namespace detail

}  // namespace ebb::data
