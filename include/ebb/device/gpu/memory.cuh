/// \file
/// Memory of the GPU, and copies between it and the host. Copies of ordinary host memory go through
/// pinned buffers, so that an upload returns without waiting for the GPU.
#pragma once

#include <ebb/device/gpu/device.cuh>

#include <cstddef>
#include <cstring>

namespace ebb::inline EBB_ABI::gpu {

/// \throws OutOfMemory. Tensors come from the pool instead (`Cuda::take`).
inline void* allocate(std::size_t bytes) {
  stream();
  if (void* const memory = driver::try_allocate(bytes)) return memory;
  throw OutOfMemory(message("the GPU has no ", bytes, " bytes left"));
}
inline void release(void* memory) { driver::release(memory); }

/// Host memory that the GPU reads and writes by itself; see CudaHost for elements.
class PinnedMemory {
 public:
  explicit PinnedMemory(std::size_t bytes) {
    stream();
    if (bytes > 0) data_ = driver::allocate_pinned(bytes);
  }
  PinnedMemory(const PinnedMemory&) = delete;
  PinnedMemory& operator=(const PinnedMemory&) = delete;
  ~PinnedMemory() {
    if (data_) driver::release_pinned(data_);
  }
  void* data() const { return data_; }

 private:
  void* data_ = nullptr;
};

/// A point of a stream's work that can be waited for.
class Event {
 public:
  Event() : event_((stream(), driver::create_event())) {}
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  ~Event() { driver::destroy(event_); }

  /// From now on, of what has been asked of `on` so far.
  void record(const Stream& on) { driver::record(event_, on.handle); }
  /// The host waits.
  void wait() const { driver::synchronize(event_); }
  /// A stream waits.
  void hold(const Stream& later) const { driver::wait(later.handle, event_); }
  bool done() const { return driver::done(event_); }

 private:
  driver::Event event_;
};

/// While it lives, the thread's work goes to another stream, in the order of the thread, as with
/// CudaStream::Scope; with events that are there already, for what happens every few microseconds.
class OrderedScope {
 public:
  OrderedScope(Stream& inner, Event& begun, Event& ended)
      : inner_(&inner), outer_(&stream()), ended_(&ended) {
    if (inner_ == outer_) return;
    begun.record(*outer_);
    begun.hold(*inner_);
    detail::current_stream = inner_;
  }
  OrderedScope(const OrderedScope&) = delete;
  OrderedScope& operator=(const OrderedScope&) = delete;
  ~OrderedScope() {
    if (inner_ == outer_) return;
    detail::current_stream = outer_;
    try {
      ended_->record(*inner_);
      ended_->hold(*outer_);
    } catch (const Error&) {  // a broken GPU says so at the next call
    }
  }

 private:
  Stream *inner_, *outer_;
  Event* ended_;
};

/// A stream's pinned buffers: a ring of pieces, each free again when its copy is done.
class Staging {
 public:
  static constexpr std::size_t piece = std::size_t{256} << 10;
  static constexpr int pieces = 16;

  /// Returns when `from` has been read, which need not be when it has arrived.
  void upload(const Stream& on, void* to, const void* from, std::size_t bytes) {
    const std::scoped_lock lock(mutex_);
    for (std::size_t at = 0; at < bytes; at += piece) {
      Piece& part = next();
      const std::size_t length = bytes - at < piece ? bytes - at : piece;
      std::memcpy(part.memory.data(), static_cast<const char*>(from) + at, length);
      driver::copy(on.handle, static_cast<char*>(to) + at, part.memory.data(), length,
                   driver::Direction::to_device);
      part.copied.record(on);
    }
  }

  /// Waits for all that was asked of the stream. Pieces are emptied while others arrive.
  void download(const Stream& on, void* to, const void* from, std::size_t bytes) {
    const std::scoped_lock lock(mutex_);
    std::size_t asked = 0, at = 0;
    for (int oldest = turn_; at < bytes;) {
      for (; asked < bytes && asked - at < piece * pieces; asked += piece) {
        Piece& part = next();
        driver::copy(on.handle, part.memory.data(), static_cast<const char*>(from) + asked,
                     bytes - asked < piece ? bytes - asked : piece, driver::Direction::to_host);
        part.copied.record(on);
      }
      const Piece& part = *ring_[oldest];
      part.copied.wait();
      std::memcpy(static_cast<char*>(to) + at, part.memory.data(),
                  bytes - at < piece ? bytes - at : piece);
      at += piece;
      oldest = (oldest + 1) % pieces;
    }
  }

 private:
  struct Piece {
    PinnedMemory memory{piece};
    Event copied;
  };

  Piece& next() {
    Piece*& part = ring_[turn_];
    turn_ = (turn_ + 1) % pieces;
    if (!part) part = new Piece;
    part->copied.wait();
    return *part;
  }

  std::mutex mutex_;
  Piece* ring_[pieces] = {};  ///< made when first wanted, and never destroyed
  int turn_ = 0;
};

namespace detail {

inline Staging& staging(const Stream& of) {
  static auto* const all = new Staging[most_streams];
  return all[of.number];
}

/// A captured copy would read the host's memory again at each replay, when something else is there.
inline void refuse_while_capturing(const Stream& on, const char* what) {
  if (on.capturing)
    throw DeviceError(message(what,
                              " in a step that is being captured: a replay does not come back to "
                              "the host. Do it before the step, or after"));
}

}  // namespace detail

/// Copies from ordinary host memory, which may go as soon as this returns.
inline void upload(void* to, const void* from, std::size_t bytes) {
  const Stream& on = stream();
  detail::refuse_while_capturing(on, "a tensor is made of the host's numbers");
  detail::staging(on).upload(on, to, from, bytes);
}
/// Waits for the GPU.
inline void download(void* to, const void* from, std::size_t bytes) {
  const Stream& on = stream();
  detail::refuse_while_capturing(on, "a tensor's numbers are read back");
  detail::staging(on).download(on, to, from, bytes);
}
inline void copy(void* to, const void* from, std::size_t bytes) {
  driver::copy(stream().handle, to, from, bytes, driver::Direction::on_device);
}

}  // namespace ebb::gpu

namespace ebb::inline EBB_ABI {

/// `count` elements of pinned host memory. Copies between it and the GPU are only asked for: the
/// program goes on beside them, and waits where it uses the elements.
///
///     CudaHost<float> batch(n);
///     fill(batch.data());
///     batch.upload_to(x.mutable_data());  // returns at once
///     ...
///     batch.wait();                       // now batch may be filled anew
template <class T>
class CudaHost {
 public:
  explicit CudaHost(Index count)
      : memory_(static_cast<std::size_t>(count) * sizeof(T)), count_(count) {}
  /// Waits for the last copy.
  ~CudaHost() {
    try {
      wait();
    } catch (const Error&) {  // a broken GPU says so at the next call
    }
  }

  Index size() const { return count_; }
  T* data() { return static_cast<T*>(memory_.data()); }
  const T* data() const { return static_cast<const T*>(memory_.data()); }
  T& operator[](Index i) { return data()[i]; }
  const T& operator[](Index i) const { return data()[i]; }

  /// To, and from, as many elements of the GPU; on the current stream.
  void upload_to(T* device) { upload_to(device, count_); }
  void download_from(const T* device) {
    copy(data(), device, count_, gpu::driver::Direction::to_host);
  }
  /// The first ones only.
  void upload_to(T* device, Index count) {
    copy(device, data(), count, gpu::driver::Direction::to_device);
  }

  void wait() const { copied_.wait(); }
  bool done() const { return copied_.done(); }

 private:
  void copy(void* to, const void* from, Index count, gpu::driver::Direction direction) {
    if (count == 0) return;
    const gpu::Stream& on = gpu::stream();
    gpu::driver::copy(on.handle, to, from, static_cast<std::size_t>(count) * sizeof(T), direction);
    if (!on.capturing) copied_.record(on);
  }

  gpu::PinnedMemory memory_;
  gpu::Event copied_;
  Index count_;
};

}  // namespace ebb
