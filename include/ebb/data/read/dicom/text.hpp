/// \file
/// Texts of DICOM in the character sets that a file names, as UTF-8: PS3.3, C.12.1.1.2, and the
/// code extensions of ISO 2022 in PS3.5, 6.1.2.4 and 6.1.2.5. DCMTK converts the sets; what it has
/// no converter for by DICOM's names (Japanese, with glibc) is brought into EUC-JP first.
#pragma once

#include <ebb/data/read/dicom/dcmtk_library.hpp>
#include <ebb/data/read/printable.hpp>

#include <array>
#include <map>
#include <memory>

namespace ebb::inline EBB_ABI::data::detail {

class DicomCharacters {
 public:
  /// `sets`: the values of SpecificCharacterSet, with '\' between them.
  explicit DicomCharacters(const std::string& sets = {}) {
    const std::string first = sets.substr(0, sets.find('\\'));
    if (first == "ISO_IR 192") return;
    if (first == "GB18030" || first == "GBK") whole_ = first;
    const std::size_t number = first.rfind(' ');
    for (const Set& set : all)
      if (number != first.npos && first.substr(number + 1) == set.name) start_ = &set;
    extended_ = true;
  }

  /// The text as UTF-8; what cannot be converted stays as it is. In names of persons, parts end
  /// with
  /// '^' and '=', and with each part the first character set comes back.
  std::string utf8(std::string_view raw, bool person) const {
    if (!whole_.empty()) return converted(whole_, raw);
    if (!extended_) return std::string(raw);
    std::string out;
    const Set *low = nullptr, *high = start_;
    for (std::size_t at = 0; at < raw.size();) {
      if (raw[at] == '\x1B') {
        if (const Set* set = escape(raw.substr(at + 1))) {
          (set->low ? low : high) = set->name[0] == 0 ? nullptr : set;
          at += 1 + std::string_view(set->escape).size();
          continue;
        }
      }
      const std::size_t end = low ? pairs(raw, at) : piece(raw, at, person);
      if (end == at) {  // a delimiter, or an escape that is none
        out += raw[at++];
        low = nullptr, high = start_;
        continue;
      }
      out += decoded(raw.substr(at, end - at), low, high);
      at = end;
    }
    return out;
  }

 private:
  struct Set {
    const char* name;      // the number in "ISO_IR 100" and "ISO 2022 IR 100"; "" is ASCII
    const char* escape;    // without the escape character
    const char* encoding;  // as converters call it
    bool low;              // of bytes below 128 (G0), or above (G1)
  };
  static constexpr std::array<Set, 20> all{{{"100", "-A", "ISO-8859-1", false},
                                            {"101", "-B", "ISO-8859-2", false},
                                            {"109", "-C", "ISO-8859-3", false},
                                            {"110", "-D", "ISO-8859-4", false},
                                            {"144", "-L", "ISO-8859-5", false},
                                            {"127", "-G", "ISO-8859-6", false},
                                            {"126", "-F", "ISO-8859-7", false},
                                            {"138", "-H", "ISO-8859-8", false},
                                            {"148", "-M", "ISO-8859-9", false},
                                            {"203", "-b", "ISO-8859-15", false},
                                            {"166", "-T", "TIS-620", false},
                                            {"13", ")I", "katakana", false},
                                            {"149", "$)C", "EUC-KR", false},
                                            {"58", "$)A", "GB2312", false},
                                            {"", "(B", "", true},
                                            {"", "(J", "", true},
                                            {"87", "$B", "EUC-JP", true},
                                            {"87", "$@", "EUC-JP", true},
                                            {"159", "$(D", "EUC-JP", true},
                                            {"87", "$(B", "EUC-JP", true}}};

  static const Set* escape(std::string_view text) {
    for (const Set& set : all)
      if (text.starts_with(set.escape)) return &set;
    return nullptr;
  }
  static std::size_t piece(std::string_view raw, std::size_t at, bool person) {
    const std::string_view ends = person ? "\x1B\\^=" : "\x1B\\\r\n\f\t";
    const std::size_t end = raw.find_first_of(ends, at);
    return end == raw.npos ? raw.size() : end;
  }

  /// Where characters of two bytes end; the second may look like a delimiter.
  static std::size_t pairs(std::string_view raw, std::size_t at) {
    while (raw.size() - at >= 2 && raw[at] > ' ') at += 2;
    return at;
  }

  std::string decoded(std::string_view text, const Set* low, const Set* high) const {
    if (low) {  // two bytes a character; EUC sets their highest bits (and says 8F before IR 159)
      std::string bytes;
      for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
        if (low->name[0] == '1') bytes += '\x8F';
        for (const std::size_t k : {i, i + 1}) bytes += static_cast<char>(text[k] | 0x80);
      }
      return converted(low->encoding, bytes);
    }
    if (!high) return std::string(text);
    if (high->name != std::string_view("13")) return converted(high->encoding, text);
    std::string out;  // JIS X 0201: katakana of half width, in Unicode from FF61 on
    for (const char c : text) {
      const int byte = static_cast<unsigned char>(c);
      if (byte >= 0xA1 && byte <= 0xDF)
        append_utf8(out, 0xFF61 + byte - 0xA1);
      else
        out += c;
    }
    return out;
  }

  std::string converted(const std::string& encoding, std::string_view text) const {
    auto& converter = converters_[encoding];
    if (!converter) {
      converter = std::make_shared<OFCharacterEncoding>();
      if (converter->selectEncoding(encoding.c_str(), "UTF-8").bad()) converter->clear();
    }
    OFString out;
    if (!*converter || converter->convertString(text.data(), text.size(), out).bad())
      return std::string(text);
    return {out.c_str(), out.size()};
  }

  std::string whole_;           // of texts that are of one set from end to end
  bool extended_ = false;       // by escapes
  const Set* start_ = nullptr;  // of bytes above 128
  mutable std::map<std::string, std::shared_ptr<OFCharacterEncoding>> converters_;
};

}  // namespace ebb::data::detail
