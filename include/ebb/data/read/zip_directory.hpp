/// \file
/// What a ZIP archive's directory says of the files in it, read with suspicion. Format: PKWARE's
/// APPNOTE, ZIP64 included. Encrypted and split archives are refused.
#pragma once

#include <ebb/data/read/zip_member.hpp>

#include <set>

namespace ebb::inline EBB_ABI::data::detail {

/// What messages about an archive say.
struct ZipWords {
  std::string file;       ///< "npz: 'a.npz'"
  std::string kind;       ///< "no .npz file"
  std::string packed;     ///< who writes which methods, and how to save it again
  std::string too_large;  ///< how to read members that claim more than is allowed
};

/// The directory of an archive: read and checked as a whole, so that a member is where it says it
/// is, and shares no byte with another.
class ZipDirectory {
 public:
  ZipDirectory(ZipWords words, ByteSource& file) : words_(std::move(words)) { read(file); }

  const std::vector<ZipEntry>& entries() const { return entries_; }

  /// Where a member's bytes begin, once it is seen that they can be what the directory says.
  /// Members of more than `most` bytes are refused; 0: 4 GiB, or 16 times what it takes in the
  /// file.
  std::uint64_t begin_of(const ZipEntry& member, ByteSource& file, std::uint64_t most = 0) const {
    constexpr std::uint64_t most_inflation = 1032;
    const auto damaged = [&](const char* what) {
      fail(message("its member '", member.name, "' ", what, "; copy the file again"));
    };
    const std::uint64_t size = file.size();
    if (size < local_bytes || member.offset > size - local_bytes)
      damaged("is not where the directory says");
    const std::uint64_t behind = size - member.offset - local_bytes;
    const Bytes local = part(file, member.offset,
                             local_bytes + std::min<std::uint64_t>(behind, member.name.size()));
    if (number(local, 0, 4) != 0x04034B50) damaged("is not where the directory says");
    const auto* const name = reinterpret_cast<const char*>(local.data()) + local_bytes;
    if (number(local, 26, 2) != member.name.size() ||
        std::string_view(name, local.size() - local_bytes) != member.name)
      damaged("has another name there than in the directory");
    const std::uint64_t begin =
        member.offset + local_bytes + number(local, 26, 2) + number(local, 28, 2);
    if (begin > size || member.stored > size - begin) damaged("is truncated");
    if (member.method == 0 && member.stored != member.bytes) damaged("has two different sizes");
    if (member.bytes / most_inflation > member.stored)
      damaged("claims more bytes than its data can unpack to");
    if (most == 0) most = std::max(std::uint64_t{1} << 32, 16 * member.stored);
    if (member.bytes > most)
      fail(message("its member '", member.name, "' claims ", member.bytes, " bytes, and ", most,
                   " are allowed", words_.too_large));
    return begin;
  }

 private:
  using Bytes = std::vector<unsigned char>;
  static constexpr std::uint64_t local_bytes = 30;

  [[noreturn]] void fail(const std::string& what) const {
    throw FileError(message(words_.file, ": ", what));
  }
  static std::uint64_t number(const Bytes& from, std::size_t at, int bytes) {
    std::uint64_t value = 0;
    for (int i = 0; i < bytes; ++i)
      value |= std::uint64_t{from[at + static_cast<std::size_t>(i)]} << 8 * i;
    return value;
  }
  static Bytes part(ByteSource& from, std::uint64_t at, std::uint64_t size) {
    Bytes bytes(static_cast<std::size_t>(size));
    from.read(at, bytes.data(), bytes.size());
    return bytes;
  }

  /// Where the directory lies: APPNOTE, 4.3.14 to 4.3.16.
  struct Directory {
    std::uint64_t at = 0, bytes = 0, count = 0;
  };
  Directory find_directory(ByteSource& file) const {
    constexpr std::uint64_t end_bytes = 22, locator_bytes = 20, end64_bytes = 56;
    const std::uint64_t size = file.size();
    if (size < end_bytes || number(part(file, 0, 2), 0, 2) != 0x4B50)
      fail(message("it is ", words_.kind, ": it does not begin as a ZIP archive does ('PK')"));
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

  void read(ByteSource& file) {
    constexpr std::size_t entry_bytes = 46;
    std::set<std::string> names;
    const Directory where = find_directory(file);
    const Bytes all = part(file, where.at, where.bytes);
    std::size_t at = 0;
    for (std::uint64_t i = 0; i < where.count; ++i) {
      if (all.size() - at < entry_bytes || number(all, at, 4) != 0x02014B50)
        fail("its ZIP directory is damaged; copy it again");
      const std::size_t name = number(all, at + 28, 2), extra = number(all, at + 30, 2);
      const std::size_t whole = entry_bytes + name + extra + number(all, at + 32, 2);
      if (all.size() - at < whole) fail("its ZIP directory is damaged; copy it again");
      ZipEntry member;
      member.name.assign(reinterpret_cast<const char*>(all.data()) + at + entry_bytes, name);
      if (number(all, at + 8, 2) & 1)
        fail(message("its member '", member.name, "' is encrypted; save it plain"));
      member.method = static_cast<int>(number(all, at + 10, 2));
      const std::string method = zip_method(member.method);
      if (member.method != 0 && member.method != 8)
        fail(message("its member '", member.name, "' is packed by ", method,
                     method.empty() ? "" : ", ", "method ", member.method, words_.packed));
      member.checksum = static_cast<std::uint32_t>(number(all, at + 16, 4));
      member.stored = number(all, at + 20, 4);
      member.bytes = number(all, at + 24, 4);
      member.offset = number(all, at + 42, 4);
      read_wide_numbers(member, all, at + entry_bytes + name, extra);
      if (!names.insert(member.name).second)
        fail(message("it holds two members '", member.name, "'"));
      entries_.push_back(std::move(member));
      at += whole;
    }
    check_apart();
  }

  /// Members that share bytes make a small file unpack to a large one: "a better zip bomb", D.
  /// Fifield, WOOT 2019.
  void check_apart() const {
    std::vector<const ZipEntry*> order;
    for (const ZipEntry& entry : entries_) order.push_back(&entry);
    std::sort(order.begin(), order.end(),
              [](const ZipEntry* a, const ZipEntry* b) { return a->offset < b->offset; });
    for (std::size_t i = 1; i < order.size(); ++i) {
      const ZipEntry &one = *order[i - 1], &next = *order[i];
      const std::uint64_t apart = next.offset - one.offset, header = local_bytes + one.name.size();
      if (apart < header || apart - header < one.stored)
        fail(message("its members '", one.name, "' and '", next.name,
                     "' overlap: it is damaged, or made to deceive"));
    }
  }

  /// Those that do not fit 32 bits are in a field of their own: APPNOTE, 4.5.3.
  void read_wide_numbers(ZipEntry& member, const Bytes& all, std::size_t at,
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

  ZipWords words_;
  std::vector<ZipEntry> entries_;
};

}  // namespace ebb::data::detail
