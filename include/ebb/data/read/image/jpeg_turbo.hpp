/// \file
/// JPEG by libjpeg-turbo (or another library with libjpeg's interface): link it, and define
/// EBB_HAVE_JPEG, as ebb::files does where CMake finds it.
#pragma once

#include <ebb/data/read/image/jpeg_header.hpp>
#include <ebb/data/read/image/lines.hpp>

#include <csetjmp>
#include <cstddef>
#include <cstdio>  // jpeglib.h needs it first

#include <jerror.h>
#include <jpeglib.h>

namespace ebb::inline EBB_ABI::data::detail {

/// The library's decoder; its errors, which it leaves by longjmp, become a value of false. Nothing
/// in a member function needs a destructor, so that a jump skips none.
class TurboJpeg {
 public:
  TurboJpeg() {
    decoder_.err = jpeg_std_error(&errors_);
    errors_.error_exit = [](j_common_ptr any) { leave(any); };
    errors_.emit_message = [](j_common_ptr any, int level) {
      if (level < 0 && spoils(any->err->msg_code)) leave(any);
    };
    decoder_.client_data = this;
    if (setjmp(back_) != 0) return;
    jpeg_create_decompress(&decoder_);
    ready_ = true;
  }
  TurboJpeg(const TurboJpeg&) = delete;
  TurboJpeg& operator=(const TurboJpeg&) = delete;
  ~TurboJpeg() { jpeg_destroy_decompress(&decoder_); }

  /// Reads the header and begins to decode, to 1 channel, 3, or 4 of inks.
  bool begin(const unsigned char* bytes, std::size_t size) {
    if (!ready_ || setjmp(back_) != 0) return false;
    jpeg_mem_src(&decoder_, bytes, static_cast<unsigned long>(size));
    jpeg_read_header(&decoder_, TRUE);
    decoder_.out_color_space = decoder_.num_components == 1   ? JCS_GRAYSCALE
                               : decoder_.num_components == 3 ? JCS_RGB
                                                              : JCS_CMYK;
    return jpeg_start_decompress(&decoder_) != 0;
  }
  /// Decodes the next line of samples.
  bool line(unsigned char* to) {
    if (setjmp(back_) != 0) return false;
    return jpeg_read_scanlines(&decoder_, &to, 1) == 1;
  }
  Size2 size() const { return {Index{decoder_.output_height}, Index{decoder_.output_width}}; }
  int channels() const { return decoder_.output_components; }
  const char* reason() const { return reason_; }

 private:
  static void leave(j_common_ptr any) {
    auto* self = static_cast<TurboJpeg*>(any->client_data);
    any->err->format_message(any, self->reason_);
    std::longjmp(self->back_, 1);
  }
  /// Warnings after which the library makes pixels up.
  static bool spoils(int code) {
    return code == JWRN_HIT_MARKER || code == JWRN_HUFF_BAD_CODE || code == JWRN_JPEG_EOF ||
           code == JWRN_MUST_RESYNC;
  }

  jpeg_decompress_struct decoder_{};
  jpeg_error_mgr errors_{};
  std::jmp_buf back_{};
  bool ready_ = false;
  char reason_[JMSG_LENGTH_MAX] = "";
};

/// Red, green and blue of inks as Adobe stores them, 255 for none, as Pillow has it.
inline void inks_to_colours(const unsigned char* inks, Index count, unsigned char* rgb) {
  for (Index i = 0; i < count; ++i, inks += 4, rgb += 3)
    for (int c = 0; c < 3; ++c) {
      const int product = (255 - inks[c]) * inks[3] + 128;  // rounded division by 255
      rgb[c] = static_cast<unsigned char>(std::max(0, inks[3] - ((product + (product >> 8)) >> 8)));
    }
}

/// Decodes the lines of a JPEG. \throws FileError when it is damaged.
template <class T>
void decode_jpeg_turbo(const ImageBytes& file, const JpegHeader& header, ImageLines<T>& lines) {
  TurboJpeg jpeg;
  const auto require = [&](bool fine) {
    if (!fine) file.damaged(jpeg.reason());
  };
  require(jpeg.begin(file.data(), file.size()));
  const Size2 size = jpeg.size();
  if (!(size == header.info.size) || jpeg.channels() != header.components)
    file.damaged("its header makes no sense");
  std::vector<unsigned char> line(static_cast<std::size_t>(size.width * header.components));
  std::vector<unsigned char> colours(
      static_cast<std::size_t>(header.components == 4 ? 3 * size.width : 0));
  for (Index y = 0; y < size.height; ++y) {
    require(jpeg.line(line.data()));
    if (header.components == 4) {
      inks_to_colours(line.data(), size.width, colours.data());
      lines.put(y, colours.data(), 3, size.width);
    } else {
      lines.put(y, line.data(), header.components, size.width);
    }
  }
}

}  // namespace ebb::data::detail
