// Any bytes are a NIfTI file or a reason why not. The reader wants a file: one in memory serves.
#include <ebb/data/nifti.hpp>

#include <sys/mman.h>
#include <unistd.h>

using namespace ebb;

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* bytes, std::size_t size) {
  static const int file = ::memfd_create("fuzz.nii", 0);
  static const std::string path = "/proc/self/fd/" + std::to_string(file);
  if (::ftruncate(file, 0) != 0 || ::pwrite(file, bytes, size, 0) != static_cast<ssize_t>(size))
    return 0;
  try {
    data::read_nifti(path, {.most_bytes = 1 << 24});
  } catch (const Error&) {
  }
  return 0;
}
