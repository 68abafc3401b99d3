// stb_image and stb_image_write, compiled once for the tests of image readers: a program's own,
// beside those of ebb, which would not compile, assemble or link if ebb's had the same names.
#include <ebb/data/read/stb_image.hpp>
#include <ebb/io/png.hpp>

#define STB_IMAGE_IMPLEMENTATION
#define STB_IMAGE_WRITE_IMPLEMENTATION
#if defined(__GNUC__)
#  pragma GCC diagnostic push
#  pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#endif
#if __has_include(<stb/stb_image_write.h>)
#  include <stb/stb_image.h>
#  include <stb/stb_image_write.h>
#else
#  include <stb_image.h>
#  include <stb_image_write.h>
#endif
#if defined(__GNUC__)
#  pragma GCC diagnostic pop
#endif
