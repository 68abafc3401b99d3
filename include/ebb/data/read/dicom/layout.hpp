/// \file
/// What a DICOM file says of the layout of its pixels, each number checked (PS3.3, C.7.6.3), and
/// how many frames there are.
#pragma once

#include <ebb/data/read/dicom/file.hpp>

#include <utility>

namespace ebb::inline EBB_ABI::data::detail {

/// What the image pixel module says (PS3.3, C.7.6.3).
struct DicomLayout {
  Index frames = 1, rows = 0, columns = 0, samples = 1;
  int allocated = 0, stored = 0, high = 0;  ///< bits, and the place of the highest
  bool is_signed = false, planar = false;
  std::string photometric;
  Index frame_values() const { return rows * columns * samples; }
  std::size_t value_bytes() const { return static_cast<std::size_t>(std::max(allocated, 8) / 8); }
  std::size_t frame_bytes() const {
    return static_cast<std::size_t>(frame_values()) * value_bytes();
  }
};

/// NumberOfFrames; 1 where it is missing, 0 where it is no number of frames (a text, or zero), so
/// that they are to be counted.
inline Index said_frames(const DicomFile& file) {
  const std::string text = file.text(DCM_NumberOfFrames);
  const char* const end = text.data() + text.size();
  double value = 0;
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (text.empty()) return 1;
  if (error != std::errc{} || stop != end || value == 0) return 0;
  return file.whole(DCM_NumberOfFrames, 1, 2147483647);
}

/// How many frames there are bytes for: whole ones, with the byte or bits that pad the last word.
/// Of compressed frames, those that begin in a fragment (PS3.5, A.4).
inline Index count_frames(const DicomFile& file, DcmElement& pixels, const DicomLayout& l) {
  const auto fail = [&](const std::string& what) -> Index {
    file.fail(message("(0028,0008) NumberOfFrames is '", file.text(DCM_NumberOfFrames),
                      "', and its pixel data ", what, "; it is damaged"));
  };
  auto* const data = dynamic_cast<DcmPixelData*>(&pixels);
  if (data && DcmXfer(file.coded).isEncapsulated()) {
    DcmPixelSequence* fragments = nullptr;
    if (data->getEncapsulatedRepresentation(file.coded, nullptr, fragments).bad() || !fragments)
      return fail("are not coded as its transfer syntax says");
    Index frames = 0;
    bool table = true;
    for (DcmObject* at = nullptr; (at = fragments->nextInContainer(at)) != nullptr;) {
      auto* const item = dynamic_cast<DcmPixelItem*>(at);
      Uint8* bytes = nullptr;
      const bool begins = item && item->getUint8Array(bytes).good() && bytes &&
                          item->getLength() > 2 &&
                          (file.coded == EXS_RLELossless || (bytes[0] == 0xFF && bytes[1] == 0xD8));
      if (!std::exchange(table, false) && begins) ++frames;
    }
    return frames > 0 ? frames : fail("hold no frame");
  }
  const auto values = static_cast<std::uint64_t>(l.frame_values());
  const bool halved = l.photometric == "YBR_FULL_422" && l.samples == 3 && l.allocated == 8;
  const std::uint64_t bits =
      halved ? values / 3 * 16 : values * static_cast<std::uint64_t>(l.allocated);
  const std::uint64_t have = std::uint64_t{pixels.getLength()} * 8;
  if (have < bits || have % bits >= 16)
    return fail(
        message("have ", have / 8, " bytes, which are no whole number of frames of ", bits / 8));
  return static_cast<Index>(have / bits);
}

inline DicomLayout dicom_layout(const DicomFile& file, DicomOptions options, DcmElement& pixels,
                                int float_bits) {
  DicomLayout l;
  l.rows = file.whole(DCM_Rows, 1, 65535);
  l.columns = file.whole(DCM_Columns, 1, 65535);
  l.samples = file.whole(DCM_SamplesPerPixel, 1, 4, 1);
  l.allocated = static_cast<int>(file.whole(DCM_BitsAllocated, 1, 64));
  l.photometric = file.text(DCM_PhotometricInterpretation);
  l.planar = l.samples > 1 && file.whole(DCM_PlanarConfiguration, 0, 1, 0) == 1;
  const int a = l.allocated;
  if (float_bits != 0 ? a != float_bits : a != 1 && a != 8 && a != 16 && a != 32)
    file.fail(message("its pixels have ", a, " bits, and ",
                      float_bits ? "not those of a float" : "1, 8, 16 and 32 can be read"));
  l.stored = static_cast<int>(file.whole(DCM_BitsStored, 1, a, a));
  l.high = static_cast<int>(file.whole(DCM_HighBit, l.stored - 1, a - 1, l.stored - 1));
  l.is_signed = file.whole(DCM_PixelRepresentation, 0, 1, 0) == 1;
  if (a == 1 && l.samples != 1) file.fail("its pixels have one bit and several samples");
  l.frames = said_frames(file);
  if (l.frames == 0) {
    l.frames = count_frames(file, pixels, l);
    // Decoders read it, too.
    file.data->putAndInsertString(DCM_NumberOfFrames, message(l.frames).c_str());
  }
  // Nothing overflows: 2^16 * 2^16 * 2^3 * 4 is below 2^64, and frames are divided by.
  const auto one = static_cast<std::uint64_t>(l.frame_values()) * sizeof(float);
  if (static_cast<std::uint64_t>(l.frames) > options.most_bytes / std::max<std::uint64_t>(one, 8))
    file.fail(message("its header promises ", l.frames, " frames of ", l.rows, "x", l.columns, "x",
                      l.samples, ", more than the ", options.most_bytes,
                      " bytes that are allowed; it is damaged, or raise DicomOptions::most_bytes"));
  if (DcmXfer(file.coded).isEncapsulated() &&
      static_cast<std::uint64_t>(l.frames) > options.most_expanded_bytes / l.frame_bytes())
    file.fail(message("its header promises ", l.frames, " compressed frames of ", l.frame_bytes(),
                      " bytes, more than the ", options.most_expanded_bytes,
                      " that are allowed; it is damaged, or raise ",
                      "DicomOptions::most_expanded_bytes"));
  return l;
}

}  // namespace ebb::data::detail
