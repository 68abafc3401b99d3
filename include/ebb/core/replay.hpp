/// \file
/// A training step may be run once while a device records it, and from then on be replayed without
/// the code that asked for it (`ebb::capture`, train/capture.cuh). What the host must do all the
/// same each time, such as counting steps and moving the learning rate, and what a replay relies
/// on, is said here by the code that knows.
#pragma once

#include <ebb/core/config.hpp>

#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

namespace ebb::inline EBB_ABI::detail {

/// The host's part in the replays of a recorded step.
class HostPart {
 public:
  /// `again()` is to be called at each replay, after those that were added before.
  template <class F>
  void add(F&& again) {
    parts_.push_back(std::make_unique<One<std::decay_t<F>>>(std::forward<F>(again)));
  }
  /// A replay is right as long as `holds()`; said once for each `of`.
  template <class F>
  void add_condition(const void* of, F&& holds) {
    for (const void* known : known_)
      if (known == of) return;
    known_.push_back(of);
    conditions_.push_back(std::make_unique<One<std::decay_t<F>>>(std::forward<F>(holds)));
  }

  void run() const {
    for (const auto& part : parts_) part->run();
  }
  bool holds() const {
    for (const auto& condition : conditions_)
      if (!condition->run()) return false;
    return true;
  }
  void clear() { *this = {}; }

 private:
  struct Part {
    virtual ~Part() = default;
    virtual bool run() = 0;
  };
  template <class F>
  struct One final : Part {
    F f;
    explicit One(F function) : f(std::move(function)) {}
    bool run() override {
      if constexpr (std::is_void_v<decltype(f())>)
        return f(), true;
      else
        return f();
    }
  };
  std::vector<std::unique_ptr<Part>> parts_, conditions_;
  std::vector<const void*> known_;
};

/// Of the step that the calling thread is recording, if it is.
inline constinit thread_local HostPart* recorded_host_part = nullptr;

/// Whether the calling thread is recording a step.
inline bool recording_step() { return recorded_host_part != nullptr; }

/// While a step is recorded: `again()` is called before each replay. Else nothing.
template <class F>
void on_replay(F&& again) {
  if (recording_step()) recorded_host_part->add(std::forward<F>(again));
}

/// While a step is recorded: it is replayed as long as `holds()`, and then recorded anew. It is
/// enough to say so once for each `of`. Else nothing.
template <class F>
void replay_while(const void* of, F&& holds) {
  if (recording_step()) recorded_host_part->add_condition(of, std::forward<F>(holds));
}

}  // namespace ebb::detail
