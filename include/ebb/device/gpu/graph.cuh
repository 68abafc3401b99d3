/// \file
/// Work for the GPU that is recorded once and replayed.
#pragma once

#include <ebb/device/cuda/pools.cuh>

#include <utility>

namespace ebb::inline EBB_ABI::gpu {

/// What a function asks of its stream, in order, with the very addresses and values it did.
class Graph {
 public:
  Graph() = default;
  Graph(Graph&& other) noexcept
      : graph_(std::exchange(other.graph_, {})), home_(std::exchange(other.home_, nullptr)) {}
  Graph& operator=(Graph&& other) noexcept {
    std::swap(graph_, other.graph_);
    std::swap(home_, other.home_);
    return *this;
  }
  /// Waits until the last replay is done: what it uses goes back to the pools.
  ~Graph() {
    if (!home_) return;
    try {
      driver::synchronize(home_->handle);
      driver::destroy(graph_);
      if (--home_->graphs == 0) release_kept_blocks(*home_);
    } catch (const Error&) {  // a broken GPU says so at the next call
    }
  }

  explicit operator bool() const { return home_ != nullptr; }

  /// All of it once more, on the stream it was recorded on, in the order of the current one.
  void replay() const {
    const Stream& here = stream();
    if (&here != home_) order(here, *home_);
    driver::replay(home_->handle, graph_);
    if (&here != home_) order(*home_, here);
  }

  /// Calls f, of which nothing is done but recording. The current stream must be a CudaStream's,
  /// and f must have run there before, so that its pool has what f takes. That memory is the
  /// graph's until it goes, and so is what f leaves behind: a tensor made in f holds the numbers of
  /// the last replay.
  template <class F>
  static Graph record(F&& f) {
    Stream& on = stream();
    if (on.capturing) throw DeviceError("a captured step may not capture another");
    if (on.number == 0)
      throw DeviceError("capturing needs a stream of its own: open a CudaStream::Scope around it");
    driver::begin_capture(on.handle);
    on.capturing = true;
    ++on.captures;
    Graph graph;
    try {
      f();
      graph.graph_ = driver::end_capture(on.handle);
    } catch (...) {
      on.capturing = false;
      driver::abandon_capture(on.handle);
      throw;
    }
    keep_waiting_blocks(on);  // what f took and gave back is used at every replay
    on.capturing = false;
    graph.home_ = &on;
    ++on.graphs;
    return graph;
  }

 private:
  driver::Graph graph_{};
  Stream* home_ = nullptr;
};

}  // namespace ebb::gpu
