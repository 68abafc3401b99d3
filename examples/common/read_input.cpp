#include "read_input.hpp"

#include <ebb/data/read/nifti.hpp>
#ifdef EBB_HAVE_DICOM
#  include <ebb/data/read/dicom.hpp>
#endif

#include <cmath>
#include <fstream>

namespace data = ebb::data;
using ebb::Index;

namespace {

bool is_dicom(const std::string& path) {
  char head[132] = {};
  std::ifstream file(path, std::ios::binary);
  file.read(head, sizeof head);
  return path.ends_with(".dcm") ||
         (file.gcount() == sizeof head && std::string(head + 128, 4) == "DICM");
}

bool is_nifti(const std::string& path) {
  return path.ends_with(".nii") || path.ends_with(".nii.gz") || path.ends_with(".hdr");
}

ebb::FileError no_pixels(const std::string& path) {
  return ebb::FileError("'" + path + "': it holds no pixels; give a file with an image in it");
}

// Pictures of planes of (planes, channels, rows, columns).
std::vector<Picture> planes(const std::string& path, const ebb::Tensor<float, 4>& x, bool all,
                            std::array<double, 2> spacing, const std::string& unit) {
  const Index count = x.extent(0), each = x.size() / std::max<Index>(count, 1);
  if (x.size() == 0) throw no_pixels(path);
  std::vector<Picture> pictures;
  for (Index k = all ? 0 : count / 2; k < (all ? count : count / 2 + 1); ++k) {
    Picture picture{count > 1 ? ebb::message(path, " slice ", k + 1, " of ", count) : path,
                    data::ByteImage({x.extent(1), x.extent(2), x.extent(3)})};
    for (Index i = 0; i < each; ++i)
      picture.image.mutable_data()[i] = static_cast<std::uint8_t>(
          std::lround(255 * std::fmin(std::fmax(x.data()[k * each + i], 0), 1)));
    if (spacing[0] > 0 && spacing[1] > 0) picture.spacing = spacing, picture.unit = unit;
    pictures.push_back(std::move(picture));
  }
  return pictures;
}

std::vector<Picture> read_volume(const std::string& path, bool all) {
  const data::Nifti image = data::read_nifti(path);
  const auto extent = [&](std::size_t axis) {
    return axis < image.shape.size() ? image.shape[axis] : Index{1};
  };
  const Index columns = extent(0), rows = extent(1), slices = extent(2);
  const auto value = [&](Index i) {
    return static_cast<float>(image.slope * image.stored_value(i) + image.intercept);
  };
  ebb::Tensor<float, 4> x({slices, 1, rows, columns});
  if (x.size() == 0) throw no_pixels(path);
  float least = HUGE_VALF, most = -HUGE_VALF;
  for (Index i = 0; i < x.size(); ++i) {
    const float v = x.mutable_data()[i] = value(i);
    if (std::isfinite(v)) least = std::fmin(least, v), most = std::fmax(most, v);
  }
  if (!(most > least))
    throw ebb::FileError("'" + path + "': all its values are the same; there is nothing to see");
  for (Index i = 0; i < x.size(); ++i) {
    float& v = x.mutable_data()[i];
    v = std::isfinite(v) ? (v - least) / (most - least) : 0;
  }
  const auto& size = image.voxel_size;
  return planes(path, x, all, size.size() > 1 ? std::array{size[1], size[0]} : std::array{0.0, 0.0},
                image.space_unit);
}

}  // namespace

std::vector<Picture> read_input(const std::string& path, bool all_slices, Range range) {
  if (is_nifti(path)) return read_volume(path, all_slices);
  if (is_dicom(path)) {
#ifdef EBB_HAVE_DICOM
    const data::DicomImage image = data::read_dicom(path);
    return planes(path, image.display(), all_slices, {image.spacing[1], image.spacing[2]},
                  image.spacing_from == "ImagerPixelSpacing" ? "mm at the detector" : "mm");
#else
    throw ebb::FileError("'" + path +
                         "': this program was built without DCMTK, which reads DICOM; install it "
                         "(Debian: apt-get install libdcmtk-dev), then configure and build again");
#endif
  }
  Picture picture{path, data::read_image(path, {.range = range.value_or(data::ValueRange{})})};
  assume_range(range, path, {&path, 1});
  return {std::move(picture)};
}
