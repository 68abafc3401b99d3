/// \file
/// NumPy's .npz files: ZIP archives of .npy files, stored or deflated. Format: PKWARE's APPNOTE.
/// Encrypted, split and ZIP64 archives are refused; zlib inflates.
#pragma once

#include <ebb/data/npy.hpp>

#include <zlib.h>

namespace ebb::data {

struct NpzOptions {
  /// Larger members are refused before memory is taken for them: a few bytes can claim gigabytes.
  std::uint64_t most_bytes = std::uint64_t{1} << 32;
};

/// A .npz file: its directory is read and checked; members are unpacked when asked for.
class NpzFile {
 public:
  struct Member {
    std::string name;  ///< without ".npy"
    bool deflated = false;
    std::uint32_t checksum = 0;
    std::uint64_t stored = 0, bytes = 0, offset = 0;
  };

  /// \throws FileError when the file is missing or its directory cannot be believed.
  explicit NpzFile(const std::string& path, NpzOptions options = {})
      : NpzFile(path, detail::read_bytes("npz", path), options) {}

  /// The same of bytes in memory; `path` is what messages call them.
  NpzFile(const std::string& path, std::vector<unsigned char> bytes, NpzOptions options = {})
      : path_(path), file_(std::move(bytes)), options_(options) {
    read_directory();
  }

  const std::string& path() const { return path_; }
  const std::vector<Member>& members() const { return members_; }
  bool contains(const std::string& name) const { return find(name) != nullptr; }

  /// A member by name, with or without ".npy".
  /// \throws FileError when there is none of that name, or it is damaged.
  Array get(const std::string& name) const {
    const Member* member = find(name);
    if (!member) {
      std::string all;
      for (std::size_t i = 0; i < std::min<std::size_t>(members_.size(), 10); ++i)
        all += (i > 0 ? ", '" : "'") + members_[i].name + "'";
      fail(message("it holds no member '", name, "'; it holds ", all.empty() ? "none" : all));
    }
    const std::vector<unsigned char> bytes = unpack(*member);
    return detail::parse_npy(message("npz: '", path_, "', member '", member->name, "'"), bytes);
  }

  template <class T, int N>
  Tensor<T, N> get(const std::string& name) const {
    return get(name).get<T, N>();
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw FileError(message("npz: '", path_, "': ", what));
  }
  std::uint32_t number(std::uint64_t at, int bytes) const {
    std::uint32_t value = 0;
    for (int i = 0; i < bytes; ++i)
      value |= std::uint32_t{file_[static_cast<std::size_t>(at) + static_cast<std::size_t>(i)]}
               << 8 * i;
    return value;
  }
  static std::string bare(std::string name) {
    if (name.ends_with(".npy")) name.resize(name.size() - 4);
    return name;
  }
  const Member* find(const std::string& name) const {
    for (const Member& member : members_)
      if (member.name == bare(name)) return &member;
    return nullptr;
  }

  void read_directory() {
    constexpr std::uint64_t end_bytes = 22, entry_bytes = 46;
    const std::uint64_t size = file_.size();
    if (size < end_bytes || number(0, 2) != 0x4B50)
      fail("it is no .npz file: it does not begin as a ZIP archive does ('PK')");
    // The end record is last, but for a comment of at most 65535 bytes.
    std::uint64_t end = size - end_bytes;
    const std::uint64_t least = end > 0xFFFF ? end - 0xFFFF : 0;
    while (number(end, 4) != 0x06054B50) {
      if (end == least) fail("its ZIP directory is missing: the file is truncated; copy it again");
      --end;
    }
    const std::uint64_t count = number(end + 10, 2), bytes = number(end + 12, 4);
    std::uint64_t at = number(end + 16, 4);
    if (count == 0xFFFF || bytes == 0xFFFFFFFF || at == 0xFFFFFFFF)
      fail("it is a ZIP64 archive, which this reader does not know; save fewer or smaller arrays");
    if (number(end + 4, 2) != 0 || number(end + 8, 2) != count)
      fail("it is one part of an archive in several parts; put them together first");
    if (at > end || bytes > end - at)
      fail("its ZIP directory lies outside of the file: it is damaged; copy it again");
    const std::uint64_t stop = at + bytes;
    for (std::uint64_t i = 0; i < count; ++i) {
      if (stop - at < entry_bytes || number(at, 4) != 0x02014B50)
        fail("its ZIP directory is damaged; copy it again");
      const std::uint64_t name = number(at + 28, 2);
      const std::uint64_t whole = entry_bytes + name + number(at + 30, 2) + number(at + 32, 2);
      if (stop - at < whole) fail("its ZIP directory is damaged; copy it again");
      Member member;
      member.name = bare({reinterpret_cast<const char*>(file_.data()) + at + entry_bytes, name});
      const std::uint32_t flags = number(at + 8, 2), method = number(at + 10, 2);
      if (flags & 1) fail(message("its member '", member.name, "' is encrypted; save it plain"));
      if (method != 0 && method != 8)
        fail(message("its member '", member.name, "' is packed with method ", method,
                     ", and numpy writes 0 (stored) and 8 (deflated)"));
      member.deflated = method == 8;
      member.checksum = number(at + 16, 4);
      member.stored = number(at + 20, 4);
      member.bytes = number(at + 24, 4);
      member.offset = number(at + 42, 4);
      if (member.stored == 0xFFFFFFFF || member.bytes == 0xFFFFFFFF || member.offset == 0xFFFFFFFF)
        fail(message("its member '", member.name,
                     "' needs ZIP64, which this reader does not know; "
                     "save a smaller array"));
      if (find(member.name)) fail(message("it holds two members '", member.name, "'"));
      members_.push_back(std::move(member));
      at += whole;
    }
  }

  std::vector<unsigned char> unpack(const Member& member) const {
    constexpr std::uint64_t local_bytes = 30, most_inflation = 1032;
    const auto damaged = [&](const char* what) {
      fail(message("its member '", member.name, "' ", what, "; copy the file again"));
    };
    if (member.bytes > options_.most_bytes)
      fail(message("its member '", member.name, "' claims ", member.bytes, " bytes, and ",
                   options_.most_bytes,
                   " are allowed; raise NpzOptions::most_bytes if that is meant"));
    if (file_.size() < local_bytes || member.offset > file_.size() - local_bytes ||
        number(member.offset, 4) != 0x04034B50)
      damaged("is not where the directory says");
    const std::uint64_t begin =
        member.offset + local_bytes + number(member.offset + 26, 2) + number(member.offset + 28, 2);
    if (begin > file_.size() || member.stored > file_.size() - begin) damaged("is truncated");
    if (!member.deflated && member.stored != member.bytes) damaged("has two different sizes");
    if (member.bytes / most_inflation > member.stored)
      damaged("claims more bytes than its data can unpack to");
    std::vector<unsigned char> out(static_cast<std::size_t>(member.bytes));
    if (!member.deflated) {
      std::copy_n(file_.data() + begin, out.size(), out.data());
    } else {
      z_stream stream = {};
      if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) fail("zlib does not start");
      stream.next_in = const_cast<unsigned char*>(file_.data() + begin);
      stream.avail_in = static_cast<uInt>(member.stored);
      unsigned char none = 0;
      stream.next_out = out.empty() ? &none : out.data();
      stream.avail_out = static_cast<uInt>(out.size());
      const int result = inflate(&stream, Z_FINISH);
      const bool whole = result == Z_STREAM_END && stream.avail_out == 0;
      inflateEnd(&stream);
      if (!whole) damaged("does not unpack to what the directory says");
    }
    if (crc32_z(0, out.data(), out.size()) != member.checksum) damaged("has a wrong checksum");
    return out;
  }

  std::string path_;
  std::vector<unsigned char> file_;
  NpzOptions options_;
  std::vector<Member> members_;
};

}  // namespace ebb::data
