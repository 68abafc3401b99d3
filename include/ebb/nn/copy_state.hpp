/// \file
/// Moves the weights of a network to another, on whatever devices the two live.
#pragma once

#include <ebb/nn/visit.hpp>

#include <string>
#include <type_traits>
#include <vector>

namespace ebb::inline EBB_ABI::nn {

/// Copies every parameter and buffer of `from` into `into`, a network of the same parts on the same
/// device or another:
///
///     template <class Device>
///     struct Net { nn::Linear<float, Device> fc1{784, 64}, fc2{64, 10}; ... };
///
///     Net<Cpu> net;
///     Net<Cuda> fast;
///     nn::copy_state(net, fast);   // train `fast`, then copy_state(fast, net) and save `net`
///
/// Optimizers stay attached to `into`. \throws ShapeError when a shape differs; ValueError when the
/// names, ranks or scalars of the parts do. Nothing is changed then.
template <class From, class Into>
void copy_state(const From& from, Into& into) {
  std::vector<std::string> names;
  visit_state(from, [&](const std::string& path, const auto&) { names.push_back(path); });
  std::size_t known = 0;
  const auto each_pair = [&](auto&& f) {
    std::size_t i = 0;
    visit_state(into, [&](const std::string& path, auto& target) {
      if (i >= names.size() || names[i] != path)
        throw ValueError(message("copy_state: the network copied into has a part ", path,
                                 " where the other has ",
                                 i < names.size() ? names[i] : std::string("none left"),
                                 "; both must be of the same layers"));
      bool found = false;
      std::size_t j = 0;
      visit_state(from, [&](const std::string&, const auto& source) {
        if (j++ != i) return;
        using S = std::remove_cvref_t<decltype(source.value())>;
        using D = std::remove_cvref_t<decltype(target.value())>;
        if constexpr (std::is_same_v<typename S::scalar, typename D::scalar> &&
                      S::rank == D::rank) {
          if (!(source.shape() == target.shape()))
            throw ShapeError(message("copy_state: ", path, " has shape ", source.shape(),
                                     " in one network and ", target.shape(), " in the other"));
          f(source, target);
          found = true;
        }
      });
      if (!found)
        throw ValueError(
            message("copy_state: ", path, " has another rank or scalar type in the two networks"));
      ++i;
    });
    known = i;
  };
  each_pair([](const auto&, auto&) {});  // everything is checked before anything changes
  if (known != names.size())
    throw ValueError(message("copy_state: the network copied into has no part ", names[known],
                             "; both must be of the same layers"));
  each_pair([](const auto& source, auto& target) {
    using Device = typename std::remove_cvref_t<decltype(target.value())>::device;
    target.set(to<Device>(source.value()).clone());
  });
}

}  // namespace ebb::nn
