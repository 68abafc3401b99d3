#include "inspect.hpp"

#ifdef EBB_HAVE_DICOM

#  include <ebb/data/read/dicom/series.hpp>
#  include <ebb/data/read/dicom/tags.hpp>
#  include <ebb/data/read/printable.hpp>

#  include <cstdio>
#  include <map>
#  include <utility>

namespace data = ebb::data;
using data::IdentifyingTag;

namespace {

std::string with_unit(const std::string& text, const std::string& unit) {
  return unit.empty() ? text : text + " " + unit;
}

// Of grey values those after rescaling, without padding; of colours those stored.
std::string values(const data::DicomImage& image) {
  image.check();
  const ebb::Index count = image.stored.size();
  if (!image.grey()) return range(count, [&](ebb::Index i) { return image.stored_value(i); });
  ebb::Index first = 0, padding = 0;
  while (first < count && image.is_padding(first)) ++first;
  if (first == count) return ebb::message("all padding (", image.value(0), ")");
  const std::string text = range(count, [&](ebb::Index i) {
    const bool out = image.is_padding(i);
    padding += out;
    return image.value(out ? first : i);
  });
  return with_unit(text, image.unit) +
         (padding > 0 ? ebb::message(", without ", padding, " pixels of padding") : "");
}

std::string voxel_size(const data::DicomImage& image) {
  const auto& s = image.spacing;
  if (!(s[1] > 0)) return "not said";
  return ebb::message(s[0] > 0 ? ebb::message(s[0], " x ") : std::string(), s[1], " x ", s[2],
                      " mm (", s[0] > 0 ? "slices x " : "", "rows x columns; ", image.spacing_from,
                      image.spacing_from[0] == 'I'   ? ", at the detector: smaller in the patient)"
                      : image.spacing_from[0] == 'N' ? ", on the film or paper)"
                                                     : ")");
}

void pixels(const data::DicomImage& image) {
  fact("shape", ebb::message(image.frames, image.frames == 1 ? " frame" : " frames", " of ",
                             image.rows, " x ", image.columns, " (rows x columns)"));
  fact("stored as", ebb::message(image.photometric, ", ", image.bits, " bits, ",
                                 image.stored.type.kind == 'i'   ? "signed"
                                 : image.stored.type.kind == 'f' ? "floating point"
                                                                 : "unsigned"));
  fact("voxel size", voxel_size(image));
  fact("values", values(image));
  if (!image.modality_table.entries.empty())
    fact("rescaling", "by a table");
  else if (image.slope != 1 || image.intercept != 0 || !image.rescale_of_frame.empty())
    fact("rescaling", with_unit(scaling_text(image.slope, image.intercept), image.unit) +
                          (image.rescale_of_frame.empty() ? "" : " (of the first frame)"));
  if (!image.shown_table.entries.empty()) fact("shown", "through a table (VOI LUT)");
  if (image.window)
    fact("window",
         with_unit(ebb::message("centre ", image.window->center, ", width ", image.window->width),
                   image.unit) +
             (image.window_of_frame.empty() ? "" : " (of the first frame)"));
}

// What several files say alike is said once.
struct Said {
  IdentifyingTag tag;
  int files = 0;
};

void print(const Said& said, std::size_t files, std::size_t most) {
  std::string value = said.tag.value;
  if (value.size() > most) {
    const std::size_t more = value.size() - most;
    value.resize(most);
    value += ebb::message("... (", more, " more bytes, NOT SHOWN; --all shows them)");
  }
  std::printf(
      "    %s%s\n",
      data::printable(ebb::message(said.tag.tag, " ", said.tag.name,
                                   said.tag.repeats.empty() ? std::string()
                                                            : " (repeats " + said.tag.repeats + ")",
                                   ": ", value))
          .c_str(),
      files > 1 ? ebb::message(" (", said.files, " of ", files, " files)").c_str() : "");
}

// Whether a private value may be a text, or a number that somebody is known by.
bool has_text(const IdentifyingTag& tag) {
  const std::string& value = tag.value;
  for (const char* end : {" bytes", " item", " items"})
    if (value.ends_with(end)) return false;
  std::size_t letters = 0, digits = 0, longest = 0;
  for (const char c : value) {
    const bool digit = c >= '0' && c <= '9';
    digits = digit ? digits + 1 : 0;
    longest = std::max(longest, digits);
    letters += (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c & 0x80) != 0;
  }
  return letters > 1 || (longest > 4 && value.find('.') == value.npos);
}

void print_kind(const std::vector<Said>& all, std::size_t files, const char* title,
                const std::vector<IdentifyingTag::Kind>& kinds, std::size_t most, bool bare) {
  bool said = false;
  for (const Said& one : all) {
    if (std::find(kinds.begin(), kinds.end(), one.tag.kind) == kinds.end()) continue;
    if (!bare && !has_text(one.tag)) continue;
    if (!std::exchange(said, true)) std::printf("  %s\n", title);
    print(one, files, most);
  }
}

void print_people(const std::vector<Said>& all, std::size_t files, const Request& request) {
  using enum IdentifyingTag::Kind;
  if (all.empty()) return fact("people", "no identifying elements with a value");
  constexpr std::size_t any = std::size_t(-1);
  const std::size_t some = request.all ? any : 2000;
  print_kind(all, files, "identify a person (DICOM PS3.15, annex E)",
             {data::IdentifyingTag::profile, repeated, in_pixels}, any, true);
  print_kind(all, files, "elements that only their maker knows, with text in them", {private_data},
             some, request.all);
  print_kind(all, files, "other texts and dates (look for names in them)", {text}, some, true);
  if (request.all) return print_kind(all, files, "UIDs", {unique}, any, true);
  std::map<std::string, int> makers;
  int uids = 0, bare = 0;
  for (const Said& one : all) {
    uids += one.tag.kind == unique;
    if (one.tag.kind == private_data && !has_text(one.tag)) ++bare, ++makers[one.tag.name];
  }
  if (uids > 0)
    fact("  UIDs", ebb::message(uids, " (they lead whoever has the originals to the person)"));
  if (bare == 0) return;
  std::string of;
  for (const auto& [name, count] : makers)
    of += ebb::message(of.empty() ? "" : ", ", name, ": ", count);
  fact("  private", ebb::message(bare, " more elements that only their maker knows (", of, ")"));
}

void people(const std::vector<std::string>& paths, const Request& request) {
  std::vector<Said> all;
  std::map<std::string, std::size_t> places;
  for (const std::string& path : paths)
    for (IdentifyingTag& tag : data::identifying_tags(path)) {
      const std::string key = ebb::message(static_cast<int>(tag.kind), tag.tag, ' ', tag.value);
      const auto [at, fresh] = places.try_emplace(key, all.size());
      if (fresh) all.push_back({std::move(tag), 0});
      ++all[at->second].files;
    }
  print_people(all, paths.size(), request);
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
  people({path}, request);
  if (!why.empty()) throw ebb::FileError(why);
}

void inspect_dicom_folder(const std::string& path, const Request& request) {
  const auto name = [](const std::string& file) { return file.substr(file.find_last_of('/') + 1); };
  std::string why;
  try {
    const data::DicomVolume volume = data::read_dicom_series(path);
    fact("kind", ebb::message("folder of a DICOM series (", volume.modality, ")"));
    const auto& s = volume.spacing;
    fact("shape", ebb::message(shape_text({volume.values.extent(0), volume.values.extent(1),
                                           volume.values.extent(2)}),
                               " (slices x rows x columns)"));
    fact("voxel size", ebb::message(s[0], " x ", s[1], " x ", s[2], " mm"));
    fact("values", with_unit(range(volume.values.size(),
                                   [&](ebb::Index i) { return double{volume.values.data()[i]}; }),
                             volume.unit));
    fact("order", ebb::message(name(volume.files.front()), " ... ", name(volume.files.back())));
  } catch (const ebb::Error& error) {
    why = error.what();
  }
  std::vector<std::string> files;  // all of them, of the series or not
  std::string others;
  for (const std::string& file : data::detail::files_of_folder("inspect", path)) {
    if (data::detail::begins_as_dicom(file))
      files.push_back(file);
    else
      others += (others.empty() ? "" : ", ") + name(file);
  }
  if (!files.empty()) people(files, request);
  if (!others.empty()) fact("not looked at", others + " (not DICOM, or without its mark)");
  if (!why.empty()) throw ebb::FileError(why);
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
