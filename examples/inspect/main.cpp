// What is in this file, and whom does it concern?
//
// Before a network sees an image, its owner should know what the file really holds: how many bits,
// which values, how large a voxel is, how often each class occurs. And before the file leaves the
// house, which of its elements say who the person is. Nothing is changed, nothing is sent anywhere.
//
//   files.cpp     tells the formats apart by what the files begin with
//   arrays.cpp    .npy and .npz (MedMNIST's, too), safetensors, .pt and .pth
//   images.cpp    PNG, JPEG, BMP: their pixels
//   png.cpp, jpeg.cpp, exif.cpp   and all that stands beside them
//   nifti.cpp     NIfTI
//   dicom.cpp     DICOM files, and folders of DICOM slices
//   print.cpp     how it is printed

#include "../common/command_line.hpp"
#include "../common/program.hpp"
#include "../common/say.hpp"
#include "inspect.hpp"

#include <ebb/data/read/printable.hpp>

#include <cstdio>
#include <exception>
#include <new>

namespace {

int inspect_files(int argc, char** argv) {
  Request request;
  std::vector<std::string> files;
  CLI::App app(
      "Says what files of medical images and networks hold, and which of their elements "
      "identify a person.");
  app.footer(
      "DICOM elements are judged by the basic confidentiality profile (DICOM PS3.15, annex "
      "E, edition 2026c); a folder is read as a series of DICOM slices. Of pictures, camera data "
      "(EXIF), XMP, IPTC, texts and unknown parts are shown, of NIfTI texts and extensions. Pixels "
      "are not searched for names or faces.\n"
      "At most 1 GiB of a volume or array, 512 MiB of compressed DICOM data and 1 MiB of a text "
      "are looked at; what is left out is said.\nThe exit code is 1 when a file could not be "
      "read whole.\n"
      "Examples:\n"
      "  inspect scan.dcm brain.nii.gz pneumoniamnist.npz\n"
      "  inspect --all ct_series/\n");
  app.add_option("files", files, "DICOM, NIfTI, npz, npy, safetensors, .pt, .pth, PNG, JPEG or BMP")
      ->required()
      ->type_name("FILE");
  app.add_flag("--all", request.all,
               "List UIDs, and private elements without texts, one by one, too [off]");
  if (const auto code = parse(app, argc, argv, "inspect")) return *code;
  // What is left is the exit code, and sentences about files that cannot be read.
  if (quiet() && !std::freopen("/dev/null", "w", stdout)) return 1;
  int code = 0;
  for (const std::string& path : files) {
    std::printf("%s\n", ebb::data::printable(path).c_str());
    try {
      inspect(path, request);
    } catch (const std::bad_alloc&) {
      std::fflush(stdout);
      std::fprintf(stderr, "inspect: '%s': there is not enough memory for it\n",
                   ebb::data::printable(path).c_str());
      code = 1;
    } catch (const std::exception& error) {
      std::fflush(stdout);
      std::fprintf(stderr, "inspect: %s\n", ebb::data::printable(error.what()).c_str());
      code = 1;
    }
  }
  return code;
}

}  // namespace

int main(int argc, char** argv) { return run_program("inspect", inspect_files, argc, argv); }
