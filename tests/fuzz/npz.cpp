// Any bytes are a .npy file, a .npz file, or a reason why not: libFuzzer looks for others.
#include <ebb/data/read/npz.hpp>

using namespace ebb;
using namespace ebb::data;

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* bytes, std::size_t size) {
  try {
    data::detail::parse_npy("fuzz", data::detail::ByteSource({bytes, size}));
  } catch (const Error&) {
  }
  try {
    const NpzFile file("fuzz", {bytes, bytes + size}, {.most_bytes = 1 << 24});
    for (const auto& member : file.members()) {
      try {
        file.get(member.name);
      } catch (const Error&) {
      }
    }
  } catch (const Error&) {
  }
  return 0;
}
