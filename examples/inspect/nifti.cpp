#include <ebb/data/read/nifti.hpp>

#include "inspect.hpp"

#include <cstdio>

namespace data = ebb::data;

namespace {

// Codes of extensions: nifti1_io.h of the NIfTI clibs.
const char* extension(int code) {
  switch (code) {
    case 2:
      return "a DICOM data set";
    case 4:
      return "AFNI's XML";
    case 6:
      return "comment";
    case 8:
      return "XCEDE's XML";
    case 14:
      return "FreeSurfer's";
    case 16:
      return "a Python pickle";
    case 32:
      return "CIFTI's XML";
    case 40:
      return "MATLAB's";
    case 44:
      return "of spectroscopy, JSON";
    default:
      return "of another kind";
  }
}

void people(const data::Nifti& image) {
  if (image.texts.empty() && image.extension_bytes == 0 && image.after.empty()) {
    fact("free texts", "none in the header");
    return;
  }
  std::printf("  may identify a person (look for names and numbers)\n");
  for (const auto& [name, text] : image.texts) free_text("  " + name, text);
  std::uint64_t shown = 0;
  for (const data::NiftiExtension& e : image.extensions) {
    unknown(e.code >= 0 ? ebb::message("  extension ", e.code, ", ", extension(e.code))
                        : std::string("  before the elements"),
            e.bytes);
    shown += e.bytes.size();
  }
  if (image.extension_bytes > shown)
    fact("  extensions", ebb::message(image.extension_bytes - shown,
                                      " more bytes before the elements, with heads and padding"));
  if (!image.after.empty()) unknown("  after the elements", image.after);
}

}  // namespace

void inspect_nifti(const std::string& path) {
  data::Nifti image = data::nifti_info(path);
  fact("kind",
       ebb::message("NIfTI-", image.version, " image", image.big_endian ? ", big-endian" : ""));
  fact("shape", shape_text(image.shape) + " (x, y, z, ...)");
  fact("type", to_string(image.stored.type));
  std::string size;
  for (std::size_t i = 0; i < image.voxel_size.size() && i < 3; ++i)
    size += ebb::message(i > 0 ? " x " : "", image.voxel_size[i]);
  fact("voxel size",
       size + (image.space_unit == "unknown" ? " (unit not said)" : " " + image.space_unit));
  if (image.voxel_size.size() > 3)
    fact("step in time", ebb::message(image.voxel_size[3], " ", image.time_unit));
  fact("orientation", "from " + image.affine_from);
  std::string why;  // texts are listed also where elements are missing
  try {
    image = data::read_nifti(path, {.most_bytes = most_bytes});
    fact("values", range(image.stored.size(), [&](ebb::Index i) {
           return image.slope * image.stored_value(i) + image.intercept;
         }));
    if (image.slope != 1 || image.intercept != 0)
      fact("scaling", scaling_text(image.slope, image.intercept));
  } catch (const ebb::Error& error) {
    why = error.what();
  }
  people(image);
  if (!why.empty()) throw ebb::FileError(why);
}
