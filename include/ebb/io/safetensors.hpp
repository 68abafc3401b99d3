/// \file
/// Safetensors files: tensors by name, as PyTorch and others keep them. Eight bytes with the length
/// of the header (little-endian), the header (JSON), the elements of all tensors, row-major.
/// Format: the README of huggingface/safetensors.
#pragma once

#include <ebb/io/atomic_file.hpp>
#include <ebb/io/safetensors_header.hpp>
#include <ebb/tensor/tensor.hpp>

#include <memory>
#include <span>

namespace ebb::inline EBB_ABI::io {

/// A tensor on its way to a file.
struct NamedTensor {
  std::string name;
  Dtype dtype = Dtype::f32;
  std::vector<Index> shape;
  std::shared_ptr<const void> owner;  ///< keeps the elements alive
  const void* data = nullptr;         ///< in host memory
  std::size_t bytes = 0;

  /// Shares the elements of a tensor in host memory; copies those of one on another device.
  template <class T, int N, class Device>
  NamedTensor(std::string called, const Tensor<T, N, Device>& x)
      : name(std::move(called)), dtype(dtype_of<T>()), bytes(x.bytes()) {
    for (int axis = 0; axis < N; ++axis) shape.push_back(x.shape()[axis]);
    if constexpr (Device::host_accessible) {
      const auto kept = std::make_shared<const Tensor<T, N, Device>>(x);
      owner = kept;
      data = kept->data();
    } else {
      static_assert(!std::is_same_v<T, bool>, "ebb::io: bool tensors are saved from the CPU only");
      const auto kept = std::make_shared<const std::vector<T>>(x.values());
      owner = kept;
      data = kept->data();
    }
  }
};

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

struct GetOptions {
  bool convert = false;  ///< let float become double, and double float
};

/// A safetensors file, its header read and checked; elements are read when asked for, so that a
/// large file costs nothing until then.
class SafetensorsFile {
 public:
  static constexpr std::uint64_t longest_header = 100'000'000;  ///< as in the safetensors library

  /// \throws FileError when the file is missing, or its header cannot be believed.
  explicit SafetensorsFile(const std::string& path) : path_(path) {
    descriptor_ = os::open_to_read(path);
    if (descriptor_ < 0)
      fail(message(std::strerror(errno), errno == ENOENT ? "; check the path" : ""));
    try {
      read_header();
    } catch (...) {
      os::close_quietly(descriptor_);
      throw;
    }
  }
  SafetensorsFile(SafetensorsFile&& other) noexcept
      : path_(std::move(other.path_)),
        descriptor_(std::exchange(other.descriptor_, -1)),
        data_begin_(other.data_begin_),
        tensors_(std::move(other.tensors_)),
        metadata_(std::move(other.metadata_)) {}
  SafetensorsFile& operator=(SafetensorsFile&&) = delete;
  ~SafetensorsFile() {
    if (descriptor_ >= 0) os::close_quietly(descriptor_);
  }

  const std::string& path() const { return path_; }
  const Metadata& metadata() const { return metadata_; }
  /// All tensors by name.
  const std::map<std::string, TensorInfo>& tensors() const { return tensors_; }
  bool contains(const std::string& name) const { return tensors_.contains(name); }
  std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (const auto& [name, tensor] : tensors_) all.push_back(name);
    return all;
  }

  /// \throws FileError when there is no such tensor.
  const TensorInfo& info(const std::string& name) const {
    const auto found = tensors_.find(name);
    if (found == tensors_.end())
      fail(message("it holds no tensor ", detail::in_quotes(name), "; it holds ", listed(names())));
    return found->second;
  }

  /// A tensor by name. Half precision (F16, BF16) becomes float by itself; between float and double
  /// only when asked to.
  /// \throws FileError when there is none of that name, rank and type, or it cannot be read.
  template <class T, int N, class Device = Cpu>
  Tensor<T, N, Device> get(const std::string& name, GetOptions options = {}) const {
    const TensorInfo& t = info(name);
    if (t.shape.size() != static_cast<std::size_t>(N))
      fail(message("tensor ", detail::in_quotes(name), " has shape ", to_string(t.shape),
                   ", of rank ", t.shape.size(), ", and rank ", N, " was asked for"));
    Shape<N> shape{};
    for (int axis = 0; axis < N; ++axis) shape[axis] = t.shape[static_cast<std::size_t>(axis)];
    if constexpr (Device::host_accessible) {
      Tensor<T, N, Device> x(shape);
      read_elements(name, t, x.mutable_data(), options);
      return x;
    } else {
      Tensor<T, N> x(shape);
      read_elements(name, t, x.mutable_data(), options);
      return to<Device>(x);
    }
  }

  /// Why a tensor cannot be read as elements of type T, as a sentence; "" when it can.
  template <class T>
  std::string mismatch(const std::string& name, GetOptions options = {}) const {
    const TensorInfo& t = info(name);
    constexpr Dtype wanted = dtype_of<T>();
    if (t.dtype == wanted) return {};
    const bool half = t.dtype == Dtype::f16 || t.dtype == Dtype::bf16;
    if (is_float(t.dtype) && is_float(wanted) &&
        (options.convert || (half && wanted == Dtype::f32)))
      return {};
    return message(
        "tensor ", detail::in_quotes(name), " is of type ", io::name(t.dtype), ", and ",
        io::name(wanted), " was asked for",
        is_float(t.dtype) && is_float(wanted) ? "; let it be converted with .convert = true" : "");
  }

  [[noreturn]] void fail(const std::string& what) const {
    throw FileError(message("safetensors: '", path_, "': ", what));
  }

  /// "'a', 'b' and 7 more".
  static std::string listed(const std::vector<std::string>& names) {
    constexpr std::size_t most = 10;
    if (names.empty()) return "none";
    std::string text;
    for (std::size_t i = 0; i < std::min(most, names.size()); ++i)
      text += (i > 0 ? ", " : "") + detail::in_quotes(names[i]);
    return names.size() > most ? text + message(" and ", names.size() - most, " more") : text;
  }

 private:
  void read_header() {
    const os::Kind kind = os::look_at(descriptor_);
    if (!kind.there) fail(std::strerror(errno));
    if (kind.folder) fail("it is a folder; name a file in it");
    if (!kind.regular) fail("it is not a regular file");
    const std::uint64_t file_bytes = kind.bytes;
    std::uint64_t length = 0;
    if (file_bytes < sizeof length)
      fail(message("it has ", file_bytes,
                   " bytes, too few for a safetensors file; it is truncated, "
                   "or another kind of file"));
    read(&length, sizeof length, 0);
    if (length > file_bytes - sizeof length)
      fail(message("its first 8 bytes promise a header of ", length, " bytes, and the file has ",
                   file_bytes, "; it is truncated, or not a safetensors file"));
    if (length > longest_header)
      fail(message("its header has ", length, " bytes, more than the ", longest_header,
                   " that are allowed; it is damaged, or not a safetensors file"));
    std::string text(static_cast<std::size_t>(length), '\0');
    read(text.data(), text.size(), sizeof length);
    if (text.empty() || text[0] != '{')
      fail("its header does not begin with '{'; it is not a safetensors file");
    detail::HeaderParser parser(message("safetensors: '", path_, "': in its header, "));
    nlohmann::json::sax_parse(text, &parser);
    data_begin_ = sizeof length + length;
    parser.check_places(file_bytes - data_begin_);
    tensors_ = std::move(parser.tensors);
    metadata_ = std::move(parser.metadata);
  }

  void read(void* to, std::size_t bytes, std::uint64_t from) const {
    auto* at = static_cast<char*>(to);
    while (bytes > 0) {
      const std::ptrdiff_t got = os::read_at(descriptor_, at, bytes, from);
      if (got < 0) fail(message("it cannot be read: ", std::strerror(errno)));
      if (got == 0) fail("it became shorter while it was read");
      at += got;
      from += static_cast<std::uint64_t>(got);
      bytes -= static_cast<std::size_t>(got);
    }
  }

  template <class T>
  void read_elements(const std::string& name, const TensorInfo& t, T* to,
                     GetOptions options) const {
    if (const std::string why = mismatch<T>(name, options); !why.empty()) fail(why);
    if (t.dtype == dtype_of<T>() && !std::is_same_v<T, bool>) {
      read(to, static_cast<std::size_t>(t.end - t.begin), data_begin_ + t.begin);
      return;
    }
    std::vector<unsigned char> raw(1 << 16);  // converted piece by piece
    const auto width = static_cast<std::size_t>(bytes(t.dtype));
    for (std::uint64_t at = t.begin; at < t.end;) {
      const auto piece = static_cast<std::size_t>(std::min<std::uint64_t>(raw.size(), t.end - at));
      read(raw.data(), piece, data_begin_ + at);
      for (std::size_t i = 0; i < piece; i += width)
        *to++ = convert_element<T>(t.dtype, raw.data() + i);
      at += piece;
    }
  }

  std::string path_;
  int descriptor_ = -1;
  std::uint64_t data_begin_ = 0;
  std::map<std::string, TensorInfo> tensors_;
  Metadata metadata_;
};

}  // namespace ebb::io
