// Any bytes are a PNG, JPEG or BMP image or a reason why not.
#include <ebb/data/image_file.hpp>

#include "file.hpp"

using namespace ebb;

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* bytes, std::size_t size) {
  const std::string path = fuzz::file_of(bytes, size);
  try {
    // Small images, because decoding megapixels of noise takes its time.
    if (data::image_info(path).size.area() < 1 << 16) {
      data::read_image(path, 1);
      data::read_image(path);
    }
  } catch (const Error&) {
  }
  return 0;
}
