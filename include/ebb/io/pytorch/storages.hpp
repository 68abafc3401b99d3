/// \file
/// Where PyTorch's files keep the elements of tensors: a record of a ZIP archive for each storage,
/// or in the old format one storage behind the other.
#pragma once

#include <ebb/core/open_file.hpp>
#include <ebb/data/read/zip_directory.hpp>
#include <ebb/io/tensor_file.hpp>

#include <map>
#include <memory>
#include <mutex>

namespace ebb::inline EBB_ABI::io::detail {

/// The storages of a file by their keys. Any number of threads may read.
class Storages {
 public:
  virtual ~Storages() = default;
  /// How many bytes a storage has. \throws FileError when there is none of that key.
  virtual std::uint64_t size(const std::string& key) const = 0;
  virtual void read(const std::string& key, std::uint64_t from, unsigned char* to,
                    std::size_t count) const = 0;
  /// Whether numbers have their highest byte first.
  virtual bool big_endian() const { return false; }
};

/// What messages say of PyTorch's archives.
inline data::detail::ZipWords pytorch_words(const std::string& path) {
  return {message("pytorch: '", path, "'"), "no file of PyTorch",
          ", and torch.save writes 0 (stored); save it again with torch.save",
          "; it is damaged, or made to fill memory"};
}

/// The records of an archive, below the folder that holds `data.pkl`.
class Archive : public Storages {
 public:
  static constexpr std::uint64_t longest_pickle = std::uint64_t{1} << 26;

  explicit Archive(std::shared_ptr<const os::OpenFile> file)
      : file_(std::move(file)), directory_(read_directory(*file_)) {
    data::detail::ByteSource source(*file_);
    for (const auto& entry : directory_.entries()) {
      check_name(entry.name);
      directory_.begin_of(entry, source, entry.bytes);  // where a name was damaged, none is missed
      const std::size_t slash = entry.name.find('/');
      if (folder_.empty() && slash != entry.name.npos && entry.name.substr(slash) == "/data.pkl")
        folder_ = entry.name.substr(0, slash + 1);
      records_.emplace(entry.name, &entry);
    }
    if (folder_.empty()) {
      const bool old = records_.contains("model.json") || directory_.entries().empty();
      file_->fail(old ? "it is an archive without data.pkl, of TorchScript before PyTorch 1.4 "
                        "perhaps; load it in Python, and torch.save(net.state_dict(), ...)"
                      : message("it is an archive without data.pkl, so that torch.save did not "
                                "write it; it holds ",
                                in_quotes(directory_.entries()[0].name)));
    }
    if (!find("byteorder")) return;
    const std::string order = whole("byteorder", 16);
    if (order != "big" && order != "little")
      file_->fail(message("its record 'byteorder' says ", in_quotes(order),
                          ", which is neither 'little' nor 'big'"));
    big_endian_ = order == "big";
  }

  bool big_endian() const override { return big_endian_; }
  std::string record(const std::string& name) const { return folder_ + name; }
  std::string pickle() const { return whole("data.pkl", longest_pickle); }

  std::uint64_t size(const std::string& key) const override { return storage(key).bytes; }
  void read(const std::string& key, std::uint64_t from, unsigned char* to,
            std::size_t count) const override {
    const data::detail::ZipEntry& entry = storage(key);
    data::detail::ByteSource source(*file_);
    const std::uint64_t begin = directory_.begin_of(entry, source);
    if (from == 0 && count == entry.bytes) return unpack(entry, begin, to);
    if (entry.method == 0) {
      verify(entry, begin);
      return file_->read(begin + from, to, count);
    }
    const std::lock_guard lock(guard_);
    if (unpacked_ != &entry) {  // the last one stays, for tensors that share it
      unpacked_ = nullptr;
      bytes_.resize(static_cast<std::size_t>(entry.bytes));
      unpack(entry, begin, bytes_.data());
      unpacked_ = &entry;
    }
    std::memcpy(to, bytes_.data() + from, count);
  }

 private:
  static data::detail::ZipDirectory read_directory(const os::OpenFile& file) {
    data::detail::ByteSource source(file);
    return {pytorch_words(file.path()), source};
  }
  void check_name(const std::string& name) const {
    if (name.starts_with('/') || name.find('\\') != name.npos ||
        ("/" + name + "/").find("/../") != std::string::npos)
      file_->fail(message("its record ", in_quotes(name),
                          " has the name of a file elsewhere; it is made to deceive"));
  }
  const data::detail::ZipEntry* find(const std::string& name) const {
    const auto found = records_.find(folder_ + name);
    return found == records_.end() ? nullptr : found->second;
  }
  const data::detail::ZipEntry& storage(const std::string& key) const {
    const data::detail::ZipEntry* found = find("data/" + key);
    if (!found)
      file_->fail(message("it lacks the record ", in_quotes(folder_ + "data/" + key),
                          ", where elements of its tensors are; copy it again"));
    return *found;
  }

  std::string whole(const std::string& name, std::uint64_t most) const {
    const data::detail::ZipEntry& entry = *find(name);
    data::detail::ByteSource source(*file_);
    const std::uint64_t begin = directory_.begin_of(entry, source, most);
    std::string text(static_cast<std::size_t>(entry.bytes), '\0');
    unpack(entry, begin, reinterpret_cast<unsigned char*>(text.data()));
    return text;
  }
  /// All of a record, its checksum compared.
  void unpack(const data::detail::ZipEntry& entry, std::uint64_t begin, unsigned char* to) const {
    data::detail::ByteSource source(*file_);
    data::detail::ZipMember member(
        message("pytorch: '", file_->path(), "': its record ", in_quotes(entry.name)), source,
        entry, begin);
    member.read(to, static_cast<std::size_t>(entry.bytes));
    member.finish();
  }
  /// Compares the checksum of a record that is read in parts, once.
  void verify(const data::detail::ZipEntry& entry, std::uint64_t begin) const {
    const std::lock_guard lock(guard_);
    if (verified_.contains(&entry)) return;
    std::vector<unsigned char> part(std::size_t{1} << 16);
    data::detail::ByteSource source(*file_);
    data::detail::ZipMember member(
        message("pytorch: '", file_->path(), "': its record ", in_quotes(entry.name)), source,
        entry, begin);
    for (std::uint64_t left = entry.bytes; left > 0;) {
      const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(left, part.size()));
      member.read(part.data(), n);
      left -= n;
    }
    member.finish();
    verified_.insert(&entry);
  }

  std::shared_ptr<const os::OpenFile> file_;
  data::detail::ZipDirectory directory_;
  std::map<std::string, const data::detail::ZipEntry*> records_;
  std::string folder_;  ///< "archive/"
  bool big_endian_ = false;
  mutable std::mutex guard_;
  mutable std::set<const data::detail::ZipEntry*> verified_;
  mutable const data::detail::ZipEntry* unpacked_ = nullptr;
  mutable std::vector<unsigned char> bytes_;
};

}  // namespace ebb::io::detail
