/// \file
/// The bytes of a pickle, taken from the front on.
#pragma once

#include <ebb/core/error.hpp>

#include <bit>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace ebb::inline EBB_ABI::io::detail {

/// Thrown where a pickle goes on behind the bytes that are there.
class PickleEndsEarly : public FileError {
 public:
  using FileError::FileError;
};

class PickleBytes {
 public:
  /// `where` begins every message: the file and the record.
  PickleBytes(std::string where, std::span<const unsigned char> bytes)
      : where_(std::move(where)), bytes_(bytes) {}

  std::size_t at() const { return at_; }
  /// Where the instruction began that is being read, for messages.
  void begin() { begin_ = at_; }

  std::string_view take(std::uint64_t n) {
    if (n > bytes_.size() - at_)
      throw PickleEndsEarly(message(where_, ", at byte ", begin_, ": it wants ", n, " bytes, and ",
                                    bytes_.size() - at_,
                                    " are left; it is truncated: copy it again"));
    const auto* from = reinterpret_cast<const char*>(bytes_.data()) + at_;
    at_ += static_cast<std::size_t>(n);
    return {from, static_cast<std::size_t>(n)};
  }
  unsigned char byte() { return static_cast<unsigned char>(take(1)[0]); }
  /// An unsigned number, little-endian.
  std::uint64_t number(int width) {
    std::uint64_t value = 0;
    const std::string_view all = take(static_cast<std::uint64_t>(width));
    for (int i = 0; i < width; ++i)
      value |= std::uint64_t{static_cast<unsigned char>(all[static_cast<std::size_t>(i)])} << 8 * i;
    return value;
  }
  double big_endian_double() {
    std::uint64_t bits = 0;
    for (const char c : take(8)) bits = bits << 8 | static_cast<unsigned char>(c);
    return std::bit_cast<double>(bits);
  }
  std::string_view line() {
    const std::string_view rest{reinterpret_cast<const char*>(bytes_.data()) + at_,
                                bytes_.size() - at_};
    const std::size_t end = rest.find('\n');
    const std::string_view text = take(end == rest.npos ? rest.size() + 1 : end + 1);
    return text.substr(0, text.size() - 1);
  }

  [[noreturn]] void fail(const std::string& what) const {
    throw FileError(message(where_, ", at byte ", begin_, ": ", what));
  }

 private:
  std::string where_;
  std::span<const unsigned char> bytes_;
  std::size_t at_ = 0, begin_ = 0;
};

}  // namespace ebb::io::detail
