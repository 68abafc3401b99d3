/// \file
/// Runs gnuplot on a script.
#pragma once

#include <ebb/core/error.hpp>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

extern "C" char** environ;

namespace ebb::plot {

/// Text as gnuplot reads it literally: in single quotes, which nothing inside can leave and in
/// which nothing is executed.
inline std::string literal(std::string_view text) {
  std::string q = "'";
  for (const char c : text) {
    if (c == '\'') q += '\'';
    q += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
  }
  return q + "'";
}

namespace detail {

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

inline File temporary(const std::string& content = {}) {
  File file(std::tmpfile());
  if (!file || std::fwrite(content.data(), 1, content.size(), file.get()) != content.size() ||
      std::fflush(file.get()) != 0)
    throw FileError(message("plot: no temporary file can be written: ", std::strerror(errno)));
  std::rewind(file.get());
  return file;
}

inline bool ends_with(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

}  // namespace detail

/// Draws `script` to `path`: SVG, or PNG where the name ends in ".png". The script neither sets a
/// terminal nor an output. It goes to gnuplot through a temporary file, never through a shell, and
/// the picture comes back on gnuplot's standard output, so no path needs quoting.
/// \throws FileError when gnuplot is not installed, does not like the script, or the picture cannot
/// be written.
inline void gnuplot(const std::string& path, const std::string& script, int width, int height,
                    const char* program = "gnuplot") {
  if (width < 1 || height < 1)
    throw ValueError(message("plot: ", path, ": a picture of ", width, " by ", height,
                             " pixels cannot be drawn"));
  const bool png = detail::ends_with(path, ".png");
  const detail::File input =
      detail::temporary(message("set terminal ", png ? "pngcairo" : "svg dynamic", " size ", width,
                                ",", height, " background rgb 'white' font 'Helvetica,",
                                png ? 11 : 13, "' noenhanced\n", script, "\nunset output\n"));
  const detail::File output = detail::temporary(), errors = detail::temporary();

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ::fileno(input.get()), 0);
  posix_spawn_file_actions_adddup2(&actions, ::fileno(output.get()), 1);
  posix_spawn_file_actions_adddup2(&actions, ::fileno(errors.get()), 2);
  std::string name = program, dash = "-";
  char* arguments[] = {name.data(), dash.data(), nullptr};
  pid_t child = 0;
  const int failed = ::posix_spawnp(&child, program, &actions, nullptr, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  int status = 0;
  if (failed == 0)
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
  if (failed != 0 || (WIFEXITED(status) && WEXITSTATUS(status) == 127))
    throw FileError(message("plot: ", path,
                            " needs the program gnuplot, which is not installed "
                            "(Debian and Ubuntu: apt-get install gnuplot-nox)"));

  const auto read_all = [](std::FILE* file) {
    std::string text;
    char piece[4096];
    std::rewind(file);
    for (std::size_t got; (got = std::fread(piece, 1, sizeof piece, file)) > 0;)
      text.append(piece, got);
    return text;
  };
  const std::string picture = read_all(output.get());
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || picture.empty())
    throw FileError(message("plot: gnuplot could not draw ", path, ": ", read_all(errors.get())));

  std::FILE* file = std::fopen(path.c_str(), "wb");
  if (!file) throw FileError(message("plot: ", path, " cannot be written: ", std::strerror(errno)));
  const bool written = std::fwrite(picture.data(), 1, picture.size(), file) == picture.size();
  if (std::fclose(file) != 0 || !written)
    throw FileError(message("plot: ", path, " cannot be written: ", std::strerror(errno)));
}

}  // namespace ebb::plot
