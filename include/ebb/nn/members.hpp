/// \file
/// The members of a struct as a tuple, named or not, so that a network can be copied member by
/// member to a type that has the same ones on another device.
#pragma once

#include <ebb/nn/visit.hpp>

#include <cstddef>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

namespace ebb::inline EBB_ABI::nn::detail {

/// Becomes whatever a member is, where only the compiler looks.
template <std::size_t>
struct AnyMember {
  template <class T>
  constexpr operator T() const noexcept;
};

template <class M, std::size_t... I>
constexpr bool begins_with(std::index_sequence<I...>) {
  return requires { M{AnyMember<I>{}...}; };
}

inline constexpr std::size_t most_members = 24;

/// How many members a struct without constructors has: as many as values can begin it with.
template <class M, std::size_t Count = most_members + 1>
constexpr std::size_t aggregate_size() {
  if constexpr (Count == 0)
    return 0;
  else if constexpr (begins_with<M>(std::make_index_sequence<Count>{}))
    return Count;
  else
    return aggregate_size<M, Count - 1>();
}

/// Room for a network that is never made: `visit` is called on it while the program is compiled,
/// where only the addresses of members are asked for.
template <class M>
union NeverMade {
  char nothing;
  M network;
  constexpr NeverMade() : nothing() {}
  NeverMade(const NeverMade&) = delete;
  NeverMade& operator=(const NeverMade&) = delete;
  constexpr ~NeverMade() {}
};
template <class M>
inline NeverMade<M> never_made;

struct CountParts {
  std::size_t& count;
  template <class Part>
  constexpr void operator()(std::string_view, Part&) const {
    ++count;
  }
};

/// How many members the `constexpr` visit of a network names.
template <class M>
constexpr std::size_t visited_size() {
  std::size_t count = 0;
  const CountParts f{count};
  M::visit(never_made<M>.network, f);
  return count;
}

/// Whether the members of a class are known: by its type, or by a constexpr `visit`.
template <class M>
constexpr bool shows_members() {
  if constexpr (std::is_aggregate_v<M>)
    return true;
  else if constexpr (Module<M>)
    return requires { typename std::integral_constant<std::size_t, visited_size<M>()>; };
  else
    return false;
}

template <class M>
constexpr std::size_t member_count() {
  if constexpr (std::is_aggregate_v<M>)
    return aggregate_size<M>();
  else
    return visited_size<M>();
}

// Where the count is wrong, compilers stop at one of these lines and show it: `visit` of a class
// with a constructor must name every member. (A C array or a base class among the members of a
// struct without one can't be counted; a std::array, or a member, can.)

template <std::size_t count, class M>
constexpr auto few_members(M& net) {
  if constexpr (count == 1) {
    auto& [a] = net;  // `visit` names every member, settings too
    return std::tie(a);
  } else if constexpr (count == 2) {
    auto& [a, b] = net;  // `visit` names every member, settings too
    return std::tie(a, b);
  } else if constexpr (count == 3) {
    auto& [a, b, c] = net;  // `visit` names every member, settings too
    return std::tie(a, b, c);
  } else if constexpr (count == 4) {
    auto& [a, b, c, d] = net;  // `visit` names every member, settings too
    return std::tie(a, b, c, d);
  } else if constexpr (count == 5) {
    auto& [a, b, c, d, e] = net;  // `visit` names every member, settings too
    return std::tie(a, b, c, d, e);
  } else if constexpr (count == 6) {
    auto& [a, b, c, d, e, f] = net;  // `visit` names every member, settings too
    return std::tie(a, b, c, d, e, f);
  } else if constexpr (count == 7) {
    auto& [a, b, c, d, e, f, g] = net;  // `visit` names every member, settings too
    return std::tie(a, b, c, d, e, f, g);
  } else if constexpr (count == 8) {
    auto& [a, b, c, d, e, f, g, h] = net;  // `visit` names every member, settings too
    return std::tie(a, b, c, d, e, f, g, h);
  } else if constexpr (count == 9) {
    auto& [a, b, c, d, e, f, g, h, i] = net;  // `visit` names every member, settings too
    return std::tie(a, b, c, d, e, f, g, h, i);
  } else if constexpr (count == 10) {
    auto& [a, b, c, d, e, f, g, h, i, j] = net;  // `visit` names every member, settings too
    return std::tie(a, b, c, d, e, f, g, h, i, j);
  } else if constexpr (count == 11) {
    auto& [a, b, c, d, e, f, g, h, i, j, k] = net;  // `visit` names every member, settings too
    return std::tie(a, b, c, d, e, f, g, h, i, j, k);
  } else if constexpr (count == 12) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l] = net;  // `visit` names every member, settings too
    return std::tie(a, b, c, d, e, f, g, h, i, j, k, l);
  }
}

template <std::size_t count, class M>
constexpr auto many_members(M& net) {
  if constexpr (count == 13) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l, m] =
        net;  // `visit` names every member, settings too
    return std::tie(a, b, c, d, e, f, g, h, i, j, k, l, m);
  } else if constexpr (count == 14) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n] =
        net;  // `visit` names every member, settings too
    return std::tie(a, b, c, d, e, f, g, h, i, j, k, l, m, n);
  } else if constexpr (count == 15) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o] =
        net;  // `visit` names every member, settings too
    return std::tie(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o);
  } else if constexpr (count == 16) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] =
        net;  // `visit` names every member, settings too
    return std::tie(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p);
  } else if constexpr (count == 17) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q] =
        net;  // `visit` names every member, settings too
    return std::tie(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q);
  } else if constexpr (count == 18) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r] =
        net;  // `visit` names every member, settings too
    return std::tie(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r);
  } else if constexpr (count == 19) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s] =
        net;  // `visit` names every member, settings too
    return std::tie(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s);
  } else if constexpr (count == 20) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t] =
        net;  // `visit` names every member, settings too
    return std::tie(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t);
  } else if constexpr (count == 21) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u] =
        net;  // `visit` names every member, settings too
    return std::tie(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u);
  } else if constexpr (count == 22) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v] =
        net;  // `visit` names every member, settings too
    return std::tie(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v);
  } else if constexpr (count == 23) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w] =
        net;  // `visit` names every member, settings too
    return std::tie(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w);
  } else if constexpr (count == 24) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x] =
        net;  // `visit` names every member, settings too
    return std::tie(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x);
  }
}

/// References to all members, in their order.
template <class M>
constexpr auto members(M& m) {
  constexpr std::size_t count = member_count<std::remove_const_t<M>>();
  static_assert(count <= most_members,
                "ebb: to<Device>(net): a struct of this network has more than 24 members; gather "
                "some of them in a struct of their own");
  if constexpr (count == 0)
    return std::tuple<>();
  else if constexpr (count <= most_members / 2)
    return few_members<count>(m);
  else
    return many_members<count>(m);
}

template <class M>
using Members = decltype(members(std::declval<M&>()));

}  // namespace ebb::nn::detail
