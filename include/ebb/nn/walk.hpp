/// \file
/// How the parts of a network are walked: what `visit` names, and what is in it.
#pragma once

#include <ebb/nn/buffer.hpp>
#include <ebb/nn/mode.hpp>
#include <ebb/tape/parts.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace ebb::inline EBB_ABI::nn {

namespace detail {
struct Ignore {
  template <class Part>
  void operator()(std::string_view, Part&) const {}
};
struct IgnoreLeaf {
  template <class Part>
  void operator()(const std::string&, Part&) const {}
};
}  // namespace detail

/// Something with parts.
template <class M>
concept Module = requires(M& module, const detail::Ignore& f) {
  std::remove_const_t<M>::visit(module, f);
};

/// A module that hides the types of its parts: it hands out the leaves itself, in the order of
/// `visit_state` (see Stack).
template <class M>
concept ErasedModule = requires(M& module, const std::string& path, const detail::IgnoreLeaf& f) {
  std::remove_const_t<M>::visit_leaves(module, path, f);
};

/// Calls `f("name", part)` for each direct part of `module`.
template <Module M, class F>
void visit(M& module, F&& f) {
  std::remove_const_t<M>::visit(module, f);
}

namespace detail {

using ebb::detail::each_held;
using ebb::detail::Holder;
using ebb::detail::holder_of;
using ebb::detail::is_holder;

/// The order of PyTorch's state_dict: a module's own parameters, its own buffers, its children.
enum class Kind { param, buffer, other };

template <class Part>
constexpr Kind kind_of() {
  using P = std::remove_const_t<Part>;
  constexpr Holder holder = holder_of<P>();
  if constexpr (std::is_array_v<P>)
    return kind_of<std::remove_extent_t<P>>();
  else if constexpr (holder == Holder::list && requires { typename P::value_type; })
    return kind_of<typename P::value_type>();
  else if constexpr (holder == Holder::map)
    return kind_of<typename P::mapped_type>();
  else if constexpr (holder == Holder::pointer)
    return kind_of<std::remove_cvref_t<decltype(*std::declval<P&>())>>();
  else
    return is_param<P> ? Kind::param : is_buffer<P> ? Kind::buffer : Kind::other;
}

inline std::string join(const std::string& path, std::string_view name) {
  std::string joined = path;
  if (!path.empty() && !name.empty()) joined += '.';
  joined += name;
  return joined;
}

/// Something that refers to an object without holding it: a raw pointer, a reference_wrapper.
template <class P>
inline constexpr bool refers_only = (std::is_pointer_v<P> &&
                                     std::is_object_v<std::remove_pointer_t<P>>) ||
                                    requires(P& p) {
  typename P::type;
  requires std::is_same_v<decltype(p.get()), typename P::type&>;
};

/// What can have no parameters inside: plain data, and function objects without any of their own.
template <class P>
inline constexpr bool has_no_parts =
    (std::is_trivially_copyable_v<P> && !refers_only<P>) || requires {
  typename P::traits_type;
};

struct Called {
  void operator()() const {}
};
/// Where P has a call operator too, the name is of two.
template <class P>
struct CalledTwice : P, Called {};

/// A number or a struct of them among the parts of a network: nothing that runs.
template <class P>
constexpr bool is_setting() {
  if constexpr (!std::is_class_v<P>)
    return true;
  else if constexpr (Module<P> || ErasedModule<P> || std::is_final_v<P> || !has_no_parts<P>)
    return false;
  else
    return requires { &CalledTwice<P>::operator(); };
}

/// Refuses a part that would vanish without a word.
template <class P>
constexpr void require_walkable() {
  static_assert(!is_tensor<P>,
                "ebb::nn: a Tensor among the parts of a network would be neither trained nor saved "
                "nor moved; make it a Param, or an nn::Buffer where it is not to be trained");
  static_assert(!refers_only<P>,
                "ebb::nn: a part that is a raw pointer or a reference_wrapper belongs to somebody "
                "else; list it where it is held, or hold it in a unique_ptr or a shared_ptr");
  static_assert(
      is_tensor<P> || refers_only<P> || has_no_parts<P>,
      "ebb::nn: a part of this network has no parts to visit, and is more than plain "
      "data, so that its parameters would be lost; give it a member `static void visit("
      "auto& self, auto&& f) { f(\"name\", self.part); ... }`, empty if there are none (a "
      "lambda that holds layers or tensors, or a std::function, becomes a struct)");
}

/// Whether a visitor wants a part that it reaches by this holder: one that visits each part once
/// declines what a shared_ptr has led it to before.
template <class H, class F>
bool wants(const H& holder, F& f) {
  if constexpr (requires(const void* p) { f.first_time(p); }) {
    const void* const address = ebb::detail::shared_address(holder);
    return address == nullptr || f.first_time(address);
  } else {
    return true;
  }
}

/// Calls `f(path, leaf)` for every Param, Buffer and Mode at or below `part` that is present.
template <class Part, class F>
void each_leaf(const std::string& path, Part& part, F& f) {
  using P = std::remove_const_t<Part>;
  if constexpr (is_param<P> || is_buffer<P>) {
    if (part.defined()) f(path, part);
  } else if constexpr (std::is_same_v<P, Mode>) {
    f(path, part);
  } else if constexpr (ErasedModule<Part>) {
    P::visit_leaves(part, path, f);
  } else if constexpr (Module<Part>) {
    const auto pass = [&]<Kind kind>(std::integral_constant<Kind, kind>) {
      P::visit(part, [&]<class Child>(std::string_view name, Child& child) {
        if constexpr (kind_of<Child>() == kind) each_leaf(join(path, name), child, f);
      });
    };
    pass(std::integral_constant<Kind, Kind::param>{});
    pass(std::integral_constant<Kind, Kind::buffer>{});
    pass(std::integral_constant<Kind, Kind::other>{});
  } else if constexpr (is_holder<P>) {
    if (!wants(part, f)) return;
    each_held(part,
              [&](const std::string& name, auto& held) { each_leaf(join(path, name), held, f); });
  } else {
    require_walkable<P>();
  }
}

template <class Part, class F>
void each_module(const std::string& path, Part& part, F& f) {
  using P = std::remove_const_t<Part>;
  if constexpr (is_holder<P> && !Module<Part>) {
    if (!wants(part, f)) return;
    each_held(part,
              [&](const std::string& name, auto& held) { each_module(join(path, name), held, f); });
  } else if constexpr (!is_param<P> && !is_buffer<P> && !is_setting<P>()) {
    f(path, part);
    if constexpr (Module<Part>)
      P::visit(part, [&]<class Child>(std::string_view name, Child& child) {
        each_module(join(path, name), child, f);
      });
  }
}

/// A function object without data has no parts; anything else must say what its parts are.
template <class Net>
constexpr void require_parts() {
  using N = std::remove_const_t<Net>;
  static_assert(Module<Net> || ErasedModule<Net> || is_holder<N> || is_param<N> || is_buffer<N> ||
                    std::is_empty_v<N>,
                "ebb::nn: this type has no parts to visit; give it a member `static void visit("
                "auto& self, auto&& f) { f(\"name\", self.part); ... }` listing its layers and "
                "parameters");
}

template <class Net, class F>
void each_leaf_of(Net& net, F& f) {
  require_parts<Net>();
  each_leaf(std::string(), net, f);
}

/// A visitor that a shared_ptr leads to a part but once.
template <class F>
struct Once {
  F f;
  std::vector<const void*> seen{};

  explicit Once(F function) : f(std::move(function)) {}
  bool first_time(const void* part) {
    for (const void* known : seen)
      if (known == part) return false;
    seen.push_back(part);
    return true;
  }
  template <class Part>
  void operator()(const std::string& path, Part& part) {
    f(path, part);
  }
};

}  // namespace detail

}  // namespace ebb::nn
