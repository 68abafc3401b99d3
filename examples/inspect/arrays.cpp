#include "inspect.hpp"

#include <ebb/data/read/npz.hpp>
#include <ebb/data/read/printable.hpp>
#include <ebb/io/weights.hpp>

#include <cstdio>
#include <map>

namespace data = ebb::data;

namespace {

std::string describe(const data::Array& array) {
  return ebb::message(shape_text(array.shape), "  ", to_string(array.type), "  ", range(array));
}

// How often each label occurs, if they are few.
void classes(const data::Array& array) {
  if (array.type.bytes != 1 || array.type.kind != 'u') return;
  std::map<int, int> counts;
  for (const unsigned char label : array.bytes) ++counts[label];
  if (counts.size() > 32) return;
  std::string text;
  for (const auto& [label, count] : counts)
    text += ebb::message(text.empty() ? "" : ", ", label, ": ", count);
  fact("  classes", text);
}

template <int N>
std::string tensor_range(const ebb::io::TensorFile& file, const std::string& name) {
  if (!file.mismatch<double>(name, {.convert = true}).empty()) return {};
  const auto x = file.get<double, N>(name, {.convert = true});
  return range(x.size(), [&](ebb::Index i) { return x.data()[i]; });
}

std::string tensor_range(const ebb::io::TensorFile& file, const std::string& name,
                         std::size_t rank) {
  return rank == 1   ? tensor_range<1>(file, name)
         : rank == 2 ? tensor_range<2>(file, name)
         : rank == 3 ? tensor_range<3>(file, name)
         : rank == 4 ? tensor_range<4>(file, name)
                     : std::string();
}

}  // namespace

void inspect_npy(const std::string& path) {
  const data::Array array = data::read_npy(path);
  fact("kind", "NumPy array");
  fact("shape", shape_text(array.shape));
  fact("type", to_string(array.type));
  fact("values", range(array));
}

void inspect_npz(const std::string& path) {
  const data::NpzFile file(path, data::NpzOptions{.most_bytes = most_bytes});
  const bool splits = file.contains("train_images") && file.contains("train_labels");
  fact("kind", splits ? "NumPy arrays in three splits, as MedMNIST has them" : "NumPy arrays");
  std::string why;  // one that cannot be read does not hide the others
  for (const auto& member : file.members()) try {
      const data::Array array = file.get(member.name);
      fact(member.name, describe(array));
      if (member.name.ends_with("labels")) classes(array);
    } catch (const ebb::Error& error) {
      fact(member.name, "cannot be read");
      why = error.what();
    }
  if (!why.empty()) throw ebb::FileError(why);
}

void inspect_weights(const std::string& path) {
  const auto opened = ebb::io::open_weights(path);
  const ebb::io::TensorFile& file = *opened;
  ebb::Index values = 0;
  for (const auto& [name, tensor] : file.tensors()) values += tensor.size();
  const bool pytorch = dynamic_cast<const ebb::io::PytorchFile*>(&file) != nullptr;
  fact("kind", pytorch ? "PyTorch's file, a state dict say" : "safetensors, of weights say");
  fact("tensors", ebb::message(file.tensors().size(), ", of ", values, " values together"));
  for (const auto& [name, tensor] : file.tensors())
    std::printf("  %-32s %s  %s  %s\n", data::printable(name).c_str(),
                shape_text(tensor.shape).c_str(), ebb::io::name(tensor.dtype),
                tensor_range(file, name, tensor.shape.size()).c_str());
  if (file.metadata().empty()) {
    fact("metadata", "none");
    return;
  }
  std::printf("  metadata (free text: look for names in it)\n");
  for (const auto& [name, text] : file.metadata()) free_text("  " + name, text);
}
