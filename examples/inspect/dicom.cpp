#include "inspect.hpp"

#ifdef EBB_HAVE_DICOM

#  include <ebb/data/dicom_series.hpp>
#  include <ebb/data/dicom_tags.hpp>

#  include <cstdio>
#  include <map>

namespace data = ebb::data;
using data::IdentifyingTag;

namespace {

void pixels(const data::DicomImage& image) {
  fact("shape", ebb::message(image.frames, image.frames == 1 ? " frame" : " frames", " of ",
                             image.rows, " x ", image.columns, " (rows x columns)"));
  fact("stored as", ebb::message(image.photometric, ", ", image.bits, " bits, ",
                                 image.stored.type.kind == 'i'   ? "signed"
                                 : image.stored.type.kind == 'f' ? "floating point"
                                                                 : "unsigned"));
  const auto& s = image.spacing;
  if (s[1] > 0)
    fact("voxel size",
         ebb::message(s[0] > 0 ? ebb::message(s[0], " x ") : std::string(), s[1], " x ", s[2],
                      " mm (", s[0] > 0 ? "slices x " : "", "rows x columns; ", image.spacing_from,
                      image.spacing_from[0] == 'I' ? ", at the detector)" : ")"));
  else
    fact("voxel size", "not said");
  const auto values = image.values();
  fact("values", range(values.size(), [&](ebb::Index i) { return double{values.data()[i]}; }));
  if (!image.modality_table.entries.empty())
    fact("rescaling", "by a table");
  else if (image.slope != 1 || image.intercept != 0)
    fact("rescaling", scaling_text(image.slope, image.intercept) +
                          (image.rescale_of_frame.empty() ? "" : " (of the first frame)"));
  if (image.window)
    fact("window", ebb::message("centre ", image.window->center, ", width ", image.window->width));
}

void people(const std::string& path, const Request& request) {
  std::map<std::string, int> creators;
  int unique = 0, all_private = 0;
  bool said = false;
  const auto tags = data::identifying_tags(path);
  for (const IdentifyingTag& tag : tags) {
    if (!request.all && tag.kind == IdentifyingTag::unique && ++unique) continue;
    if (!request.all && tag.kind == IdentifyingTag::private_data && ++all_private) {
      ++creators[tag.name];
      continue;
    }
    if (!said) std::printf("  identify a person (DICOM PS3.15, annex E)\n");
    said = true;
    std::printf("    %s %s%s: %s\n", tag.tag.c_str(),
                tag.kind == IdentifyingTag::private_data ? "private, of " : "", tag.name.c_str(),
                tag.value.c_str());
  }
  if (!said) fact("people", "no identifying elements with a value");
  if (unique > 0)
    fact("  UIDs", ebb::message(unique, " (they lead whoever has the originals to the person)"));
  if (all_private > 0) {
    std::string text;
    for (const auto& [name, count] : creators)
      text += ebb::message(text.empty() ? "" : ", ", name, ": ", count);
    fact("  private",
         ebb::message(all_private, " elements that only their maker knows (", text, ")"));
  }
}

}  // namespace

void inspect_dicom(const std::string& path, const Request& request) {
  const data::DicomInfo info = data::dicom_info(path);
  fact("kind", ebb::message("DICOM", info.kind.empty() ? "" : ", ", info.kind,
                            info.modality.empty() ? "" : " (" + info.modality + ")"));
  fact("transfer syntax",
       ebb::message(info.transfer_syntax_name, " (", info.transfer_syntax, ")",
                    info.transfer_syntax_guessed ? ", guessed: the file does not say" : ""));
  std::string why;  // people are listed also where pixels cannot be decoded
  if (info.has_image) {
    try {
      pixels(data::read_dicom(path));
    } catch (const ebb::Error& error) {
      why = error.what();
    }
  } else {
    fact("pixels", "none");
  }
  people(path, request);
  if (!why.empty()) throw ebb::FileError(why);
}

void inspect_dicom_folder(const std::string& path, const Request& request) {
  const data::DicomVolume volume = data::read_dicom_series(path);
  fact("kind", ebb::message("folder of a DICOM series (", volume.modality, ")"));
  const auto& s = volume.spacing;
  fact("shape", ebb::message(shape_text({volume.values.extent(0), volume.values.extent(1),
                                         volume.values.extent(2)}),
                             " (slices x rows x columns)"));
  fact("voxel size", ebb::message(s[0], " x ", s[1], " x ", s[2], " mm"));
  fact("values",
       range(volume.values.size(), [&](ebb::Index i) { return double{volume.values.data()[i]}; }));
  const auto name = [](const std::string& file) { return file.substr(file.find_last_of('/') + 1); };
  fact("order", ebb::message(name(volume.files.front()), " ... ", name(volume.files.back())));
  std::printf("  its first slice (others may say more):\n");
  people(volume.files.front(), request);
}

#else

namespace {
[[noreturn]] void without(const std::string& path) {
  throw ebb::FileError(ebb::message(
      "'", path, "': this program was built without DCMTK, which reads DICOM; install it (Debian: ",
      "apt-get install libdcmtk-dev), then configure and build again"));
}
}  // namespace

void inspect_dicom(const std::string& path, const Request&) { without(path); }
void inspect_dicom_folder(const std::string& path, const Request&) { without(path); }

#endif
