#ifdef EBB_HAVE_DICOM

#  include <ebb/data/dicom_series.hpp>
#  include <ebb/data/dicom_tags.hpp>

#  include "tests/data/dicom_writer.hpp"
#  include "tests/data/real_data.hpp"
#  include "tests/support/match.hpp"
#  include "tests/support/sha256.hpp"
#  include "tests/support/tensors.hpp"
#  include "tests/train/files.hpp"

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
using ebb::test::DicomWriter;
using ebb::test::error_of;
using ebb::test::little;
using ebb::test::words;

namespace {

/// Writes files into a folder of its own and reads them.
struct Folder {
  test::TemporaryFolder folder;
  std::string put(const std::string& content, const std::string& name = "x.dcm") const {
    test::write_file(folder / name, content);
    return folder / name;
  }
  DicomImage read(const DicomWriter& w) const { return read_dicom(put(w.file())); }
  std::string error(const std::string& content, DicomOptions options = {}) const {
    const std::string path = put(content);
    return error_of<FileError>([&] { read_dicom(path, options); });
  }
};

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

}  // namespace

// expected.json was written with pydicom 2.3.1 and GDCM 3.0.21.
TEST_CASE("DICOM files have the values that pydicom reads, or a sentence that says why not") {
  const std::string where = test::real_data("dicom");
  if (where.empty()) return;
  const std::map<std::string, std::string> refused{
      {"MR_small_jp2klossless.dcm", "JPEG 2000"},
      {"MR_truncated.dcm", "claims 8192 bytes, and 8130 are left"},
      {"badVR.dcm", "NumberOfFrames is '1A'"},
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
  CHECK(compared + refused.size() == all.size());
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
  const Folder files;
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
  const Folder files;
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

  DicomWriter floats = DicomWriter::image(1, 1, 8, "");
  floats.elements.erase(0x7FE00010);
  floats.number(0x00280100, 32).text(0x7FE00008, "OF", std::string("\0\0\x20\x40", 4));
  floats.elements.erase(0x00280101), floats.elements.erase(0x00280102);
  CHECK(files.read(floats).values()(0, 0, 0, 0) == 2.5f);
}

TEST_CASE("Tables of values and colours, also of bytes and of entries that lie aside") {
  const Folder files;
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
  const Folder files;
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

TEST_CASE("A shuffled series becomes a volume in the order of positions") {
  const Folder files;
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

TEST_CASE("Elements that identify a person are listed, private and nested ones too") {
  const Folder files;
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
  CHECK(find("(0010,4000)").value == std::string(64, 'x') + "...");
  CHECK(find("(0009,1001)").kind == IdentifyingTag::private_data);
  CHECK(find("(0009,1001)").name == "A COMPANY");
  CHECK(find("(0028,0301)").kind == IdentifyingTag::in_pixels);
  CHECK(find("(0008,2218) 0 > (0008,1050)").value == "Dr. No");
  CHECK(find("(0008,0018)").kind == IdentifyingTag::unique);
  CHECK(found.size() == 8);  // and the UID of the series
}

TEST_CASE("Hostile DICOM files get a sentence, and no memory") {
  const Folder files;
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
  CHECK_THAT(compressed("", rle), contains("fewer frames"));
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

TEST_CASE("DICOM is not tested") {
  WARN("skipped: built without DCMTK (Debian: apt-get install libdcmtk-dev)");
}

#endif
