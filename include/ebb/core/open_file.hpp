/// \file
/// Bytes at any place of a file or of memory, for any number of threads at a time.
#pragma once

#include <ebb/core/error.hpp>
#include <ebb/core/system.hpp>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

namespace ebb::inline EBB_ABI::os {

/// A regular file that stays open, or bytes in its place. What is opened stays what it is, even
/// where the path is given to another file meanwhile.
class OpenFile {
 public:
  /// `who` reads, in messages. \throws FileError when there is no such file.
  OpenFile(const char* who, const std::string& path) : who_(who), path_(path) {
    descriptor_ = os::open_to_read(path);
    if (descriptor_ < 0)
      fail(message(std::strerror(errno), errno == ENOENT ? "; check the path" : ""));
    const os::Kind kind = os::look_at(descriptor_);
    const int why = errno;
    if (!kind.there || kind.folder || !kind.regular)
      os::close_quietly(std::exchange(descriptor_, -1));
    if (!kind.there) fail(std::strerror(why));
    if (kind.folder) fail("it is a folder; name a file in it");
    if (!kind.regular) fail("it is not a regular file");
    size_ = kind.bytes;
  }
  /// Bytes in memory; `path` is what messages call them.
  OpenFile(const char* who, const std::string& path, std::vector<unsigned char> bytes)
      : who_(who), path_(path), memory_(std::move(bytes)), size_(memory_.size()) {}
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  ~OpenFile() {
    if (descriptor_ >= 0) os::close_quietly(descriptor_);
  }

  const std::string& path() const { return path_; }
  std::uint64_t size() const { return size_; }

  /// `bytes` bytes from `from` on. \throws FileError when they are not there, or cannot be read.
  void read(std::uint64_t from, void* to, std::size_t bytes) const {
    if (from > size_ || bytes > size_ - from) fail("it is truncated; copy it again");
    if (descriptor_ < 0) {
      if (bytes > 0) std::memcpy(to, memory_.data() + from, bytes);
      return;
    }
    auto* at = static_cast<char*>(to);
    while (bytes > 0) {
      const std::ptrdiff_t got = os::read_at(descriptor_, at, bytes, from);
      if (got < 0) fail(message("it cannot be read: ", std::strerror(errno)));
      if (got == 0) fail("it became shorter while it was read");
      at += got;
      from += static_cast<std::uint64_t>(got);
      bytes -= static_cast<std::size_t>(got);
    }
  }

  [[noreturn]] void fail(const std::string& what) const {
    throw FileError(message(who_, ": '", path_, "': ", what));
  }

 private:
  const char* who_;
  std::string path_;
  std::vector<unsigned char> memory_;
  std::uint64_t size_ = 0;
  int descriptor_ = -1;
};

}  // namespace ebb::os
