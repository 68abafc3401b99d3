/// \file
/// Tensors on their way to a file.
#pragma once

#include <ebb/io/dtype.hpp>
#include <ebb/tensor/tensor.hpp>

#include <memory>
#include <string>
#include <vector>

namespace ebb::inline EBB_ABI::io {

/// A tensor on its way to a file.
struct NamedTensor {
  std::string name;
  Dtype dtype = Dtype::f32;
  std::vector<Index> shape;
  std::shared_ptr<const void> owner;  ///< keeps the elements alive
  const void* data = nullptr;         ///< in host memory
  std::size_t bytes = 0;

  /// Shares the elements of a tensor in host memory; copies those of one on another device.
  template <class T, int N, class Device>
  NamedTensor(std::string called, const Tensor<T, N, Device>& x)
      : name(std::move(called)), dtype(dtype_of<T>()), bytes(x.bytes()) {
    for (int axis = 0; axis < N; ++axis) shape.push_back(x.shape()[axis]);
    if constexpr (Device::host_accessible) {
      const auto kept = std::make_shared<const Tensor<T, N, Device>>(x);
      owner = kept;
      data = kept->data();
    } else {
      static_assert(!std::is_same_v<T, bool>, "ebb::io: bool tensors are saved from the CPU only");
      const auto kept = std::make_shared<const std::vector<T>>(x.values());
      owner = kept;
      data = kept->data();
    }
  }

  /// Elements of any type as they lie in a file: row-major, little-endian.
  NamedTensor(std::string called, Dtype type, std::vector<Index> extents,
              std::vector<unsigned char> elements)
      : name(std::move(called)), dtype(type), shape(std::move(extents)), bytes(elements.size()) {
    const auto kept = std::make_shared<const std::vector<unsigned char>>(std::move(elements));
    owner = kept;
    data = kept->data();
  }

  /// The same with its elements as another type of floating point; to F16 and BF16 they are rounded
  /// to the nearest, ties to even, as PyTorch's `half()` and `bfloat16()` do. Integers stay.
  NamedTensor as(Dtype type) const {
    if (type == dtype || !is_float(dtype) || !is_float(type)) return *this;
    const auto width = static_cast<std::size_t>(io::bytes(dtype));
    const std::size_t count = bytes / width;
    const auto* from = static_cast<const unsigned char*>(data);
    std::vector<unsigned char> to(count * static_cast<std::size_t>(io::bytes(type)));
    for (std::size_t i = 0; i < count; ++i)
      store_element(type, convert_element<double>(dtype, from + i * width),
                    to.data() + i * static_cast<std::size_t>(io::bytes(type)));
    return NamedTensor(name, type, shape, std::move(to));
  }
};

}  // namespace ebb::io
