// What a command line names to be read and written, looked at before anything is read: a program
// writes only where it can, never over something that it reads, and never over a file that
// something else made.
#pragma once

#include <string>
#include <vector>

struct TrainingOptions;

// What a file that is written holds. An older file of the same kind is replaced, any other stays.
enum class Kind { weights, checkpoint, epochs, png };

class Paths {
 public:
  // A file that is read; none when empty.
  Paths& reads(const char* option, const std::string& file);
  // A folder all of whose files are read: whatever is written there would be taken for one of them.
  Paths& reads_all(const char* option, const std::string& folder);
  // A file that is written; none when empty. `-`, standard output, is one of epochs and of png.
  Paths& writes(const char* option, const std::string& file, Kind kind);
  // A folder for files; `ours` says which names they can have.
  Paths& writes_into(const char* option, const std::string& folder,
                     bool (*ours)(const std::string& name));

  // Makes the folders. Throws ebb::FileError, before anything is made, when the paths will not do.
  void check() const;

 private:
  enum class Role { read, read_all, write, write_into };
  struct Entry {
    std::string option, path;
    Role role;
    Kind kind{};
    bool (*ours)(const std::string&) = nullptr;
  };
  void check_file(const Entry& entry) const;
  void check_folder(const Entry& entry) const;
  void check_apart(const Entry& entry, const std::string& path) const;

  std::vector<Entry> entries_;
};

// --save, --load, --resume and --csv.
Paths training_paths(const TrainingOptions& options);

// The names of a page's files: report.html, its pictures and tables.
bool is_of_a_report(const std::string& name);
