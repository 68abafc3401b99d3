/// \file
/// Walks over what holds parts of a network: lists, maps, pointers, tuples and the like, of the
/// standard library or of the same shape. They are told by what they can do, so that none of their
/// headers is needed here.
#pragma once

#include <ebb/core/config.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace ebb::inline EBB_ABI::detail {

/// The ways to hold parts. Held parts are named as in PyTorch: by their number or key; what is held
/// by a pointer, an optional or a variant has the name of the holder.
enum class Holder {
  none,
  list,     ///< vector, array, deque, list: "0", "1", ...
  map,      ///< keys of text or whole numbers: "liver", "3"
  pointer,  ///< unique_ptr, shared_ptr, optional: what is there, if anything
  tuple,    ///< tuple, pair: "0", "1", ...
  variant   ///< what it holds at present
};

template <class P>
constexpr Holder holder_of() {
  using T = std::remove_cv_t<P>;
  if constexpr (std::is_array_v<T>) {
    return Holder::list;
  } else if constexpr (!std::is_class_v<T> || requires { typename T::traits_type; }) {
    return Holder::none;  // texts are no lists of parts
  } else if constexpr (requires { typename T::mapped_type; }) {
    return Holder::map;
  } else if constexpr (requires(T & t) {
                         t.begin() != t.end();
                         *t.begin();
                       }) {
    return Holder::list;
  } else if constexpr (requires(const T& t) {
                         t.valueless_by_exception();
                         t.index();
                       }) {
    return Holder::variant;
  } else if constexpr (requires { std::tuple_size<T>::value; }) {
    return Holder::tuple;
  } else if constexpr (requires(const T& t) {
                         *t;
                         t.operator->();
                         static_cast<bool>(t);
                       }) {
    return Holder::pointer;
  } else {
    return Holder::none;
  }
}

template <class P>
inline constexpr bool is_holder = holder_of<P>() != Holder::none;

template <class Key>
std::string part_name(const Key& key) {
  static_assert(std::is_convertible_v<const Key&, std::string_view> || std::is_integral_v<Key>,
                "ebb::nn: the keys of a map of parts become their names, so they must be text or "
                "whole numbers");
  if constexpr (std::is_integral_v<Key>)
    return std::to_string(key);
  else
    return std::string(std::string_view(key));
}

/// Whether the element that a holder's iterator or pointer leads to should be const.
template <class H, class T>
auto& as_const_as(T& held) {
  if constexpr (std::is_const_v<H>)
    return std::as_const(held);
  else
    return held;
}

/// Calls `f(name, part)` for each part that is there. The name is empty where it is the holder's.
template <class H, class F>
void each_held(H& holder, F&& f) {
  constexpr Holder kind = holder_of<H>();
  static_assert(kind != Holder::none);
  if constexpr (kind == Holder::list) {
    std::size_t i = 0;
    for (auto&& part : holder) f(std::to_string(i++), as_const_as<H>(part));
  } else if constexpr (kind == Holder::map) {
    static_assert(
        !requires { typename std::remove_cv_t<H>::hasher; },
        "ebb::nn: an unordered map has no order that a run could repeat; hold the parts "
        "in a std::map");
    for (auto& [key, part] : holder) f(part_name(key), as_const_as<H>(part));
  } else if constexpr (kind == Holder::pointer) {
    if (holder) f(std::string(), as_const_as<H>(*holder));
  } else if constexpr (kind == Holder::tuple) {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      (f(std::to_string(I), get<I>(holder)), ...);
    }
    (std::make_index_sequence<std::tuple_size<std::remove_cv_t<H>>::value>());
  } else if (!holder.valueless_by_exception()) {
    visit([&](auto& part) { f(std::string(), part); }, holder);
  }
}

/// Where copies of a pointer lead to one and the same part (shared_ptr): its address, else null.
template <class H>
const void* shared_address(const H& holder) {
  if constexpr (holder_of<H>() == Holder::pointer && requires { holder.use_count(); })
    return holder ? static_cast<const void*>(std::addressof(*holder)) : nullptr;
  else
    return nullptr;
}

}  // namespace ebb::detail
