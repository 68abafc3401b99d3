// stb_image_write, compiled once for the tests of image readers.
#define STB_IMAGE_WRITE_IMPLEMENTATION
#if defined(__GNUC__)
#  pragma GCC diagnostic push
#  pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#endif
#if __has_include(<stb/stb_image_write.h>)
#  include <stb/stb_image_write.h>
#else
#  include <stb_image_write.h>
#endif
#if defined(__GNUC__)
#  pragma GCC diagnostic pop
#endif
