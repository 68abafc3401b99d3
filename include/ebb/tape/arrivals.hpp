/// \file
/// Which parameters gradients arrive at, so that one which nobody trains does not go unnoticed.
#pragma once

#include <ebb/core/error.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace ebb::inline EBB_ABI::detail {

/// What a parameter remembers of its gradients.
struct Arrival {
  std::atomic<const char*> used_by{nullptr};  ///< the operation that a tape last recorded it for
  std::uint64_t pass = 0;  ///< the backward pass whose gradient arrived last; 0: none ever
  bool expected = false;   ///< an optimizer was given it, or the network that it is a part of
};

/// A parameter that a gradient arrived at though no optimizer knows of it.
struct Orphan {
  std::weak_ptr<const void> cell;
  std::string (*describe)(const void* cell);  ///< "": it is none any more
};

/// The present backward pass of a thread, or its last.
struct BackwardPass {
  std::uint64_t number = 0;
  int depth = 0;  ///< above 1 inside of a checkpoint

  static BackwardPass& here() {
    static constinit thread_local BackwardPass pass;
    return pass;
  }
  static std::vector<Orphan>& orphans() {
    static thread_local std::vector<Orphan> list;
    return list;
  }
};

/// Around the walk back from a result.
class BackwardScope {
 public:
  BackwardScope() {
    static std::atomic<std::uint64_t> passes{0};
    BackwardPass& pass = BackwardPass::here();
    if (pass.depth++ > 0) return;
    pass.number = 1 + passes.fetch_add(1, std::memory_order_relaxed);
    BackwardPass::orphans().clear();
  }
  BackwardScope(const BackwardScope&) = delete;
  BackwardScope& operator=(const BackwardScope&) = delete;
  ~BackwardScope() { --BackwardPass::here().depth; }
};

/// A gradient arrives at a parameter.
template <class Cell>
void arrive(const std::shared_ptr<Cell>& cell) {
  const BackwardPass& pass = BackwardPass::here();
  if (pass.depth == 0 || cell->arrival.pass == pass.number) return;
  cell->arrival.pass = pass.number;
  if (cell->arrival.expected) return;
  BackwardPass::orphans().push_back(
      {cell, [](const void* it) {
         const auto& c = *static_cast<const Cell*>(it);
         if (c.arrival.expected || !c.trainable) return std::string();
         const char* const op = c.arrival.used_by;
         return message("the parameter ", c.name.empty() ? "" : c.name + " ", "of shape ",
                        c.value.shape(), op != nullptr ? message(", used by '", op, "'") : "");
       }});
}

}  // namespace ebb::detail
