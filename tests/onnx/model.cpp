#include "model.hpp"

#include <onnx/onnx_pb.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace onnx_vectors {
namespace {

namespace fs = std::filesystem;
namespace pb = ONNX_NAMESPACE;

template <class Message>
bool parse(const fs::path& path, Message& message) {
  std::ifstream file(path, std::ios::binary);
  return file && message.ParseFromIstream(&file);
}

template <class T>
std::vector<double> raw(const std::string& bytes) {
  std::vector<double> numbers(bytes.size() / sizeof(T));
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    T one;
    std::memcpy(&one, bytes.data() + i * sizeof(T), sizeof(T));
    numbers[i] = static_cast<double>(one);
  }
  return numbers;
}

template <class T, class Field>
std::vector<double> elements(const pb::TensorProto& tensor, const Field& field) {
  if (tensor.has_raw_data()) return raw<T>(tensor.raw_data());
  std::vector<double> numbers;
  for (const auto& one : field) numbers.push_back(static_cast<double>(one));
  return numbers;
}

Value value(const pb::TensorProto& tensor) {
  Value v;
  v.type = pb::TensorProto_DataType_Name(tensor.data_type());
  v.shape.assign(tensor.dims().begin(), tensor.dims().end());
  switch (tensor.data_type()) {
    case pb::TensorProto::FLOAT:
      v.kind = Kind::real32;
      v.numbers = elements<float>(tensor, tensor.float_data());
      break;
    case pb::TensorProto::DOUBLE:
      v.kind = Kind::real64;
      v.numbers = elements<double>(tensor, tensor.double_data());
      break;
    case pb::TensorProto::INT32:
      v.kind = Kind::integer;
      v.numbers = elements<std::int32_t>(tensor, tensor.int32_data());
      break;
    case pb::TensorProto::INT64:
      v.kind = Kind::integer;
      v.numbers = elements<std::int64_t>(tensor, tensor.int64_data());
      break;
    default:
      v.kind = Kind::other;
  }
  return v;
}

/// A data file may hold a tensor, or a sequence or optional, which no operator of ours takes.
Value read_value(const fs::path& path) {
  pb::TensorProto tensor;
  Value v;
  if (parse(path, tensor)) {
    v = value(tensor);
    std::size_t size = 1;
    for (auto extent : v.shape) size *= static_cast<std::size_t>(extent);
    if (v.kind == Kind::other || v.numbers.size() == size) return v;
  }
  v.kind = Kind::other;
  v.type = "no tensor";
  return v;
}

std::vector<Value> read_values(const fs::path& folder, const std::string& prefix) {
  std::vector<Value> values;
  for (int i = 0;; ++i) {
    const fs::path path = folder / (prefix + "_" + std::to_string(i) + ".pb");
    if (!fs::exists(path)) return values;
    values.push_back(read_value(path));
  }
}

Vector read_vector(const fs::path& folder) {
  pb::ModelProto model;
  if (!parse(folder / "model.onnx", model))
    throw std::runtime_error("cannot parse " + (folder / "model.onnx").string());
  Vector v;
  v.name = folder.filename().string();
  for (const auto& opset : model.opset_import())
    v.opset = std::max<std::int64_t>(v.opset, opset.version());
  v.nodes = model.graph().node_size();
  if (v.nodes != 1) return v;

  const pb::NodeProto& node = model.graph().node(0);
  v.op = node.op_type();
  v.domain = node.domain();
  for (const auto& one : node.attribute()) {
    Attribute a;
    a.real = static_cast<double>(one.f());
    a.integer = one.i();
    a.text = one.s();
    a.reals.assign(one.floats().begin(), one.floats().end());
    a.integers.assign(one.ints().begin(), one.ints().end());
    v.attributes[one.name()] = a;
  }
  const std::vector<Value> inputs = read_values(folder / "test_data_set_0", "input");
  std::map<std::string, Value> by_name;
  for (const auto& initializer : model.graph().initializer())
    by_name[initializer.name()] = value(initializer);
  for (std::size_t i = 0; i < inputs.size() && static_cast<int>(i) < model.graph().input_size();
       ++i)
    by_name[model.graph().input(static_cast<int>(i)).name()] = inputs[i];
  for (const auto& input : node.input())
    v.inputs.push_back(input.empty() ? Value{} : by_name[input]);
  v.outputs = read_values(folder / "test_data_set_0", "output");
  return v;
}

}  // namespace

std::vector<Vector> read_vectors(const std::string& folder) {
  std::vector<fs::path> folders;
  for (const auto& entry : fs::directory_iterator(folder))
    if (fs::exists(entry.path() / "model.onnx")) folders.push_back(entry.path());
  std::sort(folders.begin(), folders.end());
  std::vector<Vector> vectors;
  for (const auto& path : folders) vectors.push_back(read_vector(path));
  return vectors;
}

}  // namespace onnx_vectors
