#ifdef EBB_HAVE_DICOM

#  include <ebb/data/read/dicom/series.hpp>

#  include "tests/data/read/dicom/folder.hpp"
#  include "tests/data/real_data.hpp"
#  include "tests/support/match.hpp"

using namespace ebb;
using namespace ebb::data;
using ebb::test::Approx;
using ebb::test::contains;
using ebb::test::DicomFolder;
using ebb::test::DicomWriter;
using ebb::test::error_of;

TEST_CASE("A shuffled series becomes a volume in the order of positions") {
  const DicomFolder files;
  // Slices tilted about the first axis; names say nothing of their order.
  const auto slice = [](int k, const std::string& series = "1.2.3") {
    DicomWriter w = DicomWriter::image(2, 3, 8, std::string(6, static_cast<char>(10 * k)));
    w.text(0x0020000E, "UI", series).text(0x00200037, "DS", "1\\0\\0\\0\\0.8\\0.6");
    w.text(0x00280030, "DS", "0.7\\0.5").text(0x00281052, "DS", "-1");
    w.text(0x00200032, "DS", "-5\\" + std::to_string(-1.2 * k) + "\\" + std::to_string(1.6 * k));
    return w;
  };
  for (const int k : {3, 0, 4, 1, 2})
    files.put(slice(k).file(), "slice" + std::to_string(k * 7 % 5));
  files.put("a list of files", "README");
  const std::string folder = files.folder.path.string();
  const DicomVolume volume = read_dicom_series(folder);
  REQUIRE(volume.values.shape() == Shape{5, 2, 3});
  for (Index k = 0; k < 5; ++k) CHECK(volume.values(k, 1, 2) == static_cast<float>(10 * k - 1));
  CHECK(volume.spacing[0] == Approx(2));
  CHECK(volume.spacing[1] == 0.7);
  CHECK(volume.spacing[2] == 0.5);
  CHECK(volume.origin[0] == -5);
  CHECK(volume.axes[0][1] == Approx(-0.6));
  CHECK(volume.axes[0][2] == Approx(0.8));
  CHECK(volume.files.size() == 5);

  const auto error = [&](const DicomSeriesOptions& options = {}) {
    return error_of<FileError>([&] { read_dicom_series(folder, options); });
  };
  const std::string two = files.put(slice(1).file(), "again");
  CHECK_THAT(error(), contains("are at the same place"));
  files.put(slice(1, "9.8.7").file(), "again");
  CHECK_THAT(error(), contains("holds 2 series") && contains("1.2.3 (5 files)"));
  CHECK(read_dicom_series(folder, {.series = "9.8.7", .limits = {}}).files.size() == 1);
  CHECK_THAT(error({.series = "5", .limits = {}}), contains("no series 5"));
  files.put(slice(6).file(), "again");
  CHECK_THAT(error(), contains("a slice is missing"));
  files.put(slice(5).number(0x00280011, 2).file(), "again");
  CHECK_THAT(error(), contains("leave one kind out"));
  files.put(slice(5).text(0x00200032, "DS", "-4\\-6\\8").file(), "again");
  CHECK_THAT(error(), contains("shifted sideways"));
  files.put(slice(5).text(0x00200037, "DS", "1\\0\\0\\0\\1\\0").file(), "again");
  CHECK_THAT(error(), contains("at an angle"));
  DicomWriter nowhere = slice(5);
  nowhere.elements.erase(0x00200032);
  files.put(nowhere.file(), "again");
  CHECK_THAT(error(), contains("does not say where it is"));
  CHECK_THAT(error_of<FileError>([&] { read_dicom_series(folder + "/none"); }), contains("folder"));

  if (const std::string where = test::real_data("dicom"); !where.empty()) {
    // z descends with the instance number, from 8.76 to -1.24 by 2.5 mm (README of the data).
    const DicomVolume ct = read_dicom_series(where + "/ct_series");
    CHECK(ct.values.shape() == Shape{5, 16, 16});
    CHECK(ct.spacing[0] == Approx(2.5));
    CHECK(ct.origin[2] == Approx(-1.2375));
    CHECK(ct.files[0].ends_with("3353"));
    CHECK(ct.values(0, 0, 0) == 991 - 1024);
    CHECK(ct.values(4, 15, 15) == 295 - 1024);
  }
}

#else

#  include "tests/support/catch.hpp"

TEST_CASE("Series of DICOM slices are not tested") {
  WARN("skipped: built without DCMTK (Debian: apt-get install libdcmtk-dev)");
}

#endif
