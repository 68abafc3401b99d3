/// \file
/// Which GPU a process uses, and the stream that a thread's kernels run on.
///
/// A process uses one GPU: the first one, or what `select_device` says before anything else.
/// Kernels and copies run in the order in which they are asked for, on the current stream. All
/// threads begin on the same one, so tensors may go from thread to thread.
#pragma once

#include <ebb/core/config.hpp>
#include <ebb/core/error.hpp>

#include <atomic>
#include <mutex>
#include <string>

#if defined(__CUDACC__)
#  include <ebb/device/gpu/runtime.cuh>
#elif !defined(EBB_GPU_EMULATOR)
#  error "ebb/cuda.cuh holds CUDA kernels: compile this file with nvcc (call it .cu, or pass -x cu)"
#endif

namespace ebb::inline EBB_ABI {

/// A GPU that is not there, or that refuses.
struct DeviceError : Error {
  using Error::Error;
};

/// Less GPU memory than is wanted. What was there before is still there, and can be used.
struct OutOfMemory : DeviceError {
  using DeviceError::DeviceError;
};

namespace gpu {

/// A queue of work for the GPU. Its number names what belongs to it (memory pool, staging buffers).
struct Stream {
  driver::Stream handle{};
  int number = 0;
  bool capturing = false;
  int captures = 0;            ///< so far, with the one under way
  std::atomic<int> graphs{0};  ///< recorded on it: memory that they use must stay
};

inline constexpr int most_streams = 64;

namespace detail {

struct Process {
  std::mutex mutex;
  int device = 0;
  std::atomic<bool> used{false};
  Stream* streams[most_streams] = {};  ///< the first is the main one; never destroyed
  bool taken[most_streams] = {};
};
inline Process& process() {
  static auto* const process = new Process;
  return *process;
}

inline constinit thread_local Stream* current_stream = nullptr;

}  // namespace detail

/// How many GPUs there are; 0 on a machine without one.
inline int device_count() {
  std::string why;
  return driver::devices(why);
}

/// The GPU that this process uses.
inline int device() { return detail::process().device; }

namespace detail {

/// A thread's first use of the GPU.
/// \throws DeviceError where there is none.
inline void start_thread() {
  std::string why;
  const int count = driver::devices(why);
  if (count < 1)
    throw DeviceError(message("Cuda was asked for, but this machine has no GPU to offer: ", why,
                              "; use Cpu, or see that nvidia-smi lists a GPU"));
  Process& all = process();
  const std::scoped_lock lock(all.mutex);
  all.used = true;
  driver::bind(all.device);
  if (!all.streams[0]) {
    all.streams[0] = new Stream{driver::create_stream()};
    all.taken[0] = true;
  }
  current_stream = all.streams[0];
}

}  // namespace detail

/// The calling thread's stream.
/// \throws DeviceError where there is no GPU.
inline Stream& stream() {
  if (!detail::current_stream) detail::start_thread();
  return *detail::current_stream;
}

/// Chooses the GPU of this process, by its number from 0, before anything else is done with one.
/// \throws DeviceError if there is no such GPU, or another is in use already.
inline void select_device(int number) {
  std::string why;
  const int count = driver::devices(why);
  if (number < 0 || number >= count)
    throw DeviceError(
        count < 1 ? message("GPU ", number, " was asked for, but this machine has none: ", why)
                  : message("GPU ", number, " was asked for; this machine has ", count,
                            ", numbered from 0"));
  detail::Process& all = detail::process();
  const std::scoped_lock lock(all.mutex);
  if (all.used && number != all.device)
    throw DeviceError(message("GPU ", number, " was asked for, but this process uses GPU ",
                              all.device, " already; choose before the first tensor is made"));
  all.device = number;
}

inline std::string device_name() {
  stream();
  return driver::device_name(device());
}

inline int multiprocessors() {
  stream();
  return driver::multiprocessors(device());
}

/// What is asked of `later` from now on waits for all that was asked of `earlier`.
inline void order(const Stream& earlier, const Stream& later) {
  const driver::Event event = driver::create_event();
  try {
    driver::record(event, earlier.handle);
    driver::wait(later.handle, event);
  } catch (...) {
    driver::destroy(event);
    throw;
  }
  driver::destroy(event);
}

/// While it lives, the thread's work goes to another stream, in no order with what the thread asks
/// for before and after: whoever uses it says the order with events.
class AsideScope {
 public:
  explicit AsideScope(Stream& aside) : outer_(&stream()) { detail::current_stream = &aside; }
  AsideScope(const AsideScope&) = delete;
  AsideScope& operator=(const AsideScope&) = delete;
  ~AsideScope() { detail::current_stream = outer_; }

 private:
  Stream* outer_;
};

/// Waits for what was asked of the calling thread's stream.
inline void synchronize() { driver::synchronize(stream().handle); }

}  // namespace gpu

/// A stream of one's own, for threads that use the GPU side by side (they predict, say):
///
///     CudaStream own;
///     const CudaStream::Scope scope(own);  // this thread's work goes there, until the scope ends
///
/// Where a scope begins, the stream waits for what the thread had asked for before; where it ends,
/// the thread's former stream waits for it: to the thread, order is as without. Threads on
/// different streams call `Cuda::synchronize()` before they hand each other tensors.
class CudaStream {
 public:
  /// \throws DeviceError if there are 64 already.
  CudaStream() {
    gpu::stream();
    auto& all = gpu::detail::process();
    const std::scoped_lock lock(all.mutex);
    for (int i = 1; i < gpu::most_streams; ++i) {
      if (all.taken[i] || (all.streams[i] && all.streams[i]->graphs > 0)) continue;
      if (!all.streams[i]) all.streams[i] = new gpu::Stream{gpu::driver::create_stream(), i};
      all.taken[i] = true;
      stream_ = all.streams[i];
      return;
    }
    throw DeviceError(message("a CudaStream more than the ", gpu::most_streams - 1,
                              " there can be; let some go"));
  }
  CudaStream(const CudaStream&) = delete;
  CudaStream& operator=(const CudaStream&) = delete;
  /// Its work need not be done: who gets the stream next is ordered behind.
  ~CudaStream() {
    auto& all = gpu::detail::process();
    const std::scoped_lock lock(all.mutex);
    all.taken[stream_->number] = false;
  }

  gpu::Stream& stream() const { return *stream_; }

  class Scope {
   public:
    explicit Scope(const CudaStream& own) : inner_(own.stream_), outer_(&gpu::stream()) {
      gpu::order(*outer_, *inner_);
      gpu::detail::current_stream = inner_;
    }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;
    ~Scope() {
      gpu::detail::current_stream = outer_;
      try {
        gpu::order(*inner_, *outer_);
      } catch (const Error&) {  // a broken GPU says so at the next call
      }
    }

   private:
    gpu::Stream *inner_, *outer_;
  };

 private:
  gpu::Stream* stream_ = nullptr;
};

}  // namespace ebb
