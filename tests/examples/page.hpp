/// \file
/// What every page of a program must have.
#pragma once

#include <string>

#include "tests/support/match.hpp"

namespace ebb::test {

/// A page that phones and screen readers can show and that asks no network for anything.
inline void check_page(const std::string& page) {
  CHECK_THAT(page, contains("name=\"viewport\"") && contains("prefers-color-scheme: dark") &&
                       contains("default-src 'none'") && contains("The command that makes it"));
  CHECK_THAT(page, !contains("http://") && !contains("https://") && !contains("<script"));
  int images = 0;
  for (std::size_t at = page.find("<img "); at != page.npos; at = page.find("<img ", at + 1)) {
    const std::size_t alt = page.find("alt=\"", at), end = page.find('>', at);
    INFO(page.substr(alt, 60));
    CHECK(alt < end);
    CHECK(page.find('"', alt + 5) > alt + 15);  // words, not nothing
    CHECK(page.compare(at, 16, "<img src=\"data:i") == 0);
    ++images;
  }
  CHECK((images > 1 || page.find("gnuplot") != page.npos));
}

}  // namespace ebb::test
