// Reads one file by one reader of the library, for the scripts beside it:
//
//   read_file READER PATH [OUT]
//
// prints a line for each array, "NAME KIND BYTES EXTENT...", and writes the elements of all of them
// to OUT, one array after the other, row-major. What is wrong with the file is a sentence, and
// status 1; status 2 would be an exception that is none of the library's. `read_file nothing -`
// reads nothing. The last line is the most address space that the program had, in KiB.
#include <ebb/data.hpp>
#include <ebb/ebb.hpp>
#include <ebb/io.hpp>

#ifdef EBB_HAVE_DICOM
#  include <ebb/data/read/dicom.hpp>
#endif

#include <cstdio>
#include <cstring>
#include <fstream>
#include <string>

namespace {

using namespace ebb;

struct Out {
  std::FILE* file = nullptr;

  void line(const std::string& name, data::ElementType type, const std::vector<Index>& shape) {
    std::printf("%s %c %d", name.c_str(), type.kind, type.bytes);
    for (const Index extent : shape) std::printf(" %td", extent);
    std::printf("\n");
  }
  void bytes(const void* from, std::size_t count) {
    if (file != nullptr && count > 0) std::fwrite(from, 1, count, file);
  }
  void array(const std::string& name, const data::Array& x) {
    line(name, x.type, x.shape);
    bytes(x.bytes.data(), x.bytes.size());
  }
  template <class T, int N>
  void tensor(const std::string& name, const Tensor<T, N>& x) {
    std::vector<Index> shape;
    for (int axis = 0; axis < N; ++axis) shape.push_back(x.extent(axis));
    line(name, data::element_type<T>(), shape);
    bytes(x.data(), x.bytes());
  }
};

// Of a file of either kind.
void read_weights(const io::TensorFile& file, Out& out) {
  for (const auto& [name, info] : file.tensors())
    if (info.dtype == io::Dtype::f32 && info.shape.size() == 1)
      out.tensor(name, file.get<float, 1>(name));
}

void read_checkpoint(const std::string& path, Out& out) {
  nn::Linear<> net(2, 2);
  optim::Optimizer opt(net, optim::Sgd{.momentum = 0.9});
  io::load_checkpoint(path, net, opt);
  out.tensor("weight", net.weight.value());
}

// Returns whether there is such a reader.
bool read(const std::string& reader, const std::string& path, Out& out) {
  if (reader == "idx") out.tensor("idx", data::read_idx<std::uint8_t, 3>(path));
  if (reader == "image") out.tensor("image", data::read_image(path));
  if (reader == "wide") out.tensor("wide", data::read_wide_image(path));
  if (reader == "npy") out.array("npy", data::read_npy(path));
  if (reader == "npz") {
    const data::NpzFile file(path);
    for (const auto& member : file.members()) out.array(member.name, file.get(member.name));
  }
  if (reader == "medmnist") out.tensor("train", data::read_medmnist(path).train.images());
  if (reader == "nifti") {
    const data::Nifti image = data::read_nifti(path);
    std::printf("# slope %.17g intercept %.17g\n", image.slope, image.intercept);
    out.array("nifti", image.stored);
  }
  if (reader == "safetensors") read_weights(io::SafetensorsFile(path), out);
  if (reader == "pytorch") read_weights(io::PytorchFile(path), out);
  if (reader == "checkpoint") read_checkpoint(path, out);
#ifdef EBB_HAVE_DICOM
  if (reader == "dicom") {
    const data::DicomImage image = data::read_dicom(path);
    std::printf("# photometric %s\n", image.photometric.c_str());
    out.array("dicom", image.stored);
  }
  if (reader == "dicom") return true;
#endif
  constexpr std::string_view known =
      " idx image wide npy npz medmnist nifti safetensors pytorch checkpoint nothing ";
  return known.find(" " + reader + " ") != known.npos;
}

// The most address space that the process had so far, in KiB.
void say_memory() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmPeak:")) std::printf("# %s\n", line.c_str());
}

}  // namespace

int main(int count, char** words) {
  if (count < 3) return 3;
  Out out;
  if (count > 3) out.file = std::fopen(words[3], "wb");
  try {
    if (!read(words[1], words[2], out)) return 4;
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "exception: %s\n", error.what());
    return 2;
  }
  if (out.file != nullptr) std::fclose(out.file);
  say_memory();
  return 0;
}
