#include <ebb/data/read/nifti.hpp>

#include "tests/data/real_data.hpp"
#include "tests/support/tensors.hpp"
#include "tests/train/files.hpp"

#include <nlohmann/json.hpp>

using namespace ebb;
using namespace ebb::data;
using ebb::test::contains;
using ebb::test::error_of;

// expected.json was written with nibabel.
TEST_CASE("NIfTI files have the values that nibabel reads") {
  const std::string where = test::real_data("nifti");
  if (where.empty()) return;
  const auto all = nlohmann::json::parse(test::read_file(where + "/expected.json"));
  int compared = 0;
  for (const auto& [name, expected] : all.items()) {
    INFO(name);
    if (!expected.contains("shape")) continue;
    const Nifti image = read_nifti(where + "/" + name);
    CHECK(image.shape == expected["shape"].get<std::vector<Index>>());
    CHECK(to_string(image.stored.type) == expected["on_disk_dtype"].get<std::string>());
    CHECK(image.big_endian == (expected["endian"] == "big"));
    for (std::size_t i = 0; i < 16; ++i)
      CHECK(image.affine[i / 4][i % 4] ==
            Approx(expected["affine"][i / 4][i % 4].get<double>()).margin(1e-5));
    double least = 1e300, most = -1e300, sum = 0;
    const Index n = image.stored.size();
    for (Index i = 0; i < n; ++i) {
      const double value = image.slope * image.stored_value(i) + image.intercept;
      least = std::min(least, value), most = std::max(most, value), sum += value;
    }
    CHECK(least == Approx(expected["scaled_min"].get<double>()));
    CHECK(most == Approx(expected["scaled_max"].get<double>()));
    CHECK(sum / static_cast<double>(n) == Approx(expected["scaled_mean_finite"].get<double>()));
    for (const auto& voxel : expected["voxels"]) {
      Index at = 0;
      for (std::size_t axis = image.shape.size(); axis-- > 0;)
        at = at * image.shape[axis] + voxel["index"][axis].get<Index>();
      CHECK(image.slope * image.stored_value(at) + image.intercept ==
            Approx(voxel["value"].get<double>()));
    }
    ++compared;
  }
  CHECK(compared == 6);
  CHECK(contains(error_of<FileError>([&] { read_nifti(where + "/nifti1.hdr"); }), "copy both"));
  using Texts = std::vector<std::pair<std::string, std::string>>;
  CHECK(read_nifti(where + "/anatomical.nii").texts == Texts{{"descrip", "spm - 3D normalized"}});
  CHECK(read_nifti(where + "/example_nifti2.nii.gz").texts ==
        Texts{{"descrip", "FSL3.3  v2.25 NIfTI-1 Single file format"}});
  CHECK(read_nifti(where + "/example4d.nii.gz").extension_bytes == 64);  // vox_offset 416
  CHECK(nifti_info(where + "/anatomical.nii").shape == std::vector<Index>{33, 41, 25});
  const auto values = read_nifti(where + "/anatomical.nii").values<3>();
  CHECK(values.shape() == Shape{25, 41, 33});
  CHECK(values(12, 20, 16) == 11881);

  const test::TemporaryFolder folder;
  const std::string whole = test::read_file(where + "/anatomical.nii"), path = folder / "x.nii";
  const auto error = [&](const std::string& content) {
    test::write_file(path, content);
    return error_of<FileError>([&] { read_nifti(path); });
  };
  for (const std::size_t length : {0, 3, 347, 348, 351, 352, 1000, 68001})
    CHECK(contains(error(whole.substr(0, length)), "x.nii"));
  const auto changed = [&](std::size_t at, const std::string& to) {
    return error(std::string(whole).replace(at, to.size(), to));
  };
  CHECK(contains(changed(40, std::string("\0\x09", 2)), "axes"));
  CHECK(contains(changed(42, "\xff\xff"), "extent -1"));
  CHECK(contains(changed(40, std::string("\0\7", 2) + std::string(14, '\x7f')), "allowed"));
  CHECK(contains(changed(70, std::string("\0\x20", 2)), "complex"));
  CHECK(contains(changed(108, "\x7f\xc0\x01\x01"), "begin at byte"));
  CHECK(contains(changed(344, "xyz"), "no NIfTI"));
}

// The layout: nifti1.h, "extended header information".
TEST_CASE("Extensions of NIfTI, and what follows the elements, are read") {
  const test::TemporaryFolder folder;
  for (const bool big : {false, true}) {
    const auto number = [&](std::uint64_t value, int bytes) {
      std::string text;
      for (int i = 0; i < bytes; ++i)
        text += static_cast<char>(value >> 8 * (big ? bytes - 1 - i : i) & 0xFF);
      return text;
    };
    std::string file(348, '\0');
    const auto set = [&](std::size_t at, const std::string& bytes) {
      file.replace(at, bytes.size(), bytes);
    };
    set(0, number(348, 4)), set(40, number(1, 2) + number(2, 2)), set(70, number(2, 2));
    set(108, big ? std::string("\x43\xc8\0\0", 4) : std::string("\0\0\xc8\x43", 4));  // 400
    set(148, std::string("descrip\0behind", 14)), set(344, "n+1");
    const std::string start = file;
    file += std::string("\1\0\0\0", 4) + number(16, 4) + number(6, 4) + "comment." + number(16, 4) +
            number(2, 4) + "dicom..." + "not a list" + std::string(6, '\0') + "\5\6";
    test::write_file(folder / "x.nii", file + "after");
    const Nifti image = read_nifti(folder / "x.nii");
    const auto text = [](const std::vector<unsigned char>& bytes) {
      return std::string(bytes.begin(), bytes.end());
    };
    CHECK(image.big_endian == big);
    CHECK(image.stored.bytes == std::vector<unsigned char>{5, 6});
    CHECK(image.texts.at(0).second == "descrip behind");
    CHECK(image.extension_bytes == 48);
    REQUIRE(image.extensions.size() == 3);
    CHECK(image.extensions[0].code == 6);
    CHECK(text(image.extensions[0].bytes) == "comment.");
    CHECK(image.extensions[1].code == 2);
    CHECK(image.extensions[2].code == -1);
    CHECK(text(image.extensions[2].bytes).substr(0, 10) == "not a list");
    CHECK(text(image.after) == "after");
    // Of a pair they follow the header. A length that lies ends the list.
    std::string header = start;
    header.replace(344, 3, "ni1").replace(108, 4, std::string(4, '\0'));
    header += std::string("\1\0\0\0", 4) + number(1000, 4) + number(6, 4) + "lie";
    test::write_file(folder / "y.hdr", header);
    test::write_file(folder / "y.img", "\5\6");
    CHECK(text(read_nifti(folder / "y.hdr").extensions.at(0).bytes).ends_with("lie"));
  }
}
