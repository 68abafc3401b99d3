/// \file
/// What every kind of file with named tensors can do, whoever wrote it.
#pragma once

#include <ebb/core/error.hpp>
#include <ebb/io/dtype.hpp>
#include <ebb/tensor/tensor.hpp>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

namespace ebb::inline EBB_ABI::io {

/// Text about a file, not about its elements.
using Metadata = std::map<std::string, std::string>;

/// A tensor as its file describes it.
struct TensorInfo {
  Dtype dtype = Dtype::f32;
  std::vector<Index> shape;
  /// Bytes, counted from the end of a safetensors file's header; 0 in other files.
  std::uint64_t begin = 0, end = 0;

  Index size() const {
    Index n = 1;
    for (const Index extent : shape) n *= extent;
    return n;
  }
};

/// "(64, 784)".
inline std::string to_string(const std::vector<Index>& shape) {
  std::string text = "(";
  for (const Index extent : shape) text += (text.size() > 1 ? ", " : "") + std::to_string(extent);
  return text + ")";
}

namespace detail {

/// A name out of a file, fit for a sentence: short, and without control characters.
inline std::string in_quotes(const std::string& name) {
  constexpr std::size_t most = 100;
  std::string text = "'" + name.substr(0, most) + (name.size() > most ? "...'" : "'");
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 32 || c == 127) c = '?';
  return text;
}

}  // namespace detail

struct GetOptions {
  bool convert = false;  ///< let float become double, and double float
};

/// A file of named tensors, whose description is read and checked; elements are read when asked
/// for, by any number of threads.
class TensorFile {
 public:
  virtual ~TensorFile() = default;

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
    if (const std::string why = mismatch<T>(name, options); !why.empty()) fail(why);
    check_size(name);
    Shape<N> shape{};
    for (int axis = 0; axis < N; ++axis) shape[axis] = t.shape[static_cast<std::size_t>(axis)];
    if constexpr (Device::host_accessible) {
      Tensor<T, N, Device> x(shape);
      read_elements(name, t, x.mutable_data());
      return x;
    } else {
      Tensor<T, N> x(shape);
      read_elements(name, t, x.mutable_data());
      return to<Device>(x);
    }
  }

  /// A tensor's elements as they are, of any type: row-major and little-endian.
  /// \throws FileError when there is none of that name, or it cannot be read.
  std::vector<unsigned char> bytes_of(const std::string& name) const {
    const TensorInfo& t = info(name);
    check_size(name);
    std::vector<unsigned char> all(static_cast<std::size_t>(t.size()) *
                                   static_cast<std::size_t>(bytes(t.dtype)));
    read(name, 0, all.data(), all.size());
    return all;
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
    throw FileError(message(kind_, ": '", path_, "': ", what));
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

 protected:
  /// `kind` begins every message.
  TensorFile(const char* kind, std::string path) : kind_(kind), path_(std::move(path)) {}
  TensorFile(TensorFile&&) = default;

  /// `count` bytes of a tensor's elements, row-major and little-endian, from byte `from` on.
  virtual void read(const std::string& name, std::uint64_t from, unsigned char* to,
                    std::size_t count) const = 0;
  /// How many bytes are best read at a time.
  virtual std::size_t piece(const std::string&) const { return std::size_t{1} << 16; }
  /// Throws where a tensor claims more elements than anybody would read.
  virtual void check_size(const std::string&) const {}

  const char* kind_;
  std::string path_;
  std::map<std::string, TensorInfo> tensors_;
  Metadata metadata_;

 private:
  template <class T>
  void read_elements(const std::string& name, const TensorInfo& t, T* to) const {
    const auto width = static_cast<std::size_t>(bytes(t.dtype));
    const std::size_t all = static_cast<std::size_t>(t.size()) * width;
    if (t.dtype == dtype_of<T>() && !std::is_same_v<T, bool>) {
      read(name, 0, reinterpret_cast<unsigned char*>(to), all);
      return;
    }
    std::vector<unsigned char> raw(std::min(all, piece(name)));  // converted piece by piece
    for (std::size_t at = 0; at < all;) {
      const std::size_t count = std::min(raw.size(), all - at);
      read(name, at, raw.data(), count);
      for (std::size_t i = 0; i < count; i += width)
        *to++ = convert_element<T>(t.dtype, raw.data() + i);
      at += count;
    }
  }
};

}  // namespace ebb::io
