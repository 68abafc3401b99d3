/// \file
/// Switches of the library that a test turns until the end of a scope, also where it fails.
#pragma once

#include <ebb/device/cpu/parallel.hpp>
#include <ebb/device/isa.hpp>

namespace ebb::test {

/// Work on so many threads.
class Threads {
 public:
  explicit Threads(int count) { set_num_threads(count); }
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;
  ~Threads() { set_num_threads(0); }
};

/// Kernels of one instruction set.
class OnlyIsa {
 public:
  explicit OnlyIsa(Isa only) { set_isa(only); }
  OnlyIsa(const OnlyIsa&) = delete;
  OnlyIsa& operator=(const OnlyIsa&) = delete;
  ~OnlyIsa() { set_isa(before_); }

 private:
  Isa before_ = isa();
};

}  // namespace ebb::test
