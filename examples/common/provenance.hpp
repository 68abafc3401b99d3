// Where a result comes from: what a report says besides the settings.
#pragma once

#include <string>
#include <vector>

// Size and CRC-32 of files, one after the other, so that a reader can tell whether theirs are the
// same.
std::string fingerprint(const std::vector<std::string>& paths);

// The files of a folder, by name.
std::vector<std::string> files_in(const std::string& folder);

std::string today();  // "2026-11-26"

std::string library_version();  // "0.1.0"
