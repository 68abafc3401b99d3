// Any bytes are a safetensors file or a reason why not.
#include <ebb/io/safetensors.hpp>

#include "file.hpp"

using namespace ebb;

namespace {

template <class T, int N>
void read(const io::SafetensorsFile& file, const std::string& name) {
  try {
    file.get<T, N>(name, {.convert = true});
  } catch (const Error&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* bytes, std::size_t size) {
  try {
    const io::SafetensorsFile file(fuzz::file_of(bytes, size));
    for (const std::string& name : file.names()) {
      read<float, 1>(file, name);
      read<double, 2>(file, name);
      read<std::int64_t, 0>(file, name);
      read<std::uint8_t, 3>(file, name);
    }
  } catch (const Error&) {
  }
  return 0;
}
