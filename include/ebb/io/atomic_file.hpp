/// \file
/// Files that are written whole or not at all, under the name that readers and writers of files
/// have them by.
#pragma once

#include <ebb/core/atomic_file.hpp>

namespace ebb::inline EBB_ABI::io {

/// Writes a temporary file in the target's folder and, on `commit`, brings it to disk and renames
/// it (core/atomic_file.hpp).
class AtomicFile : public os::AtomicFile {
 public:
  using os::AtomicFile::AtomicFile;
};

}  // namespace ebb::io
