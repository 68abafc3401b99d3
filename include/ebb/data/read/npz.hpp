/// \file
/// NumPy's .npz files: ZIP archives of .npy files, stored or deflated. Format: PKWARE's APPNOTE,
/// ZIP64 included. Encrypted and split archives are refused; zlib inflates.
///
/// Memory: the directory, and of a member that is asked for its elements (twice, if they are in
/// column-major order) and 108 KiB. The archive itself stays in its file.
#pragma once

#include <ebb/data/read/npy.hpp>
#include <ebb/data/read/zip_member.hpp>

#include <memory>

namespace ebb::inline EBB_ABI::data {

struct NpzOptions {
  /// Larger members are refused before memory is taken for them: a few bytes can claim gigabytes.
  /// 0: 4 GiB, or 16 times the bytes that a member takes in the file, whichever is more.
  std::uint64_t most_bytes = 0;
};

/// A .npz file: its directory is read and checked; members are unpacked when asked for, by any
/// number of threads.
class NpzFile {
 public:
  using Member = detail::ZipEntry;  ///< its name is without ".npy"

  /// \throws FileError when the file is missing or its directory cannot be believed.
  explicit NpzFile(const std::string& path, NpzOptions options = {})
      : path_(path), options_(options) {
    read_directory();
  }

  /// The same of bytes in memory; `path` is what messages call them.
  NpzFile(const std::string& path, std::vector<unsigned char> bytes, NpzOptions options = {})
      : path_(path),
        memory_(std::make_shared<const std::vector<unsigned char>>(std::move(bytes))),
        options_(options) {
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
    detail::ByteSource archive = open();
    const std::uint64_t begin = begin_of(*member, archive);
    detail::ZipMember data(message("npz: '", path_, "': its member '", member->name, "'"), archive,
                           *member, begin);
    Array array =
        detail::parse_npy(message("npz: '", path_, "', member '", member->name, "'"), member->bytes,
                          [&](unsigned char* to, std::size_t n) { data.read(to, n); });
    data.finish();
    return array;
  }

  template <class T, int N>
  Tensor<T, N> get(const std::string& name) const {
    return get(name).get<T, N>();
  }

 private:
  using Bytes = std::vector<unsigned char>;

  [[noreturn]] void fail(const std::string& what) const {
    throw FileError(message("npz: '", path_, "': ", what));
  }
  detail::ByteSource open() const {
    return memory_ ? detail::ByteSource(std::span(*memory_)) : detail::ByteSource("npz", path_);
  }
  static std::uint64_t number(const Bytes& from, std::size_t at, int bytes) {
    std::uint64_t value = 0;
    for (int i = 0; i < bytes; ++i)
      value |= std::uint64_t{from[at + static_cast<std::size_t>(i)]} << 8 * i;
    return value;
  }
  static Bytes part(detail::ByteSource& from, std::uint64_t at, std::uint64_t size) {
    Bytes bytes(static_cast<std::size_t>(size));
    from.read(at, bytes.data(), bytes.size());
    return bytes;
  }
  const Member* find(std::string name) const {
    if (name.ends_with(".npy")) name.resize(name.size() - 4);
    for (const Member& member : members_)
      if (member.name == name) return &member;
    return nullptr;
  }

  /// Where the directory lies: APPNOTE, 4.3.14 to 4.3.16.
  struct Directory {
    std::uint64_t at = 0, bytes = 0, count = 0;
  };
  Directory find_directory(detail::ByteSource& file) const {
    constexpr std::uint64_t end_bytes = 22, locator_bytes = 20, end64_bytes = 56;
    const std::uint64_t size = file.size();
    if (size < end_bytes || number(part(file, 0, 2), 0, 2) != 0x4B50)
      fail("it is no .npz file: it does not begin as a ZIP archive does ('PK')");
    // The end record is last, but for a comment of at most 65535 bytes; ZIP64's are before it.
    const std::uint64_t tail = std::min(size, end_bytes + 0xFFFF + locator_bytes);
    const Bytes last = part(file, size - tail, tail);
    std::size_t end = last.size() - end_bytes;
    while (number(last, end, 4) != 0x06054B50) {
      if (end == 0) fail("its ZIP directory is missing: the file is truncated; copy it again");
      --end;
    }
    Directory found{number(last, end + 16, 4), number(last, end + 12, 4),
                    number(last, end + 10, 2)};
    std::uint64_t here = number(last, end + 8, 2), disk = number(last, end + 4, 2);
    std::uint64_t before = size - tail + end;  // what the directory must end in front of
    if (end >= locator_bytes && number(last, end - locator_bytes, 4) == 0x07064B50) {
      const std::uint64_t at = number(last, end - locator_bytes + 8, 8);
      if (size < end64_bytes || at > size - end64_bytes)
        fail("its ZIP64 directory lies outside of the file: it is damaged; copy it again");
      const Bytes end64 = part(file, at, end64_bytes);
      if (number(end64, 0, 4) != 0x06064B50) fail("its ZIP64 directory is damaged; copy it again");
      found = {number(end64, 48, 8), number(end64, 40, 8), number(end64, 32, 8)};
      here = number(end64, 24, 8), disk = number(end64, 16, 4);
      before = at;
    }
    if (disk != 0 || here != found.count)
      fail("it is one part of an archive in several parts; put them together first");
    if (found.at > before || found.bytes > before - found.at)
      fail("its ZIP directory lies outside of the file: it is damaged; copy it again");
    return found;
  }

  void read_directory() {
    constexpr std::size_t entry_bytes = 46;
    detail::ByteSource file = open();
    const Directory where = find_directory(file);
    const Bytes all = part(file, where.at, where.bytes);
    std::size_t at = 0;
    for (std::uint64_t i = 0; i < where.count; ++i) {
      if (all.size() - at < entry_bytes || number(all, at, 4) != 0x02014B50)
        fail("its ZIP directory is damaged; copy it again");
      const std::size_t name = number(all, at + 28, 2), extra = number(all, at + 30, 2);
      const std::size_t whole = entry_bytes + name + extra + number(all, at + 32, 2);
      if (all.size() - at < whole) fail("its ZIP directory is damaged; copy it again");
      Member member;
      member.name.assign(reinterpret_cast<const char*>(all.data()) + at + entry_bytes, name);
      if (member.name.ends_with(".npy")) member.name.resize(name - 4);
      if (number(all, at + 8, 2) & 1)
        fail(message("its member '", member.name, "' is encrypted; save it plain"));
      member.method = static_cast<int>(number(all, at + 10, 2));
      const std::string method = detail::zip_method(member.method);
      if (member.method != 0 && member.method != 8)
        fail(message("its member '", member.name, "' is packed by ", method,
                     method.empty() ? "" : ", ", "method ", member.method,
                     ", and numpy writes 0 (stored) and 8 (deflated); save it again with "
                     "numpy.savez_compressed"));
      member.checksum = static_cast<std::uint32_t>(number(all, at + 16, 4));
      member.stored = number(all, at + 20, 4);
      member.bytes = number(all, at + 24, 4);
      member.offset = number(all, at + 42, 4);
      read_wide_numbers(member, all, at + entry_bytes + name, extra);
      if (find(member.name)) fail(message("it holds two members '", member.name, "'"));
      members_.push_back(std::move(member));
      at += whole;
    }
  }

  /// Those that do not fit 32 bits are in a field of their own: APPNOTE, 4.5.3.
  void read_wide_numbers(Member& member, const Bytes& all, std::size_t at,
                         std::size_t bytes) const {
    constexpr std::uint64_t elsewhere = 0xFFFFFFFF;
    const auto damaged = [&] {
      fail(message("its member '", member.name, "' has a damaged ZIP64 field; copy it again"));
    };
    std::size_t next = 0, left = 0;
    while (bytes >= 4 && left == 0) {
      const std::size_t length = number(all, at + 2, 2);
      if (length > bytes - 4) return damaged();
      if (number(all, at, 2) == 1) next = at + 4, left = length;
      at += 4 + length;
      bytes -= 4 + length;
    }
    for (std::uint64_t* value : {&member.bytes, &member.stored, &member.offset}) {
      if (*value != elsewhere) continue;
      if (left < 8) return damaged();
      *value = number(all, next, 8);
      next += 8;
      left -= 8;
    }
  }

  /// Where a member's bytes begin, once it is seen that they can be what the directory says.
  std::uint64_t begin_of(const Member& member, detail::ByteSource& file) const {
    constexpr std::uint64_t local_bytes = 30, most_inflation = 1032;
    const auto damaged = [&](const char* what) {
      fail(message("its member '", member.name, "' ", what, "; copy the file again"));
    };
    const std::uint64_t size = file.size();
    if (size < local_bytes || member.offset > size - local_bytes)
      damaged("is not where the directory says");
    const Bytes local = part(file, member.offset, local_bytes);
    if (number(local, 0, 4) != 0x04034B50) damaged("is not where the directory says");
    const std::uint64_t begin =
        member.offset + local_bytes + number(local, 26, 2) + number(local, 28, 2);
    if (begin > size || member.stored > size - begin) damaged("is truncated");
    if (member.method == 0 && member.stored != member.bytes) damaged("has two different sizes");
    if (member.bytes / most_inflation > member.stored)
      damaged("claims more bytes than its data can unpack to");
    const std::uint64_t most = options_.most_bytes != 0
                                   ? options_.most_bytes
                                   : std::max(std::uint64_t{1} << 32, 16 * member.stored);
    if (member.bytes > most)
      fail(message("its member '", member.name, "' claims ", member.bytes, " bytes, and ", most,
                   " are allowed; raise NpzOptions::most_bytes if that is meant"));
    return begin;
  }

  std::string path_;
  std::shared_ptr<const Bytes> memory_;  ///< the archive; none: it is in the file
  NpzOptions options_;
  std::vector<Member> members_;
};

}  // namespace ebb::data
