/// \file
/// A table of numbers on disk, one row per epoch.
#pragma once

#include <ebb/core/config.hpp>
#include <ebb/core/error.hpp>
#include <ebb/core/system.hpp>
#include <ebb/io/atomic_file.hpp>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace ebb::inline EBB_ABI {

namespace detail {

/// A field as RFC 4180 writes it: in quotes where it holds a comma, a quote or a line break.
inline std::string csv_field(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == text.npos) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}
inline std::string csv_field(const std::string& text) { return csv_field(std::string_view(text)); }
inline std::string csv_field(const char* text) { return csv_field(std::string_view(text)); }
inline std::string csv_field(bool value) { return value ? "true" : "false"; }

/// The shortest digits that read back as the same number, whatever the locale.
template <class Number>
requires std::is_arithmetic_v<Number> std::string csv_field(Number value) {
  char digits[64];
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  return {digits, end};
}

/// Where row number `rows` (counting the header) of a table ends; npos when it has fewer complete
/// rows.
inline std::size_t end_of_row(std::string_view table, Index rows) {
  bool quoted = false;
  for (std::size_t i = 0; i < table.size(); ++i) {
    if (table[i] == '"') quoted = !quoted;
    if (table[i] == '\n' && !quoted && --rows == 0) return i + 1;
  }
  return table.npos;
}

}  // namespace detail

struct CsvOptions {
  /// Rows of an existing file that stay, for a run that resumes after that many epochs; what comes
  /// after them, and a row cut short by a crash, is removed. 0 starts a new table.
  Index keep_rows = 0;
};

/// Comma-separated values after RFC 4180, read by every spreadsheet and plotting program:
///
///     ebb::CsvLog log("run.csv", {"epoch", "loss", "accuracy"});
///     log.row(1, 0.21, 0.93);
///
/// An older table is replaced, or shortened to the rows to keep, in one step: it is lost only once
/// the new one is on disk. A row is handed to the system whole by one append, so a killed run
/// leaves complete rows; so does a full disk. The path "-" is standard output.
class CsvLog {
 public:
  /// \throws FileError when the file cannot be written, ValueError when rows are to be kept of a
  /// table that has other columns or fewer rows.
  CsvLog(std::string path, const std::vector<std::string>& columns, CsvOptions options = {})
      : path_(std::move(path)), columns_(columns.size()) {
    if (columns.empty()) throw ValueError("CsvLog: it needs at least one column");
    std::string header;
    for (const std::string& column : columns)
      header += (header.empty() ? "" : ",") + detail::csv_field(column);
    header += "\n";

    const os::Kind there = os::look_at(path_);
    if (path_ == "-") {
      file_ = standard_output;
    } else if (there.there && !there.regular) {
      file_ = os::open_to_append(path_);  // a pipe, a device
    } else {
      const std::string table = options.keep_rows > 0 ? kept(header, options.keep_rows) : header;
      io::AtomicFile file(path_);
      file.write(table.data(), table.size());
      file.commit();
      header.clear();
      file_ = os::open_to_append(path_);
    }
    if (file_ < 0) fail("cannot be opened for writing");
    try {
      append(header);
    } catch (...) {
      close();
      throw;
    }
  }
  CsvLog(const CsvLog&) = delete;
  CsvLog& operator=(const CsvLog&) = delete;
  ~CsvLog() { close(); }

  /// Appends a row: numbers, texts or truth values, one for each column.
  /// \throws ValueError for another number of fields, FileError when the disk is full.
  template <class... Fields>
  void row(const Fields&... fields) {
    if (sizeof...(fields) != columns_)
      throw ValueError(message("CsvLog: ", path_, " has ", columns_, " columns, but the row has ",
                               sizeof...(fields), " fields"));
    std::string line;
    bool first = true;
    ((line += (first ? "" : ",") + detail::csv_field(fields), first = false), ...);
    append(line + "\n");
  }

  const std::string& path() const { return path_; }

 private:
  static constexpr int standard_output = 1;

  void close() const {
    if (file_ != standard_output) os::close_quietly(file_);
  }

  [[noreturn]] void fail(const char* what) const {
    throw FileError(message("CsvLog: ", path_, " ", what, ": ", std::strerror(errno)));
  }

  void append(std::string_view text) const {
    const os::Kind before = os::look_at(file_);
    while (!text.empty()) {
      const std::ptrdiff_t written = os::write(file_, text.data(), text.size());
      if (written < 0) {
        const int why = errno;
        // A full disk may have taken a part: what stays are whole rows.
        if (before.regular && file_ != standard_output)
          static_cast<void>(os::cut(file_, before.bytes));
        errno = why;
        fail("cannot be written");
      }
      text.remove_prefix(static_cast<std::size_t>(written));
    }
  }

  /// The header and the first rows of the table that is there.
  std::string kept(const std::string& header, Index rows) const {
    const int file = os::open_to_read(path_);
    if (file < 0) fail("cannot be read");
    std::string table;
    char piece[4096];
    std::ptrdiff_t got = 0;
    while ((got = os::read_at(file, piece, sizeof piece, table.size())) > 0)
      table.append(piece, static_cast<std::size_t>(got));
    const int why = errno;
    os::close_quietly(file);
    errno = why;
    if (got < 0) fail("cannot be read");
    if (table.compare(0, header.size(), header) != 0)
      throw ValueError(message("CsvLog: ", path_,
                               " cannot be continued, because its first line is "
                               "not '",
                               header.substr(0, header.size() - 1),
                               "'; name another file, or move this one away"));
    const std::size_t end = detail::end_of_row(table, rows + 1);
    if (end == table.npos)
      throw ValueError(message("CsvLog: ", path_, " cannot be continued after row ", rows,
                               ", because it has fewer rows; name another file"));
    return table.substr(0, end);
  }

  std::string path_;
  std::size_t columns_;
  int file_ = -1;
};

}  // namespace ebb
