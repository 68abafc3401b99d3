/// \file
/// The bytes of a DICOM file, looked through before a toolkit parses them: the preamble, the file
/// meta information, the transfer syntax, and the length of every element. DCMTK takes memory for
/// what an element claims, and a stack frame for each nested sequence; after this look no claim is
/// larger than the file, and nesting has an end. Formats: DICOM PS3.5 (7.1, A.1 to A.5), PS3.10
/// (7.1).
#pragma once

#include <ebb/data/read/dicom/deflated.hpp>
#include <ebb/data/read/npy.hpp>

#include <cstdio>

namespace ebb::inline EBB_ABI::data {

struct DicomOptions {
  /// Larger files and images are refused before memory is taken for them.
  std::uint64_t most_bytes = std::uint64_t{1} << 32;
  /// What a deflated data set, or the frames of a compressed image, may grow to: a few bytes can
  /// promise gigabytes. Reading takes at most about three times this, and the file.
  std::uint64_t most_expanded_bytes = std::uint64_t{1} << 29;
};

namespace detail {

/// "(0010,0020)".
inline std::string dicom_tag_text(unsigned group, unsigned element) {
  char text[16];
  std::snprintf(text, sizeof text, "(%04X,%04X)", group & 0xFFFF, element & 0xFFFF);
  return text;
}

/// UIDs of transfer syntaxes.
inline constexpr const char* implicit_little_endian = "1.2.840.10008.1.2";
inline constexpr const char* explicit_big_endian = "1.2.840.10008.1.2.2";
inline constexpr const char* deflated_little_endian = "1.2.840.10008.1.2.1.99";

/// A data set whose lengths can be believed.
class DicomStream {
 public:
  /// `who`: the function that messages name.
  DicomStream(const char* who, const std::string& path, DicomOptions options)
      : source(message(who, ": '", path, "'")) {
    std::error_code error;
    const std::uintmax_t size = std::filesystem::file_size(os::native(path), error);
    if (!error && size > options.most_bytes) too_large(size, options);
    bytes_ = read_bytes(who, path);
    find_data_set();
    const std::size_t preamble = meta_ - std::min<std::size_t>(meta_, 4);
    before_data_set.assign(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(preamble));
    meta.assign(bytes_.begin() + static_cast<std::ptrdiff_t>(meta_),
                bytes_.begin() + static_cast<std::ptrdiff_t>(begin_));
    if (syntax == deflated_little_endian) inflate(options);
    zeros_ = end_;
    while (zeros_ > begin_ && bytes_[zeros_ - 1] == 0) --zeros_;
    look_through();
  }

  /// A data set without a file around it.
  DicomStream(std::string called, std::vector<unsigned char> bytes, const char* transfer_syntax)
      : source(std::move(called)), syntax(transfer_syntax), bytes_(std::move(bytes)) {
    end_ = zeros_ = bytes_.size();
    look_through();
  }

  static constexpr int deepest = 64;  ///< sequences in each other

  std::string source;                          ///< what messages call the file
  std::string syntax;                          ///< UID of the transfer syntax
  bool guessed = false;                        ///< the file does not name its transfer syntax
  std::vector<unsigned char> before_data_set;  ///< the preamble
  std::vector<unsigned char> meta;             ///< the file meta information
  std::span<const unsigned char> data_set_bytes() const {
    return std::span(bytes_).subspan(begin_, end_ - begin_);
  }

  [[noreturn]] void fail(const std::string& what) const {
    throw FileError(message(source, ": ", what));
  }

 private:
  static constexpr std::uint32_t undefined = 0xFFFFFFFF;
  static constexpr std::uint32_t most_elements = 1 << 20;
  static constexpr int most_disorder = 100, most_creators = 256;

  const unsigned char* at(std::size_t place) const { return bytes_.data() + place; }
  std::uint32_t two(std::size_t p, bool big) const {
    return big ? std::uint32_t{bytes_[p]} << 8 | bytes_[p + 1]
               : std::uint32_t{bytes_[p + 1]} << 8 | bytes_[p];
  }
  std::uint32_t four(std::size_t p, bool big) const {
    return big ? two(p, big) << 16 | two(p + 2, big) : two(p + 2, big) << 16 | two(p, big);
  }
  [[noreturn]] void too_large(std::uint64_t size, const DicomOptions& options) const {
    fail(message("it has ", size, " bytes, and ", options.most_bytes,
                 " are allowed; raise DicomOptions::most_bytes if that is meant"));
  }
  /// 0: no value representation; 2 or 4: bytes of its length.
  int length_bytes(std::size_t p) const {
    static constexpr std::string_view narrow =
        "AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US ";
    static constexpr std::string_view wide = "OB OD OF OL OV OW SQ SV UC UN UR UT UV ";
    const char name[] = {static_cast<char>(bytes_[p]), static_cast<char>(bytes_[p + 1]), ' '};
    const std::string_view vr(name, 3);
    const auto in = [&](std::string_view all) {
      const std::size_t found = all.find(vr);
      return found != all.npos && found % 3 == 0;
    };
    return in(narrow) ? 2 : in(wide) ? 4 : 0;
  }
  bool is_vr(std::size_t p, const char* vr) const {
    return bytes_[p] == static_cast<unsigned char>(vr[0]) &&
           bytes_[p + 1] == static_cast<unsigned char>(vr[1]);
  }

  void look_through() {
    big_ = syntax == explicit_big_endian;
    std::size_t place = begin_;
    data_set(place, end_, syntax != implicit_little_endian, 0, false);
  }

  void find_data_set() {
    const std::size_t size = bytes_.size();
    end_ = size;
    const bool preamble = size >= 132 && std::memcmp(at(128), "DICM", 4) == 0;
    begin_ = meta_ = preamble ? 132 : 0;
    const char* const none =
        "it is no DICOM file: it has neither the letters DICM at byte 128 nor "
        "begins as a data set does; convert it, or leave it out";
    if (size < begin_ + 8) fail(preamble ? "it ends after its preamble: it is truncated" : none);
    const bool has_meta = two(begin_, false) == 2 && length_bytes(begin_ + 4) != 0;
    if (has_meta) read_meta();
    if (!syntax.empty()) return;
    // No meta information, or none that names the syntax: what the first element looks like.
    guessed = true;
    if (end_ - begin_ < 8) fail(preamble ? "it holds no data set: it is truncated" : none);
    const bool explicit_vr = length_bytes(begin_ + 4) != 0;
    const bool big = explicit_vr && bytes_[begin_] == 0 && bytes_[begin_ + 1] != 0;
    if (!preamble && !has_meta && (two(begin_, big) != 8 || two(begin_ + 2, big) > 0x1000))
      fail(none);
    syntax = big           ? explicit_big_endian
             : explicit_vr ? "1.2.840.10008.1.2.1"
                           : implicit_little_endian;
  }

  /// Group 2 is in explicit VR, little-endian.
  void read_meta() {
    while (end_ - begin_ >= 8 && two(begin_, false) == 2) {
      const unsigned element = two(begin_ + 2, false);
      const int width = length_bytes(begin_ + 4);
      const std::size_t head = width == 4 ? 12 : 8;
      if (width == 0 || end_ - begin_ < head)
        fail("its file meta information is damaged; copy it again");
      const std::size_t length = width == 4 ? four(begin_ + 8, false) : two(begin_ + 6, false);
      if (length > end_ - begin_ - head)
        fail("it ends within its file meta information: it is truncated; copy it again");
      if (element == 0x0010) {
        syntax.assign(reinterpret_cast<const char*>(at(begin_ + head)), length);
        while (!syntax.empty() && (syntax.back() == '\0' || syntax.back() == ' '))
          syntax.pop_back();
        // A zero in front would be no name at all, which DCMTK has a syntax of its own for.
        if (syntax.find_first_not_of("0123456789.") != syntax.npos)
          fail("its transfer syntax is no UID; it is damaged, copy it again");
      }
      begin_ += head + length;
    }
  }

  /// A raw deflate stream (PS3.5, A.5) in place of the data set.
  void inflate(const DicomOptions& options) {
    bytes_ = inflated(std::span(bytes_).subspan(begin_, end_ - begin_),
                      std::min(options.most_expanded_bytes, options.most_bytes),
                      [this](const std::string& what) { fail(what); });
    begin_ = 0, end_ = bytes_.size();
  }

  /// Goes over elements from `place` to `stop`, or to an item's delimiter if one is expected.
  void data_set(std::size_t& place, std::size_t stop, bool explicit_vr, int depth, bool delimited) {
    if (depth > deepest) fail("its sequences are nested more than 64 deep; it is damaged");
    std::uint32_t last = 0;
    int creators = 0;
    while (place < stop) {
      if (depth == 0 && place >= zeros_) {  // padding of the medium
        end_ = place;
        return;
      }
      if (stop - place < 8)
        fail(message("it ends within an element, at byte ", place, " of its ",
                     "data set: it is truncated; copy it again"));
      const unsigned group = two(place, big_), element = two(place + 2, big_);
      const std::string tag = dicom_tag_text(group, element);
      if (group == 0xFFFE) {
        if (!delimited || element != 0xE00D) fail(message("a stray ", tag, "; it is damaged"));
        place += 8;
        return;
      }
      if (++elements_ > most_elements)
        fail(message("it holds more than ", most_elements, " elements; it is damaged"));
      // DCMTK searches its lists for these from an end.
      if ((group << 16 | element) < last && ++disorder_ > most_disorder)
        fail(message("more than ", most_disorder, " elements are out of order; it is damaged"));
      last = group << 16 | element;
      if (group % 2 == 1 && element < 0x100 && ++creators > most_creators)
        fail(message("it has more than ", most_creators, " private creators; it is damaged"));
      const int width = explicit_vr ? length_bytes(place + 4) : 4;
      const std::size_t vr = place + 4, head = explicit_vr && width == 4 ? 12 : 8;
      if (width == 0)
        fail(message(tag, " has no value representation of DICOM's; it is damaged, or in another ",
                     "transfer syntax than it says"));
      if (stop - place < head) fail(message("it ends within ", tag, ": it is truncated"));
      const std::uint32_t length = width == 2 ? two(place + 6, big_) : four(place + head - 4, big_);
      place += head;
      const bool pixels = group == 0x7FE0 && element == 0x0010;
      if (length == undefined) {
        const bool unknown = explicit_vr && is_vr(vr, "UN");
        const bool fragments = explicit_vr && (is_vr(vr, "OB") || is_vr(vr, "OW"));
        if (pixels && fragments)
          sequence(place, stop, tag, true, explicit_vr, depth, true);
        else if (!pixels && !(unknown && big_) && (!explicit_vr || unknown || is_vr(vr, "SQ")))
          sequence(place, stop, tag, false, explicit_vr && !unknown, depth, true);
        else  // (UN is implicit and little-endian inside: PS3.5, 6.2.2, note 2)
          fail(message(tag, " has no length; it is damaged"));
        continue;
      }
      if (length > stop - place)
        fail(message(tag, pixels ? ", its pixel data," : "", " claims ", length, " bytes, and ",
                     stop - place, " are left: it is truncated; copy it again"));
      std::size_t inside = place;
      const bool items = length >= 8 && four(place, big_) == (big_ ? 0xFFFEE000 : 0xE000FFFE);
      if (explicit_vr ? is_vr(vr, "SQ") : items)
        sequence(inside, place + length, tag, false, explicit_vr, depth, false);
      place += length;
    }
    if (delimited) fail("a sequence has no end: it is truncated; copy it again");
  }

  /// Goes over the items of a sequence, or the fragments of compressed pixels.
  void sequence(std::size_t& place, std::size_t stop, const std::string& tag, bool fragments,
                bool explicit_vr, int depth, bool delimited) {
    while (place < stop) {
      if (stop - place < 8) break;
      const unsigned group = two(place, big_), element = two(place + 2, big_);
      const std::uint32_t length = four(place + 4, big_);
      if (++elements_ > most_elements)
        fail(message("it holds more than ", most_elements, " elements; it is damaged"));
      place += 8;
      if (group == 0xFFFE && element == 0xE0DD && delimited) return;
      if (group != 0xFFFE || element != 0xE000)
        fail(message("the items of ", tag, " are damaged; copy it again"));
      if (length == undefined && !fragments) {
        data_set(place, stop, explicit_vr, depth + 1, true);
        continue;
      }
      if (length > stop - place)
        fail(message("an item of ", tag, " claims ", length, " bytes, and ", stop - place,
                     " are left: it is truncated; copy it again"));
      std::size_t inside = place;
      if (!fragments) data_set(inside, place + length, explicit_vr, depth + 1, false);
      place += length;
    }
    if (delimited || place != stop)
      fail(message("the items of ", tag, " have no end: it is truncated; copy it again"));
  }

  std::vector<unsigned char> bytes_;
  std::size_t begin_ = 0, end_ = 0, meta_ = 0;
  std::size_t zeros_ = 0;  // from here on there is nothing else
  bool big_ = false;
  std::uint32_t elements_ = 0;
  int disorder_ = 0;
};

}  // namespace detail
}  // namespace ebb::data
