/// \file
/// What AddressSanitizer cannot know of pooled memory: a block is larger than was asked for, and is
/// kept when nobody uses it.
#pragma once

#include <ebb/core/config.hpp>

#include <cstddef>

#if defined(__has_feature)
#  if __has_feature(address_sanitizer)
#    define EBB_FENCES 1
#  endif
#endif
#if !defined(EBB_FENCES) && defined(__SANITIZE_ADDRESS__)
#  define EBB_FENCES 1
#endif
#if defined(EBB_FENCES)
#  include <sanitizer/asan_interface.h>
#endif

namespace ebb::inline EBB_ABI::kernel::detail {

/// Of the `all` bytes at `data` only the first `used` may be touched. Does something only where the
/// program is compiled with AddressSanitizer, which then sees the sizes that were asked for.
inline void fence([[maybe_unused]] void* data, [[maybe_unused]] std::size_t used,
                  [[maybe_unused]] std::size_t all) {
#if defined(EBB_FENCES)
  ASAN_UNPOISON_MEMORY_REGION(data, used);
  ASAN_POISON_MEMORY_REGION(static_cast<std::byte*>(data) + used, all - used);
#endif
}

}  // namespace ebb::kernel::detail
