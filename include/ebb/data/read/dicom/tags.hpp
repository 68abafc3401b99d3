/// \file
/// Which elements of a DICOM file can tell who a person is: look before data leave a program.
#pragma once

#include <ebb/data/read/dicom/file.hpp>
#include <ebb/data/read/dicom/person.hpp>
#include <ebb/data/read/dicom/profile.hpp>
#include <ebb/data/read/dicom/text.hpp>

namespace ebb::inline EBB_ABI::data {

/// An element that says, or may say, who a person is.
struct IdentifyingTag {
  enum Kind {
    profile,       ///< table E.1-1 of PS3.15 names it, or its value is a person's name
    unique,        ///< it is a UID: who holds the originals can look it up
    private_data,  ///< a manufacturer's own, of which only the manufacturer knows what it holds
    in_pixels,     ///< it says that the pixels themselves show text or a face, or lies among them
    text,          ///< a text or date that the profile does not name, and that may hold anything
    repeated,      ///< it repeats what an element that identifies the person says
  };
  Kind kind = profile;
  std::string tag;      ///< "(0010,0010)", within sequences "(0040,0275) 0 > (0040,0007)"
  std::string name;     ///< "PatientName"
  std::string value;    ///< as UTF-8, fit to print; or "12 bytes", and the texts among them
  std::string repeats;  ///< of `repeated`: "PatientName"
};

namespace detail {

/// The most of a value that is copied.
inline constexpr std::size_t most_dicom_value = std::size_t{1} << 20;

/// Goes over all elements of a file, and lists those that say who somebody is.
class DicomSearch {
 public:
  explicit DicomSearch(const DicomFile& file) {
    start(file, [this](DcmItem& item) { learn(item, DicomCharacters()); });
    before(file.preamble);
    start(file, [this](DcmItem& item) { list(item, "", DicomCharacters()); });
    overlays(*file.data);
    compressed(*file.data);
  }

  std::vector<IdentifyingTag> found;

 private:
  template <class F>
  static void start(const DicomFile& file, const F& look) {
    for (DcmDataset* set : {file.meta.get(), file.data.get()}) look(*set);
  }

  /// The item's own character sets, or those of what it is in.
  static DicomCharacters characters(DcmItem& item, const DicomCharacters& outer) {
    OFString sets;
    if (item.findAndGetOFStringArray(DCM_SpecificCharacterSet, sets).bad() || sets.empty())
      return outer;
    return DicomCharacters(dicom_text(sets));
  }

  template <class F>
  static void each_inner(DcmElement& element, const F& look) {
    auto* const sequence = dynamic_cast<DcmSequenceOfItems*>(&element);
    if (!sequence || dynamic_cast<DcmPixelSequence*>(&element)) return;
    Index k = 0;
    for (DcmObject* in = nullptr; (in = sequence->nextInContainer(in)) != nullptr; ++k)
      if (auto* const inner = dynamic_cast<DcmItem*>(in)) look(*inner, k);
  }

  static bool is_text(DcmElement& element) { return element.isaString() != OFFalse; }

  /// A text as UTF-8, not yet fit to print; bytes as they are; a little of either.
  static std::string content(DcmElement& element, const DicomCharacters& sets) {
    if (is_text(element)) {
      OFString raw;
      if (element.getOFStringArray(raw).bad()) return {};
      const std::string_view some(raw.c_str(), std::min(raw.size(), most_dicom_value));
      return element.isAffectedBySpecificCharacterSet() ? sets.utf8(some, element.ident() == EVR_PN)
                                                        : std::string(some);
    }
    Uint8* bytes = nullptr;
    if (dynamic_cast<DcmSequenceOfItems*>(&element) || !holds_bytes(element) ||
        element.getUint8Array(bytes).bad() || !bytes)
      return {};
    return {reinterpret_cast<const char*>(bytes),
            std::min<std::size_t>(element.getLength(), most_dicom_value)};
  }
  static bool holds_bytes(DcmElement& element) {
    const DcmEVR vr = element.getTag().getEVR();
    return vr == EVR_OB || vr == EVR_UN || vr == EVR_OW || vr == EVR_ox || vr == EVR_UNKNOWN ||
           vr == EVR_UNKNOWN2B;
  }

  void learn(DcmItem& item, const DicomCharacters& outer) {
    const DicomCharacters sets = characters(item, outer);
    for (DcmObject* at = nullptr; (at = item.nextInContainer(at)) != nullptr;) {
      auto* const element = dynamic_cast<DcmElement*>(at);
      if (!element) continue;
      const DcmTag& key = element->getTag();
      if (is_text(*element) && DicomPerson::told_by(key.getGroup(), key.getElement()))
        person_.learn(DcmTag(key).getTagName(), content(*element, sets), element->ident() == EVR_PN,
                      element->ident() == EVR_DA);
      each_inner(*element, [&](DcmItem& inner, Index) { learn(inner, sets); });
    }
  }

  void list(DcmItem& item, const std::string& path, const DicomCharacters& outer) {
    const DicomCharacters sets = characters(item, outer);
    for (DcmObject* at = nullptr; (at = item.nextInContainer(at)) != nullptr;) {
      auto* const element = dynamic_cast<DcmElement*>(at);
      if (!element || element->getTag().getElement() == 0) continue;  // the length of a group
      const DcmTag& key = element->getTag();
      const std::string tag = path + dicom_tag_text(key.getGroup(), key.getElement());
      if (element->getLength() > 0 && key.getGroup() != 0x7FE0) add(*element, tag, sets);
      each_inner(*element,
                 [&](DcmItem& inner, Index k) { list(inner, message(tag, " ", k, " > "), sets); });
    }
  }

  void add(DcmElement& element, const std::string& place, const DicomCharacters& sets) {
    const DcmTag& key = element.getTag();
    const unsigned group = key.getGroup(), number = key.getElement();
    const std::string all = content(element, sets);
    IdentifyingTag tag{.tag = place, .name = {}, .value = shown(element, all), .repeats = {}};
    if (tag.value.empty() || (!is_text(element) && all.size() == element.getLength() &&
                              !all.empty() && all.find_first_not_of('\0') == all.npos))
      return;  // nothing, or zeros
    tag.name = DcmTag(key).getTagName();
    const DcmEVR vr = element.ident();
    const bool own = group % 2 == 1 || (group == 2 && (number == 0x100 || number == 0x102));
    if (own) {
      const char* creator = key.getPrivateCreator();
      tag.kind = IdentifyingTag::private_data;
      tag.name = group == 2                         ? tag.name
                 : number >= 0x10 && number <= 0xFF ? "private creator"
                 : creator                          ? dicom_text(creator)
                                                    : "no creator";
    } else if (in_dicom_profile(group, number) || vr == EVR_PN) {
      tag.kind = vr == EVR_UI ? IdentifyingTag::unique : IdentifyingTag::profile;
    } else if (group == 0x0028 && (number == 0x0301 || number == 0x0302)) {
      if (tag.value != "YES") return;
      tag.kind = IdentifyingTag::in_pixels;
    } else if (std::string of = person_.in(all); !of.empty()) {
      tag.kind = IdentifyingTag::repeated, tag.repeats = std::move(of);
    } else if (vr == EVR_UI) {
      if (tag.value.starts_with("1.2.840.10008.")) return;  // the standard's own
      tag.kind = IdentifyingTag::unique;
    } else if (free(element, all)) {
      tag.kind = IdentifyingTag::text;
    } else {
      return;
    }
    if (own)
      if (std::string of = person_.in(all); !of.empty())
        tag.kind = IdentifyingTag::repeated, tag.repeats = std::move(of);
    found.push_back(std::move(tag));
  }

  /// Whether a value may be anything that somebody wrote: free text, dates, names of files, and
  /// what the dictionary does not know.
  static bool free(DcmElement& element, const std::string& all) {
    static constexpr std::array kinds{EVR_AE, EVR_DA, EVR_DT, EVR_LO, EVR_LT,
                                      EVR_SH, EVR_ST, EVR_UC, EVR_UR, EVR_UT};
    const DcmTag& key = element.getTag();
    if (key.getGroup() == 4 && key.getElement() == 0x1500) return true;  // ReferencedFileID
    if (std::find(kinds.begin(), kinds.end(), element.ident()) != kinds.end()) return true;
    const bool known = DcmTag(DcmTagKey(key)).getEVR() != EVR_UNKNOWN;
    return (!known || key.getEVR() == EVR_UN) && (is_text(element) || !texts_in(all).empty());
  }

  static std::string shown(DcmElement& element, const std::string& all) {
    if (dynamic_cast<DcmPixelSequence*>(&element)) return {};
    if (auto* sequence = dynamic_cast<DcmSequenceOfItems*>(&element))
      return message(sequence->card(), sequence->card() == 1 ? " item" : " items");
    const std::size_t bytes = element.getLength();
    if (is_text(element)) {
      const std::string text = dicom_text(OFString(all.data(), all.size()));
      return bytes <= most_dicom_value
                 ? text
                 : message(text, "... (and more: ", bytes, " bytes, NOT SHOWN)");
    }
    if (holds_bytes(element)) {
      const std::string texts = texts_in(all);
      return message(bytes, " bytes", texts.empty() ? "" : "; texts in them: ", texts,
                     bytes > all.size() ? " (only the first million bytes were looked at)" : "");
    }
    OFString numbers;
    return bytes <= 1 << 16 && element.getOFStringArray(numbers).good() ? dicom_text(numbers)
                                                                        : message(bytes, " bytes");
  }

  void before(const std::vector<unsigned char>& preamble) {
    if (std::all_of(preamble.begin(), preamble.end(), [](unsigned char c) { return c == 0; }))
      return;
    const std::string texts =
        texts_in({reinterpret_cast<const char*>(preamble.data()), preamble.size()});
    found.push_back({.kind = IdentifyingTag::profile,
                     .tag = "(preamble)",
                     .name = "what stands before the elements",
                     .value = message(preamble.size(), " bytes",
                                      texts.empty() ? "" : "; texts in them: ", texts),
                     .repeats = {}});
  }

  /// Overlays in bits of the pixels (PS3.5, 8.1.2; retired): drawings and writing.
  void overlays(DcmItem& item) {
    for (unsigned group = 0x6000; group <= 0x601E; group += 2) {
      Uint16 bit = 0;
      const DcmTagKey place(static_cast<Uint16>(group), 0x0102);
      const DcmTagKey data(static_cast<Uint16>(group), 0x3000);
      if (item.findAndGetUint16(place, bit).good() && !item.tagExists(data))
        found.push_back({.kind = IdentifyingTag::in_pixels,
                         .tag = dicom_tag_text(group, 0x0102),
                         .name = "OverlayBitPosition",
                         .value = message("a drawing or writing in bit ", bit, " of the pixels"),
                         .repeats = {}});
    }
  }

  /// Comments and application segments of JPEG frames (ITU-T T.81, B.2.4), up to the first line.
  void compressed(DcmItem& item) {
    DcmElement* element = nullptr;
    if (item.findAndGetElement(DCM_PixelData, element).bad()) return;
    auto* const pixels = dynamic_cast<DcmPixelData*>(element);
    DcmPixelSequence* fragments = nullptr;
    E_TransferSyntax syntax = EXS_Unknown;
    const DcmRepresentationParameter* how = nullptr;
    if (!pixels) return;
    pixels->getOriginalRepresentationKey(syntax, how);
    if (pixels->getEncapsulatedRepresentation(syntax, how, fragments).bad() || !fragments) return;
    Index k = -1;
    for (DcmObject* at = nullptr; (at = fragments->nextInContainer(at)) != nullptr; ++k) {
      auto* const fragment = dynamic_cast<DcmPixelItem*>(at);
      Uint8* bytes = nullptr;
      if (!fragment || fragment->getUint8Array(bytes).bad() || !bytes) continue;
      segments({bytes, fragment->getLength()}, k);
    }
  }
  void segments(std::span<const unsigned char> frame, Index k) {
    if (frame.size() < 4 || frame[0] != 0xFF || frame[1] != 0xD8) return;
    for (std::size_t at = 2; frame.size() - at >= 4 && frame[at] == 0xFF;) {
      const int marker = frame[at + 1];
      const std::size_t length = std::size_t{frame[at + 2]} << 8 | frame[at + 3];
      if (marker == 0xDA || length < 2 || length > frame.size() - at - 2) return;
      const std::string_view segment(reinterpret_cast<const char*>(frame.data()) + at + 4,
                                     length - 2);
      const bool plain = (marker == 0xE0 && segment.starts_with("JFIF") && length <= 16) ||
                         (marker == 0xEE && segment.starts_with("Adobe") && length <= 14);
      if ((marker == 0xFE || (marker >= 0xE0 && marker <= 0xEF)) && !plain)
        if (const std::string texts = texts_in(segment); !texts.empty())
          found.push_back({.kind = IdentifyingTag::in_pixels,
                           .tag = message("(7FE0,0010) ", k),
                           .name = "beside a compressed frame",
                           .value = texts,
                           .repeats = {}});
      at += 2 + length;
    }
  }

  DicomPerson person_;
};

inline std::vector<IdentifyingTag> dicom_identifying(const DicomFile& file) {
  return DicomSearch(file).found;
}

}  // namespace detail

/// The elements of a DICOM file that say or may say who the person is, sequences (also those
/// written as UN), file meta information and preamble included: those that the Basic Application
/// Level Confidentiality Profile removes or replaces (DICOM PS3.15, annex E, table E.1-1), names of
/// persons, all private elements with the texts in them, UIDs, every other text that repeats the
/// person's name, number or date of birth, and every other free text or date; empty ones are left
/// out. Pixels that show a name or a face are not looked at: only what the file says of them is
/// told. Of a value of more than a million bytes the first million is looked at, and that is said.
/// \throws FileError when the file is missing, damaged, or no DICOM file.
inline std::vector<IdentifyingTag> identifying_tags(const std::string& path,
                                                    DicomOptions options = {}) {
  return detail::dicom_identifying(detail::DicomFile("identifying_tags", path, options));
}

}  // namespace ebb::data
