/// \file
/// Runs gnuplot on a script.
#pragma once

#include <ebb/core/error.hpp>
#include <ebb/core/process.hpp>
#include <ebb/io/atomic_file.hpp>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>

namespace ebb::inline EBB_ABI::plot {

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
  const os::Finished drawn =
      os::run(program, "-",
              message("set terminal ", png ? "pngcairo" : "svg dynamic", " size ", width, ",",
                      height, " background rgb 'white' font 'Helvetica,", png ? 11 : 13,
                      "' noenhanced\n", script, "\nunset output\n"));
  if (!drawn.found)
    throw FileError(message("plot: ", path,
                            " needs the program gnuplot, which is not installed "
                            "(Debian and Ubuntu: apt-get install gnuplot-nox)"));
  if (!drawn.well || drawn.output.empty())
    throw FileError(message("plot: gnuplot could not draw ", path, ": ", drawn.errors));

  io::AtomicFile file(path);
  file.write(drawn.output.data(), drawn.output.size());
  file.commit();
}

}  // namespace ebb::plot
