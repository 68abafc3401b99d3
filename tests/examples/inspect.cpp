#include "tests/data/read/dicom/writer.hpp"
#include "tests/data/real_data.hpp"
#include "tests/examples/medical_images.hpp"
#include "tests/examples/run.hpp"

#include <ebb/io/png.hpp>
#include <ebb/io/weights.hpp>

using namespace ebb;
using namespace ebb::test;

namespace {

struct Inspect {
  TemporaryFolder folder;
  std::string program = example("inspect");

  std::string file(const std::string& name) const { return folder / name; }
  std::string put(const std::string& name, const std::string& content) const {
    write_file(file(name), content);
    return file(name);
  }
  Outcome operator()(const std::vector<std::string>& arguments) const {
    return run(folder, program, arguments);
  }
};

/// A header of NIfTI-1 (nifti1.h) and eight elements.
std::string nifti(const std::string& descrip) {
  std::string header(352, '\0');
  const auto set = [&](std::size_t at, const std::string& bytes) {
    header.replace(at, bytes.size(), bytes);
  };
  set(0, little(348, 4));
  set(40, words({3, 2, 2, 2, 1, 1, 1, 1}));
  set(70, words({4, 16}));
  set(76, std::string("\0\0\x80\x3f\0\0\0\x3f\0\0\0\x3f\0\0\x40\x40", 16));  // 0.5 0.5 3
  set(108, std::string("\0\0\xb0\x43", 4));                                  // 352
  header[123] = 2;
  set(148, descrip);
  set(344, "n+1");
  return header + words({1, 2, 3, 4, 5, 6, 7, -8});
}

}  // namespace

TEST_CASE("inspect says what files hold, whatever they are called", "[inspect]") {
  const Inspect inspect;
  if (inspect.program.empty()) return;
  const std::string images = inspect.put("a", medical_images(2, 1)),
                    volume = inspect.put("b.nii", nifti("Anna Miller, ward 7")),
                    array = inspect.put("c", npy("2, 3", "\1\2\3\4\5\6")),
                    picture = inspect.file("d.jpg"), weights = inspect.file("e");
  io::write_png(picture, 2, 2, 1, {9, 8, 7, 200});
  const io::NamedTensor tensor("layer.weight", Tensor<float, 2>({2, 2}, {-1, 0.5f, 2, 0}));
  io::write_safetensors(weights, std::span(&tensor, 1), {{"trained_on", "Anna's scans"}});
  const std::string torch = inspect.file("f");
  io::write_pytorch(torch, std::span(&tensor, 1), {{"doctor", "Dr Bell"}});
  const Outcome outcome = inspect({images, volume, array, picture, weights, torch});
  INFO(outcome.out << outcome.err);
  CHECK(outcome.code == 0);
  CHECK(outcome.err.empty());
  for (const char* text :
       {"three splits, as MedMNIST", "train_images     96 x 12 x 12  uint8",
        "classes        0: 48, 1: 48", "NIfTI-1 image", "2 x 2 x 2 (x, y, z", "0.5 x 0.5 x 3 mm",
        "-8 to 7", "descrip        Anna Miller, ward 7", "NumPy array", "1 to 6", "PNG image",
        "7 to 200", "layer.weight", "-1 to 2", "trained_on     Anna's scans",
        "PyTorch's file, a state dict say", "doctor         Dr Bell"})
    CHECK_THAT(outcome.out, contains(text));
}

TEST_CASE("inspect goes on after a bad file, and says which", "[inspect]") {
  const Inspect inspect;
  if (inspect.program.empty()) return;
  const std::string good = inspect.put("good.npy", npy("1", "\1"));
  const std::string whole = medical_images(2, 1);
  const Outcome outcome =
      inspect({inspect.put("cut.npz", whole.substr(0, whole.size() / 2)), inspect.file("missing"),
               inspect.put("empty", ""), inspect.put("text", "hello"),
               inspect.put("cut.nii", nifti("").substr(0, 355)),
               inspect.put("bomb.png", std::string("\x89PNG\r\n\x1a\n", 8)),
               inspect.put("cut.safetensors", std::string("\xff\0\0\0\0\0\0\0{", 9)),
               inspect.put("cut.dcm", std::string(128, '\0').append("DICM")), "/dev/null", good});
  INFO(outcome.out << outcome.err);
  CHECK(outcome.code == 1);
  CHECK_THAT(outcome.out, contains("good.npy") && contains("all 1"));
  CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 9);
  for (const char* name : {"cut.npz", "missing", "empty", "text", "cut.nii", "bomb.png",
                           "cut.safetensors", "cut.dcm", "/dev/null"})
    CHECK_THAT(outcome.err, contains(name));
  CHECK(inspect({}).code == 2);
  CHECK(inspect({"--help"}).code == 0);
  CHECK(inspect({"--none"}).code == 2);
}

TEST_CASE("inspect lists what identifies a person in a DICOM file", "[inspect]") {
  const Inspect inspect;
  if (inspect.program.empty()) return;
  DicomWriter w = DicomWriter::image(2, 2, 16, words({0, 100, 200, 300}));
  w.text(0x00100010, "PN", "Miller^Anna").text(0x00281052, "DS", "-1000");
  w.text(0x00090010, "LO", "A COMPANY").text(0x00091001, "LO", "secret");
  w.text(0x00091002, "OB", "\1\2");
  w.text(0x00280030, "DS", "0.5\\0.25").text(0x00200032, "DS", "0\\0\\0");
  w.text(0x00200037, "DS", "1\\0\\0\\0\\1\\0");
  const std::string path = inspect.put("x", w.file());
  const Outcome outcome = inspect({path});
  INFO(outcome.out << outcome.err);
  if (outcome.err.find("without DCMTK") != std::string::npos) {
    CHECK(outcome.code == 1);
    CHECK_THAT(outcome.err, contains("libdcmtk-dev"));
    return;
  }
  CHECK(outcome.code == 0);
  for (const char* text :
       {"SecondaryCaptureImageStorage (OT)", "Little Endian Explicit", "1 frame of 2 x 2",
        "MONOCHROME2, 16 bits, unsigned", "0.5 x 0.25 mm", "-1000 to -700", "value = stored - 1000",
        "(0010,0010) PatientName: Miller^Anna", "(0009,1001) A COMPANY: secret",
        "private        1 more elements that only their maker knows (A COMPANY: 1)"})
    CHECK_THAT(outcome.out, contains(text));
  CHECK_THAT(outcome.out, !contains("(0009,1002)"));
  CHECK_THAT(inspect({"--all", path}).out, contains("(0009,1002) A COMPANY: 2 bytes") &&
                                               contains("(0020,000E) SeriesInstanceUID: 1.2.3"));

  const std::string folder = inspect.file("series");
  std::filesystem::create_directory(folder);
  for (int k = 0; k < 3; ++k) {
    w.text(0x00200032, "DS", "0\\0\\" + std::to_string(7 - 2 * k));
    write_file(folder + "/" + std::to_string(k), w.file());
  }
  const Outcome series = inspect({folder});
  INFO(series.out << series.err);
  CHECK(series.code == 0);
  CHECK_THAT(series.out, contains("3 x 2 x 2 (slices x rows x columns)") &&
                             contains("2 x 0.5 x 0.25 mm") && contains("2 ... 0") &&
                             contains("Miller^Anna (3 of 3 files)"));
  // What one of them says alone is said, too; what is no DICOM is named.
  w.text(0x00104000, "LT", "of one slice");
  write_file(folder + "/1", w.text(0x00200032, "DS", "0\\0\\5").file());
  write_file(folder + "/list", "a list");
  CHECK_THAT(inspect({folder}).out,
             contains("of one slice (1 of 3 files)") && contains("not looked at    list"));

  // People are listed also where the pixels cannot be decoded; the exit code says so.
  const Outcome coded = inspect({inspect.put("j2k", w.file("1.2.840.10008.1.2.4.90"))});
  CHECK(coded.code == 1);
}

TEST_CASE("inspect takes every real file there is, and crashes on none", "[inspect]") {
  const Inspect inspect;
  const std::string dicom = real_data("dicom"), nifti_files = real_data("nifti");
  if (inspect.program.empty() || dicom.empty() || nifti_files.empty()) return;
  std::vector<std::string> files;
  for (const std::string& folder : {dicom, nifti_files})
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
      files.push_back(entry.path().string());
  const Outcome outcome = inspect(files);
  CHECK(outcome.signal == 0);
  CHECK(outcome.code == 1);
  CHECK_THAT(outcome.err, contains("copy both"));
  CHECK_THAT(outcome.out, contains("descrip        spm - 3D normalized"));
  if (outcome.err.find("without DCMTK") == std::string::npos)
    CHECK_THAT(outcome.out, contains("(0010,0010) PatientName: CompressedSamples^CT1"));
}
