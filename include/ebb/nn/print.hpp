/// \file
/// A network as text.
#pragma once

#include <ebb/nn/summary.hpp>

namespace ebb::inline EBB_ABI::nn {

/// Its parameters, a line each, and how many numbers they are; `to_string(summary(net, shape))`
/// tells what it does as well.
///
///     0.weight  (8, 2)
///     0.bias    (8)
///     24 parameters
template <Module Net>
std::string to_string(const Net& net) {
  std::size_t width = 0;
  visit_parameters(
      net, [&](const std::string& name, const auto&) { width = std::max(width, name.size()); });
  std::string text;
  Index all = 0;
  visit_parameters(net, [&](const std::string& name, const auto& parameter) {
    text += name + std::string(width + 2 - name.size(), ' ') + to_string(parameter.shape()) + "\n";
    all += parameter.size();
  });
  return text + detail::grouped(all) + " parameters";
}

}  // namespace ebb::nn
