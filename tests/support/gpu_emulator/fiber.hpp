/// \file
/// Fibers: stacks that a thread of the CPU changes between.
#pragma once

#include <ebb/core/config.hpp>

#include "tests/support/gpu_emulator/sanitizers.hpp"

#include <sys/mman.h>
#include <algorithm>
#include <atomic>
#include <cstddef>
#include <new>

#if !defined(__x86_64__) && !defined(EBB_EMULATOR_UCONTEXT)
#  define EBB_EMULATOR_UCONTEXT 1
#endif
#if defined(EBB_EMULATOR_UCONTEXT)
#  include <ucontext.h>
#endif

namespace ebb::inline EBB_ABI::gpu::emulator {

/// A stack, and where it was left. The scheduler's own has no memory of ours.
struct Fiber {
#if defined(EBB_EMULATOR_UCONTEXT)
  ucontext_t context{};
#else
  void* top = nullptr;
#endif
  char* stack = nullptr;
  std::size_t size = 0;
  std::size_t offset = 0;      ///< of the first frame: stacks at equal addresses share cache sets
  void* fake_stack = nullptr;  ///< AddressSanitizer's
  void* tsan = nullptr;

  Fiber() = default;
  explicit Fiber(std::size_t bytes) : size(bytes) {
    void* const memory = mmap(nullptr, size + guard, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    mprotect(memory, guard, PROT_NONE);
    stack = static_cast<char*>(memory) + guard;
    static std::atomic<unsigned> count{0};
    offset = count++ % 61 * 320 % 4096 / 16 * 16;
  }
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;
  ~Fiber() {
#if defined(EBB_EMULATOR_TSAN)
    if (tsan && stack && offset != borrowed) __tsan_destroy_fiber(tsan);
#endif
    if (!stack || offset == borrowed) return;
    unpoison(stack, size);  // who gets these addresses next knows nothing of frames
    munmap(stack - guard, size + guard);
  }

  /// The next switch to this fiber begins with `entry`, which must not return.
  void prepare(void (*entry)()) {
    unpoison(stack, size);  // a fiber that ended may have left forbidden frames
#if defined(EBB_EMULATOR_TSAN)
    if (!tsan) tsan = __tsan_create_fiber(0);
#endif
#if defined(EBB_EMULATOR_UCONTEXT)
    getcontext(&context);
    context.uc_stack.ss_sp = stack;
    context.uc_stack.ss_size = size;
    context.uc_link = nullptr;
    makecontext(&context, entry, 0);
#else
    // From the top: an empty return address of entry, entry itself, six registers.
    void** place = reinterpret_cast<void**>(stack + size - offset) - 2;
    place[0] = reinterpret_cast<void*>(entry);
    place[1] = nullptr;
    place -= 6;
    std::fill(place, place + 6, nullptr);
    top = place;
#endif
  }

  static constexpr std::size_t guard = 4096;                ///< a page that no access survives
  static constexpr std::size_t borrowed = ~std::size_t{0};  ///< `offset` of the scheduler's stack
};

#if !defined(EBB_EMULATOR_UCONTEXT)
/// Saves the registers that a callee must keep on the old stack, takes them from the new one.
__attribute__((naked, noinline)) inline void switch_stacks(void** /*save*/, void* /*load*/) {
  asm volatile(
      "pushq %rbp; pushq %rbx; pushq %r12; pushq %r13; pushq %r14; pushq %r15;"
      "movq %rsp, (%rdi); movq %rsi, %rsp;"
      "popq %r15; popq %r14; popq %r13; popq %r12; popq %rbx; popq %rbp; ret");
}
#endif

/// Goes on with `to`; returns when somebody switches back to `from`, never if it is `ending`.
inline void switch_fibers(Fiber& from, Fiber& to, [[maybe_unused]] bool ending = false) {
#if defined(EBB_EMULATOR_ASAN)
  __sanitizer_start_switch_fiber(ending ? nullptr : &from.fake_stack, to.stack, to.size);
#endif
#if defined(EBB_EMULATOR_TSAN)
  __tsan_switch_to_fiber(to.tsan, 1);  // 1: the switch itself orders nothing
#endif
#if defined(EBB_EMULATOR_UCONTEXT)
  swapcontext(&from.context, &to.context);
#else
  switch_stacks(&from.top, to.top);
#endif
#if defined(EBB_EMULATOR_ASAN)
  __sanitizer_finish_switch_fiber(from.fake_stack, nullptr, nullptr);
#endif
}

/// The first thing a fiber does; the stack it came from is the scheduler's.
inline void arrive_from([[maybe_unused]] Fiber& scheduler) {
#if defined(EBB_EMULATOR_ASAN)
  const void* bottom = nullptr;
  std::size_t size = 0;
  __sanitizer_finish_switch_fiber(nullptr, &bottom, &size);
  scheduler.stack = const_cast<char*>(static_cast<const char*>(bottom));
  scheduler.size = size;
  scheduler.offset = Fiber::borrowed;
#endif
}

}  // namespace ebb::gpu::emulator
