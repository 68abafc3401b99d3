// A program of another project that reads DICOM images, if somebody gives it some.
#include <ebb/data/read/dicom/series.hpp>
#include <ebb/data/read/dicom/tags.hpp>

#include <cstdio>

int main(int argc, char** argv) {
  try {
    const auto image = ebb::data::read_dicom(argc > 1 ? argv[1] : "no_such_file.dcm");
    std::printf("%d frames, %zu identifying elements\n", static_cast<int>(image.frames),
                ebb::data::identifying_tags(argv[1]).size());
  } catch (const ebb::FileError& error) {
    std::printf("%s\n", error.what());
    return argc > 1;
  }
}
