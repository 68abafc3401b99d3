/// \file
/// A folder of DICOM files that a test writes and reads.
#pragma once

#include <ebb/data/read/dicom.hpp>

#include "tests/data/read/dicom/writer.hpp"
#include "tests/support/tensors.hpp"
#include "tests/train/files.hpp"

namespace ebb::test {

/// Writes files into a folder of its own and reads them.
struct DicomFolder {
  TemporaryFolder folder;
  std::string put(const std::string& content, const std::string& name = "x.dcm") const {
    write_file(folder / name, content);
    return folder / name;
  }
  data::DicomImage read(const DicomWriter& w) const { return data::read_dicom(put(w.file())); }
  std::string error(const std::string& content, data::DicomOptions options = {}) const {
    const std::string path = put(content);
    return error_of<FileError>([&] { data::read_dicom(path, options); });
  }
};

}  // namespace ebb::test
