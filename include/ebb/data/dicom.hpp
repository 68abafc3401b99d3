/// \file
/// Reads DICOM images, by DCMTK: every transfer syntax that it decodes (uncompressed, deflated,
/// RLE, JPEG, JPEG-LS; not JPEG 2000), grey and colour, one frame or many. Link `ebb::dicom`.
/// Format: DICOM PS3.3 and PS3.5.
#pragma once

#include <ebb/data/dicom_image.hpp>
#include <ebb/data/dicom_pixels.hpp>

namespace ebb::data {
namespace detail {

/// A table with its descriptor: entries (0 means 65536), first value, bits (PS3.3, C.7.6.3.1.5).
inline DicomTable dicom_table(const DicomFile& file, DcmItem& item, const DcmTagKey& descriptor,
                              const DcmTagKey& data, bool is_signed) {
  const auto entries = file.number(item, descriptor, 0), first = file.number(item, descriptor, 1),
             bits = file.number(item, descriptor, 2);
  const Uint16* words = nullptr;
  unsigned long count = 0;
  const auto word = [](const std::optional<double>& x) { return x && *x >= -32768 && *x <= 65535; };
  if (!word(entries) || !word(first) || !word(bits) || *bits < 1 || *bits > 16 ||
      item.findAndGetUint16Array(data, words, &count).bad() || !words)
    file.fail(message("its table ", dicom_tag_text(data.getGroup(), data.getElement()),
                      " is damaged or of a kind that is not known (segmented, say)"));
  DicomTable table;
  const unsigned long said = static_cast<unsigned long>(static_cast<long>(*entries)) & 0xFFFF;
  const unsigned long n = said == 0 ? 65536 : said;
  const auto raw_first = static_cast<long>(*first);
  table.first = is_signed ? static_cast<std::int16_t>(raw_first) : raw_first & 0xFFFF;
  table.bits = *bits <= 8 ? 8 : static_cast<int>(*bits);
  const bool bytes = table.bits == 8 && count < n && 2 * count >= n;  // two entries a word
  if (!bytes && count < n)
    file.fail(message("its table ", dicom_tag_text(data.getGroup(), data.getElement()), " has ",
                      count, " entries, and its descriptor says ", n, "; it is damaged"));
  for (unsigned long i = 0; i < n; ++i)
    table.entries.push_back(static_cast<std::uint16_t>(
        bytes ? words[i / 2] >> (i % 2 ? 8 : 0) & 0xFF : words[i] & ((1u << table.bits) - 1)));
  return table;
}

/// Rescaling, window, palette.
inline void dicom_values(const DicomFile& file, DicomImage& image, const DicomLayout& l) {
  for (Index f = 0; f < image.frames; ++f) {
    DcmItem& item = file.group(f, DCM_PixelValueTransformationSequence);
    const std::array<double, 2> rescale{file.number(item, DCM_RescaleSlope).value_or(1),
                                        file.number(item, DCM_RescaleIntercept).value_or(0)};
    if (f == 0) image.slope = rescale[0], image.intercept = rescale[1];
    image.rescale_of_frame.push_back(rescale);
    if (&item == file.data.get()) break;  // one for all frames
  }
  if (std::all_of(image.rescale_of_frame.begin(), image.rescale_of_frame.end(),
                  [&](const auto& r) { return r == image.rescale_of_frame[0]; }))
    image.rescale_of_frame.clear();
  if (image.modality == "RTDOSE")
    image.slope = file.number(DCM_DoseGridScaling).value_or(image.slope);
  DcmItem* table = nullptr;
  if (file.data->findAndGetSequenceItem(DCM_ModalityLUTSequence, table, 0).good())
    image.modality_table =
        dicom_table(file, *table, DCM_LUTDescriptor, DCM_LUTData, image.stored.type.kind == 'i');

  DcmItem& shown = file.group(0, DCM_FrameVOILUTSequence);
  const auto center = file.number(shown, DCM_WindowCenter),
             width = file.number(shown, DCM_WindowWidth);
  if (center && width && *width > 0) {
    image.window = DicomWindow{*center, *width, "LINEAR"};
    const std::string function = file.text(shown, DCM_VOILUTFunction);
    if (!function.empty()) image.window->function = function;
  }
  if (image.photometric == "PALETTE COLOR") {
    const DcmTagKey keys[3][2] = {
        {DCM_RedPaletteColorLookupTableDescriptor, DCM_RedPaletteColorLookupTableData},
        {DCM_GreenPaletteColorLookupTableDescriptor, DCM_GreenPaletteColorLookupTableData},
        {DCM_BluePaletteColorLookupTableDescriptor, DCM_BluePaletteColorLookupTableData}};
    for (std::size_t c = 0; c < 3; ++c)
      image.palette[c] = dicom_table(file, *file.data, keys[c][0], keys[c][1], l.is_signed);
  }
}

/// Voxel size, position, orientation.
inline void dicom_space(const DicomFile& file, DicomImage& image) {
  DcmItem& measures = file.group(0, DCM_PixelMeasuresSequence);
  for (const auto& [key, name] :
       {std::pair<DcmTagKey, const char*>{DCM_PixelSpacing, "PixelSpacing"},
        {DCM_ImagerPixelSpacing, "ImagerPixelSpacing"}}) {
    const auto row = file.number(measures, key, 0), column = file.number(measures, key, 1);
    if (!row || !column || !(*row > 0) || !(*column > 0)) continue;
    image.spacing[1] = *row, image.spacing[2] = *column;
    image.spacing_from = name;
    break;
  }
  DcmItem& plane = file.group(0, DCM_PlaneOrientationSequence);
  for (std::size_t i = 0; i < 6; ++i)
    image.orientation[i / 3][i % 3] =
        file.number(plane, DCM_ImageOrientationPatient, i).value_or(0);
  for (Index f = 0; f < image.frames; ++f) {
    DcmItem& item = file.group(f, DCM_PlanePositionSequence);
    std::array<double, 3> place{};
    bool known = true;
    for (std::size_t i = 0; i < 3 && known; ++i) {
      const auto value = file.number(item, DCM_ImagePositionPatient, i);
      known = value.has_value();
      place[i] = value.value_or(0);
    }
    if (known) image.positions.push_back(place);
    if (!known || &item == file.data.get()) break;
  }
  const auto between = file.number(measures, DCM_SpacingBetweenSlices),
             thickness = file.number(measures, DCM_SliceThickness);
  image.spacing[0] = std::abs(between.value_or(thickness.value_or(0)));
  const auto grid = file.number(DCM_GridFrameOffsetVector, 0),
             next = file.number(DCM_GridFrameOffsetVector, 1);
  if (grid && next) image.spacing[0] = std::abs(*next - *grid);
  if (image.positions.size() > 1) {
    const auto &a = image.positions[0], &b = image.positions[1];
    const double far = std::hypot(b[0] - a[0], b[1] - a[1], b[2] - a[2]);
    if (far > 0) image.spacing[0] = far;
  }
}

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

  DicomLayout l = dicom_layout(file, options, float_bits);
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
  dicom_values(file, image, l);
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
