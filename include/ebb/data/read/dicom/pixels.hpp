/// \file
/// The stored pixels of a DICOM file: as they lie in it, packed, or compressed by a codec.
#pragma once

#include <ebb/data/read/dicom/layout.hpp>

#include <bit>

namespace ebb::inline EBB_ABI::data::detail {

/// One frame of run-length coded bytes (PS3.5, annex G). DCMTK's own decoder believes the lengths
/// in a frame's header.
inline void decode_rle(const DicomFile& file, std::span<const unsigned char> in,
                       const DicomLayout& l, unsigned char* out) {
  const auto bad = [&](const char* what) {
    file.fail(message("its run-length coded pixels ", what, "; it is damaged, copy it again"));
  };
  const auto number = [&](std::size_t at) -> std::size_t {
    return std::size_t{in[at]} | std::size_t{in[at + 1]} << 8 | std::size_t{in[at + 2]} << 16 |
           std::size_t{in[at + 3]} << 24;
  };
  const std::size_t bytes = l.value_bytes(), samples = static_cast<std::size_t>(l.samples);
  const std::size_t segments = bytes * samples;
  const auto area = static_cast<std::size_t>(l.rows * l.columns);
  if (in.size() < 64 || number(0) != segments) bad("have a wrong header");
  for (std::size_t s = 0; s < segments; ++s) {
    std::size_t at = number(4 + 4 * s);
    const std::size_t end = s + 1 < segments ? number(8 + 4 * s) : in.size();
    if (at < 64 || at > end || end > in.size()) bad("have a wrong header");
    // Segments begin with the most significant byte of the first sample.
    const std::size_t sample = s / bytes, byte = bytes - 1 - s % bytes;
    const std::size_t place = std::endian::native == std::endian::big ? bytes - 1 - byte : byte;
    unsigned char* to = out + place + (l.planar ? sample * area : sample) * bytes;
    const std::size_t step = (l.planar ? 1 : samples) * bytes;
    std::size_t done = 0;
    while (done < area) {
      if (at >= end) bad("end too early");
      const int code = static_cast<signed char>(in[at++]);
      if (code == -128) continue;
      const std::size_t count = static_cast<std::size_t>(code < 0 ? 1 - code : 1 + code);
      if (count > area - done || end - at < (code < 0 ? 1 : count)) bad("do not fit the image");
      for (std::size_t i = 0; i < count; ++i, ++done) to[done * step] = in[code < 0 ? at : at + i];
      at += code < 0 ? 1 : count;
    }
  }
}

/// Bits of a sample in a JPEG or JPEG-LS stream, whose size must be the image's: decoders take
/// memory for what the stream says. Up to there the stream must be a chain of segments; DCMTK 3.6.7
/// looks for ever at one that holds the marker TEM. (ITU-T T.81, B.1.1 and B.2.2; T.87, C.2.2.)
inline int jpeg_precision(const DicomFile& file, std::span<const unsigned char> in,
                          const DicomLayout& l) {
  const bool ls = file.coded == EXS_JPEGLSLossless || file.coded == EXS_JPEGLSLossy;
  for (std::size_t at = 0; in.size() - at >= 4 && in[at] == 0xFF;) {
    const int marker = in[at + 1];
    if (marker == 0xFF) {  // a fill byte
      ++at;
      continue;
    }
    if (marker >= 0xD0 && marker <= 0xD8) {
      at += 2;
      continue;
    }
    const bool tables = marker == 0xC4 || marker == 0xC8 || marker == 0xCC;
    const bool frame = ls ? marker == 0xF7 : marker >= 0xC0 && marker <= 0xCF && !tables;
    const std::size_t length = std::size_t{in[at + 2]} << 8 | in[at + 3];
    if (marker < 0xC0 || marker == 0xDA || marker == 0xD9 || length < 2 ||
        length > in.size() - at - 2)
      break;
    if (!frame) {
      at += 2 + length;
      continue;
    }
    if (length < 8) break;
    const Index rows = in[at + 5] << 8 | in[at + 6], columns = in[at + 7] << 8 | in[at + 8];
    if (rows != l.rows || columns != l.columns || in[at + 9] != l.samples)
      file.fail(message("its compressed image is ", rows, "x", columns, "x", int{in[at + 9]},
                        ", and its header says ", l.rows, "x", l.columns, "x", l.samples,
                        "; it is damaged"));
    return in[at + 4];
  }
  file.fail("its compressed pixels have no sound header of JPEG's; it is damaged, copy it again");
}

/// \throws FileError where the compressed pixels are too few to hold what the header promises, so
/// that a header alone takes no memory. At its best a byte of RLE stands for 64 (PS3.5, G.3.1), a
/// bit of JPEG for a block of 8x8 values (a code of its difference, T.81, F.1.2.1), one of JPEG-LS
/// for a run of 2^15 (T.87, A.7.1.2).
inline void require_enough(const DicomFile& file, DcmPixelSequence& fragments,
                           const DicomLayout& l) {
  std::uint64_t stored = 0;
  for (DcmObject* at = nullptr; (at = fragments.nextInContainer(at)) != nullptr;)
    stored += at->getLength();
  const bool ls = file.coded == EXS_JPEGLSLossless || file.coded == EXS_JPEGLSLossy;
  const std::uint64_t rle_bytes = 64, jpeg_values = 8 * 64, ls_values = std::uint64_t{8} << 15;
  const std::uint64_t most =
      stored * (file.coded == EXS_RLELossless ? rle_bytes / l.value_bytes() + 1
                : ls                          ? ls_values
                                              : jpeg_values);
  const auto values =
      static_cast<std::uint64_t>(l.rows * l.columns) * static_cast<std::uint64_t>(l.frames);
  if (values > most)
    file.fail(message("its compressed pixels have ", stored, " bytes, too few for the ", l.frames,
                      l.frames == 1 ? " frame of " : " frames of ", l.rows, "x", l.columns,
                      " that its header promises; it is truncated or damaged"));
}

/// The frames of compressed pixel data, one after another, in the layout that the header names.
inline std::vector<unsigned char> decode_frames(const DicomFile& file, DcmPixelData& pixels,
                                                DicomLayout& l) {
  const bool rle = file.coded == EXS_RLELossless;
  if (!rle && !DcmCodecList::canChangeCoding(file.coded, EXS_LittleEndianExplicit))
    file.fail(message("its pixels are coded as ", file.syntax_name, " (", file.syntax,
                      "), which DCMTK cannot decode; convert it first, with gdcmconv --raw say"));
  DcmPixelSequence* fragments = nullptr;
  if (pixels.getEncapsulatedRepresentation(file.coded, nullptr, fragments).bad() || !fragments)
    file.fail(message("its pixels are not coded as its transfer syntax says (", file.syntax_name,
                      "); it is damaged"));
  require_enough(file, *fragments, l);
  const auto fragment = [&](Uint32 i) -> std::span<const unsigned char> {
    DcmPixelItem* item = nullptr;
    Uint8* bytes = nullptr;
    if (fragments->getItem(item, i).bad() || item->getUint8Array(bytes).bad() || !bytes)
      file.fail("its compressed pixels have fewer frames than its header promises; it is damaged");
    return {bytes, item->getLength()};
  };
  std::vector<unsigned char> all;
  std::string color = l.photometric;
  Uint32 next = 1;  // fragment 0 is a table of offsets
  for (Index n = 0; n < l.frames; ++n) {
    const std::span<const unsigned char> first = fragment(next);
    const std::size_t had = all.size();
    if (rle) {
      all.resize(had + l.frame_bytes());
      decode_rle(file, first, l, all.data() + had);
      ++next;
      continue;
    }
    const int precision = jpeg_precision(file, first, l);
    if (precision > 8 * static_cast<int>(l.value_bytes()) || l.value_bytes() > 2 ||
        l.frame_bytes() >> 31 != 0)
      file.fail(message("its compressed pixels have ", precision, " bits, which are not those of ",
                        l.allocated, " that its header promises, or too many; it is damaged"));
    // A decoder writes whole 16-bit words.
    std::vector<Uint16> words(l.frame_bytes() / 2 + 1);
    OFString model;
    const OFCondition result =
        pixels.getUncompressedFrame(file.data.get(), static_cast<Uint32>(n), next, words.data(),
                                    static_cast<Uint32>(2 * words.size()), model);
    if (result.bad())
      file.fail(message("frame ", n, " cannot be decoded (", file.syntax_name, "): ", result.text(),
                        "; it is damaged, copy it again"));
    if (l.samples == 3 && !model.empty()) color = model.c_str();
    const auto* bytes = reinterpret_cast<const unsigned char*>(words.data());
    if (precision <= 8 && l.value_bytes() == 2) {  // bytes in a file of words
      const auto values = static_cast<std::size_t>(l.frame_values());
      std::vector<Uint16> wide(values);
      for (std::size_t i = 0; i < values; ++i)
        wide[i] = l.is_signed ? static_cast<Uint16>(static_cast<signed char>(bytes[i]))
                              : Uint16{bytes[i]};
      bytes = reinterpret_cast<const unsigned char*>(wide.data());
      all.insert(all.end(), bytes, bytes + l.frame_bytes());
      continue;
    }
    all.insert(all.end(), bytes, bytes + l.frame_bytes());
  }
  l.photometric = color == "YBR_FULL_422" ? "YBR_FULL" : color;  // decoders undo subsampling
  return all;
}

/// 32-bit values out of words of 16 bits, of a big-endian file, whose bytes DCMTK has turned round
/// word by word. By the standard the low word comes first (PS3.5, 8.1.1: least significant bits
/// first), and DCMTK writes it so; pydicom and others write the four bytes in order, so that the
/// high word comes first. No element says which it is: the order is taken in which values beside
/// each other differ less.
inline void join_words(std::vector<unsigned char>& bytes, const DicomLayout& l) {
  const std::size_t count = bytes.size() / 4;
  const std::size_t apart = l.planar ? 1 : static_cast<std::size_t>(l.samples);
  const auto value = [&](std::size_t i, int high) {
    const unsigned char* at = bytes.data() + 4 * i;
    const std::uint32_t words[2] = {std::uint32_t{at[0]} | std::uint32_t{at[1]} << 8,
                                    std::uint32_t{at[2]} | std::uint32_t{at[3]} << 8};
    return words[high] << 16 | words[1 - high];
  };
  const auto number = [&](std::uint32_t x) {
    return l.is_signed ? static_cast<double>(static_cast<std::int32_t>(x)) : static_cast<double>(x);
  };
  double apart_by[2] = {0, 0};  // by which of the words is the high one
  for (std::size_t i = apart; i < count; ++i)
    for (const int high : {0, 1})
      apart_by[high] += std::abs(number(value(i, high)) - number(value(i - apart, high)));
  const int high = apart_by[1] < apart_by[0] ? 1 : 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint32_t whole = value(i, high);
    std::memcpy(bytes.data() + 4 * i, &whole, 4);
  }
}

/// Uncompressed frames, in the host's byte order.
inline std::vector<unsigned char> native_frames(const DicomFile& file, DcmElement& element,
                                                DicomLayout& l) {
  const bool words = element.getTag().getEVR() != EVR_OB;
  const bool big_file = file.coded == EXS_BigEndianExplicit;
  Uint8* bytes = nullptr;
  if (element.getUint8Array(bytes).bad() || !bytes) file.fail("its pixel data are empty");
  const std::uint64_t have = element.getLength();
  const auto frames = static_cast<std::uint64_t>(l.frames);
  const auto values = static_cast<std::uint64_t>(l.frame_values()) * frames;
  const bool halved = l.photometric == "YBR_FULL_422" && l.samples == 3 && l.allocated == 8;
  const std::uint64_t want = l.allocated == 1 ? (values + 7) / 8
                             : halved         ? values / 3 * 2
                                              : values * l.value_bytes();
  if (have < want)
    file.fail(message("its pixel data have ", have, " bytes, and its header promises ", want, " (",
                      l.frames, " frames of ", l.rows, "x", l.columns, "x", l.samples,
                      "); it is truncated or damaged"));
  std::vector<unsigned char> all(static_cast<std::size_t>(values) * l.value_bytes());
  if (l.allocated == 1) {
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = bytes[i / 8] >> (i % 8) & 1;
  } else if (halved) {  // two luminances, then the colour of both
    if (l.columns % 2 != 0) file.fail("its colours are halved across an odd number of columns");
    for (std::size_t i = 0, o = 0; o < all.size(); i += 4)
      for (std::size_t k = 0; k < 2; ++k, o += 3)
        all[o] = bytes[i + k], all[o + 1] = bytes[i + 2], all[o + 2] = bytes[i + 3];
    l.planar = false;
    l.photometric = "YBR_FULL";
  } else {
    std::memcpy(all.data(), bytes, all.size());
    // Now words are little-endian, and bytes (OB) as they are in the file.
    const bool big = big_file && !words;
    if (big_file && words && l.value_bytes() == 4)
      join_words(all, l);
    else if (l.value_bytes() > 1 && big != (std::endian::native == std::endian::big))
      for (auto at = all.begin(); at != all.end(); at += static_cast<Index>(l.value_bytes()))
        std::reverse(at, at + static_cast<Index>(l.value_bytes()));
  }
  return all;
}

/// Takes the stored bits of each value out of those allocated, with their sign.
template <class T>
void take_stored_bits(std::vector<unsigned char>& bytes, const DicomLayout& l) {
  const int up = static_cast<int>(8 * sizeof(T)) - 1 - l.high;
  const int down = static_cast<int>(8 * sizeof(T)) - l.stored;
  for (std::size_t at = 0; at + sizeof(T) <= bytes.size(); at += sizeof(T)) {
    T value;
    std::memcpy(&value, bytes.data() + at, sizeof(T));
    const auto raised = static_cast<T>(static_cast<std::make_unsigned_t<T>>(value) << up);
    value = static_cast<T>(raised >> down);  // of a signed T, with its sign
    std::memcpy(bytes.data() + at, &value, sizeof(T));
  }
}

/// Colours of a pixel beside each other, whatever the file's planar configuration.
inline void interleave(std::vector<unsigned char>& bytes, const DicomLayout& l) {
  if (!l.planar) return;
  const std::size_t width = l.value_bytes(), samples = static_cast<std::size_t>(l.samples);
  const auto area = static_cast<std::size_t>(l.rows * l.columns);
  std::vector<unsigned char> frame(l.frame_bytes());
  for (std::size_t at = 0; at < bytes.size(); at += frame.size()) {
    for (std::size_t i = 0; i < area; ++i)
      for (std::size_t s = 0; s < samples; ++s)
        std::memcpy(frame.data() + (i * samples + s) * width,
                    bytes.data() + at + (s * area + i) * width, width);
    std::copy(frame.begin(), frame.end(), bytes.begin() + static_cast<Index>(at));
  }
}

}  // namespace ebb::data::detail
