// The table of --csv.
#pragma once

#include <ebb/train/csv.hpp>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

// Opens it, where one is asked for. After `done` epochs of a run that goes on, their rows stay, or
// `again(table, i)` writes each of them anew.
template <class Again>
std::unique_ptr<ebb::CsvLog> open_epochs(const std::string& path,
                                         const std::vector<std::string>& columns, std::size_t done,
                                         Again&& again) {
  std::unique_ptr<ebb::CsvLog> table;
  if (path.empty()) return table;
  std::error_code ignored;
  const bool stay = done > 0 && std::filesystem::is_regular_file(path, ignored) &&
                    std::filesystem::file_size(path, ignored) > 0;
  table = std::make_unique<ebb::CsvLog>(path, columns,
                                        ebb::CsvOptions{stay ? static_cast<ebb::Index>(done) : 0});
  for (std::size_t i = 0; !stay && i < done; ++i) again(*table, i);
  return table;
}
