/// \file
/// What a DICOM file says of the person, to be found again in its other texts.
#pragma once

#include <ebb/core/error.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ebb::inline EBB_ABI::data::detail {

/// Names, numbers and dates of birth, as they may stand in a sentence.
class DicomPerson {
 public:
  /// Whether an element's value is one: names and numbers of the patient, relatives, dates of
  /// birth.
  static bool told_by(unsigned group, unsigned element) {
    static constexpr std::uint32_t tags[] = {0x00100010, 0x00100020, 0x00100030, 0x00101000,
                                             0x00101001, 0x00101005, 0x00101060, 0x00102154,
                                             0x00102297, 0x00120040, 0x00380010, 0x00080050};
    return std::find(std::begin(tags), std::end(tags), group << 16 | element) != std::end(tags);
  }

  void learn(const std::string& from, std::string_view value, bool is_name, bool is_date) {
    if (is_date) {
      const std::string d(value.substr(0, 8));
      if (d.size() < 8) return;
      const std::string y = d.substr(0, 4), m = d.substr(4, 2), day = d.substr(6);
      add(from, d);
      for (const char* sign : {"-", "/", "."}) {
        add(from, message(y, sign, m, sign, day));
        add(from, message(day, sign, m, sign, y));
      }
      add(from, message(m, "/", day, "/", y));
      return;
    }
    const char* const ends = is_name ? "^=\\ ,\0" : "\\\0";
    for (std::size_t at = 0; at < value.size();) {
      const std::size_t end =
          std::min(value.find_first_of(std::string_view(ends, is_name ? 6 : 2), at), value.size());
      std::string_view word = value.substr(at, end - at);
      while (word.starts_with(' ')) word.remove_prefix(1);
      while (word.ends_with(' ')) word.remove_suffix(1);
      if (word.size() >= 3) add(from, word);
      at = end + 1;
    }
  }

  /// The element whose value a text, or bytes, hold as a word of their own; "" if none.
  std::string in(std::string_view text) const {
    if (words_.empty()) return {};
    const std::string low = lower(text);
    for (const Word& word : words_)
      for (std::size_t at = 0; (at = low.find(word.text, at)) != low.npos; ++at) {
        const auto joins = [&](std::size_t i, char own) {
          return i < low.size() && letter(low[i]) == letter(own) && digit(low[i]) == digit(own) &&
                 (letter(own) || digit(own));
        };
        if (!joins(at - 1, word.text.front()) && !joins(at + word.text.size(), word.text.back()))
          return word.from;
      }
    return {};
  }

 private:
  struct Word {
    std::string from, text;
  };

  static bool digit(char c) { return c >= '0' && c <= '9'; }
  static bool letter(char c) {
    return (c >= 'a' && c <= 'z') || static_cast<unsigned char>(c) > 127;
  }
  static std::string lower(std::string_view text) {
    std::string low(text);
    for (char& c : low)
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
    return low;
  }
  void add(const std::string& from, std::string_view text) {
    constexpr std::size_t most = 64;  // a file may name thousands
    if (words_.size() < most) words_.push_back({from, lower(text)});
  }

  std::vector<Word> words_;
};

}  // namespace ebb::data::detail
