#ifdef EBB_HAVE_DICOM

#  include "tests/data/read/dicom/folder.hpp"
#  include "tests/support/match.hpp"

using namespace ebb;
using namespace ebb::data;
using ebb::test::contains;
using ebb::test::DicomFolder;
using ebb::test::DicomWriter;
using ebb::test::little;
using ebb::test::words;

TEST_CASE("A number of frames that is a text or zero is counted from the pixels") {
  const DicomFolder files;
  DicomWriter w = DicomWriter::image(2, 2, 16, words({1, 2, 3, 4, 5, 6, 7, 8}));
  for (const char* said : {"1A", "0", "two"}) {
    const DicomImage image = files.read(w.text(0x00280008, "IS", said));
    CHECK(image.frames == 2);
    CHECK(image.stored_value(7) == 8);
  }
  CHECK(files.read(w.text(0x00280008, "IS", "1")).frames == 1);
  w.text(0x7FE00010, "OW", words({1, 2, 3, 4, 5}));
  CHECK_THAT(files.error(w.text(0x00280008, "IS", "0").file()),
             contains("NumberOfFrames is '0'") && contains("10 bytes"));
  DicomWriter bits = DicomWriter::image(3, 3, 1, std::string("\xff\xff\x03\0", 4));
  bits.text(0x00280008, "IS", "0");
  CHECK(files.read(bits).frames == 3);
  DicomWriter odd = DicomWriter::image(1, 1, 8, "\1\2\3", "RGB", 3);  // and a byte of padding
  CHECK(files.read(odd.text(0x00280008, "IS", "x")).frames == 1);

  // Two frames of run lengths, each a fragment (PS3.5, annex G).
  DicomWriter rle = DicomWriter::image(1, 2, 8, "");
  const auto fragment = [](const std::string& bytes) {
    return little(0xE000FFFE, 4) + little(bytes.size(), 4) + bytes;
  };
  const std::string head = little(1, 4) + little(64, 4) + std::string(56, '\0');
  rle.elements[0x7FE00010] = little(0x00107FE0, 4) + "OB" + little(0xFFFFFFFF0000, 6) +
                             fragment("") + fragment(head + "\1\5\6 ") + fragment(head + "\xff\7") +
                             little(0xE0DDFFFE, 8);
  rle.text(0x00280008, "IS", "0");
  const DicomImage image = read_dicom(files.put(rle.file("1.2.840.10008.1.2.5")));
  CHECK(image.stored.bytes == std::vector<unsigned char>{5, 6, 7, 7});
}

// pydicom writes 32-bit values of big-endian files with their bytes in order (its rtdose_expb.dcm),
// DCMTK and PS3.5, 8.1.1 with the low word first.
TEST_CASE("32-bit values of big-endian files are whole, whichever of their words comes first") {
  const DicomFolder files;
  const std::vector<std::int64_t> values{1249000, 1249000, 1250000, 70000,
                                         65536,   65535,   3,       1180000};
  const auto big = [](std::uint64_t value, int bytes) {
    std::string text = little(value, bytes);
    return std::string(text.rbegin(), text.rend());
  };
  for (const int sign : {1, -1})
    for (const bool high_first : {true, false}) {
      std::string pixels;
      for (const std::int64_t v : values) {
        const auto x = static_cast<std::uint32_t>(sign * v);
        pixels += high_first ? big(x, 4) : big(x & 0xFFFF, 2) + big(x >> 16, 2);
      }
      std::string set;
      const auto element = [&](unsigned tag, const char* vr, const std::string& value) {
        const bool wide = vr[0] == 'O';
        set += big(tag >> 16, 2) + big(tag & 0xFFFF, 2) + vr + (wide ? big(0, 2) : "") +
               big(value.size(), wide ? 4 : 2) + value;
      };
      element(0x00280002, "US", big(1, 2));
      element(0x00280004, "CS", "MONOCHROME2 ");
      element(0x00280010, "US", big(2, 2)), element(0x00280011, "US", big(4, 2));
      element(0x00280100, "US", big(32, 2)), element(0x00280101, "US", big(32, 2));
      element(0x00280102, "US", big(31, 2)), element(0x00280103, "US", big(sign < 0, 2));
      element(0x7FE00010, "OW", pixels);
      DicomWriter w;
      w.elements[0] = set;
      const DicomImage image = read_dicom(files.put(w.file("1.2.840.10008.1.2.2")));
      for (Index i = 0; i < 8; ++i)
        CHECK(image.stored_value(i) ==
              static_cast<double>(sign * values[static_cast<std::size_t>(i)]));
    }
}

TEST_CASE("Elements that their writer did not know, and sequences of them, are read") {
  const DicomFolder files;
  // PS3.5, 6.2.2, note 2: the value of a UN is in implicit VR, little endian.
  const auto implicit = [](std::uint32_t tag, const std::string& value) {
    return little(tag >> 16, 2) + little(tag & 0xFFFF, 2) + little(value.size(), 4) + value;
  };
  DicomWriter w = DicomWriter::image(1, 2, 16, words({1, 2}));
  w.text(0x00280010, "UN", words({1})).text(0x00280011, "UN", words({2}));
  w.text(0x00281052, "UN", "-5").text(0x7FE00010, "UN", words({1, 2}));
  const std::string table =
      implicit(0x00283002, words({2, 1, 16})) + implicit(0x00283006, words({0, 65535}));
  w.text(0x00283010, "UN", implicit(0xFFFEE000, table));
  const DicomImage image = files.read(w);
  CHECK(image.values().values() == std::vector<float>{-4, -3});
  CHECK(image.shown_table.entries == std::vector<std::uint16_t>{0, 65535});
  // What is no sound sequence stays bytes, and harms nothing.
  w.text(0x00283010, "UN", "no sequence at all");
  w.text(0x00091001, "UN", little(0xE000FFFE, 4) + little(0xFFFFFF, 4));
  CHECK(files.read(w).shown_table.entries.empty());
}

TEST_CASE("What a few bytes grow to is bounded") {
  const DicomFolder files;
  DicomWriter w = DicomWriter::image(64, 64, 8, std::string(64 * 64, '\0'));
  // Deflate's stored block (RFC 1951, 3.2.4).
  const std::string set = w.data_set(), size = little(set.size(), 2),
                    stored = '\1' + size + little(~set.size(), 2) + set;
  DicomWriter deflated;
  deflated.elements[0] = stored;
  const std::string file = deflated.file("1.2.840.10008.1.2.1.99");
  CHECK(read_dicom(files.put(file)).rows == 64);
  CHECK_THAT(files.error(file, {.most_expanded_bytes = set.size() - 1}),
             contains("more than the") && contains("most_expanded_bytes"));
  for (const std::size_t length : {file.size() - 1, file.size() - set.size()})
    CHECK_THAT(files.error(file.substr(0, length)), contains("damaged or truncated"));
  w.text(0x00280008, "IS", "1000");
  w.elements[0x7FE00010] = little(0x00107FE0, 4) + "OB" + little(0xFFFFFFFF0000, 6) +
                           little(0xE000FFFE, 8) + little(0xE0DDFFFE, 8);
  CHECK_THAT(files.error(w.file("1.2.840.10008.1.2.5"), {.most_expanded_bytes = 1 << 20}),
             contains("1000 compressed frames of 4096 bytes"));
}

#else

#  include "tests/support/catch.hpp"

TEST_CASE("Pixels of DICOM files are not tested") {
  WARN("skipped: built without DCMTK (Debian: apt-get install libdcmtk-dev)");
}

#endif
