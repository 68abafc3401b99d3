/// \file
/// Reads DICOM images, by DCMTK: every transfer syntax that it decodes (uncompressed, deflated,
/// RLE, JPEG, JPEG-LS; not JPEG 2000), grey and colour, one frame or many. Link `ebb::dicom`.
/// Format: DICOM PS3.3 and PS3.5.
#pragma once

#include <ebb/core/set_aside.inl>

#include <ebb/data/read/dicom/space.hpp>
#include <ebb/data/read/dicom/values.hpp>

namespace ebb::inline EBB_ABI::data {
namespace detail {

/// The image of a parsed file.
inline DicomImage dicom_image(const DicomFile& file, DicomOptions options) {
  DicomImage image;
  image.source = image.stored.source = file.source;
  image.transfer_syntax = file.syntax;
  image.transfer_syntax_name = file.syntax_name;
  image.transfer_syntax_guessed = file.guessed;
  image.modality = file.text(DCM_Modality);
  image.series = file.text(DCM_SeriesInstanceUID);
  DcmElement* pixels = nullptr;
  int float_bits = 0;
  for (const auto& [key, of] : {std::pair<DcmTagKey, int>{DCM_PixelData, 0},
                                {DCM_FloatPixelData, 32},
                                {DCM_DoubleFloatPixelData, 64}})
    if (!pixels && file.data->findAndGetElement(key, pixels).good()) float_bits = of;
  if (!pixels)
    file.fail(message("it holds no image",
                      image.modality.empty() ? "" : " (its modality is '" + image.modality + "')"));

  DicomLayout l = dicom_layout(file, options, *pixels, float_bits);
  file.check_frame_groups(l.frames);
  std::vector<unsigned char> bytes;
  if (float_bits != 0) {
    Float32* floats = nullptr;
    Float64* doubles = nullptr;
    const OFCondition got =
        float_bits == 32 ? pixels->getFloat32Array(floats) : pixels->getFloat64Array(doubles);
    const void* from = float_bits == 32 ? static_cast<const void*>(floats) : doubles;
    const std::size_t want = l.frame_bytes() * static_cast<std::size_t>(l.frames);
    if (got.bad() || !from || pixels->getLength() < want)
      file.fail("its pixel data are shorter than its header promises; it is damaged");
    bytes.resize(want);
    std::memcpy(bytes.data(), from, want);
    image.stored.type = {'f', float_bits / 8};
  } else {
    auto* const data = dynamic_cast<DcmPixelData*>(pixels);
    if (!data) file.fail("its pixel data are no pixels; it is damaged");
    const bool compressed = DcmXfer(file.coded).isEncapsulated();
    bytes = compressed ? decode_frames(file, *data, l) : native_frames(file, *data, l);
    interleave(bytes, l);
    image.stored.type = {l.is_signed ? 'i' : 'u', static_cast<int>(l.value_bytes())};
    if (l.allocated == 8)
      l.is_signed ? take_stored_bits<std::int8_t>(bytes, l)
                  : take_stored_bits<std::uint8_t>(bytes, l);
    else if (l.allocated == 16)
      l.is_signed ? take_stored_bits<std::int16_t>(bytes, l)
                  : take_stored_bits<std::uint16_t>(bytes, l);
    else if (l.allocated == 32)
      l.is_signed ? take_stored_bits<std::int32_t>(bytes, l)
                  : take_stored_bits<std::uint32_t>(bytes, l);
  }
  image.photometric = l.photometric;
  image.bits = l.stored;
  image.frames = l.frames, image.rows = l.rows, image.columns = l.columns;
  image.samples = l.samples;
  image.stored.shape = {l.frames, l.rows, l.columns, l.samples};
  image.stored.bytes = std::move(bytes);
  dicom_rescale(file, image);
  dicom_shown(file, image);
  dicom_padding(file, image, l);
  image.unit = dicom_unit(file, image);
  dicom_palette(file, image, l.is_signed);
  dicom_space(file, image);
  return image;
}

}  // namespace detail

/// What kind of object a DICOM file holds, image or not.
struct DicomInfo {
  std::string kind;      ///< the name of its SOP class: "CTImageStorage"
  std::string modality;  ///< "CT", "RTPLAN", ...
  std::string transfer_syntax, transfer_syntax_name;
  bool transfer_syntax_guessed = false;  ///< the file does not name it
  bool has_image = false;                ///< of whatever coding
};

/// Looks at a DICOM file without decoding pixels.
/// \throws FileError when the file is missing, damaged, or no DICOM file.
inline DicomInfo dicom_info(const std::string& path, DicomOptions options = {}) {
  const detail::DicomFile file("dicom_info", path, options);
  const std::string kind = file.text(DCM_SOPClassUID);
  return {dcmFindNameOfUID(kind.c_str(), kind.c_str()),
          file.text(DCM_Modality),
          file.syntax,
          file.syntax_name,
          file.guessed,
          file.data->tagExists(DCM_PixelData) || file.data->tagExists(DCM_FloatPixelData) ||
              file.data->tagExists(DCM_DoubleFloatPixelData)};
}

/// Reads a DICOM image: `read_dicom(path).values()` has shape (frames, channels, rows, columns).
/// Any number of threads may read at once. \throws FileError when the file is missing, damaged,
/// holds no image, or one that DCMTK cannot decode.
inline DicomImage read_dicom(const std::string& path, DicomOptions options = {}) {
  return detail::dicom_image(detail::DicomFile("read_dicom", path, options), options);
}

}  // namespace ebb::data

#include <ebb/core/give_back.inl>
