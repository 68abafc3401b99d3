/// \file
/// The parts of a sample or a batch: the members of a struct, the elements of a tuple, or a tensor
/// or number alone.
#pragma once

#include <ebb/tensor/tensor.hpp>

#include <cstddef>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

namespace ebb::inline EBB_ABI::data::detail {

/// Becomes whatever a struct's member is initialised with; only to count members.
struct AnyMember {
  template <class T>
  operator T() const;
};

/// How many members the struct S has: it can be made of so many values, and of no more.
template <class S, class... Members>
constexpr std::size_t member_count() {
  if constexpr (requires { S{std::declval<Members>()..., std::declval<AnyMember>()}; })
    return member_count<S, Members..., AnyMember>();
  else
    return sizeof...(Members);
}

template <class T>
inline constexpr bool is_host_tensor = false;
template <class T, int N>
inline constexpr bool is_host_tensor<Tensor<T, N, Cpu>> = true;

template <class T>
concept Tuple = requires {
  std::tuple_size<T>::value;
};
/// What a batch is made of.
template <class T>
concept Field = is_host_tensor<T> || std::is_arithmetic_v<T>;

/// References to the parts of x, as a tuple.
template <class S>
auto fields(S& x) {
  using Plain = std::remove_const_t<S>;
  if constexpr (requires { requires Plain::rank >= 0; } || Field<Plain>) {
    return std::tie(x);  // a tensor of any device
  } else if constexpr (Tuple<Plain>) {
    return std::apply([](auto&... part) { return std::tie(part...); }, x);
  } else {
    static_assert(std::is_aggregate_v<Plain>,
                  "ebb::data: a sample is a struct of nothing but tensors and numbers, a tuple of "
                  "them, or one alone; this type hides what it is made of");
    constexpr std::size_t count = member_count<Plain>();
    static_assert(count >= 1 && count <= 6,
                  "ebb::data: a sample or a batch has one to six members; put more in a tuple");
    if constexpr (count == 1) {
      auto& [a] = x;
      return std::tie(a);
    } else if constexpr (count == 2) {
      auto& [a, b] = x;
      return std::tie(a, b);
    } else if constexpr (count == 3) {
      auto& [a, b, c] = x;
      return std::tie(a, b, c);
    } else if constexpr (count == 4) {
      auto& [a, b, c, d] = x;
      return std::tie(a, b, c, d);
    } else if constexpr (count == 5) {
      auto& [a, b, c, d, e] = x;
      return std::tie(a, b, c, d, e);
    } else {
      auto& [a, b, c, d, e, f] = x;
      return std::tie(a, b, c, d, e, f);
    }
  }
}
template <class S>
using fields_of = decltype(fields(std::declval<S&>()));

/// Whether the parts of a sample are all tensors of the host or numbers.
template <class Parts>
inline constexpr bool all_fields = false;
template <class... Part>
inline constexpr bool all_fields<std::tuple<Part&...>> = (Field<std::remove_const_t<Part>> && ...);

/// A part of a sample, and what it becomes in a batch: one axis more.
template <class Part>
struct FieldOf {
  using Batched = Tensor<Part, 1>;
  static Shape<1> shape(const Part&, Index count) { return {count}; }
  static void put(const Part& part, const Batched& batch, Index at) {
    batch.mutable_data()[at] = part;
  }
};
template <class T, int N>
struct FieldOf<Tensor<T, N>> {
  using Batched = Tensor<T, N + 1>;
  static Shape<N + 1> shape(const Tensor<T, N>& part, Index count) {
    Shape<N + 1> all{count};
    for (int axis = 0; axis < N; ++axis) all[axis + 1] = part.shape()[axis];
    return all;
  }
  static void put(const Tensor<T, N>& part, const Batched& batch, Index at) {
    Cpu::copy(batch.mutable_data() + at * part.size(), part.data(), part.bytes());
  }
};

template <class Parts>
struct BatchedParts;
template <class... Part>
struct BatchedParts<std::tuple<Part&...>> {
  using type = std::tuple<typename FieldOf<std::remove_const_t<Part>>::Batched...>;
};

/// Copies the parts of `sample` to place `at` of `batch`. Where one is of another size than there
/// is room for, says which, and both shapes.
template <class Sample, class Batch>
std::string put_sample(const Sample& sample, const Batch& batch, Index at) {
  const auto parts = fields(sample);
  const auto targets = fields(batch);
  std::string wrong;
  const auto one = [&]<class Part>(std::size_t number, const Part& part, const auto& target) {
    if (const auto shape = FieldOf<Part>::shape(part, target.extent(0)); shape == target.shape())
      FieldOf<Part>::put(part, target, at);
    else if (wrong.empty())
      wrong = message("in part ", number + 1, " the shape ", to_string(shape),
                      " where the first one asks for ", to_string(target.shape()));
  };
  [&]<std::size_t... k>(std::index_sequence<k...>) {
    (one(k, std::get<k>(parts), std::get<k>(targets)), ...);
  }
  (std::make_index_sequence<std::tuple_size_v<decltype(parts)>>());
  return wrong;
}

/// Makes `batch` ready for `count` samples like this one: its tensors stay if they are of the right
/// extents and nobody else holds them.
template <class Sample, class Batch>
void make_room(const Sample& sample, Index count, Batch& batch) {
  const auto parts = fields(sample);
  const auto targets = fields(batch);
  [&]<std::size_t... k>(std::index_sequence<k...>) {
    const auto one = [&]<class Part, class Target>(const Part& part, Target& target) {
      const auto shape = FieldOf<Part>::shape(part, count);
      if (!target.defined() || target.shared() || !(target.shape() == shape))
        target = Target(shape);
    };
    (one(std::get<k>(parts), std::get<k>(targets)), ...);
  }
  (std::make_index_sequence<std::tuple_size_v<decltype(parts)>>());
}

}  // namespace ebb::data::detail
