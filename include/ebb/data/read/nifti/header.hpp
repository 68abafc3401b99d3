/// \file
/// Headers of NIfTI-1 and NIfTI-2 images, and their extensions. Formats: nifti1.h and nifti2.h of
/// the NIfTI Data Format Working Group.
#pragma once

#include <ebb/core/finite.hpp>
#include <ebb/data/read/nifti/extensions.hpp>

#include <optional>

namespace ebb::inline EBB_ABI::data {

struct NiftiOptions {
  /// Larger images are refused before memory is taken for them.
  std::uint64_t most_bytes = std::uint64_t{1} << 33;
};

}  // namespace ebb::data

namespace ebb::inline EBB_ABI::data::detail {

/// Numbers at places of a NIfTI header, in the header's byte order.
struct NiftiHeader {
  std::vector<unsigned char> bytes;
  bool swapped = false;

  template <class T>
  T at(std::size_t place) const {
    unsigned char raw[sizeof(T)];
    std::memcpy(raw, bytes.data() + place, sizeof(T));
    if (swapped) std::reverse(raw, raw + sizeof(T));
    T value;
    std::memcpy(&value, raw, sizeof(T));
    return value;
  }
  /// A number that is narrow in version 1, wide in version 2.
  double real(bool two, std::size_t first, std::size_t second, std::size_t i = 0) const {
    return two ? at<double>(second + 8 * i) : double{at<float>(first + 4 * i)};
  }
};

inline ElementType nifti_type(const GzipReader& file, int code) {
  switch (code) {
    case 2:
      return {'u', 1};
    case 4:
      return {'i', 2};
    case 8:
      return {'i', 4};
    case 16:
      return {'f', 4};
    case 64:
      return {'f', 8};
    case 256:
      return {'i', 1};
    case 512:
      return {'u', 2};
    case 768:
      return {'u', 4};
    case 1024:
      return {'i', 8};
    case 1280:
      return {'u', 8};
    default:
      file.fail(message("its datatype is ", code,
                        code == 32 || code == 1792    ? " (complex numbers)"
                        : code == 128 || code == 2304 ? " (colours)"
                                                      : "",
                        ", which this reader has no type for; convert it to float32"));
  }
}

/// The rotation of the qform: nifti1.h, "QUATERNION REPRESENTATION OF ROTATION MATRIX".
inline void nifti_qform(Nifti& image, double b, double c, double d, double qfac, const double* size,
                        const double* offset) {
  const double rest = 1 - (b * b + c * c + d * d);
  double a = 0;
  if (rest > 1e-7) {
    a = std::sqrt(rest);
  } else {  // half a turn
    const double scale = 1 / std::sqrt(b * b + c * c + d * d);
    b *= scale, c *= scale, d *= scale;
  }
  const double rotation[3][3] = {
      {a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)},
      {2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)},
      {2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - c * c - b * b}};
  for (std::size_t row = 0; row < 3; ++row) {
    for (std::size_t column = 0; column < 3; ++column)
      image.affine[row][column] =
          rotation[row][column] * size[column] * (column == 2 && qfac < 0 ? -1 : 1);
    image.affine[row][3] = offset[row];
  }
}

inline void nifti_texts(Nifti& image, const NiftiHeader& header, bool two) {
  struct Text {
    const char* name;
    std::size_t first, second, length;  // place in version 1 and 2
  };
  for (const Text& t :
       {Text{"data_type", 4, 0, 10}, Text{"db_name", 14, 0, 18}, Text{"descrip", 148, 240, 80},
        Text{"aux_file", 228, 320, 24}, Text{"intent_name", 328, 508, 16}}) {
    const std::size_t place = two ? t.second : t.first;
    if (place == 0) continue;
    const char* from = reinterpret_cast<const char*>(header.bytes.data()) + place;
    std::string text(from, t.length);  // also what stands behind a zero
    std::replace(text.begin(), text.end(), '\0', ' ');
    text.erase(text.find_last_not_of(' ') + 1);
    if (!text.empty()) image.texts.emplace_back(t.name, std::move(text));
  }
}

inline void nifti_orientation(Nifti& image, const NiftiHeader& header, bool two) {
  image.affine[3][3] = 1;
  double size[3], offset[3];
  for (std::size_t i = 0; i < 3; ++i) {
    size[i] = header.real(two, 80, 112, i);
    offset[i] = header.real(two, 268, 376, i);
  }
  const int qform = two ? header.at<std::int32_t>(344) : header.at<std::int16_t>(252);
  const int sform = two ? header.at<std::int32_t>(348) : header.at<std::int16_t>(254);
  if (sform > 0) {
    image.affine_from = "sform";
    for (std::size_t i = 0; i < 12; ++i) image.affine[i / 4][i % 4] = header.real(two, 280, 400, i);
  } else if (qform > 0) {
    image.affine_from = "qform";
    nifti_qform(image, header.real(two, 256, 352), header.real(two, 260, 360),
                header.real(two, 264, 368), header.real(two, 76, 104), size, offset);
  } else {
    image.affine_from = "voxel sizes";
    for (std::size_t i = 0; i < 3; ++i) image.affine[i][i] = size[i];
  }
}

/// A header that has been read, and where its elements are.
struct NiftiStart {
  Nifti image;
  bool pair = false, swapped = false;
  std::uint64_t bytes = 0;  ///< of elements
  std::uint64_t skip = 0;   ///< from where the elements' file is now
};

inline NiftiStart nifti_start(const char* who, const std::string& path, GzipReader& file,
                              NiftiOptions options) {
  NiftiHeader header;
  header.bytes.resize(540);
  if (file.read(header.bytes.data(), 348) < 348)
    file.fail("it ends within its header: it is truncated, or no NIfTI file");
  constexpr bool big_host = std::endian::native == std::endian::big;
  auto length = header.at<std::int32_t>(0);
  if (length != 348 && length != 540) {
    header.swapped = true;
    length = header.at<std::int32_t>(0);
  }
  const bool two = length == 540;
  const std::string magic(reinterpret_cast<char*>(header.bytes.data()) + (two ? 4 : 344), 3);
  const bool pair = magic == (two ? "ni2" : "ni1");
  if ((length != 348 && length != 540) || (!pair && magic != (two ? "n+2" : "n+1")))
    file.fail("it is no NIfTI file: neither its header's length nor its magic is NIfTI's");
  if (two && file.read(header.bytes.data() + 348, 192) < 192)
    file.fail("it ends within its header: it is truncated; copy it again");

  NiftiStart start;
  Nifti& image = start.image;
  image.source = message(who, ": '", path, "'");
  image.version = two ? 2 : 1;
  image.big_endian = header.swapped != big_host;
  const auto extent = [&](std::size_t i) -> std::int64_t {
    return two ? header.at<std::int64_t>(16 + 8 * i) : header.at<std::int16_t>(40 + 2 * i);
  };
  const std::int64_t rank = extent(0);
  if (rank < 1 || rank > 7)
    file.fail(message("its header says it has ", rank, " axes, not 1 to 7; it is damaged"));
  image.stored.source = image.source;
  image.stored.type = nifti_type(file, header.at<std::int16_t>(two ? 12 : 70));
  auto bytes = static_cast<std::uint64_t>(image.stored.type.bytes);
  for (std::size_t i = 1; i <= static_cast<std::size_t>(rank); ++i) {
    const std::int64_t e = extent(i);
    if (e < 1)
      file.fail(message("its header gives axis ", i, " the extent ", e, "; it is damaged"));
    if (bytes > options.most_bytes / static_cast<std::uint64_t>(e))
      file.fail(message("its header promises more than the ", options.most_bytes,
                        " bytes that are allowed; it is damaged, or raise "
                        "NiftiOptions::most_bytes"));
    bytes *= static_cast<std::uint64_t>(e);
    image.shape.push_back(e);
    image.voxel_size.push_back(header.real(two, 76, 104, i));
  }
  image.stored.shape.assign(image.shape.rbegin(), image.shape.rend());
  const int units = two ? header.at<std::int32_t>(500) : header.bytes[123];
  const int space = units & 7, time = units & 56;
  image.space_unit = space == 1 ? "m" : space == 2 ? "mm" : space == 3 ? "um" : "unknown";
  image.time_unit = time == 8    ? "s"
                    : time == 16 ? "ms"
                    : time == 24 ? "us"
                    : time == 32 ? "Hz"
                    : time == 40 ? "ppm"
                    : time == 48 ? "rad/s"
                                 : "unknown";
  const double slope = header.real(two, 112, 176), intercept = header.real(two, 116, 184);
  if (slope != 0 && math::is_finite(slope) && math::is_finite(intercept))
    image.slope = slope, image.intercept = intercept;  // a slope of 0 means: not scaled
  nifti_orientation(image, header, two);
  nifti_texts(image, header, two);

  const double offset =
      two ? static_cast<double>(header.at<std::int64_t>(168)) : double{header.at<float>(108)};
  const double least = pair ? 0 : length + 4;
  if (!(offset >= least && offset < 1e9))
    file.fail(message("its header says its elements begin at byte ", offset, ", not from ", least,
                      " on; it is damaged"));
  start.bytes = bytes, start.skip = static_cast<std::uint64_t>(offset);
  start.pair = pair, start.swapped = header.swapped;
  if (pair) {
    nifti_extensions(file, image, std::numeric_limits<std::uint64_t>::max());
  } else {
    nifti_extensions(file, image, start.skip - static_cast<std::uint64_t>(length));
    start.skip = 0;
  }
  return start;
}

}  // namespace ebb::data::detail
