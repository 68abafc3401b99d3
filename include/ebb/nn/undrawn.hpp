/// \file
/// What makes networks without drawing their weights, and leaves the random state as it was.
#pragma once

#include <ebb/core/random.hpp>

#include <utility>

namespace ebb::inline EBB_ABI::nn::detail {

/// Puts the calling thread's default generator back as it was.
struct KeepGenerator {
  Generator before = default_generator();
  KeepGenerator() = default;
  KeepGenerator(const KeepGenerator&) = delete;
  KeepGenerator& operator=(const KeepGenerator&) = delete;
  ~KeepGenerator() { default_generator() = before; }
};

/// Whether initialisers on this thread leave values as they are.
inline bool& draws_nothing() {
  thread_local bool nothing = false;
  return nothing;
}

/// While it lives, layers that this thread makes have weights of any value.
struct Undrawn {
  KeepGenerator keep{};
  bool before = std::exchange(draws_nothing(), true);
  Undrawn() = default;
  Undrawn(const Undrawn&) = delete;
  Undrawn& operator=(const Undrawn&) = delete;
  ~Undrawn() { draws_nothing() = before; }
};

}  // namespace ebb::nn::detail
