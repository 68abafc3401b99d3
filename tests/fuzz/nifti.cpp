// Any bytes are a NIfTI file or a reason why not.
#include <ebb/data/read/nifti.hpp>

#include "file.hpp"

using namespace ebb;

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* bytes, std::size_t size) {
  try {
    data::read_nifti(fuzz::file_of(bytes, size), {.most_bytes = 1 << 24});
  } catch (const Error&) {
  }
  return 0;
}
