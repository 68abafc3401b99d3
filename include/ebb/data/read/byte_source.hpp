/// \file
/// Bytes at any place of a file or of memory, for readers that do not take in the whole.
#pragma once

#include <ebb/core/open_file.hpp>
#include <ebb/data/read/regular_file.hpp>

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <vector>

namespace ebb::inline EBB_ABI::data::detail {

class ByteSource {
 public:
  /// A regular file. \throws FileError when there is none, or it cannot be opened.
  ByteSource(const char* who, const std::string& path) : name_(message(who, ": '", path, "'")) {
    size_ = size_of_regular_file(path, [this](const std::string& what) { fail(what); });
    file_.open(std::filesystem::path(os::native(path)), std::ios::binary);
    if (!file_) fail("it cannot be read; check that you may read it");
  }
  /// Memory, which must outlive this.
  explicit ByteSource(std::span<const unsigned char> memory)
      : size_(memory.size()), memory_(memory.data()) {}
  /// A file that is open, which must outlive this.
  explicit ByteSource(const os::OpenFile& file) : size_(file.size()), open_(&file) {}

  std::uint64_t size() const { return size_; }

  /// `n` bytes from `at` on. \throws FileError when they are not there, or cannot be read.
  void read(std::uint64_t at, unsigned char* to, std::size_t n) {
    if (open_ != nullptr) return open_->read(at, to, n);
    if (at > size_ || n > size_ - at) fail("it is truncated; copy it again");
    if (n == 0) return;
    if (memory_ != nullptr) {
      std::memcpy(to, memory_ + at, n);
      return;
    }
    if (at != at_) file_.seekg(static_cast<std::streamoff>(at));
    if (!file_.read(reinterpret_cast<char*>(to), static_cast<std::streamsize>(n)))
      fail("it cannot be read; check that you may read it");
    at_ = at + n;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw FileError(message(name_, ": ", what));
  }

  std::string name_;
  std::uint64_t size_ = 0, at_ = 0;
  const unsigned char* memory_ = nullptr;
  const os::OpenFile* open_ = nullptr;
  std::ifstream file_;
};

/// The bytes of a regular file. \throws FileError.
inline std::vector<unsigned char> read_bytes(const char* who, const std::string& path) {
  ByteSource file(who, path);
  std::vector<unsigned char> bytes(static_cast<std::size_t>(file.size()));
  file.read(0, bytes.data(), bytes.size());
  return bytes;
}

}  // namespace ebb::data::detail
