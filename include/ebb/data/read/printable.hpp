/// \file
/// Texts out of files, made safe to print: no terminal obeys them, and none hides a part of them.
#pragma once

#include <ebb/core/config.hpp>

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

namespace ebb::inline EBB_ABI::data {

namespace detail {

/// The character of UTF-8 (RFC 3629) that begins at `at`, which moves behind it; -1 where bytes
/// are none, and `at` stays.
inline std::int32_t utf8_character(std::string_view text, std::size_t& at) {
  const auto byte = [&](std::size_t i) -> std::int32_t {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0;
  };
  const std::int32_t first = byte(at);
  const std::size_t more = first < 0x80   ? 0
                           : first < 0xC2 ? 9
                           : first < 0xE0 ? 1
                           : first < 0xF0 ? 2
                           : first < 0xF5 ? 3
                                          : 9;
  if (more == 9) return -1;
  std::int32_t c = more == 0 ? first : first & (0x3F >> more);
  for (std::size_t i = 1; i <= more; ++i) {
    if ((byte(at + i) & 0xC0) != 0x80) return -1;
    c = c << 6 | (byte(at + i) & 0x3F);
  }
  static constexpr std::int32_t least[] = {0, 0x80, 0x800, 0x10000};
  if (c < least[more] || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF)) return -1;
  at += more + 1;
  return c;
}

/// Whether all of a text is UTF-8.
inline bool is_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();)
    if (utf8_character(text, at) < 0) return false;
  return true;
}

/// Appends a character as UTF-8.
inline void append_utf8(std::string& text, std::int32_t c) {
  const auto put = [&](std::int32_t byte) { text += static_cast<char>(byte); };
  if (c < 0x80) return put(c);
  if (c < 0x800) return put(0xC0 | c >> 6), put(0x80 | (c & 0x3F));
  if (c < 0x10000)
    put(0xE0 | c >> 12);
  else
    put(0xF0 | c >> 18), put(0x80 | (c >> 12 & 0x3F));
  put(0x80 | (c >> 6 & 0x3F)), put(0x80 | (c & 0x3F));
}

}  // namespace detail

/// The text as UTF-8 that a terminal shows and does not obey: spaces for zeros, tabs and ends of
/// lines; "\x1B" for other control characters (ECMA-48, with those from 80 to 9F), for those that
/// turn the direction of writing (Unicode's bidirectional controls) and that show nothing. Bytes
/// that are no UTF-8 are read as Latin-1.
inline std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    std::int32_t c = detail::utf8_character(text, at);
    if (c < 0) c = static_cast<unsigned char>(text[at++]);
    if (c == 0 || c == '\t' || c == '\n' || c == '\r') {
      out += ' ';
    } else if (c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0xAD || c == 0x61C ||
               (c >= 0x200B && c <= 0x200F) || (c >= 0x2028 && c <= 0x202E) ||
               (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF || (c >= 0xFFF0 && c <= 0xFFFB) ||
               (c >= 0xE0000 && c <= 0xE0FFF)) {
      char escaped[16];
      std::snprintf(escaped, sizeof escaped, c < 0x100 ? "\\x%02X" : "\\u%04X",
                    static_cast<unsigned>(c));
      out += escaped;
    } else {
      detail::append_utf8(out, c);
    }
  }
  return out;
}

/// The texts in bytes of an unknown kind, with " | " between them: runs of letters, digits and
/// common signs in ASCII, UTF-8, and UTF-16 of Latin letters, of at least 4 characters (8 where
/// there are more than 4096 bytes, in which shorter ones are mostly chance), as `printable`. Of
/// more than `most` bytes of texts the rest is counted.
inline std::string texts_in(std::string_view bytes, std::size_t most = 1 << 16) {
  const std::size_t least = bytes.size() > 4096 ? 8 : 4;
  std::string all, run;
  std::size_t left_out = 0, length = 0;
  const auto finish = [&] {
    if (length >= least) {
      const std::size_t had = run.find_first_not_of(' ');
      if (had != run.npos && all.size() + run.size() > most)
        ++left_out;
      else if (had != run.npos)
        all += (all.empty() ? "" : " | ") + run.substr(had, run.find_last_not_of(' ') + 1 - had);
    }
    run.clear(), length = 0;
  };
  for (const std::size_t step : {std::size_t{1}, std::size_t{2}})
    for (std::size_t begin = 0; begin < step; ++begin) {
      for (std::size_t at = begin; at < bytes.size();) {
        const std::size_t from = at;
        std::int32_t c = -1;
        if (step == 1) {
          c = detail::utf8_character(bytes, at);
          if (c < 0) ++at;
        } else {  // either byte of a pair may be the first
          if (at + 1 < bytes.size() && bytes[at + 1] == 0)
            c = static_cast<unsigned char>(bytes[at]);
          at += 2;
        }
        const bool sign = c == ' ' || (c > ' ' && c < 0x7F);
        if (sign || c >= 0xC0) {
          if (step == 1)
            run += printable(bytes.substr(from, at - from));
          else
            detail::append_utf8(run, c);
          ++length;
        } else {
          finish();
        }
      }
      finish();
    }
  if (left_out > 0) all += " | (and " + std::to_string(left_out) + " more texts, NOT SHOWN)";
  return all;
}

}  // namespace ebb::data
