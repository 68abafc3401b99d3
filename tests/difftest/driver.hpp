/// \file
/// The driver of the random tests against PyTorch: it reads cases, computes them, and writes what
/// it found, so that protocol.py may compare. Numbers are little endian.
///
///     case    u32 length and text "op=pool T=f kernel=2,2"; u32 tensors
///     tensor  u8 type (f, d, i; n: absent), u8 rank, i64 extents, elements
///     result  u32 status (0 right, 1 refused, 2 broken), u32 length and text; u32 tensors
#pragma once

#include <ebb/ebb.hpp>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <map>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

namespace difftest {

using namespace ebb;

/// A tensor of any type and rank, as it travels.
struct Wire {
  char type = 'n';
  std::vector<std::int64_t> extents;
  std::vector<char> bytes;
};

template <class T>
constexpr char type_of() {
  return std::is_same_v<T, float> ? 'f' : std::is_same_v<T, double> ? 'd' : 'i';
}

/// What is asked.
struct Case {
  std::map<std::string, std::string> options;
  std::vector<Wire> tensors;

  std::string text(const std::string& key, const std::string& otherwise = "") const {
    const auto found = options.find(key);
    return found == options.end() ? otherwise : found->second;
  }
  double number(const std::string& key, double otherwise = 0) const {
    const auto found = options.find(key);
    return found == options.end() ? otherwise : std::strtod(found->second.c_str(), nullptr);
  }
  int whole(const std::string& key, int otherwise = 0) const {
    return static_cast<int>(number(key, otherwise));
  }
  /// "2,1": height and width.
  Size2 size(const std::string& key, Index otherwise) const {
    const std::string both = text(key);
    const auto comma = both.find(',');
    if (comma == std::string::npos) return Size2(otherwise);
    return Size2(std::atoi(both.c_str()), std::atoi(both.c_str() + comma + 1));
  }
  bool has(std::size_t k) const { return k < tensors.size() && tensors[k].type != 'n'; }
  std::size_t rank(std::size_t k) const { return tensors.at(k).extents.size(); }

  /// Tensor k; undefined where it is absent.
  template <class T, int N>
  Tensor<T, N> tensor(std::size_t k) const {
    const Wire& wire = tensors.at(k);
    if (wire.type == 'n') return {};
    if (wire.type != type_of<T>() || wire.extents.size() != static_cast<std::size_t>(N))
      throw std::runtime_error("driver: tensor " + std::to_string(k) + " has another type or rank");
    Shape<N> shape{};
    for (int axis = 0; axis < N; ++axis) shape[axis] = wire.extents[static_cast<std::size_t>(axis)];
    Tensor<T, N> x(shape);
    if (!wire.bytes.empty()) std::memcpy(x.mutable_data(), wire.bytes.data(), wire.bytes.size());
    return x;
  }
};

/// What is answered; `note` says which check of the driver's own failed.
struct Result {
  std::vector<Wire> tensors;
  std::string note;

  template <class T, int N>
  void add(const Tensor<T, N>& x) {
    Wire wire;
    if (x.defined()) {
      wire.type = type_of<T>();
      for (int axis = 0; axis < N; ++axis) wire.extents.push_back(x.shape()[axis]);
      wire.bytes.resize(static_cast<std::size_t>(x.size()) * sizeof(T));
      if (x.size() > 0) std::memcpy(wire.bytes.data(), x.data(), wire.bytes.size());
    }
    tensors.push_back(std::move(wire));
  }
};

/// Computes f(x...) on a tape and pulls back the last tensor of the case; answers with the value
/// and every gradient. `twice`: two passes, of which the second adds.
template <class T, class F, class... Tens>
void differentiate(const Case& asked, Result& result, F f, const Tens&... x) {
  Tape tape;
  const auto operands = std::make_tuple(tape.watch(x)...);
  const auto y = std::apply(f, operands);
  result.add(y.value());
  constexpr int rank = rank_of<std::remove_cvref_t<decltype(y)>>;
  const auto dy = asked.tensor<T, rank>(asked.tensors.size() - 1);
  const auto before = y.value().clone();
  if (asked.whole("twice")) backward(y, dy.clone(), Retain::yes);
  backward(y, dy);
  if (before.size() > 0 && std::memcmp(before.data(), y.value().data(),
                                       static_cast<std::size_t>(before.size()) * sizeof(T)) != 0)
    result.note += "[backward changed the value]";
  std::apply([&](const auto&... v) { (result.add(v.grad()), ...); }, operands);
}

/// Calls f(T()) with the scalar of the case.
template <class F>
void with_scalar(const Case& asked, F f) {
  if (asked.text("T") == "f")
    f(float());
  else
    f(double());
}
[[noreturn]] inline void unknown(const Case& asked) {
  throw std::runtime_error("driver: there is no " + asked.text("op") + " " + asked.text("f"));
}

// One for each value of "op", each in a file of its kind.
void unary(const Case&, Result&);
void binary(const Case&, Result&);
void reduction(const Case&, Result&);
void softmaxes(const Case&, Result&);
void convolution(const Case&, Result&);
void pooling(const Case&, Result&);
void resizing(const Case&, Result&);
void normalisation(const Case&, Result&);
void product(const Case&, Result&);
void loss(const Case&, Result&);
void tied_weights(const Case&, Result&);
void update_rule(const Case&, Result&);

}  // namespace difftest
