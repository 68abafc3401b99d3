/// \file
/// The driver of device/gpu/runtime.cuh for the emulated GPU: memory, streams, events, graphs.
///
/// A stream does at once what it is asked to, or, with `config.late`, no earlier than somebody
/// waits for it. Both are what a GPU may do; what is right in both does not depend on luck.
#pragma once

#include <ebb/core/config.hpp>

#include "tests/support/gpu_emulator/launch.hpp"

#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <mutex>

namespace ebb::inline EBB_ABI::gpu::driver {

using Task = std::function<void()>;

/// What a captured step does, in order.
struct Recording {
  std::vector<Task> tasks;
};
using Graph = Recording*;

struct StreamState {
  std::deque<Task> waiting;
  std::uint64_t asked = 0, done = 0;
  Graph recording = nullptr;
};
using Stream = StreamState*;

struct EventState {
  Stream stream = nullptr;
  std::uint64_t place = 0;
};
using Event = EventState*;

enum class Direction { to_device, to_host, on_device };

struct Memory {
  std::size_t free, total;
};

namespace detail {
struct Machine {
  std::recursive_mutex mutex;
  std::vector<std::unique_ptr<StreamState>> streams;
  std::map<void*, std::size_t> blocks;
  std::size_t used = 0;
};
/// Never destroyed, as tensors may outlive any order of destructors.
inline Machine& machine() {
  static auto* const machine = new Machine;
  return *machine;
}

/// Does what a stream was asked up to a place.
inline void catch_up(Stream stream, std::uint64_t place) {
  const std::scoped_lock lock(machine().mutex);
  while (stream->done < place) {
    const Task task = std::move(stream->waiting.front());
    stream->waiting.pop_front();
    ++stream->done;
    task();
  }
}

inline void refuse_while_capturing(Stream stream, const char* what) {
  if (stream->recording)
    throw Error(message(what, ": CUDA says 'operation not permitted when stream is capturing'"));
}

template <class F>
void submit(Stream stream, F&& task) {
  if (stream->recording) {
    stream->recording->tasks.emplace_back(std::forward<F>(task));
    return;
  }
  if (!emulator::config.late && stream->waiting.empty()) return task();
  const std::scoped_lock lock(machine().mutex);
  stream->waiting.emplace_back(std::forward<F>(task));
  ++stream->asked;
  if (!emulator::config.late) catch_up(stream, stream->asked);
}
}  // namespace detail

// --- the GPU
// --------------------------------------------------------------------------------------

/// How many there are; says why where there is none.
inline int devices(std::string& why) {
  if (emulator::config.devices < 1) why = "CUDA says 'no CUDA-capable device is detected'";
  return emulator::config.devices;
}
inline void bind(int) {}
inline int multiprocessors(int) { return emulator::config.multiprocessors; }
inline std::string device_name(int) { return "emulated GPU"; }

// --- streams and events
// ---------------------------------------------------------------------------

inline Stream create_stream() {
  const std::scoped_lock lock(detail::machine().mutex);
  return detail::machine().streams.emplace_back(std::make_unique<StreamState>()).get();
}
inline void synchronize(Stream stream) {
  detail::refuse_while_capturing(stream, "waiting for the GPU");
  detail::catch_up(stream, stream->asked);
}

inline Event create_event() { return new EventState; }
inline void destroy(Event event) { delete event; }
inline void record(Event event, Stream stream) {
  detail::refuse_while_capturing(stream, "recording an event");
  *event = {stream, stream->asked};
}
inline void wait(Stream stream, Event event) {
  detail::refuse_while_capturing(stream, "ordering streams");
  detail::submit(stream, [at = *event] {
    if (at.stream) detail::catch_up(at.stream, at.place);
  });
}
inline void synchronize(Event event) {
  if (event->stream) detail::catch_up(event->stream, event->place);
}
inline bool done(Event event) { return !event->stream || event->stream->done >= event->place; }

// --- memory
// ---------------------------------------------------------------------------------------

/// Null where the GPU has too little.
inline void* try_allocate(std::size_t bytes) {
  detail::Machine& machine = detail::machine();
  const std::scoped_lock lock(machine.mutex);
  void* memory = nullptr;
  if (bytes > emulator::config.memory - std::min(machine.used, emulator::config.memory) ||
      posix_memalign(&memory, 256, bytes) != 0)
    return nullptr;
  machine.blocks[memory] = bytes;
  machine.used += bytes;
  std::memset(memory, 0xff, bytes);
  return memory;
}
/// Waits for every stream first, as cudaFree does.
inline void release(void* memory) {
  detail::Machine& machine = detail::machine();
  const std::scoped_lock lock(machine.mutex);
  for (const auto& stream : machine.streams) detail::catch_up(stream.get(), stream->asked);
  const auto found = machine.blocks.find(memory);
  machine.used -= found->second;
  emulator::unpoison(memory, found->second);
  machine.blocks.erase(found);
  std::free(memory);
}
inline Memory memory() {
  const std::scoped_lock lock(detail::machine().mutex);
  const std::size_t total = emulator::config.memory, used = detail::machine().used;
  return {total - std::min(used, total), total};
}
inline void* allocate_pinned(std::size_t bytes) { return std::malloc(bytes); }
inline void release_pinned(void* memory) { std::free(memory); }

/// Memory is read and written when the stream comes to it.
inline void copy(Stream stream, void* to, const void* from, std::size_t bytes, Direction) {
  detail::submit(stream, [=] { std::memcpy(to, from, bytes); });
}

/// The pool lends a block, of which the first bytes will be used, and takes it back: what it holds
/// in between is nobody's, and reading it gives not-a-number, or a report of AddressSanitizer.
inline void lend(Stream stream, void* memory, std::size_t bytes, std::size_t capacity) {
  detail::submit(stream, [=] {
    auto* const first = static_cast<unsigned char*>(memory);
    emulator::unpoison(first, capacity);
    std::memset(first, 0xff, bytes);
    // AddressSanitizer forbids from a multiple of eight on, or to the end of what was allocated.
    emulator::poison(first + bytes, capacity - bytes);
  });
}
inline void take_back(Stream stream, void* memory, std::size_t capacity) {
  detail::submit(stream, [=] { emulator::poison(memory, capacity); });
}

// --- kernels and graphs
// ---------------------------------------------------------------------------

namespace detail {
/// A kernel with its arguments, whose types are forgotten: there are hundreds of kernels, and what
/// is done with each is compiled once.
struct Launch {
  bool cooperative;
  dim3 grid, block;
  std::size_t shared_bytes;
  void (*call)(void*);

  void run(void* kernel) const {
    emulator::run_grid(grid, block, shared_bytes, cooperative, call, kernel);
  }
};
inline void submit_launch(Stream stream, const Launch& launch, void* kernel, std::size_t bytes) {
  emulator::check_launch(launch.grid, launch.block, launch.shared_bytes);
  if (!stream->recording && !emulator::config.late && stream->waiting.empty())
    return launch.run(kernel);
  const auto* const first = static_cast<const unsigned char*>(kernel);
  submit(stream, [launch, kept = std::vector<unsigned char>(first, first + bytes)]() mutable {
    launch.run(kept.data());
  });
}
}  // namespace detail

template <class... P, class... A>
void launch(Stream stream, bool cooperative, dim3 grid, dim3 block, std::size_t shared_bytes,
            void (*kernel)(P...), A&&... arguments) {
  auto call = [kernel, ... values = static_cast<P>(std::forward<A>(arguments))] {
    kernel(values...);
  };
  static_assert(std::is_trivially_copyable_v<decltype(call)>,
                "arguments of a kernel are copied to the GPU byte by byte");
  detail::submit_launch(stream,
                        {cooperative, grid, block, shared_bytes,
                         [](void* body) { (*static_cast<decltype(call)*>(body))(); }},
                        &call, sizeof call);
}

inline void begin_capture(Stream stream) {
  detail::refuse_while_capturing(stream, "capturing");
  stream->recording = new Recording;
}
inline Graph end_capture(Stream stream) { return std::exchange(stream->recording, nullptr); }
inline void abandon_capture(Stream stream) { delete end_capture(stream); }
inline void replay(Stream stream, Graph graph) {
  for (const Task& task : graph->tasks) detail::submit(stream, task);
}
inline void destroy(Graph graph) { delete graph; }

}  // namespace ebb::gpu::driver
