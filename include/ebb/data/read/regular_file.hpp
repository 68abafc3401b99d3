/// \file
/// What readers ask of a path before they open it.
#pragma once

#include <ebb/core/error.hpp>
#include <ebb/core/system.hpp>

#include <cstdint>
#include <filesystem>
#include <string>

namespace ebb::inline EBB_ABI::data::detail {

/// The bytes of a regular file. `fail(what)` throws what is wrong with the path; `missing` is what
/// it says where there is nothing.
template <class Fail>
std::uintmax_t size_of_regular_file(const std::string& path, const Fail& fail,
                                    const char* missing = "there is no such file; check the path") {
  namespace fs = std::filesystem;
  std::error_code error;
  const fs::path place(os::native(path));
  const fs::file_status status = fs::status(place, error);
  if (status.type() == fs::file_type::not_found) fail(missing);
  if (status.type() == fs::file_type::none)
    fail(message("it cannot be looked at: ", error.message()));
  if (fs::is_directory(status)) fail("it is a folder; name a file in it");
  if (!fs::is_regular_file(status)) fail("it is not a regular file");
  const std::uintmax_t size = fs::file_size(place, error);
  if (error) fail(message("its size cannot be found: ", error.message()));
  return size;
}

}  // namespace ebb::data::detail
