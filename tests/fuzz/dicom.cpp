// Any bytes are a DICOM file or a reason why not. The reader wants a file: one in memory serves.
#include <ebb/data/read/dicom.hpp>
#include <ebb/data/read/dicom/tags.hpp>

#include <sys/mman.h>
#include <unistd.h>

using namespace ebb;

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* bytes, std::size_t size) {
  static const int file = ::memfd_create("fuzz.dcm", 0);
  static const std::string path = "/proc/self/fd/" + std::to_string(file);
  if (::ftruncate(file, 0) != 0 || ::pwrite(file, bytes, size, 0) != static_cast<ssize_t>(size))
    return 0;
  constexpr data::DicomOptions limits{.most_bytes = 1 << 22};
  try {
    const data::detail::DicomFile parsed("fuzz", path, limits);
    try {
      data::detail::dicom_image(parsed, limits).display();
    } catch (const Error&) {
    }
    data::detail::dicom_identifying(parsed);
  } catch (const Error&) {
  }
  return 0;
}
