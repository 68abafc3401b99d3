/// \file
/// A network on another device.
#pragma once

#include <ebb/nn/members.hpp>
#include <ebb/nn/undrawn.hpp>
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
template <template <class, int, class...> class M, class A, int N, class... B, class Device>
struct OnDevice<M<A, N, B...>, Device> {
  using type = M<typename OnDevice<A, Device>::type, N, typename OnDevice<B, Device>::type...>;
};
template <template <class, class, int> class M, class A, class B, int N, class Device>
struct OnDevice<M<A, B, N>, Device> {
  using type = M<typename OnDevice<A, Device>::type, typename OnDevice<B, Device>::type, N>;
};
template <template <int, class...> class M, int N, class... A, class Device>
struct OnDevice<M<N, A...>, Device> {
  using type = M<N, typename OnDevice<A, Device>::type...>;
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

/// Makes parts for a class that moves by a `moved` of its own: `mover.template part<Part>(other)`.
template <class To>
struct Mover {
  using Device = To;
  template <class Part, class From>
  Part part(const From& from) const {
    return moved_to<Part, To>(from);
  }
};

template <class Device, class Into, class From>
void move_into(Into& into, const From& from) {
  if constexpr (std::is_array_v<Into>)
    for (std::size_t i = 0; i < std::extent_v<Into>; ++i) move_into<Device>(into[i], from[i]);
  else
    into = moved_to<Into, Device>(from);
}

template <class Into, class From, class Device>
concept MovesItself = requires(const From& from) {
  { Into::moved(from, Mover<Device>()) } -> std::same_as<Into>;
};

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
    if constexpr (requires { from.use_count(); } && !has_no_parts<Part>)
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

/// A struct without constructors is made of its members, one with them gets them afterwards.
template <class Into, class Device, class From>
Into moved_by_members(const From& from) {
  constexpr std::size_t count = member_count<From>();
  static_assert(count == member_count<Into>(),
                "ebb: to<Device>(net): a struct of this network has more members on one device "
                "than on the other");
  const auto given = members(from);
  return [&]<std::size_t... I>(std::index_sequence<I...>) {
    if constexpr (std::is_aggregate_v<Into>) {
      return Into{moved_to<std::remove_cvref_t<std::tuple_element_t<I, Members<Into>>>, Device>(
          std::get<I>(given))...};
    } else {
      const Undrawn no_draws;
      Into into;
      const auto taken = members(into);
      (move_into<Device>(std::get<I>(taken), std::get<I>(given)), ...);
      return into;
    }
  }
  (std::make_index_sequence<count>());
}

template <class Into, class Device, class From>
Into moved_to(const From& from) {
  if constexpr (std::is_same_v<Into, From> && std::is_trivially_copyable_v<From>) {
    return from;
  } else if constexpr (is_holder<From> && !Module<From>) {
    return held_moved_to<Into, Device>(from);
  } else if constexpr (std::is_same_v<Into, From> && std::is_copy_constructible_v<From>) {
    return from;
  } else if constexpr (is_param<From> || is_buffer<From>) {
    return Into(from);
  } else if constexpr (is_tensor<From>) {
    return to<Device>(from);
  } else if constexpr (MovesItself<Into, From, Device>) {
    return Into::moved(from, Mover<Device>());
  } else {
    static_assert(
        shows_members<From>(),
        "ebb: to<Device>(net): this class of the network has a constructor, so that its members "
        "can't be counted. Write it without (settings first, and layers made of them: `Index width "
        "= 64; nn::Linear<float, Device> fc{784, width};`), or declare `static constexpr void "
        "visit(auto& self, auto&& f)` and name every member there, settings too, whether present "
        "or not: f(\"width\", self.width)");
    static_assert(
        !shows_members<From>() || std::is_aggregate_v<From> || std::default_initializable<Into>,
        "ebb: to<Device>(net): a class of this network that has a constructor must also be made "
        "without arguments, to be filled: add `Net() = default;`");
    if constexpr (shows_members<From>() &&
                  (std::is_aggregate_v<From> || std::default_initializable<Into>))
      return moved_by_members<Into, Device>(from);
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
/// A network of one's own is a template of the device, which it hands on to its layers. It is
/// copied member by member, settings too, named by `visit` or not, where it has no constructor;
/// where it has one, its `visit` is constexpr and names every member, and it can also be made
/// without arguments (no weights are drawn then). A class that hides its members moves by
///
///     static Net moved(const auto& other, const auto& mover) {
///       return Net(mover.template part<Part>(other.part()));
///     }
///
/// \throws ValueError when several shared_ptrs hold one part, or a Stack was filled where the
/// other device was unknown.
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
