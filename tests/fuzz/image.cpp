// Any bytes are a PNG, JPEG or BMP image or a reason why not.
#include <ebb/data/read/image_file.hpp>

#include "file.hpp"

using namespace ebb;

namespace {

/// Rights the checksums of a PNG's chunks, which no fuzzer would find, so that what is behind them
/// is tried.
void right_checksums(std::vector<unsigned char>& file) {
  const auto size = file.size();
  for (std::size_t at = 8; size >= 12 && at <= size - 12;) {
    const std::size_t length = std::size_t{file[at]} << 24 | std::size_t{file[at + 1]} << 16 |
                               std::size_t{file[at + 2]} << 8 | file[at + 3];
    if (length > size - at - 12) return;
    const auto sum = crc32_z(0, file.data() + at + 4, length + 4);
    for (std::size_t i = 0; i < 4; ++i)
      file[at + 8 + length + i] = static_cast<unsigned char>(sum >> (24 - 8 * i) & 255);
    at += 12 + length;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* bytes, std::size_t size) {
  std::vector<unsigned char> file(bytes, bytes + size);
  if (size > 8 && file[0] == 0x89) right_checksums(file);
  const std::string path = fuzz::file_of(file.data(), size);
  try {
    // Small images, because decoding megapixels of noise takes its time.
    if (data::image_info(path).size.area() < 1 << 16) {
      data::read_image(path, 1);
      data::read_image(path, {.range = {3, 4095}});
    }
  } catch (const Error&) {
  }
  return 0;
}
