/// \file
/// Which elements of a DICOM file can tell who a person is: look before data leave a program.
#pragma once

#include <ebb/data/dicom_file.hpp>
#include <ebb/data/dicom_profile.hpp>

#include <array>

namespace ebb::data {

/// An element that the basic confidentiality profile would remove or replace.
struct IdentifyingTag {
  enum Kind {
    profile,       ///< table E.1-1 of PS3.15 names it, or its value is a person's name
    unique,        ///< so does it, and it is a UID: who holds the originals can look it up
    private_data,  ///< a manufacturer's own, of which only the manufacturer knows what it holds
    in_pixels,     ///< it says that the pixels themselves show text or a face
  };
  Kind kind = profile;
  std::string tag;    ///< "(0010,0010)", within sequences "(0040,0275) 0 > (0040,0007)"
  std::string name;   ///< "PatientName"
  std::string value;  ///< as UTF-8 where the file says its character set; shortened, or "12 bytes"
};

namespace detail {

inline std::string dicom_value(DcmElement& element, std::size_t most = 64) {
  static constexpr std::array binary{EVR_OB,      EVR_OW,        EVR_OF,       EVR_OD,
                                     EVR_OL,      EVR_OV,        EVR_UN,       EVR_ox,
                                     EVR_UNKNOWN, EVR_UNKNOWN2B, EVR_PixelData};
  if (auto* sequence = dynamic_cast<DcmSequenceOfItems*>(&element))
    return message(sequence->card(), sequence->card() == 1 ? " item" : " items");
  const Uint32 bytes = element.getLength();
  OFString raw;
  if (std::find(binary.begin(), binary.end(), element.ident()) != binary.end() || bytes > 1 << 16 ||
      element.getOFStringArray(raw).bad())
    return message(bytes, " bytes");
  std::string text = dicom_text(raw);
  if (text.size() <= most) return text;
  text.resize(most);
  while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0xC0) == 0x80)
    text.pop_back();  // not in the middle of a character
  if (!text.empty() && static_cast<unsigned char>(text.back()) >= 0xC0) text.pop_back();
  return text + "...";
}

inline void find_identifying(DcmItem& item, const std::string& path,
                             std::vector<IdentifyingTag>& found) {
  for (DcmObject* at = nullptr; (at = item.nextInContainer(at)) != nullptr;) {
    auto* const element = dynamic_cast<DcmElement*>(at);
    if (!element || element->getLength() == 0) continue;
    const DcmTag& key = element->getTag();
    const unsigned group = key.getGroup(), number = key.getElement();
    if (number == 0) continue;  // the length of a group
    IdentifyingTag tag{.tag = path + dicom_tag_text(group, number), .name = {}, .value = {}};
    const bool yes = group == 0x0028 && (number == 0x0301 || number == 0x0302);
    if (group % 2 == 1) {
      if (number >= 0x10 && number <= 0xFF) continue;  // reserves a block for its creator
      const char* creator = key.getPrivateCreator();
      tag.kind = IdentifyingTag::private_data;
      tag.name = creator ? dicom_text(creator) : "no creator";
    } else if (in_dicom_profile(group, number) || element->ident() == EVR_PN) {
      if (element->ident() == EVR_UI) tag.kind = IdentifyingTag::unique;
      tag.name = DcmTag(key).getTagName();
    } else if (yes && dicom_value(*element) == "YES") {
      tag.kind = IdentifyingTag::in_pixels;
      tag.name = DcmTag(key).getTagName();
    } else {
      if (auto* sequence = dynamic_cast<DcmSequenceOfItems*>(element)) {
        Index k = 0;
        for (DcmObject* in = nullptr; (in = sequence->nextInContainer(in)) != nullptr; ++k)
          if (auto* const inner = dynamic_cast<DcmItem*>(in))
            find_identifying(*inner, message(tag.tag, " ", k, " > "), found);
      }
      continue;
    }
    tag.value = dicom_value(*element);
    if (!tag.value.empty()) found.push_back(std::move(tag));
  }
}

inline std::vector<IdentifyingTag> dicom_identifying(const DicomFile& file) {
  std::vector<IdentifyingTag> found;
  static_cast<void>(file.data->convertToUTF8());  // where it fails, values stay as they are
  find_identifying(*file.data, "", found);
  return found;
}

}  // namespace detail

/// The elements of a DICOM file, sequences included, that say or may say who the person is: those
/// that the Basic Application Level Confidentiality Profile removes or replaces (DICOM PS3.15,
/// annex E, table E.1-1), names of persons, and all private elements; empty ones are left out.
/// Pixels that show a name or a face are not looked at: only what the file says of them is told.
/// \throws FileError when the file is missing, damaged, or no DICOM file.
inline std::vector<IdentifyingTag> identifying_tags(const std::string& path,
                                                    DicomOptions options = {}) {
  return detail::dicom_identifying(detail::DicomFile("identifying_tags", path, options));
}

}  // namespace ebb::data
