// Any bytes are an IDX file, gzipped or not, or a reason why not.
#include <ebb/data/read/idx.hpp>

#include "file.hpp"

using namespace ebb;

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* bytes, std::size_t size) {
  const std::string path = fuzz::file_of(bytes, size);
  try {
    data::read_idx<std::uint8_t, 3>(path);
  } catch (const Error&) {
  }
  try {
    data::read_idx<float, 1>(path);
  } catch (const Error&) {
  }
  return 0;
}
