/// \file
/// Numbers that a captured step reads from device memory, because they differ from replay to
/// replay: learning rates, what update rules take from the step's number, random streams. The host
/// computes them, a few thousand bytes, and uploads them in one copy before each replay.
#pragma once

#include <ebb/device/cuda/scratch.cuh>
#include <ebb/device/cuda/state.cuh>

#include <memory>
#include <new>
#include <type_traits>
#include <vector>

namespace ebb::inline EBB_ABI::gpu {

/// Room for them: bytes of the host, and as many of the GPU that they are copied to.
///
/// While a step is recorded, the host code of kernels asks for room with `take`, fills it, and
/// hands the GPU's address to its kernel. Before a replay (`rewind`) the same code asks for the
/// same room, in the same order, and fills it again, but launches nothing.
class StepNumbers {
 public:
  template <class V>
  struct Room {
    V* host;
    const V* device;
  };

  /// The first room is that of the state that kernels with random numbers read.
  StepNumbers() { state_ = take<StepState>(1); }
  StepNumbers(const StepNumbers&) = delete;
  StepNumbers& operator=(const StepNumbers&) = delete;

  /// Uninitialised, until the next `rewind` at least.
  template <class V>
  Room<V> take(Index count) {
    static_assert(std::is_trivially_copyable_v<V>, "numbers are copied to the GPU byte by byte");
    static_assert(alignof(V) <= alignment);
    const auto wanted =
        (static_cast<std::size_t>(count) * sizeof(V) + alignment - 1) / alignment * alignment;
    while (at_ < pieces_.size() && pieces_[at_]->used + wanted > pieces_[at_]->bytes) ++at_;
    if (at_ == pieces_.size()) pieces_.push_back(std::make_unique<Piece>(wanted));
    Piece& piece = *pieces_[at_];
    std::byte* const host = piece.host.get() + piece.used;
    const std::byte* const device = piece.device.data() + piece.used;
    piece.used += wanted;
    return {new (host) V[static_cast<std::size_t>(count)], reinterpret_cast<const V*>(device)};
  }

  const StepState* state() const { return state_.device; }
  void set_shift(const RandomStream& shift) { state_.host->shift = shift; }

  /// From here on, `take` hands out the same places again.
  void rewind() {
    for (const auto& piece : pieces_) piece->used = 0;
    at_ = 0;
    replaying_ = true;
    state_ = take<StepState>(1);
  }
  /// Whether a replay is being prepared: kernels are not to be launched, they are in the graph.
  bool replaying() const { return replaying_; }

  /// On the current stream. Returns when the host's numbers have been read.
  void upload() const {
    for (const auto& piece : pieces_)
      if (piece->used > 0) gpu::upload(piece->device.data(), piece->host.get(), piece->used);
  }

 private:
  static constexpr std::size_t alignment = 16, piece_bytes = std::size_t{16} << 10;

  struct Piece {
    explicit Piece(std::size_t wanted)
        : bytes(wanted > piece_bytes ? wanted : piece_bytes),
          host(std::make_unique<std::byte[]>(bytes)),
          device(static_cast<Index>(bytes)) {}
    std::size_t bytes, used = 0;
    std::unique_ptr<std::byte[]> host;
    kernel::CudaScratch<std::byte> device;
  };

  std::vector<std::unique_ptr<Piece>> pieces_;
  std::size_t at_ = 0;  ///< the piece that has room
  Room<StepState> state_{};
  bool replaying_ = false;
};

namespace detail {

/// Those of the step that the calling thread is recording, or is about to replay.
inline constinit thread_local StepNumbers* step_numbers = nullptr;

}  // namespace detail

/// While it lives, kernels' host code finds these numbers.
class StepNumbersScope {
 public:
  explicit StepNumbersScope(StepNumbers& numbers)
      : outer_(detail::step_numbers), outer_state_(detail::captured_state()) {
    detail::step_numbers = &numbers;
    detail::captured_state() = numbers.state();
  }
  StepNumbersScope(const StepNumbersScope&) = delete;
  StepNumbersScope& operator=(const StepNumbersScope&) = delete;
  ~StepNumbersScope() {
    detail::step_numbers = outer_;
    detail::captured_state() = outer_state_;
  }

 private:
  StepNumbers* outer_;
  const StepState* outer_state_;
};

}  // namespace ebb::gpu
