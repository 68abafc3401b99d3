#ifdef EBB_HAVE_DICOM

#  include <ebb/data/read/dicom/tags.hpp>

#  include "tests/data/read/dicom/folder.hpp"
#  include "tests/data/real_data.hpp"
#  include "tests/support/match.hpp"

#  include <set>

using namespace ebb;
using namespace ebb::data;
using ebb::test::contains;
using ebb::test::DicomFolder;
using ebb::test::DicomWriter;
using ebb::test::little;
using ebb::test::words;

namespace {

IdentifyingTag find(const std::vector<IdentifyingTag>& found, const std::string& tag) {
  for (const IdentifyingTag& t : found)
    if (t.tag == tag) return t;
  return {};
}

/// An element in implicit VR.
std::string implicit(std::uint32_t tag, std::string value) {
  if (value.size() % 2) value += ' ';
  return little(tag >> 16, 2) + little(tag & 0xFFFF, 2) + little(value.size(), 4) + value;
}

/// One value for every attribute that the table names, of the attribute's own representation.
struct Planted {
  std::uint32_t tag;
  std::string vr, value;  // encoded
  std::string shown;
};

Planted plant(std::uint32_t tag) {
  data::detail::start_dcmtk();
  const DcmTag known(DcmTagKey(static_cast<Uint16>(tag >> 16), static_cast<Uint16>(tag & 0xFFFF)));
  std::string vr = known.getVRName();
  const std::string number = std::to_string(tag);
  if (vr == "DA") return {tag, vr, "19560203", "19560203"};
  if (vr == "TM") return {tag, vr, "112233", "112233"};
  if (vr == "DT") return {tag, vr, "19560203112233", "19560203112233"};
  if (vr == "AS") return {tag, vr, "067Y", "067Y"};
  if (vr == "CS") return {tag, vr, "PLANTED", "PLANTED"};
  if (vr == "DS" || vr == "IS") return {tag, vr, "4711", "4711"};
  if (vr == "UI") return {tag, vr, "9.8." + number, "9.8." + number};
  if (vr == "US" || vr == "xs") return {tag, "US", words({4711}), "4711"};
  if (vr == "UL") return {tag, vr, little(4711, 4), "4711"};
  if (vr == "FL") return {tag, vr, std::string("\0\0\x80\x3f", 4), "1"};
  if (vr == "FD") return {tag, vr, std::string("\0\0\0\0\0\0\xf0\x3f", 8), "1"};
  if (vr == "SQ") {
    const std::string item = implicit(0x0040A160, "planted " + number);
    return {tag, vr, implicit(0xFFFEE000, item), "1 item"};
  }
  if (vr[0] == 'O' || vr == "UN" || vr == "ox" || vr == "px")
    return {tag, vr == "OW" || vr == "ox" ? "OW" : "OB", "planted " + number, "planted " + number};
  if (vr == "??") vr = "LO";
  return {tag, vr, "planted " + number, "planted " + number};
}

}  // namespace

// DICOM PS3.15, edition 2026c, table E.1-1, with an example of each of its ranges: curves,
// overlays, private attributes.
TEST_CASE("Every attribute of the basic profile's table is found, however it is written") {
  std::vector<Planted> planted;
  for (const std::uint32_t tag : data::detail::dicom_profile) planted.push_back(plant(tag));
  for (const std::uint32_t tag : {0x50002500u, 0x50263000u, 0x60003000u, 0x60024000u})
    planted.push_back({tag, tag == 0x60003000 || tag == 0x50263000 ? "OB" : "LO",
                       "planted " + std::to_string(tag), "planted " + std::to_string(tag)});
  planted.push_back({0x00091001, "LO", "planted 1", "planted 1"});
  planted.push_back({0x00091002, "UN", "planted 2", "planted 2"});
  planted.push_back(
      {0x00091003, "UN", implicit(0xFFFEE000, implicit(0x00091004, "planted 3")), "1 item"});
  const DicomFolder files;
  enum { explicit_vr, implicit_vr, unknown };
  for (const int how : {explicit_vr, implicit_vr, unknown}) {
    INFO((how == explicit_vr ? "explicit VR" : how == implicit_vr ? "implicit VR" : "UN"));
    DicomWriter w;
    std::string meta;
    for (const Planted& p : planted) {
      if (p.tag >> 16 == 2) {
        meta += test::dicom_element(p.tag, p.vr, p.value);
        continue;
      }
      std::string value = p.value;
      if (p.vr == "UI" && value.size() % 2) value += '\0';
      if (how == explicit_vr && p.vr == "SQ")  // its items are explicit, too
        value = implicit(0xFFFEE000,
                         test::dicom_element(0x0040A160, "UT", "planted " + std::to_string(p.tag)));
      w.elements[p.tag] = how == implicit_vr
                              ? implicit(p.tag, value)
                              : test::dicom_element(p.tag, how == unknown ? "UN" : p.vr, value);
    }
    std::string file(128, '\0');
    meta += test::dicom_element(0x00020010, "UI",
                                how == implicit_vr ? "1.2.840.10008.1.2" : "1.2.840.10008.1.2.1");
    file += "DICM" + test::dicom_element(0x00020000, "UL", little(meta.size(), 4)) + meta +
            w.data_set();
    const auto found = identifying_tags(files.put(file));
    std::size_t there = 0;
    for (const Planted& p : planted) {
      const std::string tag = data::detail::dicom_tag_text(p.tag >> 16, p.tag & 0xFFFF);
      const std::string value = find(found, tag).value;
      INFO(tag << " " << p.vr << " '" << value << "'");
      const bool yes = value.find(p.shown) != value.npos;
      CHECK(yes);
      there += yes;
      if (p.vr == "SQ")
        CHECK(find(found, tag + " 0 > (0040,A160)").value == "planted " + std::to_string(p.tag));
    }
    CHECK(find(found, "(0009,1003) 0 > (0009,1004)").value.find("planted 3") != std::string::npos);
    CHECK(there == planted.size());
    CHECK(std::size(data::detail::dicom_profile) == 652);
  }
}

TEST_CASE("Elements that identify a person are listed, private and nested ones too") {
  const DicomFolder files;
  DicomWriter w = DicomWriter::image(1, 1, 8, "\1");
  w.text(0x00080005, "CS", "ISO_IR 100");
  w.text(0x00100010, "PN", "M\xfcller^Anna").text(0x00100020, "LO", "4711");
  w.text(0x00100030, "DA", "19700131");
  w.text(0x00100040, "CS", "");  // empty: says nothing
  w.text(0x00090010, "LO", "A COMPANY").text(0x00091001, "LO", "of no use");
  w.text(0x00091002, "OB", std::string("\1\2\3\0who: anna\0\xff", 15));
  w.text(0x00280301, "CS", "YES").text(0x00104000, "LT", std::string(3000, 'x') + "end");
  w.item(0x00082218, DicomWriter().text(0x00081050, "PN", "Dr. No"));
  w.text(0x00180015, "CS", "CHEST").text(0x00181020, "LO", "v1 for anna m\xfcller");
  w.text(0x00081090, "LO", "Annapolis 47110").text(0x00200060, "CS", "31.01.1970");
  w.text(0x00321066, "UT", "no. 4711")
      .number(0x60000102, 12)
      .text(0x001A0001, "UN", "what is this");
  std::string file = w.file();
  file.replace(0, 12, "scan of Anna");
  const std::vector<IdentifyingTag> found = identifying_tags(files.put(file));
  const auto at = [&](const char* tag) { return find(found, tag); };
  CHECK(at("(0010,0010)").value == "M\xc3\xbcller^Anna");
  CHECK(at("(0010,0010)").name == "PatientName");
  CHECK(at("(0010,0020)").value == "4711");
  CHECK(at("(0010,4000)").value == std::string(3000, 'x') + "end");
  CHECK(at("(0009,0010)").value == "A COMPANY");
  CHECK(at("(0009,1001)").kind == IdentifyingTag::private_data);
  CHECK(at("(0009,1001)").name == "A COMPANY");
  CHECK(at("(0009,1002)").repeats == "PatientName");
  CHECK(at("(0009,1002)").value == "16 bytes; texts in them: who: anna");
  CHECK(at("(0028,0301)").kind == IdentifyingTag::in_pixels);
  CHECK(at("(6000,0102)").kind == IdentifyingTag::in_pixels);
  CHECK(at("(0008,2218) 0 > (0008,1050)").value == "Dr. No");
  CHECK(at("(0008,0018)").kind == IdentifyingTag::unique);
  CHECK(at("(0018,1020)").repeats == "PatientName");
  CHECK(at("(0018,0015)").value.empty());                 // says nothing of a person
  CHECK(at("(0008,1090)").kind == IdentifyingTag::text);  // other words, another number
  CHECK(at("(0020,0060)").repeats == "PatientBirthDate");
  CHECK(at("(0032,1066)").kind == IdentifyingTag::profile);
  CHECK(at("(001A,0001)").value.find("what is this") != std::string::npos);
  CHECK(at("(preamble)").value == "128 bytes; texts in them: scan of Anna");
}

TEST_CASE("Comments beside compressed frames are found") {
  const DicomFolder files;
  DicomWriter w = DicomWriter::image(1, 1, 8, "");
  const std::string jpeg = std::string("\xff\xd8\xff\xfe\0\x0bJane Doe!\xff\xda", 17) + "!";
  w.elements[0x7FE00010] = little(0x00107FE0, 4) + "OB" + little(0xFFFFFFFF0000, 6) +
                           little(0xE000FFFE, 8) + implicit(0xFFFEE000, jpeg) +
                           little(0xE0DDFFFE, 8);
  const auto found = identifying_tags(files.put(w.file("1.2.840.10008.1.2.4.50")));
  CHECK(find(found, "(7FE0,0010) 0").value == "Jane Doe!");
}

// The strings: PS3.5, annexes H.3, I.2, J and K.2; the results: pydicom 3.0.2
// (tests/oracle/dicom.py), and of IR 58, which it does not know, K.2 itself.
TEST_CASE("Names are read in the character sets that a file names, escapes and all") {
  const DicomFolder files;
  struct Case {
    const char *sets, *raw, *expected;
  };
  for (const Case& c :
       {Case{"\\ISO 2022 IR 87",
             "Yamada^Tarou=\x1B$B;3ED\x1B(B^\x1B$BB@O:\x1B(B=\x1B$B$d$^$@\x1B(B^\x1B$B$?$m$&\x1B(B",
             "Yamada^Tarou=山田^太郎=やまだ^たろう"},
        {"ISO 2022 IR 13\\ISO 2022 IR 87",
         "\xd4\xcf\xc0\xde^\xc0\xdb\xb3=\x1B$B;3ED\x1B(J^\x1B$BB@O:\x1B(J", "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎"},
        {"\\ISO 2022 IR 149",
         "Hong^Gildong=\x1B$)C\xfb\xf3^\x1B$)C\xd1\xce\xd4\xd7=\x1B$)C\xc8\xab^\x1B$)"
         "C\xb1\xe6\xb5\xbf",
         "Hong^Gildong=洪^吉洞=홍^길동"},
        {"\\ISO 2022 IR 58",
         "Zhang^XiaoDong=\x1B$)A\xd5\xc5^\x1B$)A\xd0\xa1\xb6\xab=", "Zhang^XiaoDong=张^小东="},
        {"ISO 2022 IR 6\\ISO 2022 IR 159", "x=\x1B$(D\x30\x21\x1B(B", "x=丂"},
        {"ISO_IR 144", "\xbb\xee\xda", "Люк"},
        {"ISO_IR 192", "Wang^XiaoDong=王^小東", "Wang^XiaoDong=王^小東"},
        {"GB18030", "Wang^XiaoDong=\xcd\xf5^\xd0\xa1\xb6\xab", "Wang^XiaoDong=王^小东"},
        {"", "M\xfcller", "Müller"}}) {
    INFO(c.sets);
    DicomWriter w;
    w.text(0x00080005, "CS", c.sets).text(0x00100010, "PN", c.raw);
    CHECK(find(identifying_tags(files.put(w.file())), "(0010,0010)").value == c.expected);
  }
}

TEST_CASE("Escape sequences in values never reach a terminal") {
  const DicomFolder files;
  DicomWriter w = DicomWriter::image(1, 1, 8, "\1");
  w.text(0x00100010, "PN",
         "a\x1B]0;own\x07"
         "b\x9B"
         "31m")
      .text(0x00104000, "LT", "x\r\n\x1B[2J\x7F\xc2\x9b");
  w.text(0x00091001, "UN", "\x1B[31m red");
  for (const IdentifyingTag& tag : identifying_tags(files.put(w.file()))) {
    INFO(tag.tag << tag.value);
    for (const std::string& text : {tag.tag, tag.name, tag.value, tag.repeats}) {
      CHECK(std::none_of(text.begin(), text.end(),
                         [](char c) { return static_cast<unsigned char>(c) < 32 || c == 127; }));
      CHECK(text.find("\xc2\x9b") == text.npos);
    }
  }
  CHECK(printable("a\x1B[1mb\nc\xc2\x9b\xe2\x80\xae\xff") == "a\\x1B[1mb c\\x9B\\u202E\xc3\xbf");
  CHECK(printable("\xc0\x80\xf5\xed\xa0\x80") == "\xc3\x80\\x80\xc3\xb5\xc3\xad\xc2\xa0\\x80");
  CHECK(texts_in(std::string("\1\2Anna\1B\0o\0b\0b\0y\0\0", 18)) == "Anna | Bobby");
}

#else

#  include "tests/support/catch.hpp"

TEST_CASE("Identifying elements of DICOM are not tested") {
  WARN("skipped: built without DCMTK (Debian: apt-get install libdcmtk-dev)");
}

#endif
