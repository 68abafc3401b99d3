/// \file
/// Data sets that are deflated (DICOM PS3.5, A.5): a few bytes may promise gigabytes, so that they
/// are measured before memory is taken for them.
#pragma once

#include <ebb/core/error.hpp>
#include <ebb/data/read/zlib_library.hpp>

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace ebb::inline EBB_ABI::data::detail {

/// Inflates a raw deflate stream into `out`, or to nowhere if that is empty; the number of bytes.
/// `fail(what)` throws.
template <class Fail>
std::uint64_t inflate_to(std::span<const unsigned char> deflated, std::span<unsigned char> out,
                         std::uint64_t most, const Fail& fail) {
  struct Stream : z_stream {  // zlib's memory goes whatever happens
    Stream() : z_stream{} {}
    ~Stream() { inflateEnd(this); }
  } stream;
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) fail("zlib does not start");
  stream.next_in = const_cast<unsigned char*>(deflated.data());  // zlib only reads it
  std::size_t left = deflated.size();
  unsigned char nowhere[1 << 14];
  std::uint64_t size = 0;
  for (int result = Z_OK; result != Z_STREAM_END;) {
    const std::uint64_t room = out.empty() ? sizeof nowhere : out.size() - size;
    stream.next_out = out.empty() ? nowhere : out.data() + size;
    constexpr std::uint64_t step = std::uint64_t{1} << 30;  // zlib counts in 32 bits
    const auto in = static_cast<uInt>(std::min<std::uint64_t>(left, step));
    const auto to = static_cast<uInt>(std::min(room, step));
    stream.avail_in = in, stream.avail_out = to;
    result = ::inflate(&stream, Z_NO_FLUSH);
    left -= in - stream.avail_in, size += to - stream.avail_out;
    if (size > most)
      fail(message("its deflated data set has more than the ", most,
                   " bytes that are allowed; raise DicomOptions::most_expanded_bytes if that is ",
                   "meant"));
    if (result != Z_OK && result != Z_STREAM_END)
      fail("its deflated data set is damaged or truncated; copy it again");
  }
  return size;
}

/// The same into memory of the size that it needs.
template <class Fail>
std::vector<unsigned char> inflated(std::span<const unsigned char> deflated, std::uint64_t most,
                                    const Fail& fail) {
  const std::uint64_t size = inflate_to(deflated, {}, most, fail);
  std::vector<unsigned char> out(static_cast<std::size_t>(size));
  inflate_to(deflated, out, size, fail);
  return out;
}

}  // namespace ebb::data::detail
