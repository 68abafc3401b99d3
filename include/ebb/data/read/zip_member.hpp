/// \file
/// One file in a ZIP archive, unpacked from its front on. Format: PKWARE's APPNOTE.
#pragma once

#include <ebb/data/read/byte_source.hpp>
#include <ebb/data/read/zlib_library.hpp>

#include <algorithm>
#include <string>
#include <vector>

namespace ebb::inline EBB_ABI::data::detail {

/// What an archive's directory says of a file in it.
struct ZipEntry {
  std::string name;
  int method = 0;  ///< how it is packed: 0 stored, 8 deflated
  std::uint32_t checksum = 0;
  std::uint64_t stored = 0, bytes = 0, offset = 0;
};

/// The name of a method of packing (APPNOTE, 4.4.5); "" of others.
inline const char* zip_method(int method) {
  switch (method) {
    case 1:
      return "shrinking";
    case 6:
      return "imploding";
    case 9:
      return "deflate64";
    case 12:
      return "bzip2";
    case 14:
      return "LZMA";
    case 93:
      return "Zstandard";
    case 95:
      return "xz";
    case 98:
      return "PPMd";
    default:
      return "";
  }
}

/// Reads stored or deflated bytes in order; takes 64 KiB of memory, and zlib's 44 KiB.
class ZipMember {
 public:
  /// `begin`: where its bytes lie in the archive, which must outlive this.
  ZipMember(const std::string& source, ByteSource& archive, const ZipEntry& entry,
            std::uint64_t begin)
      : source_(source), archive_(archive), entry_(entry), at_(begin), left_(entry.stored) {
    if (entry.method == 0) return;
    if (inflateInit2(&stream_, -MAX_WBITS) != Z_OK) fail("cannot be unpacked: zlib does not start");
    packed_.resize(std::size_t{1} << 16);
  }
  ZipMember(const ZipMember&) = delete;
  ZipMember& operator=(const ZipMember&) = delete;
  ~ZipMember() {
    if (!packed_.empty()) inflateEnd(&stream_);
  }

  void read(unsigned char* to, std::size_t n) {
    if (n > entry_.bytes - done_) fail("ends early");
    for (std::size_t got = 0; got < n;) {
      const std::size_t piece = std::min<std::size_t>(n - got, std::size_t{1} << 20);
      entry_.method == 0 ? copy(to + got, piece) : unpack(to + got, piece);
      checksum_ = static_cast<std::uint32_t>(crc32_z(checksum_, to + got, piece));
      got += piece;
    }
    done_ += n;
  }

  /// Whether all was read, and is what was stored. \throws FileError when not.
  void finish() {
    if (done_ != entry_.bytes) fail("holds more than its array");
    if (entry_.method != 0) {
      unsigned char more = 0;
      stream_.next_out = &more;
      stream_.avail_out = 1;
      while (!ended_) step();
      if (stream_.avail_out == 0) fail("does not unpack to what the directory says");
    }
    if (checksum_ != entry_.checksum) fail("has a wrong checksum");
  }

 private:
  [[noreturn]] void fail(const char* what) const {
    throw FileError(message(source_, " ", what, "; copy the file again"));
  }
  void copy(unsigned char* to, std::size_t n) {
    archive_.read(at_, to, n);
    at_ += n;
  }
  void unpack(unsigned char* to, std::size_t n) {
    stream_.next_out = to;
    stream_.avail_out = static_cast<uInt>(n);
    while (stream_.avail_out > 0) {
      if (ended_) fail("does not unpack to what the directory says");
      step();
    }
  }
  /// Unpacks what fits; ends at the end of the stream, or when there is room for no more.
  void step() {
    if (stream_.avail_in == 0 && left_ > 0) {
      const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(left_, packed_.size()));
      archive_.read(at_, packed_.data(), n);
      at_ += n;
      left_ -= n;
      stream_.next_in = packed_.data();
      stream_.avail_in = static_cast<uInt>(n);
    }
    const int result = inflate(&stream_, Z_NO_FLUSH);
    ended_ = result == Z_STREAM_END || (done_ == entry_.bytes && stream_.avail_out == 0);
    if (result != Z_OK && result != Z_STREAM_END)
      fail("does not unpack to what the directory says");
  }

  std::string source_;
  ByteSource& archive_;
  ZipEntry entry_;
  std::uint64_t at_, left_, done_ = 0;
  std::uint32_t checksum_ = 0;
  z_stream stream_ = {};
  std::vector<unsigned char> packed_;
  bool ended_ = false;
};

}  // namespace ebb::data::detail
