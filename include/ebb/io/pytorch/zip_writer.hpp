/// \file
/// ZIP archives as torch.save lays them out: records stored, not packed, each beginning at a
/// multiple of 64 bytes, so that they can be mapped to memory. Format: PKWARE's APPNOTE.
#pragma once

#include <ebb/core/error.hpp>
#include <ebb/data/read/zlib_library.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace ebb::inline EBB_ABI::io::detail {

/// Writes records one after the other to `sink.write(data, bytes)`.
template <class Sink>
class ZipWriter {
 public:
  /// What takes more than `widest` bytes, or lies behind them, has its numbers in 64 bits (ZIP64);
  /// tests let that begin earlier.
  explicit ZipWriter(Sink& sink, std::uint64_t widest = 0xFFFFFFFE)
      : sink_(sink), widest_(widest) {}

  void record(std::string_view name, const void* data, std::size_t bytes) {
    const auto checksum =
        static_cast<std::uint32_t>(crc32_z(0, static_cast<const Bytef*>(data), bytes));
    const bool wide = bytes > widest_ || at_ > widest_;
    const std::string common = little(wide ? 45 : 20, 2) + little(0x800, 2) +   // names in UTF-8
                               little(0, 2) + little(0, 2) + little(0x21, 2) +  // 1 January 1980
                               little(checksum, 4);
    const std::string sizes = wide ? std::string(8, '\xff') : little(bytes, 4) + little(bytes, 4);
    const std::string numbers =
        wide ? little(1, 2) + little(16, 2) + little(bytes, 8) + little(bytes, 8) : std::string();
    // A field of nothing moves the data to its place.
    const std::uint64_t without = at_ + 30 + name.size() + numbers.size() + 4;
    const std::uint64_t padding = (64 - without % 64) % 64;
    const std::string extra = numbers + "FB" + little(padding, 2) + std::string(padding, 'Z');
    directory_ += "PK\1\2" + little(wide ? 45 : 20, 2) + common + sizes + little(name.size(), 2) +
                  little(wide ? 28 : 0, 2) + little(0, 10) +
                  (wide ? std::string(4, '\xff') : little(at_, 4)) + std::string(name);
    if (wide)
      directory_ +=
          little(1, 2) + little(24, 2) + little(bytes, 8) + little(bytes, 8) + little(at_, 8);
    ++count_;
    put("PK\3\4" + common + sizes + little(name.size(), 2) + little(extra.size(), 2) +
        std::string(name) + extra);
    if (bytes > 0) sink_.write(data, bytes);
    at_ += bytes;
  }

  void finish() {
    const std::uint64_t begin = at_, size = directory_.size();
    const bool wide = begin > widest_ || size > widest_ || count_ > 0xFFFE || count_ > widest_;
    put(directory_);
    if (wide) {
      const std::uint64_t end = at_;
      put("PK\6\6" + little(44, 8) + little(45, 2) + little(45, 2) + little(0, 8) +
          little(count_, 8) + little(count_, 8) + little(size, 8) + little(begin, 8) + "PK\6\7" +
          little(0, 4) + little(end, 8) + little(1, 4));
    }
    const std::string count = wide ? std::string(2, '\xff') : little(count_, 2);
    put("PK\5\6" + little(0, 4) + count + count +
        (wide ? std::string(8, '\xff') : little(size, 4) + little(begin, 4)) + little(0, 2));
  }

 private:
  static std::string little(std::uint64_t value, int width) {
    std::string text;
    for (int i = 0; i < width; ++i) text += i < 8 ? static_cast<char>(value >> 8 * i & 0xFF) : '\0';
    return text;
  }
  void put(const std::string& bytes) {
    sink_.write(bytes.data(), bytes.size());
    at_ += bytes.size();
  }

  Sink& sink_;
  std::uint64_t widest_, at_ = 0, count_ = 0;
  std::string directory_;
};

}  // namespace ebb::io::detail
