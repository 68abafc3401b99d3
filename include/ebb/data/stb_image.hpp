/// \file
/// stb_image, compiled into each translation unit that includes this, with internal linkage, so
/// that nothing needs to be linked and several units do not clash. A program that uses stb_image
/// itself includes <stb/stb_image.h> before this header (and implements it somewhere, as always):
/// then that one is used.
#pragma once

#include <cstdlib>

#if defined(__GNUC__)
#  pragma GCC diagnostic push
#  pragma GCC diagnostic ignored "-Wunused-function"
#endif
#if !defined(STBI_INCLUDE_STB_IMAGE_H)
#  define STB_IMAGE_STATIC
#  define STB_IMAGE_IMPLEMENTATION
#  define STBI_ONLY_JPEG
#  define STBI_NO_STDIO
// Zeroed memory: version 2.27 reads tables that a damaged file never filled.
#  define STBI_MALLOC(bytes) std::calloc(1, bytes)
#  define STBI_REALLOC(memory, bytes) std::realloc(memory, bytes)
#  define STBI_FREE(memory) std::free(memory)
#  if __has_include(<stb/stb_image.h>)
#    include <stb/stb_image.h>
#  else
#    include <stb_image.h>
#  endif
#  undef STB_IMAGE_STATIC
#  undef STB_IMAGE_IMPLEMENTATION
#  undef STBI_MALLOC
#  undef STBI_REALLOC
#  undef STBI_FREE
#endif
#if defined(__GNUC__)
#  pragma GCC diagnostic pop
#endif
