/// \file
/// Small DICOM files, byte by byte: explicit VR little endian.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tests/support/little.hpp"

namespace ebb::test {

/// The values as 16-bit words.
inline std::string words(const std::vector<int>& values) {
  std::string text;
  for (const int value : values) text += little(static_cast<std::uint64_t>(value), 2);
  return text;
}

inline std::string dicom_element(std::uint32_t tag, const std::string& vr, std::string value) {
  if (value.size() % 2) value += vr == "UI" || vr[0] == 'O' ? '\0' : ' ';
  const bool wide = vr[0] == 'O' || vr == "SQ" || vr == "UN" || vr == "UT" || vr == "UC" ||
                    vr == "UR" || vr == "SV" || vr == "UV";
  return little(tag >> 16, 2) + little(tag & 0xFFFF, 2) + vr +
         (wide ? little(0, 2) + little(value.size(), 4) : little(value.size(), 2)) + value;
}

/// Elements of a data set, which become a file in the order of their tags.
struct DicomWriter {
  std::map<std::uint32_t, std::string> elements;

  /// An image of `rows` x `columns` pixels, `allocated` bits each.
  static DicomWriter image(int rows, int columns, int allocated, const std::string& pixels,
                           const std::string& photometric = "MONOCHROME2", int samples = 1) {
    DicomWriter w;
    w.text(0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.7")
        .text(0x00080018, "UI", "1.2.3.4")
        .text(0x00080060, "CS", "OT")
        .text(0x0020000E, "UI", "1.2.3")
        .number(0x00280002, samples)
        .text(0x00280004, "CS", photometric)
        .number(0x00280010, rows)
        .number(0x00280011, columns)
        .number(0x00280100, allocated)
        .number(0x00280101, allocated)
        .number(0x00280102, allocated - 1)
        .number(0x00280103, 0)
        .text(0x7FE00010, allocated > 8 ? "OW" : "OB", pixels);
    if (samples > 1) w.number(0x00280006, 0);
    return w;
  }

  DicomWriter& text(std::uint32_t tag, const std::string& vr, const std::string& value) {
    elements[tag] = dicom_element(tag, vr, value);
    return *this;
  }
  DicomWriter& number(std::uint32_t tag, int value) {
    return text(tag, "US", little(static_cast<std::uint64_t>(value), 2));
  }
  /// A sequence of one item.
  DicomWriter& item(std::uint32_t tag, const DicomWriter& inner) {
    return text(tag, "SQ",
                little(0xE000FFFE, 4) + little(inner.data_set().size(), 4) + inner.data_set());
  }
  std::string data_set() const {
    std::string all;
    for (const auto& [tag, bytes] : elements) all += bytes;
    return all;
  }
  std::string file(const std::string& syntax = "1.2.840.10008.1.2.1") const {
    const std::string meta = dicom_element(0x00020010, "UI", syntax);
    std::string file(128, '\0');
    file += "DICM" + dicom_element(0x00020000, "UL", little(meta.size(), 4)) + meta + data_set();
    return file;
  }
};

}  // namespace ebb::test
