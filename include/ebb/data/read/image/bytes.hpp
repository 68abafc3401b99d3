/// \file
/// An image file in memory: its numbers, and the sentence for what is wrong with it.
#pragma once

#include <ebb/core/size2.hpp>
#include <ebb/data/read/regular_file.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace ebb::inline EBB_ABI::data {

/// What the header of an image file says.
struct ImageInfo {
  Size2 size;        ///< upright: once turned as the file's EXIF data asks
  int channels = 0;  ///< in the file: 1 grey, 2 grey and alpha, 3 colour, 4 colour and alpha
  int bits = 8;      ///< of a value: 16 in some PNG, 8 elsewhere
  int orientation =
      1;  ///< EXIF's: 1 is upright, 6 turned by a quarter; `size` is that after turning
};

namespace detail {

/// All bytes of an image file. Numbers beyond its end are 0.
class ImageBytes {
 public:
  /// \throws FileError when there is no such file, or it cannot be read.
  explicit ImageBytes(const std::string& path) : path_(path) {
    const std::uintmax_t size =
        size_of_regular_file(path, [this](const std::string& what) { fail(what); });
    if (size > most_bytes) fail(message("it has ", size, " bytes, too many for an image"));
    const std::unique_ptr<std::FILE, Close> file(os::open_file(path, "rb"));
    if (!file) fail(message("it cannot be opened: ", std::strerror(errno)));
    bytes_.resize(static_cast<std::size_t>(size));
    if (size == 0 || std::fread(bytes_.data(), 1, bytes_.size(), file.get()) != bytes_.size())
      fail(size == 0 ? "it is empty" : "it cannot be read to its end");
  }

  std::size_t size() const { return bytes_.size(); }
  const unsigned char* data() const { return bytes_.data(); }
  int operator[](std::size_t at) const { return at < bytes_.size() ? int{bytes_[at]} : 0; }

  /// A number of `bytes` bytes, the most significant first.
  std::uint32_t big(std::size_t at, int bytes) const {
    std::uint32_t number = 0;
    for (int i = 0; i < bytes; ++i)
      number = number << 8 | static_cast<std::uint32_t>((*this)[at + static_cast<std::size_t>(i)]);
    return number;
  }
  /// The same, the least significant first.
  std::uint32_t little(std::size_t at, int bytes) const {
    std::uint32_t number = 0;
    for (int i = bytes; i-- > 0;)
      number = number << 8 | static_cast<std::uint32_t>((*this)[at + static_cast<std::size_t>(i)]);
    return number;
  }
  bool has(std::size_t at, std::string_view text) const {
    return at <= size() && size() - at >= text.size() &&
           std::memcmp(bytes_.data() + at, text.data(), text.size()) == 0;
  }

  /// `size` bytes, or those of them that are there.
  std::string_view text(std::size_t at, std::size_t size) const {
    at = std::min(at, bytes_.size());
    return {reinterpret_cast<const char*>(bytes_.data()) + at, std::min(size, bytes_.size() - at)};
  }

  [[noreturn]] void fail(const std::string& what) const {
    throw FileError(message("read_image: '", path_, "': ", what));
  }
  [[noreturn]] void damaged(const std::string& how) const {
    fail(message("its image data is damaged (", how, ")"));
  }
  [[noreturn]] void refuse(const std::string& kind) const {
    fail(message(kind, ", which is not read; convert it to an ordinary PNG"));
  }

 private:
  static constexpr std::uintmax_t most_bytes = std::uintmax_t{1} << 30;
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };

  std::string path_;
  std::vector<unsigned char> bytes_;
};

}  // namespace detail

}  // namespace ebb::data
