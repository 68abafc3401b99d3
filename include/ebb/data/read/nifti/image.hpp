/// \file
/// What a NIfTI image is once it has been read (nifti.hpp does that).
#pragma once

#include <ebb/data/read/npy.hpp>

#include <array>

namespace ebb::inline EBB_ABI::data {

/// What stands between a header and its elements.
struct NiftiExtension {
  int code = -1;  ///< of the list of nifti1_io.h: 2 DICOM, 4 AFNI, 6 a comment, ...; -1: in no list
  std::vector<unsigned char> bytes;
};

/// A NIfTI image with what its header says of space.
///
/// Axis order: files run along x fastest. `shape` and `voxel_size` are in the file's order (x, y,
/// z, time, ...), as the rows and columns of `affine` are; tensors are row-major, so their axes are
/// reversed (..., time, z, y, x), and a slice at one z is an image of rows y and columns x.
struct Nifti {
  std::string source;  ///< what messages call it
  int version = 1;
  bool big_endian = false;
  std::vector<Index> shape;         ///< (x, y, z, ...)
  std::vector<double> voxel_size;   ///< one per axis of `shape`
  std::string space_unit;           ///< "mm", "m", "um", or "unknown"
  std::string time_unit;            ///< "s", "ms", "us", or "unknown" (or a spectral unit)
  double slope = 1, intercept = 0;  ///< value = slope * stored + intercept
  /// From (x, y, z, 1) in voxels to millimetres (right, anterior, superior, 1), or to `space_unit`.
  std::array<std::array<double, 4>, 4> affine{};
  std::string affine_from;  ///< "sform", "qform", or "voxel sizes" (no orientation is known)
  /// Free texts of the header that are not empty, by name: "descrip", "aux_file", "db_name",
  /// "data_type", "intent_name". They may say who a person is.
  std::vector<std::pair<std::string, std::string>> texts;
  std::uint64_t extension_bytes = 0;       ///< between header and elements; they may, too
  std::vector<NiftiExtension> extensions;  ///< of the first 64 MiB of these bytes
  std::vector<unsigned char>
      after;     ///< what follows the elements, if it is not zeros: the first MiB
  Array stored;  ///< axes reversed, before slope and intercept

  /// Values after slope and intercept, axes reversed: `values<3>()` is (z, y, x).
  /// \throws FileError when the rank is another.
  template <int N>
  Tensor<float, N> values() const {
    if (shape.size() != static_cast<std::size_t>(N))
      throw FileError(
          message(source, ": it has ", shape.size(), " axes, and ", N, " were asked for"));
    Shape<N> extents{};
    for (int axis = 0; axis < N; ++axis)
      extents[axis] = stored.shape[static_cast<std::size_t>(axis)];
    Tensor<float, N> x(extents);
    for (Index i = 0; i < x.size(); ++i)
      x.mutable_data()[i] = static_cast<float>(slope * stored_value(i) + intercept);
    return x;
  }

  /// Element `i` of the file, as a double, before slope and intercept.
  double stored_value(Index i) const { return stored.value(i); }
};

}  // namespace ebb::data
