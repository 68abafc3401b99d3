#include "paths.hpp"

#include "training_options.hpp"

#include <ebb/io/atomic_file.hpp>
#include <ebb/io/weights.hpp>

#include <filesystem>
#include <fstream>
#include <map>

namespace fs = std::filesystem;

namespace {

bool same(const fs::path& a, const fs::path& b) {
  std::error_code error;
  if (fs::exists(a, error) && fs::exists(b, error)) return fs::equivalent(a, b, error);
  const fs::path one = fs::weakly_canonical(a, error), two = fs::weakly_canonical(b, error);
  return !error && one == two;
}

bool within(const fs::path& path, const fs::path& folder) {
  std::error_code error;
  fs::path at = fs::weakly_canonical(fs::absolute(path, error), error);
  for (; at.has_relative_path(); at = at.parent_path())
    if (same(at, folder)) return true;
  return false;
}

std::string beginning(const fs::path& path) {
  std::string text(1024, '\0');
  std::ifstream file(path, std::ios::binary);
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

bool holds_weights(const fs::path& path, bool checkpoint) {
  try {
    return ebb::io::open_weights(path.string())->metadata().contains("epochs") == checkpoint;
  } catch (const ebb::Error&) {
    return false;
  }
}

const char* name_of(Kind kind) {
  return kind == Kind::weights      ? "a file of weights"
         : kind == Kind::checkpoint ? "a checkpoint"
         : kind == Kind::epochs     ? "a table of epochs"
                                    : "a PNG image";
}

bool is_kind(const fs::path& path, Kind kind) {
  if (kind == Kind::weights || kind == Kind::checkpoint)
    return holds_weights(path, kind == Kind::checkpoint);
  return beginning(path).starts_with(kind == Kind::epochs ? "epoch," : "\x89PNG\r\n\x1a\n");
}

// Whether a file in a folder of results is what its name says.
bool is_what_it_is_called(const fs::path& path) {
  const std::string end = path.extension().string(), head = beginning(path);
  if (end == ".png") return head.starts_with("\x89PNG\r\n\x1a\n");
  if (end == ".svg") return head.find("<svg") != head.npos;
  if (end == ".html") return head.starts_with("<!DOCTYPE html");
  return head.starts_with("component,");
}

[[noreturn]] void refuse(const std::string& option, const std::string& path,
                         const std::string& why) {
  throw ebb::FileError(ebb::message(option, ": ", path, " ", why));
}

// Throws when no file can be made there: it makes one, and removes it.
void try_to_write(const std::string& option, const std::string& file) {
  try {
    const ebb::io::AtomicFile trial(file);
  } catch (const ebb::FileError& error) {
    throw ebb::FileError(ebb::message(option, ": ", error.what()));
  }
}

}  // namespace

bool is_of_a_report(const std::string& name) {
  const fs::path path(name);
  const std::string end = path.extension().string();
  return name == "report.html" || name == "reasons.png" || end == ".svg" ||
         (name.starts_with("overlay_") && end == ".png") ||
         (name.starts_with("shapes_") && end == ".csv");
}

Paths& Paths::reads(const char* option, const std::string& file) {
  if (!file.empty()) entries_.push_back({option, file, Role::read});
  return *this;
}
Paths& Paths::reads_all(const char* option, const std::string& folder) {
  if (!folder.empty()) entries_.push_back({option, folder, Role::read_all});
  return *this;
}
Paths& Paths::writes(const char* option, const std::string& file, Kind kind) {
  const bool to_standard_output = file == "-" && (kind == Kind::epochs || kind == Kind::png);
  if (!file.empty() && !to_standard_output) entries_.push_back({option, file, Role::write, kind});
  return *this;
}
Paths& Paths::writes_into(const char* option, const std::string& folder,
                          bool (*ours)(const std::string& name)) {
  if (!folder.empty()) entries_.push_back({option, folder, Role::write_into, {}, ours});
  return *this;
}

void Paths::check_apart(const Entry& entry, const std::string& path) const {
  for (const Entry& other : entries_) {
    if (&other == &entry) continue;
    if (other.role == Role::read_all && within(path, other.path))
      refuse(entry.option, path,
             ebb::message("lies in the folder of ", other.option,
                          ", whose files are all read; write to another folder"));
    if (other.role != Role::read_all && other.role != Role::write_into && same(path, other.path))
      refuse(entry.option, path,
             ebb::message("is the file of ", other.option,
                          ", which would be lost; name another file"));
  }
}

void Paths::check_file(const Entry& entry) const {
  const fs::path path(entry.path);
  std::error_code ignored;
  const auto status = fs::status(path, ignored);
  if (fs::is_directory(status)) refuse(entry.option, entry.path, "is a folder; name a file in it");
  check_apart(entry, entry.path);
  for (const Entry& other : entries_)
    if (other.role == Role::write_into && other.ours(path.filename().string()) &&
        same(path.parent_path().empty() ? fs::path(".") : path.parent_path(), other.path))
      refuse(entry.option, entry.path,
             ebb::message("is a name that ", other.option, " writes to; name another file"));
  // Tables are appended to what is no file, too: a pipe, a terminal, /dev/null.
  if (fs::exists(status) && !fs::is_regular_file(status) && entry.kind == Kind::epochs) return;
  if (fs::is_regular_file(status) && fs::file_size(path, ignored) > 0 && !is_kind(path, entry.kind))
    refuse(entry.option, entry.path,
           ebb::message("exists and is not ", name_of(entry.kind),
                        ", so it is left as it is; name another file, or move this one away"));
  const fs::path folder = path.parent_path();
  if (!folder.empty() && !fs::is_directory(folder, ignored))
    refuse(entry.option, entry.path,
           ebb::message("cannot be written, because there is no folder ", folder.string(),
                        "; make it first"));
  try_to_write(entry.option, entry.path);
}

void Paths::check_folder(const Entry& entry) const {
  std::error_code ignored;
  const auto status = fs::status(entry.path, ignored);
  if (fs::exists(status) && !fs::is_directory(status))
    refuse(entry.option, entry.path, "is a file; name a folder");
  for (const Entry& other : entries_)
    if (other.role == Role::read_all && within(entry.path, other.path))
      refuse(entry.option, entry.path,
             ebb::message("lies in the folder of ", other.option,
                          ", whose files are all read; name another folder"));
  if (!fs::exists(status)) return;
  std::map<fs::path, std::string> named;  // by canonical path: there may be thousands
  for (const Entry& other : entries_)
    if (other.role == Role::read || other.role == Role::write)
      named[fs::weakly_canonical(other.path, ignored)] = other.option;
  for (const auto& there : fs::directory_iterator(entry.path, ignored)) {
    const std::string path = there.path().string();
    if (!entry.ours(there.path().filename().string())) continue;
    const auto found = named.find(fs::weakly_canonical(there.path(), ignored));
    if (found != named.end())
      refuse(entry.option, path,
             ebb::message("is the file of ", found->second,
                          ", and may be written over; name another folder"));
    if (there.is_directory(ignored)) refuse(entry.option, path, "is a folder; move it away");
    if (there.is_regular_file(ignored) && there.file_size(ignored) > 0 &&
        !is_what_it_is_called(there.path()))
      refuse(entry.option, path,
             "would be written over, and is not what this program writes; move it away, or name "
             "another folder");
  }
}

void Paths::check() const {
  for (const Entry& entry : entries_) {
    if (entry.role == Role::write) check_file(entry);
    if (entry.role == Role::write_into) check_folder(entry);
  }
  for (const Entry& entry : entries_) {
    if (entry.role != Role::write_into) continue;
    std::error_code error;
    fs::create_directories(entry.path, error);
    if (error || !fs::is_directory(entry.path, error))
      refuse(entry.option, entry.path, "is a folder that cannot be made");
    try_to_write(entry.option, entry.path + "/report.html");
  }
}

Paths training_paths(const TrainingOptions& o) {
  Paths paths;
  paths.reads("--load", o.load)
      .writes("--save", o.save, Kind::weights)
      .writes("--resume", o.resume, Kind::checkpoint)
      .writes("--csv", o.csv, Kind::epochs);
  return paths;
}
