#include "inspect.hpp"

#include <ebb/io/weights.hpp>

#include <filesystem>
#include <fstream>

namespace fs = std::filesystem;

void inspect(const std::string& path, const Request& request) {
  std::error_code error;
  if (fs::is_directory(path, error)) return inspect_dicom_folder(path, request);
  if (!fs::exists(path, error))
    throw ebb::FileError(ebb::message("'", path, "': there is no such file; check the path"));
  if (!fs::is_regular_file(path, error))
    throw ebb::FileError(ebb::message("'", path, "': it is not a regular file"));
  std::string head(540, '\0');
  std::ifstream file(path, std::ios::binary);
  file.read(head.data(), static_cast<std::streamsize>(head.size()));
  head.resize(static_cast<std::size_t>(file.gcount()));
  if (head.empty())
    throw ebb::FileError(
        ebb::message("'", path, "': it is empty, or may not be read; copy it again"));

  const auto begins = [&](std::string_view text, std::size_t at = 0) {
    return head.size() >= at && std::string_view(head).substr(at).starts_with(text);
  };
  const auto named = [&](const char* end) { return std::string_view(path).ends_with(end); };
  if (begins("DICM", 128)) return inspect_dicom(path, request);
  if (begins("\x93NUMPY")) return inspect_npy(path);
  const bool pytorch = ebb::io::is_pytorch_name(path) || head.find("/data.pkl") != head.npos;
  if (pytorch || begins("\x80\x02\x8a\x0a")) return inspect_weights(path);
  if (begins("PK")) return inspect_npz(path);
  if (begins("\x89PNG") || begins("\xff\xd8") || begins("BM")) return inspect_image(path);
  if (begins("n+1", 344) || begins("ni1", 344) || begins("n+2", 4) || begins("ni2", 4) ||
      begins("\x1f\x8b") || named(".nii") || named(".hdr"))
    return inspect_nifti(path);
  if (begins("{", 8) || named(".safetensors")) return inspect_weights(path);
  if (begins(std::string_view("\x08\0", 2)) || begins(std::string_view("\x02\0", 2)) ||
      named(".dcm"))
    return inspect_dicom(path, request);  // without the letters DICM
  throw ebb::FileError(
      ebb::message("'", path, "': it is none of DICOM, NIfTI, npz, npy, ",
                   "safetensors, PyTorch's files, PNG, JPEG and BMP, or it is damaged"));
}
