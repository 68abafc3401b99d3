/// \file
/// One ONNX operator vector as plain values: the node, its attributes, inputs and expected outputs.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace onnx_vectors {

enum class Kind { absent, real32, real64, integer, other };

/// A tensor of the vector. Numbers of every kind are kept as double, which holds them exactly.
struct Value {
  Kind kind = Kind::absent;
  std::string type;  ///< ONNX's name of the element type
  std::vector<std::int64_t> shape;
  std::vector<double> numbers;

  int rank() const { return static_cast<int>(shape.size()); }
};

struct Attribute {
  double real = 0;
  std::int64_t integer = 0;
  std::string text;
  std::vector<double> reals;
  std::vector<std::int64_t> integers;
};

struct Vector {
  std::string name;  ///< "test_conv_with_strides_padding"
  std::string op;    ///< "Conv"; empty when the model is not a single node
  std::string domain;
  std::int64_t opset = 0;
  int nodes = 0;
  std::map<std::string, Attribute> attributes;
  std::vector<Value> inputs;  ///< in the node's order; absent where the node names none
  std::vector<Value> outputs;

  bool has(const std::string& key) const { return attributes.count(key) > 0; }
  std::int64_t integer(const std::string& key, std::int64_t otherwise) const {
    return has(key) ? attributes.at(key).integer : otherwise;
  }
  double real(const std::string& key, double otherwise) const {
    return has(key) ? attributes.at(key).real : otherwise;
  }
  std::string text(const std::string& key, const std::string& otherwise) const {
    return has(key) ? attributes.at(key).text : otherwise;
  }
  std::vector<std::int64_t> integers(const std::string& key,
                                     std::vector<std::int64_t> otherwise = {}) const {
    return has(key) ? attributes.at(key).integers : otherwise;
  }
  bool given(std::size_t i) const { return i < inputs.size() && inputs[i].kind != Kind::absent; }
};

/// Reads every `test_*` folder under `folder`, in order of name. \throws std::runtime_error when a
/// file cannot be parsed.
std::vector<Vector> read_vectors(const std::string& folder);

}  // namespace onnx_vectors
