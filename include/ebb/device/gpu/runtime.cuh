/// \file
/// A real GPU behind the names that device/gpu/launch.cuh and what follows it use: macros for
/// kernels, and a thin driver. (The emulator of the tests has another:
/// tests/support/gpu_emulator/runtime.hpp.)
#pragma once

#include <ebb/core/error.hpp>

#include <cuda_runtime.h>
#include <cxxabi.h>
#include <cstdlib>
#include <string>
#include <tuple>
#include <utility>

/// Marks a kernel, which must be a template.
#define EBB_KERNEL __global__ void
/// Marks a function that kernels call.
#define EBB_DEVICE __device__ __forceinline__
#define EBB_UNROLL _Pragma("unroll")
/// As many turns of a loop as one, where all of them would take too many registers.
#define EBB_UNROLL_BY(turns) EBB_PRAGMA(unroll turns)
#define EBB_PRAGMA(text) _Pragma(#text)
/// Threads a block has at most (and blocks a multiprocessor should hold): `EBB_BOUNDS(256, 2)`.
#define EBB_BOUNDS(...) __launch_bounds__(__VA_ARGS__)
/// Shared memory of a block: `EBB_SHARED(float, tile, [32][33]);`
#define EBB_SHARED(type, name, ...) __shared__ type name __VA_ARGS__
/// Shared memory whose size the launch says: `EBB_DYNAMIC_SHARED(float, buffer);`
#define EBB_DYNAMIC_SHARED(type, name)                                 \
  extern __shared__ __align__(128) unsigned char ebb_dynamic_shared[]; \
  type* name = reinterpret_cast<type*>(ebb_dynamic_shared)

namespace ebb::inline EBB_ABI::gpu::driver {

using Stream = cudaStream_t;
using Event = cudaEvent_t;
using Graph = cudaGraphExec_t;

enum class Direction { to_device, to_host, on_device };

struct Memory {
  std::size_t free, total;
};

inline std::string said(cudaError_t status) {
  return message("CUDA says '", cudaGetErrorString(status), "' (", cudaGetErrorName(status), ")");
}

/// \throws Error that says what was being done and what CUDA answered.
inline void check(cudaError_t status, const char* what) {
  if (status != cudaSuccess) throw Error(message(what, ": ", said(status)));
}

/// Where something is waited for, CUDA tells of kernels that went wrong some time ago.
inline void check_wait(cudaError_t status, const char* what) {
  if (status != cudaSuccess)
    throw Error(message(what, ": ", said(status),
                        "; a kernel before it may be at fault: with EBB_CUDA_CHECK=1 in the "
                        "environment each is waited for and named"));
}

// --- the GPU
// --------------------------------------------------------------------------------------

/// How many there are; says why where there is none.
inline int devices(std::string& why) {
  int count = 0;
  if (const cudaError_t status = cudaGetDeviceCount(&count); status != cudaSuccess) {
    static_cast<void>(cudaGetLastError());
    why = said(status);
    return 0;
  }
  if (count < 1) why = "CUDA sees none (CUDA_VISIBLE_DEVICES may hide them)";
  return count;
}
inline void bind(int device) { check(cudaSetDevice(device), "choosing the GPU"); }
/// (Of the one GPU that a process uses, so it is asked once.)
inline int multiprocessors(int device) {
  static const int count = [device] {
    int number = 0;
    check(cudaDeviceGetAttribute(&number, cudaDevAttrMultiProcessorCount, device),
          "asking the GPU");
    return number;
  }();
  return count;
}
inline std::string device_name(int device) {
  cudaDeviceProp properties{};
  check(cudaGetDeviceProperties(&properties, device), "asking the GPU");
  return properties.name;
}

// --- streams and events
// ---------------------------------------------------------------------------

inline Stream create_stream() {
  Stream stream = nullptr;
  check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "making a stream");
  return stream;
}
inline void synchronize(Stream stream) {
  check_wait(cudaStreamSynchronize(stream), "waiting for the GPU");
}

inline Event create_event() {
  Event event = nullptr;
  check(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), "making an event");
  return event;
}
inline void destroy(Event event) { static_cast<void>(cudaEventDestroy(event)); }
inline void record(Event event, Stream stream) {
  check(cudaEventRecord(event, stream), "recording an event");
}
inline void wait(Stream stream, Event event) {
  check(cudaStreamWaitEvent(stream, event, 0), "ordering streams");
}
inline void synchronize(Event event) {
  check_wait(cudaEventSynchronize(event), "waiting for the GPU");
}
inline bool done(Event event) {
  const cudaError_t status = cudaEventQuery(event);
  if (status != cudaErrorNotReady) check_wait(status, "asking for the GPU");
  return status == cudaSuccess;
}

// --- memory
// ---------------------------------------------------------------------------------------

/// Null where the GPU has too little.
inline void* try_allocate(std::size_t bytes) {
  void* memory = nullptr;
  // Allowed while this thread captures: the allocation itself is no part of the graph.
  cudaStreamCaptureMode mode = cudaStreamCaptureModeRelaxed;
  check(cudaThreadExchangeStreamCaptureMode(&mode), "taking GPU memory");
  const cudaError_t status = cudaMalloc(&memory, bytes);
  check(cudaThreadExchangeStreamCaptureMode(&mode), "taking GPU memory");
  if (status == cudaErrorMemoryAllocation) {
    static_cast<void>(cudaGetLastError());  // it is told, and the process goes on
    return nullptr;
  }
  check(status, "taking GPU memory");
  return memory;
}
inline void release(void* memory) { static_cast<void>(cudaFree(memory)); }
inline Memory memory() {
  Memory memory{};
  check(cudaMemGetInfo(&memory.free, &memory.total), "asking for the GPU's memory");
  return memory;
}
inline void* allocate_pinned(std::size_t bytes) {
  void* memory = nullptr;
  check(cudaMallocHost(&memory, bytes), "taking pinned host memory");
  return memory;
}
inline void release_pinned(void* memory) { static_cast<void>(cudaFreeHost(memory)); }

inline void copy(Stream stream, void* to, const void* from, std::size_t bytes,
                 Direction direction) {
  if (direction == Direction::to_device)
    check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, stream), "copying to the GPU");
  else if (direction == Direction::to_host)
    check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, stream), "copying from the GPU");
  else
    check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, stream), "copying on the GPU");
}

/// For the emulator, which spoils memory that is nobody's.
inline void lend(Stream, void*, std::size_t, std::size_t) {}
inline void take_back(Stream, void*, std::size_t) {}

// --- kernels and graphs
// ---------------------------------------------------------------------------

/// A kernel's name for people.
inline std::string name_of(const void* kernel) {
  const char* mangled = nullptr;
  if (cudaFuncGetName(&mangled, kernel) != cudaSuccess || !mangled) return "a kernel";
  int status = 0;
  char* const plain = abi::__cxa_demangle(mangled, nullptr, nullptr, &status);
  const std::string name = plain ? plain : mangled;
  std::free(plain);
  return name;
}

inline bool every_kernel_is_checked() {
  static const bool checked = [] {
    const char* const set = std::getenv("EBB_CUDA_CHECK");
    return set && *set && *set != '0';
  }();
  return checked;
}

inline void check_launch(cudaError_t status, const void* kernel, dim3 grid, dim3 block,
                         std::size_t shared_bytes) {
  if (status == cudaSuccess) return;
  throw Error(message("running ", name_of(kernel), " on ", grid.x, " x ", grid.y, " x ", grid.z,
                      " blocks of ", block.x, " x ", block.y, " x ", block.z, " threads with ",
                      shared_bytes, " bytes of shared memory: ", said(status),
                      status == cudaErrorNoKernelImageForDevice
                          ? "; the program was not compiled for this GPU: add its architecture to "
                            "CMAKE_CUDA_ARCHITECTURES"
                          : ""));
}

template <class... P, class... A>
void launch(Stream stream, bool cooperative, dim3 grid, dim3 block, std::size_t shared_bytes,
            void (*kernel)(P...), A&&... arguments) {
  const auto* const address = reinterpret_cast<const void*>(kernel);
  if (shared_bytes > 48 * 1024)
    check_launch(cudaFuncSetAttribute(address, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                      static_cast<int>(shared_bytes)),
                 address, grid, block, shared_bytes);
  if (cooperative) {
    std::tuple<P...> values(static_cast<P>(std::forward<A>(arguments))...);
    std::apply(
        [&](auto&... value) {
          void* pointers[] = {&value...};
          check_launch(
              cudaLaunchCooperativeKernel(address, grid, block, pointers, shared_bytes, stream),
              address, grid, block, shared_bytes);
        },
        values);
  } else {
    kernel<<<grid, block, shared_bytes, stream>>>(static_cast<P>(std::forward<A>(arguments))...);
    check_launch(cudaGetLastError(), address, grid, block, shared_bytes);
  }
  if (every_kernel_is_checked()) {
    cudaStreamCaptureStatus capture = cudaStreamCaptureStatusNone;
    check(cudaStreamIsCapturing(stream, &capture), "asking for the stream");
    if (capture == cudaStreamCaptureStatusNone)
      check_launch(cudaStreamSynchronize(stream), address, grid, block, shared_bytes);
  }
}

inline void begin_capture(Stream stream) {
  check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "capturing");
}
inline Graph end_capture(Stream stream) {
  cudaGraph_t graph = nullptr;
  check(cudaStreamEndCapture(stream, &graph), "ending a capture");
  Graph program = nullptr;
  const cudaError_t status = cudaGraphInstantiate(&program, graph, 0);
  static_cast<void>(cudaGraphDestroy(graph));
  check(status, "making a graph of what was captured");
  return program;
}
/// Where capturing failed.
inline void abandon_capture(Stream stream) {
  cudaGraph_t graph = nullptr;
  if (cudaStreamEndCapture(stream, &graph) == cudaSuccess && graph)
    static_cast<void>(cudaGraphDestroy(graph));
  static_cast<void>(cudaGetLastError());
}
inline void replay(Stream stream, Graph graph) {
  check(cudaGraphLaunch(graph, stream), "replaying a captured step");
}
inline void destroy(Graph graph) { static_cast<void>(cudaGraphExecDestroy(graph)); }

}  // namespace ebb::gpu::driver
