#include "provenance.hpp"

#include <ebb/core/config.hpp>
#include <ebb/core/error.hpp>

#include <zlib.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <fstream>

void Fingerprint::add(const void* bytes, std::size_t count) {
  const auto* at = static_cast<const Bytef*>(bytes);
  while (count > 0) {
    const std::size_t piece = std::min(count, std::size_t{1} << 30);
    sum_ = crc32(sum_, at, static_cast<uInt>(piece));
    at += piece;
    count -= piece;
  }
}

std::string Fingerprint::text() const {
  char text[16];
  std::snprintf(text, sizeof text, "%08lx", sum_);
  return text;
}

std::string fingerprint(const std::vector<std::string>& paths) {
  std::vector<char> piece(1 << 16);
  uLong sum = crc32(0, nullptr, 0);
  long long bytes = 0;
  for (const auto& path : paths) {
    std::ifstream file(path, std::ios::binary);
    while (file.read(piece.data(), static_cast<std::streamsize>(piece.size())), file.gcount() > 0) {
      sum = crc32(sum, reinterpret_cast<const Bytef*>(piece.data()),
                  static_cast<uInt>(file.gcount()));
      bytes += file.gcount();
    }
  }
  char text[64];
  std::snprintf(text, sizeof text, "%lld bytes, CRC-32 %08lx", bytes, sum);
  return text;
}

std::vector<std::string> files_in(const std::string& folder) {
  std::vector<std::string> paths;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored))
    if (entry.is_regular_file(ignored)) paths.push_back(entry.path().string());
  std::sort(paths.begin(), paths.end());
  return paths;
}

std::string today() {
  const std::time_t now = std::time(nullptr);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%d", std::gmtime(&now));
  return text;
}

std::string library_version() {
  return ebb::message(EBB_VERSION_MAJOR, ".", EBB_VERSION_MINOR, ".", EBB_VERSION_PATCH);
}
