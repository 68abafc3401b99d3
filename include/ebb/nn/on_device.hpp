/// \file
/// A network on another device.
#pragma once

#include <ebb/nn/visit.hpp>

#include <array>
#include <concepts>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace ebb::inline EBB_ABI::nn {

namespace detail {

template <class D>
concept DeviceTag = std::is_empty_v<D> && requires {
  { D::host_accessible } -> std::convertible_to<bool>;
};

/// X with every device among its template arguments replaced, theirs included.
template <class X, class Device>
struct OnDevice {
  using type = X;
};
template <DeviceTag X, class Device>
struct OnDevice<X, Device> {
  using type = Device;
};
template <template <class...> class M, class... A, class Device>
struct OnDevice<M<A...>, Device> {
  using type = M<typename OnDevice<A, Device>::type...>;
};
template <template <class, int, class> class M, class A, int N, class B, class Device>
struct OnDevice<M<A, N, B>, Device> {
  using type = M<typename OnDevice<A, Device>::type, N, typename OnDevice<B, Device>::type>;
};
template <template <class, class, int> class M, class A, class B, int N, class Device>
struct OnDevice<M<A, B, N>, Device> {
  using type = M<typename OnDevice<A, Device>::type, typename OnDevice<B, Device>::type, N>;
};
template <template <int, class, class> class M, int N, class A, class B, class Device>
struct OnDevice<M<N, A, B>, Device> {
  using type = M<N, typename OnDevice<A, Device>::type, typename OnDevice<B, Device>::type>;
};
template <class Part, std::size_t N, class Device>
struct OnDevice<Part[N], Device> {
  using type = typename OnDevice<Part, Device>::type[N];
};
template <class Part, std::size_t N, class Device>
struct OnDevice<std::array<Part, N>, Device> {
  using type = std::array<typename OnDevice<Part, Device>::type, N>;
};

}  // namespace detail

/// The type of a network on another device: `nn::on_device<nn::Linear<float>, Cuda>` is
/// `nn::Linear<float, Cuda>`. Every device among the template arguments is replaced, however deep
/// (`Sequential<Linear<float, Cpu>, ...>`); a type that names none stays as it is.
template <class Net, class Device>
using on_device = typename detail::OnDevice<Net, Device>::type;

namespace detail {

template <class>
inline constexpr std::size_t variant_size = 0;
template <template <class...> class V, class... Parts>
inline constexpr std::size_t variant_size<V<Parts...>> = sizeof...(Parts);

template <class Into, class Device, class From>
Into moved_to(const From& from);

template <class Device, class From, class Into>
void move_part(const From& from, Into& into) {
  if constexpr (std::is_array_v<Into>)
    for (std::size_t i = 0; i < std::extent_v<Into>; ++i) move_part<Device>(from[i], into[i]);
  else
    into = moved_to<Into, Device>(from);
}

/// Replaces the parts of `into` by those of `from`, one by one.
template <class Device, class From, class Into>
void move_parts(const From& from, Into& into) {
  int place = 0, given = 0;
  From::visit(from, [&](std::string_view, const auto&) { ++given; });
  Into::visit(into, [&]<class Part>(std::string_view name, Part& part) {
    int other = 0;
    From::visit(from, [&]<class Source>(std::string_view called, const Source& source) {
      if (other++ != place) return;
      if constexpr (std::is_same_v<on_device<Source, Device>, Part>)
        move_part<Device>(source, part);
      else
        throw ValueError(message("to another device: the part ", std::string(called),
                                 " is of another kind than the part ", std::string(name),
                                 " that stands in its place there"));
    });
    ++place;
  });
  if (place != given)
    throw ValueError(message(
        "to another device: the network has ", given, " parts, and a new one of its kind ", place,
        "; give it a constructor that takes the network on another device, or build it there as "
        "this one was built and use nn::copy_state"));
}

/// The same for what holds parts.
template <class Into, class Device, class From>
Into held_moved_to(const From& from) {
  constexpr Holder kind = holder_of<From>();
  if constexpr (kind == Holder::map) {
    Into into;
    for (const auto& [key, part] : from)
      into.emplace(key, moved_to<typename Into::mapped_type, Device>(part));
    return into;
  } else if constexpr (kind == Holder::list && requires { typename From::allocator_type; }) {
    Into into;
    for (const auto& part : from) into.push_back(moved_to<typename Into::value_type, Device>(part));
    return into;
  } else if constexpr (kind == Holder::list || kind == Holder::tuple) {
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
      return Into{moved_to<std::tuple_element_t<I, Into>, Device>(get<I>(from))...};
    }
    (std::make_index_sequence<std::tuple_size_v<From>>{});
  } else if constexpr (kind == Holder::pointer) {
    using Part = std::remove_cvref_t<decltype(*std::declval<Into&>())>;
    if (!from) return Into();
    if constexpr (requires { from.use_count(); })
      if (from.use_count() > 1)
        throw ValueError(
            "to another device: a part is shared by several shared_ptrs, which would lead to "
            "several parts there; build the network there as this one was built and use "
            "nn::copy_state");
    if constexpr (std::is_constructible_v<Into, Part*>)
      return Into(new Part(moved_to<Part, Device>(*from)));
    else
      return Into(moved_to<Part, Device>(*from));
  } else {
    const auto pick = [&]<std::size_t I>(auto& self, std::integral_constant<std::size_t, I>) {
      if constexpr (I + 1 < variant_size<From>)
        if (from.index() != I) return self(self, std::integral_constant<std::size_t, I + 1>{});
      using Part = std::remove_cvref_t<decltype(get<I>(std::declval<Into&>()))>;
      return Into(std::in_place_index<I>, moved_to<Part, Device>(get<I>(from)));
    };
    return pick(pick, std::integral_constant<std::size_t, 0>{});
  }
}

template <class Into, class Device, class From>
Into moved_to(const From& from) {
  if constexpr (is_holder<From> && !Module<From>) {
    return held_moved_to<Into, Device>(from);
  } else if constexpr (std::is_same_v<Into, From> && std::is_copy_constructible_v<From>) {
    return from;
  } else if constexpr (std::is_constructible_v<Into, const From&> && !std::is_aggregate_v<Into>) {
    return Into(from);
  } else {
    static_assert(Module<From> && std::default_initializable<Into>,
                  "ebb: to<Device>(net) needs a network whose type on the other device can be made "
                  "without arguments, or from the network: give it a constructor `template <class "
                  "D> explicit Net(const Net<D>& other) : part(other.part), ... {}`");
    Into into;
    move_parts<Device>(from, into);
    return into;
  }
}

}  // namespace detail

}  // namespace ebb::nn

namespace ebb::inline EBB_ABI {

/// A copy of a network on another device, with equal parameters, buffers, options and modes:
///
///     nn::Sequential net(nn::Linear<>(784, 64), relu, nn::Linear<>(64, 10));
///     auto fast = to<Cuda>(net);            // its type is nn::on_device<decltype(net), Cuda>
///     ...                                   // train it, with an optimizer of its own
///     const auto back = to<Cpu>(fast);
///
/// A network of one's own is a template of the device, and either can be made without arguments
/// (its parts are then replaced one by one, and what `visit` does not list is as it is made) or has
/// a constructor that takes the network on another device. A Stack hides the types of its layers:
/// build it there and use `nn::copy_state`. \throws ValueError when the parts do not match.
template <class To, nn::Module Net>
requires nn::detail::DeviceTag<To> nn::on_device<Net, To> to(const Net& net) {
  using Moved = nn::on_device<Net, To>;
  Moved result = nn::detail::moved_to<Moved, To>(net);
  nn::visit_state(result, []<class Leaf>(const std::string&, const Leaf& leaf) {
    static_assert(
        std::is_same_v<typename std::remove_cvref_t<decltype(leaf.value())>::device, To>,
        "ebb: to<Device>(net): a part of this network stays on its device; make the network a "
        "template of the device, and hand it on to every layer");
  });
  return result;
}

}  // namespace ebb
