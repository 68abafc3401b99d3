/// \file
/// Where the pixels of a DICOM image are: spacing, position, orientation. Format: DICOM PS3.3
/// (10.7.1.3, C.7.6.2, C.7.6.16.2, C.8.8.3).
#pragma once

#include <ebb/data/read/dicom/file.hpp>
#include <ebb/data/read/dicom/image.hpp>

namespace ebb::inline EBB_ABI::data::detail {

/// Millimetres between rows and columns, and which element says so.
inline void dicom_pixel_spacing(const DicomFile& file, DicomImage& image) {
  DcmItem& measures = file.group(0, DCM_PixelMeasuresSequence);
  for (const auto& [key, name] :
       {std::pair<DcmTagKey, const char*>{DCM_PixelSpacing, "PixelSpacing"},
        {DCM_ImagerPixelSpacing, "ImagerPixelSpacing"},
        {DCM_NominalScannedPixelSpacing, "NominalScannedPixelSpacing"}}) {
    const auto row = file.number(measures, key, 0), column = file.number(measures, key, 1);
    if (!row || !column || !(*row > 0) || !(*column > 0)) continue;
    image.spacing[1] = *row, image.spacing[2] = *column;
    image.spacing_from = name;
    return;
  }
}

/// Where the frames are: all of them, or the first where others do not say.
inline void dicom_positions(const DicomFile& file, DicomImage& image) {
  const Index described = file.has_frame_groups() ? image.frames : 1;
  for (Index f = 0; f < described; ++f) {
    DcmItem& item = file.group(f, DCM_PlanePositionSequence);
    std::array<double, 3> place{};
    for (std::size_t i = 0; i < 3; ++i) {
      const auto value = file.number(item, DCM_ImagePositionPatient, i);
      if (!value) {
        image.positions.resize(f == 0 ? 0 : 1);
        return;
      }
      place[i] = *value;
    }
    image.positions.push_back(place);
  }
}

/// Voxel size, position, orientation.
inline void dicom_space(const DicomFile& file, DicomImage& image) {
  dicom_pixel_spacing(file, image);
  DcmItem& plane = file.group(0, DCM_PlaneOrientationSequence);
  for (std::size_t i = 0; i < 6; ++i)
    image.orientation[i / 3][i % 3] =
        file.number(plane, DCM_ImageOrientationPatient, i).value_or(0);
  dicom_positions(file, image);
  DcmItem& measures = file.group(0, DCM_PixelMeasuresSequence);
  const auto between = file.number(measures, DCM_SpacingBetweenSlices),
             thickness = file.number(measures, DCM_SliceThickness);
  image.spacing[0] = std::abs(between.value_or(thickness.value_or(0)));
  const auto grid = file.number(DCM_GridFrameOffsetVector, 0),
             next = file.number(DCM_GridFrameOffsetVector, 1);
  if (grid && next) image.spacing[0] = std::abs(*next - *grid);
  if (image.positions.size() > 1) {
    const auto &a = image.positions[0], &b = image.positions[1];
    const double far = std::hypot(b[0] - a[0], b[1] - a[1], b[2] - a[2]);
    if (far > 0) image.spacing[0] = far;
  }
}

}  // namespace ebb::data::detail
