/// \file
/// How the values between a model's parts are seen.
///
/// Every model has, beside `net(x)`, a member `net.run(x, probe)` that computes the same and calls
/// `probe(name, value)` whenever a named part has run. The probe looks; it returns nothing and
/// changes nothing. A network of one's own joins in with a `run` of the same form.
#pragma once

#include <ebb/tape/var.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ebb::inline EBB_ABI::models {

/// Sees nothing: what `net(x)` runs with.
struct NoProbe {
  template <Operand X>
  void operator()(std::string_view, const X&) const {}
};

/// Keeps the values of the parts it sees, in the order in which they ran. X is `Tensor<T, 4>`, or
/// `Var<Tensor<T, 4>>` on a tape; values of other types are passed over.
template <Operand X>
struct Recorder {
  std::vector<std::pair<std::string, X>> seen;

  template <Operand Y>
  void operator()(std::string_view name, const Y& y) {
    if constexpr (std::is_same_v<X, Y>) seen.emplace_back(std::string(name), y);
  }

  /// The value of one part. \throws ValueError when there is no such part, with the names there
  /// are.
  const X& at(std::string_view name) const {
    std::string names;
    for (const auto& [part, y] : seen) {
      if (part == name) return y;
      names += names.empty() ? part : ", " + part;
    }
    throw ValueError(message("probe: no part is called '", std::string(name),
                             "'; the parts with values of this rank are: ", names));
  }
};

}  // namespace ebb::models
