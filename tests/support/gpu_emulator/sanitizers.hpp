/// \file
/// What the emulator tells AddressSanitizer and ThreadSanitizer; without them it is nothing.
#pragma once

#include <ebb/core/config.hpp>

#include <cstddef>

#if defined(__has_feature)
#  if __has_feature(address_sanitizer)
#    define EBB_EMULATOR_ASAN 1
#  endif
#  if __has_feature(thread_sanitizer)
#    define EBB_EMULATOR_TSAN 1
#  endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#  define EBB_EMULATOR_ASAN 1
#endif
#if defined(__SANITIZE_THREAD__)
#  define EBB_EMULATOR_TSAN 1
#endif

#if defined(EBB_EMULATOR_ASAN)
#  include <sanitizer/asan_interface.h>
#  include <sanitizer/common_interface_defs.h>
#endif
#if defined(EBB_EMULATOR_TSAN)
extern "C" {
void AnnotateIgnoreReadsBegin(const char*, int);
void AnnotateIgnoreReadsEnd(const char*, int);
void AnnotateIgnoreWritesBegin(const char*, int);
void AnnotateIgnoreWritesEnd(const char*, int);
void* __tsan_create_fiber(unsigned);
void __tsan_destroy_fiber(void*);
void* __tsan_get_current_fiber();
void __tsan_switch_to_fiber(void*, unsigned);
void __tsan_acquire(void*);
void __tsan_release(void*);
}
#endif

namespace ebb::inline EBB_ABI::gpu::emulator {

#if defined(EBB_EMULATOR_TSAN)
inline constexpr bool races_are_watched = true;
#else
inline constexpr bool races_are_watched = false;
#endif

/// While one lives, memory traffic is the emulator's own bookkeeping, and no race.
struct Quiet {
#if defined(EBB_EMULATOR_TSAN)
  Quiet() {
    AnnotateIgnoreReadsBegin("", 0);
    AnnotateIgnoreWritesBegin("", 0);
  }
  ~Quiet() {
    AnnotateIgnoreWritesEnd("", 0);
    AnnotateIgnoreReadsEnd("", 0);
  }
#else
  Quiet() {}
#endif
  Quiet(const Quiet&) = delete;
  Quiet& operator=(const Quiet&) = delete;
};

/// What came before `release(tag)` is ordered before what comes after `acquire(tag)`.
inline void release([[maybe_unused]] void* tag) {
#if defined(EBB_EMULATOR_TSAN)
  __tsan_release(tag);
#endif
}
inline void acquire([[maybe_unused]] void* tag) {
#if defined(EBB_EMULATOR_TSAN)
  __tsan_acquire(tag);
#endif
}

/// Forbids, and allows, access to memory.
inline void poison([[maybe_unused]] void* p, [[maybe_unused]] std::size_t bytes) {
#if defined(EBB_EMULATOR_ASAN)
  ASAN_POISON_MEMORY_REGION(p, bytes);
#endif
}
inline void unpoison([[maybe_unused]] void* p, [[maybe_unused]] std::size_t bytes) {
#if defined(EBB_EMULATOR_ASAN)
  ASAN_UNPOISON_MEMORY_REGION(p, bytes);
#endif
}

}  // namespace ebb::gpu::emulator
