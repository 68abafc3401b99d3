/// \file
/// A folder of DICOM slices as a volume, sorted by where the slices are.
#pragma once

#include <ebb/data/read/dicom.hpp>

#include <fstream>
#include <map>
#include <set>

namespace ebb::inline EBB_ABI::data {

struct DicomSeriesOptions {
  std::string series;       ///< UID; needed where a folder holds several series
  double tolerance = 0.02;  ///< of distances between slices, as a share of their median
  DicomOptions limits;      ///< `most_bytes` is also that of the volume
};

/// A volume of slices at equal distances.
///
/// Axes of `values`, `spacing` and `axes`: slices, rows, columns, so that `values(k, i, j)` is at
/// origin + k spacing[0] axes[0] + i spacing[1] axes[1] + j spacing[2] axes[2].
struct DicomVolume {
  std::string series, modality;
  std::string unit;                             ///< of values: "HU" of a CT, say; "" if not said
  Tensor<float, 3> values;                      ///< after rescaling; padding takes the least value
  std::array<double, 3> spacing{};              ///< millimetres
  std::array<double, 3> origin{};               ///< (left, posterior, superior), millimetres
  std::array<std::array<double, 3>, 3> axes{};  ///< unit vectors, right-handed
  std::vector<std::string> files;               ///< in the order of the slices
};

namespace detail {

struct DicomSlice {
  std::string path;
  DicomImage image;
  double place = 0;  ///< along the normal
};

inline double dot(const std::array<double, 3>& a, const std::array<double, 3>& b) {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

/// The regular files of a folder, in an order of its own, whatever the file system's.
/// \throws FileError when it cannot be read.
inline std::set<std::string> files_of_folder(const char* who, const std::string& folder) {
  namespace fs = std::filesystem;
  std::error_code error;
  std::set<std::string> paths;
  for (fs::directory_iterator at(os::native(folder), error), end; !error && at != end;
       at.increment(error))
    if (at->is_regular_file(error)) paths.insert(os::utf8(at->path()));
  if (error)
    throw FileError(
        message(who, ": '", folder, "': it cannot be read as a folder (", error.message(), ")"));
  return paths;
}

/// Whether a file has DICOM's letters behind its preamble; others are lists, pictures, texts.
inline bool begins_as_dicom(const std::string& path) {
  char letters[4] = {};
  std::ifstream stream(std::filesystem::path(os::native(path)), std::ios::binary);
  return stream.seekg(128) && stream.read(letters, 4) && std::memcmp(letters, "DICM", 4) == 0;
}

/// The DICOM files of a folder with pixels, of one series.
inline std::vector<DicomSlice> dicom_slices(const std::string& folder,
                                            const DicomSeriesOptions& options) {
  const auto fail = [&](const std::string& what) {
    throw FileError(message("read_dicom_series: '", folder, "': ", what));
  };
  std::vector<DicomSlice> slices;
  std::map<std::string, int> all;
  std::uint64_t bytes = 0;
  for (const std::string& path : files_of_folder("read_dicom_series", folder)) {
    if (!begins_as_dicom(path)) continue;
    const DicomFile file("read_dicom_series", path, options.limits);
    const std::string series = file.text(DCM_SeriesInstanceUID);
    if (!file.data->tagExists(DCM_PixelData)) continue;  // a plan, a report, a DICOMDIR
    ++all[series];
    if (!options.series.empty() && series != options.series) continue;
    if (options.series.empty() && all.size() > 1) continue;
    DicomSlice slice{path, dicom_image(file, options.limits), 0};
    bytes += slice.image.stored.bytes.size() +
             sizeof(float) * static_cast<std::uint64_t>(slice.image.stored.size());
    if (bytes > options.limits.most_bytes)
      fail(message("its slices need more than the ", options.limits.most_bytes,
                   " bytes that are allowed; raise DicomOptions::most_bytes if that is meant"));
    slices.push_back(std::move(slice));
  }
  std::string names;
  for (const auto& [series, count] : all)
    names += message(names.empty() ? "" : ", ", series, " (", count, " files)");
  if (options.series.empty() && all.size() > 1)
    fail(message("it holds ", all.size(), " series: ", names,
                 "; name one in DicomSeriesOptions::series"));
  if (slices.empty())
    fail(all.empty() ? std::string("it holds no DICOM images")
                     : message("it holds no series ", options.series, "; it holds ", names));
  return slices;
}

/// Puts the least of all other values where slices are padding.
inline void fill_padding(DicomVolume& volume, const std::vector<DicomSlice>& slices) {
  float* const to = volume.values.mutable_data();
  const Index area = volume.values.extent(1) * volume.values.extent(2);
  float least = std::numeric_limits<float>::infinity();
  for (const bool fill : {false, true})
    for (std::size_t k = 0; k < slices.size(); ++k) {
      const DicomImage& image = slices[k].image;
      float* const at = to + static_cast<Index>(k) * area;
      for (Index i = 0; i < area && (!fill || image.padding); ++i) {
        const bool padding = image.is_padding(i);
        if (fill && padding && math::is_finite(least)) at[i] = least;
        if (!fill && !padding && math::is_finite(at[i])) least = std::min(least, at[i]);
      }
    }
}

}  // namespace detail

/// Reads the slices of one series, sorted by position along their common normal, as a volume. Files
/// that are not DICOM, or hold no image, are passed over.
/// \throws FileError when the folder holds several series and none is named, or slices that differ
/// in size, orientation or pixel spacing, are doubled or missing, or do not lie above each other.
inline DicomVolume read_dicom_series(const std::string& folder,
                                     const DicomSeriesOptions& options = {}) {
  using detail::dot;
  std::vector<detail::DicomSlice> slices = detail::dicom_slices(folder, options);
  const auto fail = [&](const std::string& what) {
    throw FileError(message("read_dicom_series: '", folder, "': ", what));
  };
  const auto name = [](const detail::DicomSlice& slice) {
    return "'" + os::utf8(std::filesystem::path(os::native(slice.path)).filename()) + "'";
  };
  const DicomImage& one = slices[0].image;
  const auto &along = one.orientation[0], &down = one.orientation[1];
  const std::array<double, 3> normal{along[1] * down[2] - along[2] * down[1],
                                     along[2] * down[0] - along[0] * down[2],
                                     along[0] * down[1] - along[1] * down[0]};
  for (auto& slice : slices) {
    const DicomImage& image = slice.image;
    if (!image.grey()) fail(message(name(slice), " is in colour; a volume is of grey values"));
    if (image.frames != 1)
      fail(message(name(slice), " has ", image.frames,
                   " frames, and is a volume by itself; use read_dicom"));
    if (image.positions.empty() || std::abs(dot(normal, normal) - 1) > 1e-3)
      fail(message(name(slice), " does not say where it is (ImagePositionPatient, ",
                   "ImageOrientationPatient); the order of slices cannot be known"));
    if (image.rows != one.rows || image.columns != one.columns)
      fail(message(name(slice), " is ", image.rows, "x", image.columns, ", and ", name(slices[0]),
                   " is ", one.rows, "x", one.columns, "; leave one kind out"));
    for (std::size_t a = 0; a < 2; ++a) {
      if (dot(image.orientation[a], one.orientation[a]) < 1 - 1e-4)
        fail(message(name(slice), " lies at an angle to ", name(slices[0]),
                     " (ImageOrientationPatient); leave one kind out"));
      if (std::abs(image.spacing[a + 1] - one.spacing[a + 1]) > 1e-3 * one.spacing[a + 1])
        fail(message(name(slice), " has another pixel spacing than ", name(slices[0])));
    }
    slice.place = dot(image.positions[0], normal);
  }
  std::stable_sort(slices.begin(), slices.end(),
                   [](const auto& a, const auto& b) { return a.place < b.place; });

  std::vector<double> gaps;
  for (std::size_t i = 1; i < slices.size(); ++i)
    gaps.push_back(slices[i].place - slices[i - 1].place);
  double median = one.spacing[0];
  if (!gaps.empty()) {
    std::vector<double> sorted = gaps;
    std::nth_element(sorted.begin(), sorted.begin() + static_cast<Index>(sorted.size() / 2),
                     sorted.end());
    median = sorted[sorted.size() / 2];
  }
  for (std::size_t i = 0; i < gaps.size(); ++i)
    if (!(gaps[i] > 1e-3))
      fail(message(name(slices[i]), " and ", name(slices[i + 1]),
                   " are at the same place; a slice is doubled, or the ",
                   "folder holds several phases; leave one out"));
  for (std::size_t i = 0; i < gaps.size(); ++i) {
    const auto &a = slices[i], &b = slices[i + 1];
    if (std::abs(gaps[i] - median) > options.tolerance * median)
      fail(message(
          "between ", name(a), " and ", name(b), " are ", gaps[i], " mm, and ", median,
          " mm between most: ",
          gaps[i] > 1.5 * median ? "a slice is missing" : "the slices are not equally far"));
    const auto &p = a.image.positions[0], &q = b.image.positions[0];
    std::array<double, 3> aside{};
    for (std::size_t k = 0; k < 3; ++k) aside[k] = q[k] - p[k] - gaps[i] * normal[k];
    if (std::sqrt(dot(aside, aside)) > options.tolerance * median)
      fail(message(name(b), " is shifted sideways against ", name(a),
                   " (a tilted gantry, say); the slices are no box of voxels"));
  }

  const detail::DicomSlice& first = slices[0];
  DicomVolume volume;
  volume.series = first.image.series, volume.modality = first.image.modality;
  volume.unit = first.image.unit;
  volume.spacing = {median, first.image.spacing[1], first.image.spacing[2]};
  volume.origin = first.image.positions[0];
  volume.axes = {normal, down, along};
  const Index count = static_cast<Index>(slices.size()), area = one.rows * one.columns;
  volume.values = Tensor<float, 3>({count, one.rows, one.columns});
  float* to = volume.values.mutable_data();
  for (Index k = 0; k < count; ++k) {
    detail::DicomSlice& slice = slices[static_cast<std::size_t>(k)];
    volume.files.push_back(slice.path);
    const Tensor<float, 4> values = slice.image.values();
    std::copy_n(values.data(), area, to + k * area);
  }
  detail::fill_padding(volume, slices);
  return volume;
}

}  // namespace ebb::data
