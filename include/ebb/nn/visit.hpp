/// \file
/// The one protocol of a module, and everything that follows from it.
///
/// A module is a struct with a const call operator and, if it has parts, a static `visit`:
///
///     struct Net {
///       nn::Linear<> fc1{784, 64}, fc2{64, 10};
///       auto operator()(const auto& x) const { return fc2(relu(fc1(x))); }
///       static void visit(auto& self, auto&& f) { f("fc1", self.fc1); f("fc2", self.fc2); }
///     };
///
/// Parts are `Param`, `Buffer`, `Mode`, other modules, and what holds any of these: vector, array,
/// deque, list, tuple, pair (numbered "0", "1", ...), map (named by the keys), unique_ptr,
/// shared_ptr, optional, variant (what they hold has their name). From `visit` come names,
/// optimizers, saving, counting, freezing and summaries. Settings (numbers, options) may be named
/// too, and are where a class with a constructor moves to another device (nn/on_device.hpp).
#pragma once

#include <ebb/nn/walk.hpp>

#include <string>
#include <vector>

namespace ebb::inline EBB_ABI::nn {

/// Calls `f(path, p)` for every parameter: "conv1.weight", a `Param<...>&`. Absent ones (a layer
/// without bias) are left out; what two shared_ptrs hold is visited once, under its first name.
template <class Net, class F>
void visit_parameters(Net& net, F&& f) {
  detail::Once only([&]<class Leaf>(const std::string& path, Leaf& leaf) {
    if constexpr (is_param<std::remove_const_t<Leaf>>) f(path, leaf);
  });
  detail::each_leaf_of(net, only);
}

/// Calls `f(path, b)` for every buffer: "bn1.running_mean", a `Buffer<...>&`.
template <class Net, class F>
void visit_buffers(Net& net, F&& f) {
  detail::Once only([&]<class Leaf>(const std::string& path, Leaf& leaf) {
    if constexpr (is_buffer<std::remove_const_t<Leaf>>) f(path, leaf);
  });
  detail::each_leaf_of(net, only);
}

/// Calls `f(path, x)` for every parameter and buffer, in the order and under the names of PyTorch's
/// `state_dict`, which has what is shared under each of its names. Both have `value()`,
/// `set(tensor)`, `shape()` and `size()`.
template <class Net, class F>
void visit_state(Net& net, F&& f) {
  auto only = [&]<class Leaf>(const std::string& path, Leaf& leaf) {
    using L = std::remove_const_t<Leaf>;
    if constexpr (is_param<L> || is_buffer<L>) f(path, leaf);
  };
  detail::each_leaf_of(net, only);
}

/// Calls `f(path, module)` for the network itself (path "") and everything callable inside it,
/// parents first. What a Stack holds is visited as `AnyLayer`.
template <class Net, class F>
void visit_modules(Net& net, F&& f) {
  detail::Once once([&](const std::string& path, auto& module) { f(path, module); });
  detail::each_module(std::string(), net, once);
}

/// Tells every parameter its dotted path, so that tapes and errors can speak of "conv1".
/// Optimizers, summaries and loading do this too.
template <class Net>
void name_parameters(const Net& net) {
  visit_parameters(net, [](const std::string& path, const auto& p) {
    if (p.name() != path) p.set_name(path);
  });
}

/// Number of scalars in all parameters.
template <class Net>
Index count_parameters(const Net& net) {
  Index count = 0;
  visit_parameters(net, [&](const std::string&, const auto& p) { count += p.size(); });
  return count;
}

/// Number of scalars in the parameters that are not frozen.
template <class Net>
Index count_trainable(const Net& net) {
  Index count = 0;
  visit_parameters(net, [&](const std::string&, const auto& p) {
    if (p.trainable()) count += p.size();
  });
  return count;
}

/// Puts every layer that cares into `mode`.
template <class Net>
void set_mode(Net& net, Mode mode) {
  auto only = [mode]<class Leaf>(const std::string&, Leaf& leaf) {
    if constexpr (std::is_same_v<Leaf, Mode>) leaf = mode;
  };
  detail::each_leaf_of(net, only);
}

/// Dropout drops and batch norm uses the batch's statistics, whatever the input is.
template <class Net>
void train(Net& net) {
  set_mode(net, Mode::train);
}

/// Dropout passes on and batch norm uses the running statistics, whatever the input is.
template <class Net>
void eval(Net& net) {
  set_mode(net, Mode::eval);
}

/// Puts the layers that drop at random, and no others, into `mode`: those that have a mode but
/// neither parameters nor buffers of their own. Returns how many there are.
template <class Net>
Index set_dropout_mode(Net& net, Mode mode) {
  // A layer's own parameters and buffers come before its mode.
  std::vector<std::string> with_state;
  Index found = 0;
  detail::Once pick([&]<class Leaf>(const std::string& path, Leaf& leaf) {
    std::string layer = path.substr(0, path.rfind('.') + 1);
    if constexpr (!std::is_same_v<Leaf, Mode>) {
      with_state.push_back(std::move(layer));
    } else {
      for (const std::string& other : with_state)
        if (other == layer) return;
      leaf = mode;
      ++found;
    }
  });
  detail::each_leaf_of(net, pick);
  return found;
}

/// Freezes every parameter: no gradient, no update. Works on a network or on one of its layers.
template <class Net>
void freeze(const Net& net) {
  visit_parameters(net, [](const std::string&, const auto& p) { p.set_trainable(false); });
}

/// Undoes `freeze`.
template <class Net>
void unfreeze(const Net& net) {
  visit_parameters(net, [](const std::string&, const auto& p) { p.set_trainable(true); });
}

/// Forgets every gradient.
template <class Net>
void zero_grad(const Net& net) {
  visit_parameters(net, [](const std::string&, const auto& p) { p.zero_grad(); });
}

}  // namespace ebb::nn
