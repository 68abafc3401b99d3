#ifdef EBB_HAVE_DICOM

#  include "tests/data/read/dicom/folder.hpp"
#  include "tests/support/match.hpp"

using namespace ebb;
using namespace ebb::data;
using ebb::test::contains;
using ebb::test::DicomFolder;
using ebb::test::DicomWriter;
using ebb::test::error_of;
using ebb::test::little;

TEST_CASE("Hostile DICOM files get a sentence, and no memory") {
  const DicomFolder files;
  const DicomWriter sound = DicomWriter::image(2, 2, 8, "\1\2\3\4");
  const std::string whole = sound.file();
  for (std::size_t length = 0; length < whole.size(); ++length)
    CHECK_THAT(files.error(whole.substr(0, length)), contains("x.dcm"));
  CHECK(read_dicom(files.put(whole + std::string(50, '\0'))).rows == 2);  // padding

  struct Case {
    DicomWriter writer;
    const char* sentence;
  };
  const auto with = [&](std::uint32_t tag, const std::string& vr, const std::string& value) {
    DicomWriter w = sound;
    return w.text(tag, vr, value);
  };
  const auto us = [](int value) { return little(static_cast<std::uint64_t>(value), 2); };
  std::string deep;
  for (int i = 0; i < 1000; ++i)  // sequences without lengths, one in another
    deep +=
        little(0x22180008, 4) + "SQ" + little(0xFFFFFFFF0000, 6) + little(0xFFFFFFFFE000FFFE, 8);
  DicomWriter nested = sound;
  nested.elements[0x00082218] = deep;
  DicomWriter claims = sound;  // a value of four gigabytes
  claims.elements[0x00091001] = little(0x10010009, 4) + "OB" + little(0xFFFFFFFE0000, 6);
  DicomWriter shuffled = sound, makers = sound;  // DCMTK takes minutes for many of these
  for (std::uint32_t i = 0; i < 300; ++i) {
    const std::uint32_t creator = (2 * (i / 200) + 9) << 16 | (0x10 + i % 200);
    makers.text(creator, "LO", "A");
    shuffled.elements[0x00081000 + i] = test::dicom_element(0x00081200 - i, "LO", "A");
  }
  DicomWriter unknown = sound;
  unknown.elements[0x00091001] = little(0x10010009, 4) + "??" + little(0, 2);
  const Case cases[] = {
      {nested, "64 deep"},
      {claims, "claims 4294967294 bytes"},
      {unknown, "no value representation"},
      {shuffled, "out of order"},
      {makers, "256 private creators"},
      {with(0x00280010, "US", us(65535)), "header promises"},
      {with(0x00280010, "US", us(0)), "(0028,0010) Rows is 0"},
      {with(0x00280008, "IS", "2147483647"), "allowed"},
      {with(0x00280008, "IS", "-3"), "NumberOfFrames is -3"},
      {with(0x00280100, "US", us(12)), "12 bits"},
      {with(0x00280101, "US", us(9)), "BitsStored"},
      {with(0x00281053, "DS", "nan"), "not a number"},
      {with(0x00281053, "DS", "1e999"), "not a number"},
      {with(0x00280004, "CS", "PALETTE COLOR"), "table (0028,1201)"},
  };
  for (const Case& c : cases) {
    INFO(c.sentence);
    CHECK_THAT(files.error(c.writer.file()), contains(c.sentence));
  }
  CHECK_THAT(files.error(sound.file("1.2.3.4")), contains("DCMTK does not know"));
  CHECK_THAT(files.error(sound.file(std::string("\0\1", 2))), contains("is no UID"));
  CHECK_THAT(files.error(sound.file("1.2.840.10008.1.2.5")), contains("explicit length"));
  CHECK_THAT(files.error(whole, {.most_bytes = 100}), contains("100 are allowed"));
  CHECK_THAT(error_of<FileError>([&] { read_dicom(files.folder / "none"); }), contains("no such"));

  // Compressed pixels whose own headers lie: run lengths, and a JPEG of another size.
  const auto compressed = [&](const std::string& fragment, const std::string& syntax) {
    DicomWriter w = sound;
    w.elements[0x7FE00010] = little(0x00107FE0, 4) + "OB" + little(0xFFFFFFFF0000, 6) +
                             little(0xE000FFFE, 8) + little(0xE000FFFE, 4) +
                             little(fragment.size(), 4) + fragment + little(0xE0DDFFFE, 8);
    return files.error(w.file(syntax));
  };
  const std::string rle = "1.2.840.10008.1.2.5", jpeg = "1.2.840.10008.1.2.4.50";
  const auto segments = [](std::uint64_t count, std::uint64_t first) {
    return little(count, 4) + little(first, 4) + std::string(56, '\0');
  };
  CHECK_THAT(compressed("", rle), contains("0 bytes, too few for the 1 frame of 2x2"));
  CHECK_THAT(compressed(little(1, 4), rle), contains("wrong header"));
  CHECK_THAT(compressed(segments(3, 64) + "\3abcd", rle), contains("wrong header"));
  CHECK_THAT(compressed(segments(1, 0xFFFFFFFF) + "\3abcd", rle), contains("wrong header"));
  CHECK_THAT(compressed(segments(1, 64), rle), contains("end too early"));
  CHECK_THAT(compressed(segments(1, 64) + "\x7f!", rle), contains("do not fit"));
  const std::string frame =
      "\xff\xd8\xff\xc0" + std::string("\0\x0b\x08\xff\xff\xff\xff\1\1\x11\0", 11);
  CHECK_THAT(compressed(frame + "\xff\xda", jpeg), contains("its compressed image is 65535x65535"));
  CHECK_THAT(compressed("not a JPEG at all!", jpeg), contains("no sound header of JPEG"));
  const std::string forever = "\xff\xd8\xff\x01" + std::string(20, '\0');  // hangs DCMTK 3.6.7
  CHECK_THAT(compressed(forever, jpeg), contains("no sound header of JPEG"));
}

#else

#  include "tests/support/catch.hpp"

TEST_CASE("Hostile DICOM files are not tested") {
  WARN("skipped: built without DCMTK (Debian: apt-get install libdcmtk-dev)");
}

#endif
