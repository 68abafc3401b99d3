#include <ebb/morphology/csv.hpp>

#include <unistd.h>

#include <cstdio>
#include <filesystem>

#include "tests/support/full_disk.hpp"
#include "tests/support/match.hpp"
#include "tests/train/files.hpp"

using namespace ebb;
using namespace ebb::test;
using morphology::Connectivity;

TEST_CASE("csv: a header and a row per component", "[shape]") {
  auto mask = Tensor<int, 2>::zeros({4, 6});
  mask(1, 1) = mask(1, 2) = mask(3, 5) = 1;
  const auto found =
      morphology::measure(morphology::components(mask, 1, Connectivity::faces), {0.5, 2});
  const std::string text = morphology::to_csv(found);
  const std::string header =
      "component,elements,area,perimeter,centroid_row,centroid_column,axis_1,axis_2,direction_row,"
      "direction_column,eccentricity,compactness,equivalent_diameter,row_begin,column_begin,"
      "row_end,column_end\n1,2,2,";
  CHECK(text.substr(0, header.size()) == header);
  CHECK_THAT(text, contains(",0.5,3,4,0,0,1,1,") && contains(",1,1,2,3\n2,1,1,"));
  std::size_t commas = 0, lines = 0;
  for (const char c : text) commas += c == ',', lines += c == '\n';
  CHECK(lines == 3);
  CHECK(commas == 3 * 16);

  const auto cube = Tensor<int, 3>::ones({1, 1, 1});
  CHECK_THAT(
      morphology::to_csv(morphology::measure(morphology::components(cube, 1, Connectivity::faces))),
      contains("volume,surface,centroid_slice") && contains("column_end\n1,1,1,"));

  const std::string path =
      std::filesystem::temp_directory_path() / ("ebb_shape_" + std::to_string(getpid()) + ".csv");
  morphology::save_csv(path, found);
  std::FILE* const file = std::fopen(path.c_str(), "rb");
  REQUIRE(file != nullptr);
  std::string read(text.size() + 10, '\0');
  read.resize(std::fread(read.data(), 1, read.size(), file));
  std::fclose(file);
  std::remove(path.c_str());
  CHECK(read == text);
  CHECK_THROWS_WITH(morphology::save_csv("/nowhere/at/all.csv", found),
                    contains("save_csv: '/nowhere/at/all.csv' cannot be written: "));
  // An older table stays where the new one does not fit.
  const test::TemporaryFolder folder;
  test::write_file(folder / "a.csv", "old");
  const test::FullDisk full(10);
  CHECK_THROWS_WITH(morphology::save_csv(folder / "a.csv", found),
                    contains("the old file is unchanged"));
  CHECK(test::read_file(folder / "a.csv") == "old");
}
