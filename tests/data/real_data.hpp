/// \file
/// Where data that is not part of the repository lies, if it is there at all.
#pragma once

#include "tests/support/catch.hpp"

#include <cstdlib>
#include <filesystem>
#include <string>

namespace ebb::test {

/// The folder `name` below $EBB_DATA, or below ../shared/data; "" with a warning when it is absent.
inline std::string real_data(const std::string& name) {
  const char* chosen = std::getenv("EBB_DATA");
  const auto folder = std::filesystem::path(chosen != nullptr ? chosen : "../shared/data") / name;
  if (std::filesystem::is_directory(folder)) return folder.string();
  WARN("skipped: there is no folder " + folder.string() + "; set EBB_DATA to where real data lies");
  return {};
}

}  // namespace ebb::test
