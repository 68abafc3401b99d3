#ifdef EBB_HAVE_DICOM

#  include <ebb/data/dicom_tags.hpp>

#  include "tests/data/dicom_folder.hpp"

using namespace ebb;
using namespace ebb::data;
using ebb::test::DicomFolder;
using ebb::test::DicomWriter;

TEST_CASE("Elements that identify a person are listed, private and nested ones too") {
  const DicomFolder files;
  DicomWriter w = DicomWriter::image(1, 1, 8, "\1");
  w.text(0x00080005, "CS", "ISO_IR 100");
  w.text(0x00100010, "PN", "M\xfcller^Anna").text(0x00100020, "LO", "4711");
  w.text(0x00100040, "CS", "");  // empty: says nothing
  w.text(0x00090010, "LO", "A COMPANY").text(0x00091001, "LO", "Anna's notes");
  w.text(0x00280301, "CS", "YES").text(0x00104000, "LT", std::string(100, 'x'));
  w.item(0x00082218, DicomWriter().text(0x00081050, "PN", "Dr. No"));
  const std::vector<IdentifyingTag> found = identifying_tags(files.put(w.file()));
  const auto find = [&](const std::string& tag) {
    for (const IdentifyingTag& t : found)
      if (t.tag == tag) return t;
    return IdentifyingTag{};
  };
  CHECK(find("(0010,0010)").value == "M\xc3\xbcller^Anna");
  CHECK(find("(0010,0010)").name == "PatientName");
  CHECK(find("(0010,0020)").value == "4711");
  CHECK(find("(0010,4000)").value == std::string(64, 'x').append("..."));
  CHECK(find("(0009,1001)").kind == IdentifyingTag::private_data);
  CHECK(find("(0009,1001)").name == "A COMPANY");
  CHECK(find("(0028,0301)").kind == IdentifyingTag::in_pixels);
  CHECK(find("(0008,2218) 0 > (0008,1050)").value == "Dr. No");
  CHECK(find("(0008,0018)").kind == IdentifyingTag::unique);
  CHECK(found.size() == 8);  // and the UID of the series
}

#else

#  include "tests/support/catch.hpp"

TEST_CASE("Identifying elements of DICOM are not tested") {
  WARN("skipped: built without DCMTK (Debian: apt-get install libdcmtk-dev)");
}

#endif
