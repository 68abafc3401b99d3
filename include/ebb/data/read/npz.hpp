/// \file
/// NumPy's .npz files: ZIP archives of .npy files, stored or deflated. Format: PKWARE's APPNOTE,
/// ZIP64 included. Encrypted and split archives are refused; zlib inflates.
///
/// Memory: the directory, and of a member that is asked for its elements (twice, if they are in
/// column-major order) and 108 KiB. The archive itself stays in its file.
#pragma once

#include <ebb/data/read/npy.hpp>
#include <ebb/data/read/zip_directory.hpp>

#include <memory>
#include <optional>
#include <set>

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
    const detail::ZipEntry& entry =
        directory_->entries()[static_cast<std::size_t>(member - members_.data())];
    const std::uint64_t begin = directory_->begin_of(entry, archive, options_.most_bytes);
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
  [[noreturn]] void fail(const std::string& what) const {
    throw FileError(message("npz: '", path_, "': ", what));
  }
  detail::ByteSource open() const {
    return memory_ ? detail::ByteSource(std::span(*memory_)) : detail::ByteSource("npz", path_);
  }
  const Member* find(std::string name) const {
    if (name.ends_with(".npy")) name.resize(name.size() - 4);
    for (const Member& member : members_)
      if (member.name == name) return &member;
    return nullptr;
  }

  void read_directory() {
    detail::ByteSource file = open();
    directory_.emplace(
        detail::ZipWords{message("npz: '", path_, "'"), "no .npz file",
                         ", and numpy writes 0 (stored) and 8 (deflated); save it again with "
                         "numpy.savez_compressed",
                         "; raise NpzOptions::most_bytes if that is meant"},
        file);
    std::set<std::string> names;
    for (Member member : directory_->entries()) {
      if (member.name.ends_with(".npy")) member.name.resize(member.name.size() - 4);
      if (!names.insert(member.name).second)
        fail(message("it holds two members '", member.name, "'"));
      members_.push_back(std::move(member));
    }
  }

  std::string path_;
  std::shared_ptr<const std::vector<unsigned char>>
      memory_;  ///< the archive; none: it is in the file
  NpzOptions options_;
  std::optional<detail::ZipDirectory> directory_;
  std::vector<Member> members_;
};

}  // namespace ebb::data
