/// \file
/// What the weights of a network come to, to the bit.
#pragma once

#include <ebb/nn/visit.hpp>

#include <string>
#include <vector>

#include "tests/support/sha256.hpp"

namespace ebb::test {

/// The first 16 digits of the SHA-256 of all parameters, one after the other.
template <class Net>
std::string digest(const Net& net) {
  std::vector<unsigned char> bytes;
  nn::visit_parameters(net, [&](const std::string&, const auto& p) {
    const auto values = p.value();
    const auto* const data = reinterpret_cast<const unsigned char*>(values.data());
    bytes.insert(bytes.end(), data,
                 data + static_cast<std::size_t>(values.size()) * sizeof(*values.data()));
  });
  return sha256(bytes).substr(0, 16);
}

}  // namespace ebb::test
