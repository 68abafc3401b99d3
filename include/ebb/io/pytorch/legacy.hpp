/// \file
/// PyTorch's format before 1.6, which `_use_new_zipfile_serialization=False` still writes: five
/// pickles (a magic number, a version, facts of the machine, the object, the keys of its storages),
/// then each storage: the number of its elements in 8 bytes, and these. Numbers are little-endian,
/// whatever the machine was.
#pragma once

#include <ebb/io/pytorch/storages.hpp>
#include <ebb/io/pytorch/unpickler.hpp>

namespace ebb::inline EBB_ABI::io::detail {

class LegacyFile : public Storages {
 public:
  static constexpr std::uint64_t longest_pickles = std::uint64_t{1} << 26;

  explicit LegacyFile(std::shared_ptr<const os::OpenFile> file) : file_(std::move(file)) {
    // Nothing says how long the pickles are: ever more of the file is taken until they end.
    const std::uint64_t most = std::min(file_->size(), longest_pickles);
    for (std::uint64_t length = std::min<std::uint64_t>(most, 1 << 18);;
         length = std::min(most, 4 * length)) {
      text_.resize(static_cast<std::size_t>(length));
      file_->read(0, text_.data(), text_.size());
      values_ = Values();
      try {
        read_pickles();
        return;
      } catch (const PickleEndsEarly&) {
        if (length == most) throw;
      }
    }
  }

  const Values& values() const { return values_; }
  Ref root() const { return root_; }
  /// The pickles are not needed once their contents are known.
  void forget() { values_ = Values(), text_ = {}; }

  std::uint64_t size(const std::string& key) const override { return place(key).bytes; }
  void read(const std::string& key, std::uint64_t from, unsigned char* to,
            std::size_t count) const override {
    file_->read(place(key).begin + from, to, count);
  }

 private:
  struct Place {
    std::uint64_t begin = 0, bytes = 0;
  };

  void read_pickles() {
    const std::string where = message("pytorch: '", file_->path(), "': in its pickle");
    Unpickler unpickler(where, {reinterpret_cast<const unsigned char*>(text_.data()), text_.size()},
                        values_);
    // torch/serialization.py: MAGIC_NUMBER, 0x1950a86a20f9469cfc6c, and PROTOCOL_VERSION.
    constexpr std::string_view magic = "\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";
    const Ref first = unpickler.load();
    if (!values_.is(first, ValueKind::large) || values_[first].text != magic)
      file_->fail(
          "it is a pickle, and none of torch.save: it does not begin with PyTorch's magic "
          "number; save it with torch.save");
    const Ref version = unpickler.load();
    if (!values_.is(version, ValueKind::integer) || values_[version].integer != 1001)
      file_->fail(
          "it is of another version of PyTorch's format than 1001; save it again with a "
          "newer PyTorch");
    unpickler.load();  // what machine wrote it
    const Ref begin = values_.add({});
    root_ = unpickler.load();
    const Ref end = values_.add({}), keys = unpickler.load();
    place_storages(begin, end, keys, unpickler.at());
  }

  void place_storages(Ref begin, Ref end, Ref keys, std::uint64_t at) {
    std::map<std::string, std::uint64_t> widths;
    for (Ref i = begin; i < end; ++i) {
      if (!values_.is(i, ValueKind::storage)) continue;
      const std::vector<Ref>& parts = values_[values_[i].arguments].items;
      const Constructor& kind = *values_[parts[1]].made_by;
      widths.emplace(values_[parts[2]].text,
                     kind.dtype ? static_cast<std::uint64_t>(bytes(*kind.dtype)) : width_of(kind));
    }
    places_.clear();
    if (!values_.is(keys, ValueKind::list)) file_->fail("its list of storages is none");
    for (const Ref item : values_[keys].items) {
      const std::string key(values_[item].text);
      const auto width = widths.find(key);
      if (width == widths.end())
        file_->fail(message("it has a storage ", in_quotes(key), " that no tensor is in"));
      unsigned char raw[8];
      if (at + sizeof raw > file_->size())
        file_->fail(message("its storage ", in_quotes(key),
                            " is missing: it is truncated; copy it "
                            "again"));
      file_->read(at, raw, sizeof raw);
      std::uint64_t count = 0;
      for (int i = 0; i < 8; ++i) count |= std::uint64_t{raw[i]} << 8 * i;
      at += sizeof raw;
      if (count > (file_->size() - at) / width->second)
        file_->fail(message("its storage ", in_quotes(key), " promises ", count,
                            " elements at byte ", at, ", and the file has ", file_->size() - at,
                            " bytes there; it is truncated: copy it again"));
      places_[key] = {at, count * width->second};
      at += count * width->second;
    }
  }
  /// Bytes of the elements that ebb has no type for.
  static std::uint64_t width_of(const Constructor& kind) {
    return kind.name == "ComplexDoubleStorage"  ? 16
           : kind.name == "ComplexFloatStorage" ? 8
           : kind.name == "QInt32Storage"       ? 4
                                                : 1;
  }
  const Place& place(const std::string& key) const {
    const auto found = places_.find(key);
    if (found == places_.end())
      file_->fail(message("it lacks the storage ", in_quotes(key), "; copy it again"));
    return found->second;
  }

  std::shared_ptr<const os::OpenFile> file_;
  std::string text_;
  Values values_;
  Ref root_ = no_value;
  std::map<std::string, Place> places_;
};

}  // namespace ebb::io::detail
