#ifdef EBB_HAVE_DICOM

#  include "tests/data/read/dicom/folder.hpp"
#  include "tests/data/real_data.hpp"
#  include "tests/support/match.hpp"
#  include "tests/support/sha256.hpp"

#  include <nlohmann/json.hpp>

#  include <dcmtk/dcmdata/dcrleerg.h>
#  include <dcmtk/dcmjpeg/djencode.h>
#  include <dcmtk/dcmjpeg/djrplol.h>
#  include <dcmtk/dcmjpls/djencode.h>
#  include <dcmtk/dcmjpls/djrparam.h>

using namespace ebb;
using namespace ebb::data;
using ebb::test::Approx;
using ebb::test::contains;
using ebb::test::DicomFolder;
using ebb::test::DicomWriter;
using ebb::test::error_of;
using ebb::test::little;
using ebb::test::words;

namespace {

/// The file as DCMTK codes it in another transfer syntax.
std::string recoded(const std::string& path, E_TransferSyntax to,
                    const DcmRepresentationParameter* how = nullptr) {
  static const bool registered = [] {
    data::detail::start_dcmtk();
    DJEncoderRegistration::registerCodecs();
    DJLSEncoderRegistration::registerCodecs(0, 0, 0, 0, OFFalse);  // pixels as they are
    DcmRLEEncoderRegistration::registerCodecs();
    return true;
  }();
  static_cast<void>(registered);
  DcmFileFormat file;
  REQUIRE(file.loadFile(path.c_str()).good());
  const OFCondition coded = file.getDataset()->chooseRepresentation(to, how);
  INFO(coded.text());
  REQUIRE(coded.good());
  REQUIRE(file.saveFile((path + ".out").c_str(), to).good());
  return path + ".out";
}

/// Items of functional groups: intercept and slope of each frame, or "" for no rescaling.
std::string frame_groups(const std::vector<std::string>& rescales) {
  std::string all;
  for (const std::string& rescale : rescales) {
    DicomWriter group;
    const std::size_t bar = rescale.find('\\');
    if (bar != rescale.npos)
      group.item(0x00289145, DicomWriter()
                                 .text(0x00281052, "DS", rescale.substr(0, bar))
                                 .text(0x00281053, "DS", rescale.substr(bar + 1)));
    all += little(0xE000FFFE, 4) + little(group.data_set().size(), 4) + group.data_set();
  }
  return all;
}

}  // namespace

// expected.json was written with pydicom 2.3.1 and GDCM 3.0.21.
TEST_CASE("DICOM files have the values that pydicom reads, or a sentence that says why not") {
  const std::string where = test::real_data("dicom");
  if (where.empty()) return;
  const std::map<std::string, std::string> refused{
      {"MR_small_jp2klossless.dcm", "JPEG 2000"},
      {"MR_truncated.dcm", "claims 8192 bytes, and 8130 are left"},
      {"meta_missing_tsyntax.dcm", "no (0028,0010) Rows"},
      {"nested_priv_SQ.dcm", "no (0028,0010) Rows"},
      {"no_meta.dcm", "it is no DICOM file"},
      {"rtplan.dcm", "it holds no image (its modality is 'RTPLAN')"}};
  const auto all = nlohmann::json::parse(test::read_file(where + "/expected.json"));
  std::size_t compared = 0;
  for (const auto& [name, expected] : all.items()) {
    INFO(name);
    const std::string path = where + "/" + name;
    if (const auto found = refused.find(name); found != refused.end()) {
      CHECK_THAT(error_of<FileError>([&] { read_dicom(path); }), contains(found->second));
      continue;
    }
    const DicomImage image = read_dicom(path);
    if (name == "badVR.dcm") {  // NumberOfFrames is "1A"; its reference reader refuses it
      CHECK(image.frames == 15);
      continue;
    }
    const auto& pixels = expected["pixels"];
    CHECK(image.transfer_syntax_guessed == expected["transfer_syntax"].is_null());
    CHECK(image.photometric == expected["PhotometricInterpretation"]);
    CHECK(image.modality == expected.value("Modality", ""));
    CHECK(image.slope == (name == "rtdose.dcm" ? 1e-6 : expected.value("RescaleSlope", 1.0)));
    CHECK(image.intercept == expected.value("RescaleIntercept", 0.0));
    CHECK(image.window.has_value() == expected.contains("WindowCenter"));
    if (image.window) {
      CHECK(image.window->center == expected["WindowCenter"]);
      CHECK(image.window->width == expected["WindowWidth"]);
    }
    std::vector<Index> shape;
    for (const Index extent : image.stored.shape)
      if (extent > 1) shape.push_back(extent);
    CHECK(shape == pixels["shape"].get<std::vector<Index>>());
    CHECK(to_string(image.stored.type) == pixels["dtype"].get<std::string>());
    double sum = 0;
    for (Index i = 0; i < image.stored.size(); ++i) sum += image.stored_value(i);
    if (pixels.contains("lossy"))
      CHECK(sum / static_cast<double>(image.stored.size()) ==
            Approx(pixels["mean"].get<double>()).margin(0.005));
    else
      CHECK(test::sha256(image.stored.bytes) == pixels["sha256_le"].get<std::string>());
    ++compared;
  }
  CHECK(compared + refused.size() + 1 == all.size());
  CHECK(compared == 21);
}

// The numbers: tests/oracle/dicom.py.
TEST_CASE("Rescaling, windows, palettes and colours are those of pydicom") {
  const std::string where = test::real_data("dicom");
  if (where.empty()) return;
  const auto mean = [](const Tensor<float, 4>& x) {
    double sum = 0;
    for (Index i = 0; i < x.size(); ++i) sum += double{x.data()[i]};
    return sum / static_cast<double>(x.size());
  };
  const DicomImage ct = read_dicom(where + "/CT_small.dcm");
  CHECK(ct.values().shape() == Shape{1, 1, 128, 128});
  CHECK(ct.values()(0, 0, 0, 0) == 175 - 1024);
  CHECK(ct.spacing[1] == Approx(0.661468));

  const Tensor<float, 4> mr = read_dicom(where + "/MR_small.dcm").display();
  CHECK(mean(mr) == Approx(0.443378).margin(2e-6));
  CHECK(mr(0, 0, 0, 0) == Approx(0.691057f).margin(2e-5));
  CHECK(mr(0, 0, 63, 63) == Approx(0.664165f).margin(2e-5));

  const Tensor<float, 4> palette = read_dicom(where + "/examples_palette.dcm").values();
  CHECK(palette.shape() == Shape{1, 3, 350, 800});
  CHECK(mean(palette) == Approx(5246.217143));
  CHECK(palette(0, 0, 0, 0) == 9472);
  CHECK(palette(0, 2, 0, 0) == 24064);
  CHECK(palette(0, 1, 100, 200) == 256);
  CHECK(read_dicom(where + "/rtdose.dcm").values()(0, 0, 0, 0) == Approx(1.249f));
  CHECK(read_dicom(where + "/SC_rgb_rle_2frame.dcm").values().shape() == Shape{2, 3, 100, 100});
}

TEST_CASE("YBR is turned into RGB, interleaved, by planes, and with halved colours") {
  const DicomFolder files;
  // Inputs and results: tests/oracle/dicom.py; pydicom rounds.
  const int rgb[4][3] = {{254, 0, 0}, {0, 255, 1}, {0, 0, 254}, {255, 153, 0}};
  const std::string pixels = "\x4c\x55\xff\x96\x2c\x15\x1d\xff\x6b\xc8\x0a\xfa";
  std::string planes;
  for (std::size_t c = 0; c < 3; ++c)
    for (std::size_t i = 0; i < 4; ++i) planes += pixels[3 * i + c];
  for (const bool planar : {false, true}) {
    DicomWriter w = DicomWriter::image(2, 2, 8, planar ? planes : pixels, "YBR_FULL", 3);
    w.number(0x00280006, planar);
    const Tensor<float, 4> x = files.read(w).values();
    REQUIRE(x.shape() == Shape{1, 3, 2, 2});
    for (Index i = 0; i < 4; ++i)
      for (Index c = 0; c < 3; ++c) CHECK(x(0, c, i / 2, i % 2) == Approx(rgb[i][c]).margin(0.51));
  }
  const DicomImage halved =
      files.read(DicomWriter::image(1, 2, 8, "\x4c\x20\x55\xff", "YBR_FULL_422", 3));
  CHECK(halved.photometric == "YBR_FULL");
  CHECK(halved.stored.bytes == std::vector<unsigned char>{0x4c, 0x55, 0xff, 0x20, 0x55, 0xff});
  CHECK_THAT(error_of<FileError>(
                 [&] { files.read(DicomWriter::image(1, 1, 8, "\1\2\3", "XYZ", 3)).values(); }),
             contains("its colours are 'XYZ'"));
}

TEST_CASE("Signed stored bits, rescaling, MONOCHROME1, several frames") {
  const DicomFolder files;
  // Twelve bits in sixteen, the upper four of which hold something else.
  DicomWriter w = DicomWriter::image(1, 3, 16, words({0xF7FF, 0x0800, 0x3FFF}), "MONOCHROME1");
  w.number(0x00280101, 12).number(0x00280102, 11).number(0x00280103, 1);
  w.text(0x00281053, "DS", "2.5").text(0x00281052, "DS", "-1e1");
  DicomImage image = files.read(w);
  CHECK(image.stored_value(0) == 2047);
  CHECK(image.stored_value(1) == -2048);
  CHECK(image.stored_value(2) == -1);
  CHECK(image.values().values() == std::vector<float>{5107.5f, -5130, -12.5f});
  CHECK(image.display()(0, 0, 0, 0) == 0);  // the largest value is black
  CHECK(image.display()(0, 0, 0, 1) == 1);

  w.text(0x00281050, "DS", "0\\5").text(0x00281051, "DS", "101\\7");  // the first of two windows
  const Tensor<float, 4> shown = files.read(w).display();
  CHECK(shown(0, 0, 0, 0) == 0);
  CHECK(shown(0, 0, 0, 2) == Approx(1 - (-12.0f / 100 + 0.5f)));  // PS3.3, C.11.2.1.2

  DicomWriter frames = DicomWriter::image(1, 2, 8, std::string("\1\2\3\4\5\6", 6));
  frames.text(0x00280008, "IS", "3");
  CHECK(files.read(frames).values().shape() == Shape{3, 1, 1, 2});
  CHECK(files.read(frames).values()(2, 0, 0, 1) == 6);
  // Each frame may have a rescaling and a place of its own (PS3.3, C.7.6.16).
  std::string groups;
  for (int f = 0; f < 3; ++f) {
    DicomWriter group;
    group.item(
        0x00289145,
        DicomWriter().text(0x00281052, "DS", std::to_string(10 * f)).text(0x00281053, "DS", "2"));
    group.item(0x00209113, DicomWriter().text(0x00200032, "DS", "0\\0\\" + std::to_string(4 * f)));
    groups += little(0xE000FFFE, 4) + little(group.data_set().size(), 4) + group.data_set();
  }
  frames.text(0x52009230, "SQ", groups);
  frames.item(0x52009229,
              DicomWriter().item(0x00289110, DicomWriter().text(0x00280030, "DS", "0.5\\0.25")));
  image = files.read(frames);
  CHECK(image.values().values() == std::vector<float>{2, 4, 16, 18, 30, 32});
  CHECK(image.spacing == std::array<double, 3>{4, 0.5, 0.25});

  // The second frame has no item: it is not rescaled. Fewer items than frames are refused.
  DicomWriter hole = frames;
  hole.text(0x52009230, "SQ", frame_groups({"5\\2", "", "-7\\3"}));
  CHECK(files.read(hole).values().values() == std::vector<float>{7, 9, 3, 4, 8, 11});
  hole.item(
      0x52009229,
      DicomWriter().item(0x00289145,
                         DicomWriter().text(0x00281052, "DS", "1").text(0x00281053, "DS", "10")));
  CHECK(files.read(hole).values().values() == std::vector<float>{7, 9, 31, 41, 8, 11});
  hole.text(0x52009230, "SQ", frame_groups({"0\\1", "0\\2", "0\\3", "0\\4"}));
  CHECK(files.read(hole).values().values() == std::vector<float>{1, 2, 6, 8, 15, 18});
  for (const std::size_t items : {1u, 2u}) {
    hole.text(0x52009230, "SQ", frame_groups(std::vector<std::string>(items, "5\\2")));
    CHECK_THAT(error_of<FileError>([&] { files.read(hole); }),
               contains("its image has 3 frames, and (5200,9230)") && contains(" item"));
  }
  image.rescale_of_frame.pop_back();  // a program's own list, too short
  CHECK_THAT(error_of<FileError>([&] { image.values(); }), contains("rescalings (2)"));

  DicomWriter floats = DicomWriter::image(1, 1, 8, "");
  floats.elements.erase(0x7FE00010);
  floats.number(0x00280100, 32).text(0x7FE00008, "OF", std::string("\0\0\x20\x40", 4));
  floats.elements.erase(0x00280101), floats.elements.erase(0x00280102);
  CHECK(files.read(floats).values()(0, 0, 0, 0) == 2.5f);
}

TEST_CASE("Tables of values and colours, also of bytes and of entries that lie aside") {
  const DicomFolder files;
  // Values 10 to 12 are mapped; those outside take the entry at that end (PS3.3, C.11.1.1).
  DicomWriter table;
  table.text(0x00283002, "US", words({3, 10, 16})).text(0x00283006, "US", words({500, 7, 60000}));
  DicomWriter w = DicomWriter::image(1, 4, 8, std::string("\0\x0b\x0c\xff", 4));
  CHECK(files.read(w.item(0x00283000, table)).values().values() ==
        std::vector<float>{500, 7, 60000, 60000});

  DicomWriter colours = DicomWriter::image(1, 3, 8, std::string("\0\1\2", 3), "PALETTE COLOR");
  for (std::uint32_t c = 0; c < 3; ++c) {
    const int base = 10 * static_cast<int>(c);  // bytes, two in a word
    colours.text(0x00281101 + c, "US", words({3, 0, 8}));
    colours.text(0x00281201 + c, "OW", words({base + 1 + 256 * (base + 2), base + 3}));
  }
  const DicomImage image = files.read(colours);
  CHECK(image.values().values() == std::vector<float>{1, 2, 3, 11, 12, 13, 21, 22, 23});
  CHECK(image.display()(0, 2, 0, 2) == 23.0f / 255);
  colours.text(0x00281101, "US", words({9, 0, 8}));
  CHECK_THAT(error_of<FileError>([&] { files.read(colours); }), contains("descriptor says 9"));
}

TEST_CASE("What DCMTK compresses without loss comes back, whatever the codec") {
  const DicomFolder files;
  std::vector<int> values;
  for (int i = 0; i < 2 * 8 * 6; ++i) values.push_back(i * i * 37 % 4096 - 2048);
  DicomWriter grey = DicomWriter::image(8, 6, 16, words(values));
  grey.text(0x00280008, "IS", "2").number(0x00280103, 1);
  std::string colours;
  for (int i = 0; i < 8 * 6 * 3; ++i) colours += static_cast<char>(i * i * 7);
  DicomWriter colour = DicomWriter::image(8, 6, 8, colours, "RGB", 3);
  const DJ_RPLossless jpeg;
  const DJLSRepresentationParameter jpeg_ls;
  struct Codec {
    E_TransferSyntax syntax;
    const DcmRepresentationParameter* how;
  };
  for (const Codec codec : {Codec{EXS_RLELossless, nullptr},
                            {EXS_JPEGProcess14SV1, &jpeg},
                            {EXS_JPEGProcess14, &jpeg},
                            {EXS_JPEGLSLossless, &jpeg_ls},
                            {EXS_BigEndianExplicit, nullptr},
                            {EXS_LittleEndianImplicit, nullptr},
                            {EXS_DeflatedLittleEndianExplicit, nullptr}})
    for (const bool planar : {false, true}) {
      INFO(DcmXfer(codec.syntax).getXferName() << (planar ? ", by planes" : ""));
      colour.number(0x00280006, planar);
      for (const DicomWriter* w : {&grey, &colour}) {
        const std::string path = files.put(w->file());
        const DicomImage before = read_dicom(path),
                         after = read_dicom(recoded(path, codec.syntax, codec.how));
        CHECK(after.transfer_syntax == DcmXfer(codec.syntax).getXferID());
        CHECK(before.stored.shape == after.stored.shape);
        CHECK(before.stored.bytes == after.stored.bytes);
        CHECK(after.photometric == before.photometric);
      }
    }
}

#else

#  include "tests/support/catch.hpp"

TEST_CASE("DICOM is not tested") {
  WARN("skipped: built without DCMTK (Debian: apt-get install libdcmtk-dev)");
}

#endif
