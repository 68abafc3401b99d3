// Any bytes are a file of PyTorch, the pickle of one, or a reason why not. (Chance would not find
// the checksum of a pickle in an archive, so one is made around it.)
#include <ebb/io/pytorch.hpp>

using namespace ebb;

namespace {

using Bytes = std::vector<unsigned char>;

struct Memory {
  Bytes bytes;
  void write(const void* data, std::size_t n) {
    const auto* from = static_cast<const unsigned char*>(data);
    bytes.insert(bytes.end(), from, from + n);
  }
};

void read(Bytes bytes) {
  try {
    const io::PytorchFile file("fuzz", std::move(bytes), {.most_bytes = 1 << 20});
    for (const std::string& name : file.names()) {
      try {
        file.bytes_of(name);
      } catch (const Error&) {
      }
    }
  } catch (const Error&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* bytes, std::size_t size) {
  read({bytes, bytes + size});
  static const Bytes storage(64, 1);
  Memory archive;
  io::detail::ZipWriter<Memory> zip(archive);
  zip.record("a/data.pkl", bytes, size);
  zip.record("a/data/0", storage.data(), storage.size());
  zip.finish();
  read(std::move(archive.bytes));
  return 0;
}
