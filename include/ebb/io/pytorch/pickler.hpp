/// \file
/// The pickle of a state dict, as torch.save writes it in protocol 2.
#pragma once

#include <ebb/data/read/printable.hpp>
#include <ebb/io/named_tensor.hpp>
#include <ebb/io/pytorch/constructors.hpp>
#include <ebb/io/tensor_file.hpp>

#include <bit>

namespace ebb::inline EBB_ABI::io::detail {

/// Writes `OrderedDict({name: tensor, ...})`, with metadata as its attribute `ebb_metadata`.
class Pickler {
 public:
  /// The key of a tensor's storage; tensors with the same elements share one.
  struct Entry {
    const NamedTensor* tensor;
    std::string key;
  };

  static std::string state_dict(const std::vector<Entry>& entries, const Metadata& metadata) {
    Pickler p;
    p.put("\x80\x02");
    p.dictionary();
    p.put("(");
    for (const Entry& entry : entries) {
      p.text(entry.tensor->name);
      p.tensor(*entry.tensor, entry.key);
    }
    p.put("u");
    if (!metadata.empty()) {
      p.put("}");
      p.text("ebb_metadata");
      p.put("}(");
      for (const auto& [name, value] : metadata) p.text(name), p.text(value);
      p.put("usb");
    }
    p.put(".");
    return std::move(p.bytes_);
  }

 private:
  void put(std::string_view bytes) { bytes_ += bytes; }
  void little(std::uint64_t value, int width) {
    for (int i = 0; i < width; ++i) bytes_ += static_cast<char>(value >> 8 * i & 0xFF);
  }
  void text(std::string_view s) {
    put("X");
    little(s.size(), 4);
    put(s);
  }
  void integer(std::uint64_t value) {
    if (value < 0x100) return put("K"), little(value, 1);
    if (value < 0x10000) return put("M"), little(value, 2);
    if (value < 0x80000000) return put("J"), little(value, 4);
    const auto width = static_cast<int>(std::bit_width(value)) / 8 + 1;  // with room for the sign
    put("\x8a");
    little(static_cast<std::uint64_t>(width), 1);
    if (width > 8)
      little(value, 8), little(0, 1);
    else
      little(value, width);
  }
  /// Names are written once and recalled by a number.
  void name(std::string_view module, std::string_view called) {
    const auto number = static_cast<unsigned char>(names_.size());
    const std::string full = std::string(module) + "\n" + std::string(called) + "\n";
    const auto [at, first] = names_.emplace(full, number);
    if (!first) return put("h"), little(at->second, 1);
    put("c"), put(full), put("q"), little(number, 1);
  }
  void dictionary() { name("collections", "OrderedDict"), put(")R"); }

  void tensor(const NamedTensor& x, const std::string& key) {
    const std::string_view storage = pytorch_storage(x.dtype);
    const bool typed = storage.empty();
    name("torch._utils", typed ? "_rebuild_tensor_v3" : "_rebuild_tensor_v2");
    put("((");
    text("storage");
    if (typed)
      name("torch.storage", "UntypedStorage");
    else
      name("torch", storage);
    text(key), text("cpu");
    integer(typed ? x.bytes : x.bytes / static_cast<std::size_t>(bytes(x.dtype)));
    put("tQK"), little(0, 1);
    put("(");
    for (const Index extent : x.shape) integer(static_cast<std::uint64_t>(extent));
    put("t(");
    for (std::size_t axis = 0; axis < x.shape.size(); ++axis) {
      std::uint64_t step = 1;
      for (std::size_t i = axis + 1; i < x.shape.size(); ++i)
        step *= static_cast<std::uint64_t>(std::max<Index>(x.shape[i], 1));
      integer(step);
    }
    put("t\x89");
    dictionary();
    if (typed) name("torch", pytorch_name(x.dtype));
    put("tR");
  }

  std::string bytes_;
  std::map<std::string, unsigned char> names_;
};

}  // namespace ebb::io::detail
