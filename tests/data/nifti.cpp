#include <ebb/data/nifti.hpp>

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
  CHECK(read_nifti(where + "/example_nifti2.nii.gz").texts == Texts{{"descrip", "FSL3.3"}});
  CHECK(read_nifti(where + "/example4d.nii.gz").extension_bytes == 64);  // vox_offset 416
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
