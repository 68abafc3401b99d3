#ifdef EBB_HAVE_DICOM

#  include "tests/data/read/dicom/folder.hpp"
#  include "tests/data/real_data.hpp"
#  include "tests/support/match.hpp"

using namespace ebb;
using namespace ebb::data;
using ebb::test::Approx;
using ebb::test::contains;
using ebb::test::DicomFolder;
using ebb::test::DicomWriter;
using ebb::test::little;
using ebb::test::words;

// The numbers: tests/oracle/dicom.py, with pydicom's apply_voi.
TEST_CASE("A VOI LUT is what grey values are shown through, whatever the window says") {
  const DicomFolder files;
  DicomWriter table;
  table.text(0x00283002, "US", words({4, 1, 16}));
  table.text(0x00283006, "US", words({65535, 40000, 100, 0}));
  DicomWriter w = DicomWriter::image(1, 6, 8, std::string("\0\1\2\3\4\xff", 6));
  w.item(0x00283010, table).text(0x00281050, "DS", "3").text(0x00281051, "DS", "2");
  const DicomImage image = files.read(w);
  const double expected[] = {65535, 65535, 40000, 100, 0, 0};
  for (Index i = 0; i < 6; ++i)
    CHECK(image.display()(0, 0, 0, i) == Approx(expected[i] / 65535).margin(1e-6));
  CHECK(image.values()(0, 0, 0, 5) == 255);  // which no window or table touches

  // Where rescaled values may be negative, so may the first value: -2 here.
  w.text(0x00281052, "DS", "-3").text(0x00281053, "DS", "1");
  table.text(0x00283002, "US", words({4, -2 & 0xFFFF, 16}));
  const Tensor<float, 4> shown = files.read(w.item(0x00283010, table)).display();
  for (Index i = 0; i < 6; ++i)
    CHECK(shown(0, 0, 0, i) == Approx(expected[i] / 65535).margin(1e-6));
  table.text(0x00283002, "US", words({5, 1, 16}));
  CHECK_THAT(files.error(w.item(0x00283010, table).file()), contains("descriptor says 5"));
}

TEST_CASE("Padding takes no part in ranges and windows, and is shown black") {
  const DicomFolder files;
  DicomWriter w = DicomWriter::image(1, 4, 16, words({-2000, -1000, 0, 1000}));
  w.number(0x00280103, 1).text(0x00280120, "SS", little(0xF830, 2));
  CHECK(files.read(w).values().values() == std::vector<float>{-1000, -1000, 0, 1000});
  CHECK(files.read(w).display().values() == std::vector<float>{0, 0, 0.5f, 1});
  w.text(0x00281050, "DS", "-1500").text(0x00281051, "DS", "4001");
  const Tensor<float, 4> shown = files.read(w).display();
  CHECK(shown(0, 0, 0, 0) == 0);
  CHECK(shown(0, 0, 0, 1) == Approx(0.5 + 500.5 / 4000));  // PS3.3, C.11.2.1.2
  // A range, in either order, written with the other sign, of an image whose black is high.
  w.text(0x00280120, "US", little(0xF830, 2)).text(0x00280121, "US", little(0xFC18, 2));
  w.text(0x00280004, "CS", "MONOCHROME1");
  w.elements.erase(0x00281050);
  CHECK(files.read(w).values().values() == std::vector<float>{0, 0, 0, 1000});
  CHECK(files.read(w).display().values() == std::vector<float>{0, 0, 1, 0});
  w.text(0x00280120, "US", words({2000})).text(0x00280121, "US", little(0xF830, 2));
  const DicomImage all = files.read(w);  // nothing else is there
  CHECK(all.values()(0, 0, 0, 3) == 1000);
  CHECK(all.display().values() == std::vector<float>(4, 0));
}

// pydicom 3.0.2, apply_windowing, with VOILUTFunction LINEAR_EXACT: tests/oracle/dicom.py.
TEST_CASE("A window narrower than 1 is a ramp, and each frame has its own") {
  const DicomFolder files;
  DicomWriter w = DicomWriter::image(1, 4, 16, words({0, 1, 2, 3}));
  w.text(0x00281053, "DS", "0.00001525902189").text(0x00281052, "DS", "0");
  w.text(0x00281050, "DS", "0.00002").text(0x00281051, "DS", "0.00004");
  const Tensor<float, 4> ramp = files.read(w).display();
  const double expected[] = {0, 0.38147555, 0.76295109, 1};
  for (Index i = 0; i < 4; ++i) CHECK(ramp(0, 0, 0, i) == Approx(expected[i]).margin(1e-6));

  DicomWriter frames = DicomWriter::image(1, 2, 8, std::string("\0\4\0\4\0\4", 6));
  std::string groups;
  for (const char* center : {"2", "", "4"}) {
    DicomWriter group, window;
    window.text(0x00281050, "DS", center).text(0x00281051, "DS", "4");
    window.text(0x00281056, "CS", "LINEAR_EXACT");
    if (*center) group.item(0x00289132, window);
    groups += little(0xE000FFFE, 4) + little(group.data_set().size(), 4) + group.data_set();
  }
  frames.text(0x00280008, "IS", "3").text(0x52009230, "SQ", groups);
  // The second frame has no window, and goes from the least to the largest value.
  CHECK(files.read(frames).display().values() == std::vector<float>{0, 1, 0, 1, 0, 0.5f});
}

TEST_CASE("Units and spacings say what they are of") {
  const DicomFolder files;
  const DicomWriter one = DicomWriter::image(1, 1, 8, "\1");
  const auto unit = [&](const char* modality, std::uint32_t tag, const char* vr, const char* text) {
    DicomWriter w = one;
    w.text(0x00080060, "CS", modality).text(0x00281053, "DS", "1").text(tag, vr, text);
    return files.read(w).unit;
  };
  CHECK(unit("CT", 0x00281054, "LO", "") == "HU");  // PS3.3, C.8.2.1
  CHECK(unit("CT", 0x00281054, "LO", "US").empty());
  CHECK(unit("MR", 0x00281054, "LO", "").empty());
  CHECK(unit("PT", 0x00541001, "CS", "BQML") == "Bq/ml");
  CHECK(unit("RTDOSE", 0x30040002, "CS", "GY") == "Gy");
  for (const auto& [tag, name] :
       {std::pair<std::uint32_t, const char*>{0x00181164, "ImagerPixelSpacing"},
        {0x00182010, "NominalScannedPixelSpacing"},
        {0x00280030, "PixelSpacing"}}) {
    DicomWriter w = one;
    w.text(0x00280030, "DS", "").text(tag, "DS", "0.2\\0.3");
    CHECK(files.read(w).spacing == std::array<double, 3>{0, 0.2, 0.3});
    CHECK(files.read(w).spacing_from == name);
  }
}

// The right answers: the README beside the files.
TEST_CASE("DICOM files that were read wrongly are read rightly, or refused") {
  const std::string cases = test::real_data("cases");
  if (cases.empty()) return;
  const auto read = [&](const char* name) { return read_dicom(cases + "/" + name); };
  CHECK_THAT(test::error_of<FileError>([&] { read("mf_crash.dcm"); }),
             contains("200000 frames") && contains("has 1 item;"));
  const DicomImage hole = read("mf_hole.dcm");
  CHECK(hole.rescale_of_frame == std::vector<std::array<double, 2>>{{2, 5}, {1, 0}, {3, -7}});
  const Tensor<float, 4> table = read("voilut.dcm").display();
  CHECK(table(0, 0, 0, 0) == 1);
  CHECK(table(0, 0, 31, 255) == 0);
  CHECK(read("padding.dcm").values().values() == std::vector<float>{-1000, -1000, 0, 1000});
  CHECK(read("narrow.dcm").display()(0, 0, 0, 1) == Approx(0.38147555).margin(1e-6));
  CHECK(read("imager.dcm").spacing[1] == 0.2);
  CHECK(read("imager.dcm").spacing_from == "ImagerPixelSpacing");
  CHECK(read("un_seq_protocol.dcm").rows == 20);
}

#else

#  include "tests/support/catch.hpp"

TEST_CASE("Values of DICOM images are not tested") {
  WARN("skipped: built without DCMTK (Debian: apt-get install libdcmtk-dev)");
}

#endif
