/// \file
/// A training step may be run once while a device records it, and from then on be replayed without
/// the code that asked for it (`ebb::capture`, train/capture.cuh). What the host must do all the
/// same each time, such as counting steps and moving the learning rate, is said here by the code
/// that does it.
#pragma once

#include <memory>
#include <utility>
#include <vector>

namespace ebb {

/// What the host does at each replay of a recorded step, in order.
class HostPart {
 public:
  template <class F>
  void add(F&& again) {
    parts_.push_back(std::make_unique<One<std::decay_t<F>>>(std::forward<F>(again)));
  }
  void run() const {
    for (const auto& part : parts_) part->run();
  }
  void clear() { parts_.clear(); }

 private:
  struct Part {
    virtual ~Part() = default;
    virtual void run() = 0;
  };
  template <class F>
  struct One final : Part {
    F again;
    explicit One(F f) : again(std::move(f)) {}
    void run() override { again(); }
  };
  std::vector<std::unique_ptr<Part>> parts_;
};

namespace detail {
/// Of the step that the calling thread is recording, if it is.
inline constinit thread_local HostPart* recorded_host_part = nullptr;
}  // namespace detail

/// Whether the calling thread is recording a step.
inline bool recording_step() { return detail::recorded_host_part != nullptr; }

/// While a step is recorded: `again()` is called before each replay. Else nothing.
template <class F>
void on_replay(F&& again) {
  if (recording_step()) detail::recorded_host_part->add(std::forward<F>(again));
}

}  // namespace ebb
