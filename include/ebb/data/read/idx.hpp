/// \file
/// IDX files, plain or gzipped: the format of MNIST (LeCun, Cortes and Burges, "The MNIST database
/// of handwritten digits", section "The IDX file format"). Big-endian: two zero bytes, a type, the
/// number of axes, one 32-bit extent per axis, the elements.
#pragma once

#include <ebb/core/atomic_file.hpp>
#include <ebb/data/read/regular_file.hpp>
#include <ebb/data/read/zlib_library.hpp>
#include <ebb/tensor/tensor.hpp>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <vector>

namespace ebb::inline EBB_ABI::data {

namespace detail {

/// zlib's file on a descriptor, to be read, which it takes over; null where either failed.
inline gzFile open_gzip(int descriptor) {
  if (descriptor < 0) return nullptr;
  const gzFile file = gzdopen(descriptor, "rb");
  if (!file) os::close_quietly(descriptor);
  return file;
}

/// Writes bytes to a file in the format of gzip (RFC 1952).
inline void write_gzipped(os::AtomicFile& file, const std::vector<unsigned char>& bytes) {
  constexpr int window_and_gzip = 15 + 16, memory = 8;
  z_stream stream{};
  if (deflateInit2(&stream, 6, Z_DEFLATED, window_and_gzip, memory, Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::bad_alloc();
  const std::unique_ptr<z_stream, int (*)(z_stream*)> owner(&stream, deflateEnd);
  std::vector<unsigned char> out(std::size_t{1} << 16);
  std::size_t done = 0;
  for (int status = Z_OK; status != Z_STREAM_END;) {
    if (stream.avail_in == 0) {
      stream.next_in = const_cast<unsigned char*>(bytes.data()) + done;
      stream.avail_in =
          static_cast<unsigned>(std::min<std::size_t>(bytes.size() - done, std::size_t{1} << 24));
      done += stream.avail_in;
    }
    stream.next_out = out.data();
    stream.avail_out = static_cast<unsigned>(out.size());
    status = deflate(&stream, done == bytes.size() ? Z_FINISH : Z_NO_FLUSH);
    file.write(out.data(), out.size() - stream.avail_out);
  }
}

/// IDX's number for an element type.
template <class T>
constexpr int idx_type() {
  if constexpr (std::is_same_v<T, std::uint8_t>)
    return 0x08;
  else if constexpr (std::is_same_v<T, std::int8_t>)
    return 0x09;
  else if constexpr (std::is_same_v<T, std::int16_t>)
    return 0x0B;
  else if constexpr (std::is_same_v<T, std::int32_t>)
    return 0x0C;
  else if constexpr (std::is_same_v<T, float>)
    return 0x0D;
  else if constexpr (std::is_same_v<T, double>)
    return 0x0E;
  else
    return 0;
}

inline const char* idx_type_name(int type) {
  switch (type) {
    case 0x08:
      return "std::uint8_t";
    case 0x09:
      return "std::int8_t";
    case 0x0B:
      return "std::int16_t";
    case 0x0C:
      return "std::int32_t";
    case 0x0D:
      return "float";
    case 0x0E:
      return "double";
    default:
      return nullptr;
  }
}

/// Reverses the bytes of each element where the host is little-endian.
template <class T>
void swap_big_endian(T* data, Index n) {
  if constexpr (sizeof(T) > 1 && std::endian::native == std::endian::little) {
    auto* bytes = reinterpret_cast<unsigned char*>(data);
    for (Index i = 0; i < n; ++i, bytes += sizeof(T))
      for (std::size_t k = 0; k < sizeof(T) / 2; ++k) std::swap(bytes[k], bytes[sizeof(T) - 1 - k]);
  }
}

/// A file that is read as it is, or through gzip when its first bytes say so; its name is ignored.
class GzipReader {
 public:
  GzipReader(const char* who, const std::string& path) : who_(who), path_(path) {
    stored_ = size_of_regular_file(
        path, [this](const std::string& what) { fail(what); },
        "there is no such file; check the path, and that the data was downloaded");
    if (stored_ == 0) fail("it is empty; download or copy it again");
    file_.reset(open_gzip(os::open_to_read(path)));
    if (!file_) fail(message("it cannot be opened: ", std::strerror(errno)));
    gzbuffer(file_.get(), 1 << 17);
    compressed_ = gzdirect(file_.get()) == 0;
  }

  [[noreturn]] void fail(const std::string& what) const {
    throw FileError(message(who_, ": '", path_, "': ", what));
  }

  bool compressed() const { return compressed_; }
  /// Bytes on disk.
  std::uintmax_t stored() const { return stored_; }

  /// Reads up to `bytes`; less only at the end of the data. \throws FileError when it is damaged.
  std::size_t read(void* to, std::size_t bytes) {
    std::size_t done = 0;
    while (done < bytes) {
      const auto piece = static_cast<unsigned>(std::min<std::size_t>(bytes - done, 1 << 24));
      const int got = gzread(file_.get(), static_cast<char*>(to) + done, piece);
      int code = Z_OK;
      const char* text = gzerror(file_.get(), &code);
      if (code == Z_BUF_ERROR)
        fail("its gzip stream ends early: the file is truncated; download or copy it again");
      if (got < 0)
        fail(message("it cannot be read",
                     compressed_ ? " as gzip: its data is damaged; download or copy it again" : "",
                     " (", code == Z_ERRNO ? std::strerror(errno) : text, ")"));
      if (got == 0) break;
      done += static_cast<std::size_t>(got);
    }
    return done;
  }

 private:
  struct Close {
    void operator()(gzFile_s* file) const { gzclose(file); }
  };

  const char* who_;
  std::string path_;
  std::unique_ptr<gzFile_s, Close> file_;
  std::uintmax_t stored_ = 0;
  bool compressed_ = false;
};

/// Reads exactly `bytes` from `file` and finds nothing after them. The promise of a header is not
/// trusted: memory grows with what arrives.
inline std::vector<unsigned char> read_promised(GzipReader& file, const std::string& header,
                                                std::uint64_t header_bytes, std::uint64_t bytes) {
  const auto disagree = [&](const char* than, const char* because) {
    file.fail(message("its header promises ", bytes, " bytes for ", header, ", and it holds ", than,
                      " than that: ", because, "; download or copy it again"));
  };
  constexpr std::uint64_t most_inflation = 1032;  // deflate codes 258 bytes in 2 bits at best
  if (!file.compressed() && file.stored() - header_bytes != bytes)
    disagree(message(file.stored() - header_bytes, " bytes, ",
                     file.stored() - header_bytes < bytes ? "less" : "more")
                 .c_str(),
             file.stored() - header_bytes < bytes ? "the file is truncated"
                                                  : "it is not what its header says");
  if (file.compressed() && bytes / most_inflation > file.stored())
    disagree("far less", "the header is damaged, or the file truncated");

  std::vector<unsigned char> data;
  while (data.size() < bytes) {
    const std::size_t had = data.size();
    const std::uint64_t room = std::max<std::uint64_t>(had * 2, std::uint64_t{1} << 26);
    data.resize(static_cast<std::size_t>(std::min(bytes, room)));
    const std::size_t got = file.read(data.data() + had, data.size() - had);
    if (had + got < data.size())
      disagree(message(had + got, " bytes, less").c_str(), "the file is truncated");
  }
  unsigned char beyond;
  if (file.read(&beyond, 1) != 0) disagree("more", "it is not what its header says");
  return data;
}

}  // namespace detail

/// The tensor in an IDX file, plain or gzipped (told by its content, not by its name).
/// \throws FileError when the file is missing, is not IDX, holds other elements or another rank
/// than asked for, or differs in size from what its header says.
template <class T, int N>
Tensor<T, N> read_idx(const std::string& path) {
  static_assert(detail::idx_type<T>() != 0,
                "ebb::data::read_idx: IDX files hold std::uint8_t, std::int8_t, std::int16_t, "
                "std::int32_t, float or double");
  static_assert(N >= 1 && N <= 255, "ebb::data::read_idx: IDX files have 1 to 255 axes");
  detail::GzipReader file("read_idx", path);
  unsigned char magic[4] = {};
  const std::size_t got = file.read(magic, 4);
  if (got < 4 || magic[0] != 0 || magic[1] != 0 || !detail::idx_type_name(magic[2]) ||
      magic[3] == 0) {
    char hex[16];
    std::snprintf(hex, sizeof hex, "%02x%02x%02x%02x", magic[0], magic[1], magic[2], magic[3]);
    file.fail(got < 4 ? std::string("it ends within the first 4 bytes, so it is no IDX file")
                      : message("it is no IDX file: it starts with 0x", hex,
                                file.compressed() ? " once unpacked" : "",
                                ", and IDX with 0x0000, a type and a rank (0x00000803 for images, "
                                "0x00000801 for labels); check that the download is not an error "
                                "page"));
  }
  if (magic[2] != detail::idx_type<T>())
    file.fail(message("its elements are ", detail::idx_type_name(magic[2]), ", not ",
                      detail::idx_type_name(detail::idx_type<T>()), "; read it with read_idx<",
                      detail::idx_type_name(magic[2]), ", ", int{magic[3]}, ">"));
  if (magic[3] != N)
    file.fail(message("it has ", int{magic[3]}, " axes, not ", N,
                      magic[3] == 1   ? "; is it a file of labels?"
                      : magic[3] == 3 ? "; is it a file of images?"
                                      : ""));
  unsigned char extents[ebb::detail::array_size(4 * N)];
  if (file.read(extents, sizeof extents) < sizeof extents)
    file.fail("it ends within its header: the file is truncated; download or copy it again");
  Shape<N> shape{};
  std::uint64_t bytes = sizeof(T);
  bool overflow = false, empty = false;
  for (int axis = 0; axis < N; ++axis) {
    const unsigned char* e = extents + 4 * axis;
    const auto extent = std::uint64_t{e[0]} << 24 | std::uint64_t{e[1]} << 16 |
                        std::uint64_t{e[2]} << 8 | std::uint64_t{e[3]};
    shape[axis] = static_cast<Index>(extent);
    // (An extent of zero does not hide an overflow of the others.)
    empty = empty || extent == 0;
    overflow = overflow || (extent > 0 && bytes > (std::uint64_t{1} << 62) / extent);
    if (!overflow && extent > 0) bytes *= extent;
  }
  if (overflow)
    file.fail(message("its header promises ", shape,
                      " elements, more than any file holds; the "
                      "header is damaged, download or copy it again"));

  if (empty) bytes = 0;
  const std::vector<unsigned char> data =
      detail::read_promised(file, to_string(shape), 4 + sizeof extents, bytes);
  Tensor<T, N> x(shape);
  Cpu::copy(x.mutable_data(), data.data(), data.size());
  detail::swap_big_endian(x.mutable_data(), x.size());
  return x;
}

struct WriteIdxOptions {
  bool gzip = false;
};

/// Writes a tensor as an IDX file, whole or not at all. \throws FileError when it cannot be
/// written; an older file is unchanged then.
template <class T, int N>
void write_idx(const std::string& path, const Tensor<T, N>& x, WriteIdxOptions options = {}) {
  static_assert(detail::idx_type<T>() != 0,
                "ebb::data::write_idx: IDX files hold std::uint8_t, std::int8_t, std::int16_t, "
                "std::int32_t, float or double");
  static_assert(N >= 1 && N <= 255, "ebb::data::write_idx: IDX files have 1 to 255 axes");
  std::vector<unsigned char> bytes{0, 0, detail::idx_type<T>(), N};
  for (int axis = 0; axis < N; ++axis) {
    const auto extent = static_cast<std::uint64_t>(x.shape()[axis]);
    if (extent > 0xFFFFFFFFu)
      throw ValueError(message("write_idx: extent ", extent, " does not fit IDX's 32 bits"));
    for (int shift = 24; shift >= 0; shift -= 8)
      bytes.push_back(static_cast<unsigned char>(extent >> shift & 0xFF));
  }
  std::vector<T> values = x.values();
  detail::swap_big_endian(values.data(), x.size());
  const auto* first = reinterpret_cast<const unsigned char*>(values.data());
  bytes.insert(bytes.end(), first, first + values.size() * sizeof(T));

  os::AtomicFile file(path, "write_idx");
  if (options.gzip)
    detail::write_gzipped(file, bytes);
  else
    file.write(bytes.data(), bytes.size());
  file.commit();
}

}  // namespace ebb::data
