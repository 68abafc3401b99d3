/// \file
/// `Tensor<T, N, Device>`: a shared handle to a pooled, 64-byte-aligned, row-major buffer.
#pragma once

#include <ebb/core/view.hpp>
#include <ebb/device/cpu/cpu.hpp>
#include <ebb/tensor/storage.hpp>

#include <initializer_list>
#include <limits>
#include <span>
#include <type_traits>
#include <vector>

namespace ebb::inline EBB_ABI {

/// Whether X is an Eigen tensor or tensor expression; specialised by tensor/eigen.hpp, so that
/// this header does not pay for Eigen.
template <class X>
inline constexpr bool is_eigen_tensor = false;

/// Evaluates an Eigen tensor expression into a `Tens` (tensor/eigen.hpp).
template <class Tens, class Expression>
Tens from_eigen(const Expression& expression);

namespace detail {
/// Apart, so that the functions that may need it stay small enough to be inlined.
[[noreturn]] inline void throw_undefined() {
  throw ValueError(
      "tensor: this tensor is undefined (default-constructed or moved from); give it a shape "
      "or assign to it before use");
}
}  // namespace detail

/// Whether numbers of type From are constants of type To, so that tensors of them convert (for dual
/// numbers: tape/lift.hpp).
template <class To, class From>
inline constexpr bool stands_for = false;

/// A row-major tensor of static rank. Copying copies the handle, as PyTorch does; `clone` copies
/// the elements. On the CPU it is an Eigen tensor to its user: it can be made from any row-major
/// Eigen tensor or tensor expression, and `eigen()` maps it without a copy (tensor/eigen.hpp).
template <class T, int N, class Device = Cpu>
class Tensor {
  static_assert(
      std::is_trivially_copyable_v<T>,
      "ebb::Tensor: elements are copied as bytes, so their type must be trivially copyable");

 public:
  using scalar = T;
  using device = Device;
  static constexpr int rank = N;

  /// An undefined tensor: no memory, no elements; every use but assignment throws.
  Tensor() = default;

  /// Uninitialised memory of the given extents.
  /// \throws ShapeError when an extent is negative or the size overflows.
  explicit Tensor(const Shape<N>& shape) : storage_(checked_bytes(shape)), shape_(shape) {}

  /// Elements in row-major order: `Tensor<float, 2>({2, 2}, {1, 2, 3, 4})`.
  /// \throws ShapeError when the number of values is not the number of elements.
  Tensor(const Shape<N>& shape, std::initializer_list<T> values)
      : Tensor(from(shape, std::span<const T>(values.begin(), values.size()))) {}

  /// A scalar.
  Tensor(T value) requires(N == 0) : Tensor(Shape<0>{}) {
    Device::upload(mutable_data(), &value, sizeof(T));
  }

  /// A copy of a row-major Eigen tensor, or the value of an Eigen tensor expression.
  /// Needs tensor/eigen.hpp; a column-major one is a compile-time error.
  template <class Expression>
  requires is_eigen_tensor<Expression> Tensor(const Expression& expression)
      : Tensor(from_eigen<Tensor>(expression)) {}

  /// A tensor of constants where dual numbers are wanted.
  template <class From>
  requires stands_for<T, From> Tensor(const Tensor<From, N, Device>& constants)
      : Tensor(as_constants(constants, std::type_identity<Tensor>{})) {}

  static Tensor full(const Shape<N>& shape, T value) {
    Tensor t(shape);
    fill(Device{}, t.mut(), value);
    return t;
  }
  static Tensor zeros(const Shape<N>& shape) { return full(shape, T(0)); }
  static Tensor ones(const Shape<N>& shape) { return full(shape, T(1)); }

  /// A copy of host memory.
  /// \throws ShapeError when the number of values is not the number of elements.
  static Tensor from(const Shape<N>& shape, std::span<const T> values) {
    Tensor t(shape);
    if (static_cast<Index>(values.size()) != t.size())
      throw ShapeError(message("tensor: ", values.size(), " values were given for shape ", shape,
                               ", which holds ", t.size()));
    Device::upload(t.mutable_data(), values.data(), values.size_bytes());
    return t;
  }

  bool defined() const { return storage_.defined(); }
  const Shape<N>& shape() const { return shape_.get(); }
  Index extent(int axis) const { return shape()[normalize_axis("extent", axis, N)]; }
  Index size() const { return defined() ? shape().size() : 0; }

  /// Read-only window for kernels. \throws ValueError when undefined.
  View<const T, N> view() const { return {data(), shape()}; }
  /// Writable window for kernels; const, because a tensor is a handle, like `std::span`.
  View<T, N> mut() const { return {mutable_data(), shape()}; }
  const T* data() const { return mutable_data(); }
  T* mutable_data() const {
    if (!defined()) detail::throw_undefined();
    return static_cast<T*>(storage_.data());
  }

  /// The same elements in fresh memory.
  Tensor clone() const {
    Tensor t(shape());
    Device::copy(t.mutable_data(), data(), bytes());
    return t;
  }

  /// The same memory under other extents.
  /// \throws ShapeError when the number of elements differs, or an extent is negative.
  template <int M>
  Tensor<T, M, Device> reshape(const Shape<M>& shape) const {
    const Shape<N>& own = shape_.get();
    Tensor<T, M, Device>::checked_bytes(shape);
    if (shape.size() != own.size())
      throw ShapeError(message("reshape: ", own, " holds ", own.size(), " elements, ", shape,
                               " holds ", shape.size()));
    static_cast<void>(data());  // throws when undefined
    return Tensor<T, M, Device>(storage_, shape);
  }

  /// The only element. \throws ShapeError when there are more, or none.
  T item() const {
    if (size() != 1)
      throw ShapeError(message("item: a tensor of shape ", shape(), " holds ", size(),
                               " elements; reduce it with sum() or mean() first"));
    T value;
    Device::download(&value, data(), sizeof(T));
    return value;
  }

  /// All elements, copied to host memory in row-major order.
  std::vector<T> values() const {
    std::vector<T> host(static_cast<std::size_t>(size()));
    if (!host.empty()) Device::download(host.data(), data(), bytes());
    return host;
  }

  /// Element access where the host can reach the memory; indices are not checked.
  template <class... I>
  requires(sizeof...(I) == static_cast<std::size_t>(N)) T& operator()(I... index) const {
    static_assert(Device::host_accessible,
                  "ebb::Tensor: elements on this device cannot be read one by one from the host; "
                  "copy the tensor to the CPU first with to<ebb::Cpu>(x)");
    return mut()(index...);
  }

  /// An Eigen map of the same memory (tensor/eigen.hpp).
  auto eigen() const { return eigen_tensor_map(*this); }
  /// A row-major `Eigen::Matrix` map (rank 2) of the same memory.
  auto matrix() const requires(N == 2) { return eigen_matrix_map(*this); }
  /// An `Eigen::Matrix` column-vector map (rank 1) of the same memory.
  auto vector() const requires(N == 1) { return eigen_vector_map(*this); }

  /// Whether another handle shares the memory.
  bool shared() const { return storage_.users() > 1; }
  std::size_t bytes() const { return static_cast<std::size_t>(size()) * sizeof(T); }

 private:
  template <class, int, class>
  friend class Tensor;

  Tensor(const Storage<Device>& storage, const Shape<N>& shape)
      : storage_(storage), shape_(shape) {}

  static std::size_t checked_bytes(const Shape<N>& shape) {
    Index bytes = sizeof(T);  // of the axes that are not empty: strides must not overflow either
    bool empty = false;
    for (int axis = 0; axis < N; ++axis) {
      if (shape[axis] < 0)
        throw ShapeError(message("tensor: extent ", shape[axis], " on axis ", axis, " of ", shape,
                                 " is negative"));
      empty = empty || shape[axis] == 0;
      // (A division would cost a small step more than its arithmetic.)
      if (shape[axis] != 0 && __builtin_mul_overflow(bytes, shape[axis], &bytes))
        throw ShapeError(message("tensor: ", shape, " holds more elements than can be addressed"));
    }
    return empty ? 0 : static_cast<std::size_t>(bytes);
  }

  Storage<Device> storage_;
  [[no_unique_address]] KeptShape<N, Tensor> shape_;
};

template <class>
inline constexpr bool is_tensor = false;
template <class T, int N, class Device>
inline constexpr bool is_tensor<Tensor<T, N, Device>> = true;

/// The same elements on another device; the same handle when it is there already.
template <class To, class T, int N, class From>
Tensor<T, N, To> to(const Tensor<T, N, From>& x) {
  if constexpr (std::is_same_v<To, From>)
    return x;
  else
    return Tensor<T, N, To>::from(x.shape(), x.values());
}

}  // namespace ebb
