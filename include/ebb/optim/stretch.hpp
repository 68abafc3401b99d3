/// \file
/// Parameters of any scalar type, on any device, as one long vector of doubles on the host.
#pragma once

#include <ebb/tape/param.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace ebb::inline EBB_ABI::optim {

namespace detail {

/// A parameter seen as a stretch of one long vector of doubles on the host.
struct Stretch {
  virtual ~Stretch() = default;
  virtual Index size() const = 0;
  virtual void read(double* to) const = 0;
  virtual void write(const double* from) = 0;
  virtual void read_gradient(double* to) const = 0;
  virtual void zero_grad() const = 0;
  virtual bool reached_by(std::uint64_t pass) const = 0;
  /// Its name where it is not frozen and never had a gradient, else nothing.
  virtual std::string name_if_unreached() const = 0;
};

template <class T, class Device>
struct StretchOf final : Stretch {
  std::shared_ptr<ParamBase<T, Device>> cell;
  std::vector<T> host;

  explicit StretchOf(std::shared_ptr<ParamBase<T, Device>> c) : cell(std::move(c)) {}
  Index size() const override { return cell->flat_value().size(); }
  void read(double* to) const override { spread(cell->flat_value(), to); }
  void write(const double* from) override {
    host.resize(static_cast<std::size_t>(size()));
    for (std::size_t i = 0; i < host.size(); ++i) host[i] = static_cast<T>(from[i]);
    Device::upload(cell->flat_value().mutable_data(), host.data(), host.size() * sizeof(T));
  }
  void read_gradient(double* to) const override {
    const auto gradient = cell->flat_grad();
    if (gradient.defined() && cell->trainable)
      spread(gradient, to);
    else
      for (Index i = 0; i < size(); ++i) to[i] = 0;
  }
  void zero_grad() const override { cell->zero_grad(); }
  bool reached_by(std::uint64_t pass) const override { return cell->arrival.pass == pass; }
  std::string name_if_unreached() const override {
    const bool reached = cell->arrival.pass != 0 || cell->flat_grad().defined();
    return cell->trainable && !reached ? cell->name : std::string();
  }

  static void spread(const Tensor<T, 1, Device>& from, double* to) {
    for (const T v : from.values()) *to++ = static_cast<double>(v);
  }
};

}  // namespace detail

}  // namespace ebb::optim
