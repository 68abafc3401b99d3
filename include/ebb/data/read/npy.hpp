/// \file
/// NumPy's .npy files, versions 1 to 3: a magic, a version, a header that is a Python dictionary
/// (descr, fortran_order, shape), the elements. Format: NEP 1 and numpy.lib.format. Object and
/// structured arrays are refused: the first are pickles, which run code when they are read.
#pragma once

#include <ebb/data/read/array.hpp>
#include <ebb/data/read/byte_source.hpp>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ebb::inline EBB_ABI::data {

namespace detail {

/// A header tells of at most 64 axes; NumPy itself reads 10,000 bytes.
constexpr std::uint64_t most_npy_header = std::uint64_t{1} << 20;

/// Reads the dictionary of a .npy header: three known keys, in any order.
class NpyHeader {
 public:
  NpyHeader(const std::string& source, std::string_view text) : source_(source), text_(text) {
    expect('{');
    while (!accept('}')) {
      const std::string_view key = quoted();
      expect(':');
      if (key == "descr")
        read_descr();
      else if (key == "fortran_order")
        fortran = word() == "True";
      else if (key == "shape")
        read_shape();
      else
        damaged("an unknown key");
      seen_ += key == "descr" ? 1 : key == "shape" ? 16 : 256;
      if (!accept(',') && peek() != '}') damaged("no comma between keys");
    }
    if (seen_ != 1 + 16 + 256) damaged("descr, fortran_order and shape not once each");
  }

  std::string descr;
  bool fortran = false;
  std::vector<Index> shape;

 private:
  [[noreturn]] void damaged(const char* what) const {
    throw FileError(message(source_, ": its header has ", what,
                            "; the file is damaged, write it again with numpy.save"));
  }
  char peek() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool accept(char c) {
    if (peek() != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!accept(c)) damaged(message("no '", std::string(1, c), "' where one belongs").c_str());
  }
  std::string_view quoted() {
    const char quote = peek();
    if (quote != '\'' && quote != '"') damaged("no quoted text where one belongs");
    const std::size_t end = text_.find(quote, at_ + 1);
    if (end == text_.npos) damaged("a text without an end");
    const std::string_view text = text_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    return text;
  }
  std::string_view word() {
    peek();
    const std::size_t from = at_;
    while (at_ < text_.size() && std::isalpha(static_cast<unsigned char>(text_[at_]))) ++at_;
    const std::string_view text = text_.substr(from, at_ - from);
    if (text != "True" && text != "False") damaged("neither True nor False for fortran_order");
    return text;
  }
  void read_descr() {
    if (peek() == '[')
      throw FileError(message(source_,
                              ": it holds records of several fields, not numbers; save "
                              "each field as an array of its own"));
    descr = quoted();
  }
  void read_shape() {
    expect('(');
    while (!accept(')')) {
      peek();
      std::uint64_t extent = 0;
      const std::size_t from = at_;
      for (; at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_) {
        extent = extent * 10 + static_cast<std::uint64_t>(text_[at_] - '0');
        if (extent >> 48) damaged("an extent larger than any file");
      }
      if (at_ == from) damaged("a shape that is not a list of whole numbers");
      if (text_.substr(at_, 1) == "L") ++at_;  // Python 2 wrote 3L
      shape.push_back(static_cast<Index>(extent));
      if (shape.size() > 64) damaged("more than 64 axes");
      if (!accept(',') && peek() != ')') damaged("no comma between extents");
    }
  }

  const std::string& source_;
  std::string_view text_;
  std::size_t at_ = 0;
  int seen_ = 0;
};

inline ElementType npy_type(const std::string& source, const std::string& descr, bool& swapped) {
  const auto refuse = [&](const char* because) {
    throw FileError(message(source, ": its elements are '", descr, "', ", because));
  };
  const char order = descr.empty() ? '?' : descr[0];
  const bool has_order = order == '<' || order == '>' || order == '|' || order == '=';
  const std::string rest = descr.substr(has_order ? 1 : 0);
  const char kind = rest.empty() ? '?' : rest[0];
  if (kind == 'O')
    refuse(
        "Python objects, which only Python can unpack (and which may run code); save an array "
        "of numbers, without dtype=object");
  const std::string width = rest.size() > 1 ? rest.substr(1) : "";
  const bool one_two_four_eight = width == "1" || width == "2" || width == "4" || width == "8";
  if (!one_two_four_eight || (kind == 'b' && width != "1") || (kind == 'f' && width == "1") ||
      (kind != 'b' && kind != 'i' && kind != 'u' && kind != 'f'))
    refuse("which this library has no type for; convert it, with x.astype('float32') say");
  swapped = order == (std::endian::native == std::endian::little ? '>' : '<');
  return {kind, width[0] - '0'};
}

/// Row-major from column-major elements of `width` bytes.
inline std::vector<unsigned char> to_row_major(const std::vector<unsigned char>& from,
                                               const std::vector<Index>& shape, std::size_t width) {
  std::vector<unsigned char> to(from.size());
  std::vector<Index> at(shape.size(), 0);
  std::vector<std::size_t> stride(shape.size(), width);
  for (std::size_t axis = 1; axis < shape.size(); ++axis)
    stride[axis] = stride[axis - 1] * static_cast<std::size_t>(shape[axis - 1]);
  std::size_t source = 0;
  for (std::size_t i = 0; i < to.size(); i += width) {
    std::memcpy(to.data() + i, from.data() + source, width);
    for (std::size_t axis = shape.size(); axis-- > 0;) {
      source += stride[axis];
      if (++at[axis] < shape[axis]) break;
      source -= stride[axis] * static_cast<std::size_t>(shape[axis]);
      at[axis] = 0;
    }
  }
  return to;
}

/// The array in a .npy file of `size` bytes, which `read(to, n)` hands out from the front on:
/// memory is taken for the elements alone, once their number agrees with the size; twice for those
/// in column-major order. \throws FileError, and what `read` throws.
template <class Read>
Array parse_npy(const std::string& source, std::uint64_t size, Read&& read) {
  const auto fail = [&](const std::string& what) { throw FileError(message(source, ": ", what)); };
  unsigned char start[12] = {};
  if (size >= 10) read(start, 10);
  if (size < 10 || std::memcmp(start, "\x93NUMPY", 6) != 0)
    fail("it is no .npy file: it does not begin with \\x93NUMPY");
  const int version = start[6];
  if (version < 1 || version > 3)
    fail(message("it is of .npy version ", version, ", and 1 to 3 are known"));
  const std::uint64_t begin = version == 1 ? 10 : 12;
  if (version > 1 && size >= begin) read(start + 10, 2);
  std::uint64_t length = start[8] | std::uint64_t{start[9]} << 8;
  if (version > 1) length |= std::uint64_t{start[10]} << 16 | std::uint64_t{start[11]} << 24;
  if (size < begin || length > size - begin)
    fail("it ends within its header: the file is truncated; copy it again");
  if (length > most_npy_header)
    fail(message("its header has ", length, " bytes, and headers of arrays have ", most_npy_header,
                 " at most; the file is damaged, write it again with numpy.save"));
  std::string text(static_cast<std::size_t>(length), '\0');
  read(reinterpret_cast<unsigned char*>(text.data()), text.size());
  const NpyHeader header(source, text);
  bool swapped = false;
  Array array{source, npy_type(source, header.descr, swapped), header.shape, {}};
  const auto width = static_cast<std::size_t>(array.type.bytes);
  std::uint64_t promised = width;
  bool overflow = false;
  for (const Index extent : array.shape) {
    const auto e = static_cast<std::uint64_t>(extent);
    overflow = overflow || (e > 0 && promised > (std::uint64_t{1} << 62) / e);
    promised = overflow ? 0 : promised * e;
  }
  const std::uint64_t there = size - begin - length;
  if (overflow || promised != there)
    fail(message("its header promises ",
                 overflow ? std::string("more bytes than any file holds")
                          : std::to_string(promised) + " bytes of elements",
                 ", and it holds ", there, "; the file is ",
                 overflow || promised < there ? "damaged" : "truncated", ", copy it again"));
  array.bytes.resize(static_cast<std::size_t>(promised));
  read(array.bytes.data(), array.bytes.size());
  if (swapped && width > 1)
    for (std::size_t i = 0; i < array.bytes.size(); i += width)
      std::reverse(array.bytes.begin() + static_cast<std::ptrdiff_t>(i),
                   array.bytes.begin() + static_cast<std::ptrdiff_t>(i + width));
  if (header.fortran && array.shape.size() > 1)
    array.bytes = to_row_major(array.bytes, array.shape, width);
  return array;
}

/// The same of a file or of memory, whole.
inline Array parse_npy(const std::string& source, ByteSource bytes) {
  std::uint64_t at = 0;
  return parse_npy(source, bytes.size(), [&](unsigned char* to, std::size_t n) {
    bytes.read(at, to, n);
    at += n;
  });
}

}  // namespace detail

/// The array in a .npy file. \throws FileError when it is missing, damaged, or holds no numbers.
inline Array read_npy(const std::string& path) {
  return detail::parse_npy(message("read_npy: '", path, "'"), detail::ByteSource("read_npy", path));
}

/// The same, as a tensor.
template <class T, int N>
Tensor<T, N> read_npy(const std::string& path) {
  return read_npy(path).get<T, N>();
}

}  // namespace ebb::data
