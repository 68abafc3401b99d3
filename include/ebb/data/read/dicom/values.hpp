/// \file
/// What a DICOM file says of its stored values: rescaling, tables, palettes, windows, padding,
/// units. Formats: DICOM PS3.3 (C.7.5.1.1.2, C.7.6.3, C.7.6.16, C.11.1, C.11.2).
#pragma once

#include <ebb/data/read/dicom/image.hpp>
#include <ebb/data/read/dicom/pixels.hpp>

namespace ebb::inline EBB_ABI::data::detail {

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

/// Slope and intercept of each frame, or the modality's table in their place.
inline void dicom_rescale(const DicomFile& file, DicomImage& image) {
  // A frame without an item of its own takes the shared one, or else is not rescaled.
  const Index described = file.has_frame_groups() ? image.frames : 1;
  bool alike = true;
  for (Index f = 0; f < described; ++f) {
    DcmItem& item = file.group(f, DCM_PixelValueTransformationSequence);
    image.rescale_of_frame.push_back({file.number(item, DCM_RescaleSlope).value_or(1),
                                      file.number(item, DCM_RescaleIntercept).value_or(0)});
    alike = alike && image.rescale_of_frame.back() == image.rescale_of_frame.front();
  }
  image.slope = image.rescale_of_frame[0][0], image.intercept = image.rescale_of_frame[0][1];
  if (alike) image.rescale_of_frame.clear();
  if (image.modality == "RTDOSE")
    image.slope = file.number(DCM_DoseGridScaling).value_or(image.slope);
  DcmItem* table = nullptr;
  if (file.data->findAndGetSequenceItem(DCM_ModalityLUTSequence, table, 0).good())
    image.modality_table =
        dicom_table(file, *table, DCM_LUTDescriptor, DCM_LUTData, image.stored.type.kind == 'i');
}

/// Windows of frames, and the table in their place.
inline void dicom_shown(const DicomFile& file, DicomImage& image) {
  const auto window = [&](DcmItem& shown) -> std::optional<DicomWindow> {
    const auto center = file.number(shown, DCM_WindowCenter),
               width = file.number(shown, DCM_WindowWidth);
    if (!center || !width || !(*width > 0)) return {};
    const std::string function = file.text(shown, DCM_VOILUTFunction);
    return DicomWindow{*center, *width, function.empty() ? "LINEAR" : function};
  };
  const Index described = file.has_frame_groups() ? image.frames : 1;
  bool alike = true;
  for (Index f = 0; f < described; ++f) {
    image.window_of_frame.push_back(window(file.group(f, DCM_FrameVOILUTSequence)));
    alike = alike && image.window_of_frame.back() == image.window_of_frame.front();
  }
  image.window = image.window_of_frame[0];
  if (alike) image.window_of_frame.clear();
  DcmItem* table = nullptr;
  if (image.samples != 1 || file.data->findAndGetSequenceItem(DCM_VOILUTSequence, table, 0).bad() ||
      !table)
    return;
  // Its first value has a sign where values after rescaling may have one (PS3.3, C.11.2.1.1).
  const double least = image.stored.type.kind == 'i' ? -std::ldexp(1.0, image.bits - 1) : 0;
  const bool is_signed = image.modality_table.entries.empty() &&
                         (image.slope * least + image.intercept < 0 || image.slope < 0);
  image.shown_table = dicom_table(file, *table, DCM_LUTDescriptor, DCM_LUTData, is_signed);
}

/// Which stored values are padding (PS3.3, C.7.5.1.1.2): one, or all up to a limit.
inline void dicom_padding(const DicomFile& file, DicomImage& image, const DicomLayout& l) {
  if (!image.grey()) return;
  const auto number = [&](std::initializer_list<DcmTagKey> keys) -> std::optional<double> {
    for (const DcmTagKey& key : keys)
      if (auto value = file.number(key)) {
        // Writers mix up US and SS: the bits count.
        const double all = std::ldexp(1.0, l.allocated);
        if (image.stored.type.kind == 'i' && *value >= all / 2) *value -= all;
        if (image.stored.type.kind == 'u' && *value < 0) *value += all;
        return value;
      }
    return {};
  };
  const auto value =
      number({DCM_PixelPaddingValue, DCM_FloatPixelPaddingValue, DCM_DoubleFloatPixelPaddingValue});
  if (!value) return;
  const double other = number({DCM_PixelPaddingRangeLimit, DCM_FloatPixelPaddingRangeLimit,
                               DCM_DoubleFloatPixelPaddingRangeLimit})
                           .value_or(*value);
  image.padding = std::array{std::min(*value, other), std::max(*value, other)};
}

/// What values are counted in, or "" (PS3.3, C.8.2.1 of CT: HU unless RescaleType says another;
/// C.8.8.3 of doses; C.8.9.1 of PET; C.11.1 of all).
inline std::string dicom_unit(const DicomFile& file, const DicomImage& image) {
  if (!image.grey()) return {};
  const auto named = [](const std::string& text) -> std::string {
    return text == "US"     ? ""  // unspecified
           : text == "GY"   ? "Gy"
           : text == "BQML" ? "Bq/ml"
           : text == "OD"   ? "thousandths of optical density"
           : text == "PCT"  ? "%"
                            : text;
  };
  if (image.modality == "RTDOSE") return named(file.text(DCM_DoseUnits));
  if (image.modality == "PT" && file.data->tagExists(DCM_Units)) return named(file.text(DCM_Units));
  DcmItem* table = nullptr;
  if (file.data->findAndGetSequenceItem(DCM_ModalityLUTSequence, table, 0).good())
    return named(file.text(*table, DCM_ModalityLUTType));
  DcmItem& item = file.group(0, DCM_PixelValueTransformationSequence);
  const std::string type = file.text(item, DCM_RescaleType);
  if (!type.empty()) return named(type);
  return image.modality == "CT" && item.tagExists(DCM_RescaleSlope) ? "HU" : "";
}

/// The colours of PALETTE COLOR.
inline void dicom_palette(const DicomFile& file, DicomImage& image, bool is_signed) {
  if (image.photometric != "PALETTE COLOR") return;
  const DcmTagKey keys[3][2] = {
      {DCM_RedPaletteColorLookupTableDescriptor, DCM_RedPaletteColorLookupTableData},
      {DCM_GreenPaletteColorLookupTableDescriptor, DCM_GreenPaletteColorLookupTableData},
      {DCM_BluePaletteColorLookupTableDescriptor, DCM_BluePaletteColorLookupTableData}};
  for (std::size_t c = 0; c < 3; ++c)
    image.palette[c] = dicom_table(file, *file.data, keys[c][0], keys[c][1], is_signed);
}

}  // namespace ebb::data::detail
