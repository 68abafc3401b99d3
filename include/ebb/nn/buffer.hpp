/// \file
/// State of a layer that is saved with it but not trained: running statistics.
#pragma once

#include <ebb/core/replay.hpp>
#include <ebb/tensor/tensor.hpp>

namespace ebb::inline EBB_ABI::nn {

/// A tensor with the value semantics of `Param`: copying a network copies its buffers. The tensor
/// inside is a handle, so a const layer that trains may write into its memory.
template <class Tens>
class Buffer {
 public:
  using tensor_type = Tens;

  /// An absent buffer (a batch norm that tracks nothing): `defined()` is false.
  Buffer() = default;
  Buffer(Tens value) : value_(std::move(value)) {}
  /// The same value on another device.
  template <class Other>
  requires(!std::is_same_v<Other, Tens> &&
           std::is_same_v<typename Other::scalar, typename Tens::scalar> &&
           Other::rank == Tens::rank) explicit Buffer(const Buffer<Other>& other) {
    if (other) value_ = to<typename Tens::device>(other.value());
  }
  Buffer(const Buffer& other) : value_(other.defined() ? other.value_.clone() : Tens()) {}
  Buffer(Buffer&&) noexcept = default;
  Buffer& operator=(const Buffer& other) {
    if (this != &other) value_ = other.defined() ? other.value_.clone() : Tens();
    return *this;
  }
  Buffer& operator=(Buffer&&) noexcept = default;
  ~Buffer() = default;

  bool defined() const { return value_.defined(); }
  explicit operator bool() const { return defined(); }

  /// \throws ValueError when absent.
  const Tens& value() const {
    const auto* const data = value_.data();
    ebb::detail::replay_while(this,
                              [this, data] { return value_.defined() && value_.data() == data; });
    return value_;
  }
  const Shape<Tens::rank>& shape() const { return value().shape(); }
  Index size() const { return value_.size(); }

  /// Replaces the value. \throws ShapeError when the shape differs.
  void set(const Tens& value) {
    if (!(value.shape() == shape()))
      throw ShapeError(message("buffer: shape ", shape(), " cannot be set to a tensor of shape ",
                               value.shape()));
    value_ = value;
  }

 private:
  Tens value_;
};

template <class>
inline constexpr bool is_buffer = false;
template <class Tens>
inline constexpr bool is_buffer<Buffer<Tens>> = true;

}  // namespace ebb::nn
