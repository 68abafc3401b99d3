/// \file
/// Safetensors files: tensors by name, as PyTorch and others keep them. Eight bytes with the length
/// of the header (little-endian), the header (JSON), the elements of all tensors, row-major.
/// Format: the README of huggingface/safetensors.
#pragma once

#include <ebb/core/open_file.hpp>
#include <ebb/io/atomic_file.hpp>
#include <ebb/io/named_tensor.hpp>
#include <ebb/io/safetensors_header.hpp>

#include <memory>
#include <span>

namespace ebb::inline EBB_ABI::io {

/// Writes tensors as the safetensors library lays them out: sorted by type, then by name, the
/// header padded with spaces to a multiple of 8. The file appears whole or not at all.
/// \throws FileError when it cannot be written, ValueError when two tensors share a name.
inline void write_safetensors(const std::string& path, std::span<const NamedTensor> tensors,
                              const Metadata& metadata = {}) {
  std::vector<const NamedTensor*> order;
  for (const NamedTensor& tensor : tensors) order.push_back(&tensor);
  std::sort(order.begin(), order.end(), [](const NamedTensor* a, const NamedTensor* b) {
    return a->dtype != b->dtype ? a->dtype > b->dtype : a->name < b->name;
  });
  std::map<std::string_view, int> names;
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::uint64_t at = 0;
  // A list of pairs, since looking a key up in an ordered object takes time for each key before it.
  auto& entries = header.get_ref<nlohmann::ordered_json::object_t&>();
  for (const NamedTensor* tensor : order) {
    if (tensor->name == "__metadata__" || ++names[tensor->name] > 1)
      throw ValueError(message("save: the name ", detail::in_quotes(tensor->name),
                               tensor->name == "__metadata__"
                                   ? " is taken by the file format; choose another"
                                   : " is used by two tensors; each needs its own"));
    nlohmann::ordered_json entry;
    entry["dtype"] = name(tensor->dtype);
    entry["shape"] = tensor->shape;
    entry["data_offsets"] = {at, at + tensor->bytes};
    entries.push_back({tensor->name, std::move(entry)});
    at += tensor->bytes;
  }
  std::string text;
  try {
    text = header.dump();
  } catch (const nlohmann::json::exception&) {
    throw ValueError(message("save: '", path, "': a name or a metadata text is not valid UTF-8"));
  }
  text.resize((text.size() + 7) / 8 * 8, ' ');

  AtomicFile file(path);
  const std::uint64_t length = text.size();
  file.write(&length, sizeof length);
  file.write(text.data(), text.size());
  for (const NamedTensor* tensor : order) file.write(tensor->data, tensor->bytes);
  file.commit();
}

/// A safetensors file, its header read and checked; elements are read when asked for, so that a
/// large file costs nothing until then.
class SafetensorsFile : public TensorFile {
 public:
  static constexpr std::uint64_t longest_header = 100'000'000;  ///< as in the safetensors library

  /// \throws FileError when the file is missing, or its header cannot be believed.
  explicit SafetensorsFile(const std::string& path)
      : TensorFile("safetensors", path),
        file_(std::make_unique<const os::OpenFile>("safetensors", path)) {
    read_header();
  }
  /// The same of bytes in memory; `path` is what messages call them.
  SafetensorsFile(const std::string& path, std::vector<unsigned char> bytes)
      : TensorFile("safetensors", path),
        file_(std::make_unique<const os::OpenFile>("safetensors", path, std::move(bytes))) {
    read_header();
  }

 private:
  void read_header() {
    const std::uint64_t file_bytes = file_->size();
    std::uint64_t length = 0;
    if (file_bytes < sizeof length)
      fail(message("it has ", file_bytes,
                   " bytes, too few for a safetensors file; it is truncated, "
                   "or another kind of file"));
    file_->read(0, &length, sizeof length);
    if (length > file_bytes - sizeof length)
      fail(message("its first 8 bytes promise a header of ", length, " bytes, and the file has ",
                   file_bytes, "; it is truncated, or not a safetensors file"));
    if (length > longest_header)
      fail(message("its header has ", length, " bytes, more than the ", longest_header,
                   " that are allowed; it is damaged, or not a safetensors file"));
    std::string text(static_cast<std::size_t>(length), '\0');
    file_->read(sizeof length, text.data(), text.size());
    if (text.empty() || text[0] != '{')
      fail("its header does not begin with '{'; it is not a safetensors file");
    detail::HeaderParser parser(message("safetensors: '", path_, "': in its header, "));
    nlohmann::json::sax_parse(text, &parser);
    data_begin_ = sizeof length + length;
    parser.check_places(file_bytes - data_begin_);
    tensors_ = std::move(parser.tensors);
    metadata_ = std::move(parser.metadata);
  }

  void read(const std::string& name, std::uint64_t from, unsigned char* to,
            std::size_t count) const override {
    file_->read(data_begin_ + tensors_.find(name)->second.begin + from, to, count);
  }

  std::unique_ptr<const os::OpenFile> file_;
  std::uint64_t data_begin_ = 0;
};

}  // namespace ebb::io
