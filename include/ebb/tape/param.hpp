/// \file
/// Gradient slots and parameters.
#pragma once

#include <ebb/core/random.hpp>
#include <ebb/core/replay.hpp>
#include <ebb/tape/arrivals.hpp>
#include <ebb/tape/factors.hpp>
#include <ebb/tensor/tensor.hpp>

#include <memory>
#include <string>
#include <utility>

namespace ebb::inline EBB_ABI {

/// Where the gradient of one value gathers. The first writer overwrites, later ones add; a gradient
/// that is merely passed on is shared until somebody adds to it.
template <class Tens>
class Slot {
  using T = typename Tens::scalar;
  using Device = typename Tens::device;

 public:
  explicit Slot(const Shape<Tens::rank>& shape) : shape_(shape) {}

  const Shape<Tens::rank>& shape() const { return shape_.get(); }
  bool filled() const { return grad_.defined(); }
  /// The gathered gradient; undefined while none has arrived.
  const Tens& grad() const { return grad_; }

  /// Where a kernel writes this value's gradient.
  Into<T, Tens::rank> into() {
    const bool add = filled();
    if (!add)
      grad_ = Tens(shape());
    else if (grad_.shared())
      grad_ = grad_.clone();
    return {grad_.mutable_data(), shape(), add};
  }

  /// The same, in the memory of `spare` where this gradient is the first and nobody else holds it.
  Into<T, Tens::rank> into(const Tens& spare) {
    if (filled() || spare.shared() || !(spare.shape() == shape())) return into();
    grad_ = spare;
    return {grad_.mutable_data(), shape(), false};
  }

  /// Adds a gradient that exists already; shares its memory when it is the first.
  void give(const Tens& gradient) {
    if (filled())
      accumulate(Device{}, gradient.view(), into());
    else
      grad_ = gradient;
  }

  /// Hands the gradient out, which leaves none here.
  Tens take() { return std::exchange(grad_, Tens()); }

  /// Forgets the gradient and lets go of its memory: the next forward pass can use it.
  void clear() { grad_ = {}; }

 private:
  Tens grad_;
  [[no_unique_address]] KeptShape<Tens::rank, Slot> shape_;
};

/// The slot of a parameter, whose gradient an optimizer may take as two factors. Whoever else asks
/// for it, or adds to it, finds it multiplied out.
template <class Tens>
class ParamSlot : public Slot<Tens> {
  using T = typename Tens::scalar;
  using Device = typename Tens::device;
  using Base = Slot<Tens>;

 public:
  using Base::Base;

  bool filled() const { return factors_ || Base::filled(); }
  const Tens& grad() {
    settle();
    return Base::grad();
  }
  Into<T, Tens::rank> into() {
    settle();
    return Base::into();
  }
  Into<T, Tens::rank> into(const Tens& spare) {
    settle();
    return Base::into(spare);
  }
  void give(const Tens& gradient) {
    settle();
    Base::give(gradient);
  }
  Tens take() {
    settle();
    return Base::take();
  }
  void clear() {
    forget();
    Base::clear();
  }

  /// Keeps the first gradient to arrive as left^T right, unmultiplied. Both must stay as they are.
  void defer(const Tensor<T, 2, Device>& left, const Tensor<T, 2, Device>& right,
             void (*expand)(const Factors<T>&, Index, Index, T*)) {
    left_ = left;
    right_ = right;
    factors_ = {left.data(), right.data(), left.extent(0), left.extent(1), right.extent(1), expand};
  }
  /// The factors; empty where the gradient is an ordinary tensor, or there is none.
  const Factors<T>& factors() const { return factors_; }

 private:
  void settle() {
    if (!factors_) return;
    const auto into = Base::into();
    factors_.expand(factors_, 0, into.size(), into.data);
    forget();
  }
  void forget() {
    factors_ = {};
    left_ = {};
    right_ = {};
  }

  Factors<T> factors_;
  Tensor<T, 2, Device> left_, right_;
};

/// What an optimizer sees of a parameter, whatever its rank.
template <class T, class Device>
struct ParamBase {
  std::string name;       ///< dotted path in its network ("conv1.weight"), once somebody named it
  bool trainable = true;  ///< false: frozen, its gradient is never computed
  detail::Arrival arrival{};  ///< of gradients

  ParamBase() = default;
  ParamBase(const ParamBase&) = delete;
  ParamBase& operator=(const ParamBase&) = delete;
  virtual ~ParamBase() = default;

  virtual Tensor<T, 1, Device> flat_value() const = 0;  ///< shares the parameter's memory
  virtual Tensor<T, 1, Device> flat_grad() = 0;         ///< undefined while there is none
  virtual Factors<T> grad_factors() const = 0;          ///< in place of it, where it is deferred
  virtual Into<T, 1> grad_into() = 0;                   ///< where to write or add a gradient
  virtual void zero_grad() = 0;
};

/// A parameter: a value that a network owns and an optimizer changes. It behaves as a value
/// (copying a network copies its parameters, with no gradients), while tapes and optimizers hold
/// its shared cell, so moving a network never leaves them dangling. Assigning to a parameter keeps
/// the cell: an optimizer stays attached to `net` after `net = best`.
template <class Tens>
class Param {
  using T = typename Tens::scalar;
  using Device = typename Tens::device;

 public:
  /// How a value was drawn at random (nn/init.hpp): `by(value, stream, a, b)`. Containers of layers
  /// draw again what a compiler drew in an order of its own (nn/draws.hpp).
  struct Drawn {
    void (*by)(const Tens& value, const RandomStream& stream, double a, double b) = nullptr;
    RandomStream stream{};
    double a = 0, b = 0;
  };

  /// The shared part.
  struct Cell final : ParamBase<T, Device> {
    Tens value;
    ParamSlot<Tens> slot;
    Drawn drawn{};  ///< by the default generator, when the parameter was made; not of a copy

    explicit Cell(Tens v) : value(std::move(v)), slot(value.shape()) {}
    Tensor<T, 1, Device> flat_value() const override {
      return value.reshape(Shape<1>{value.size()});
    }
    Tensor<T, 1, Device> flat_grad() override {
      return slot.filled() ? slot.grad().reshape(Shape<1>{value.size()}) : Tensor<T, 1, Device>();
    }
    Factors<T> grad_factors() const override { return slot.factors(); }
    Into<T, 1> grad_into() override {
      const auto into = slot.into();
      return {into.data, Shape<1>{into.size()}, into.add};
    }
    void zero_grad() override { slot.clear(); }
  };

  /// An absent parameter (a layer without bias): `defined()` is false.
  Param() = default;
  Param(Tens value) : cell_(std::make_shared<Cell>(std::move(value))) {}
  /// The same value, name and freezing on another device; no gradient.
  template <class Other>
  requires(!std::is_same_v<Other, Tens> && std::is_same_v<typename Other::scalar, T> &&
           Other::rank == Tens::rank) explicit Param(const Param<Other>& other) {
    if (!other) return;
    cell_ = std::make_shared<Cell>(to<Device>(other.value()));
    cell_->name = other.name();
    cell_->trainable = other.trainable();
  }
  Param(const Param& other) { *this = other; }
  Param(Param&&) noexcept = default;
  Param& operator=(const Param& other) {
    if (this != &other) {
      assign(other, [](const Tens& value) { return value.clone(); });
      if (cell_) cell_->drawn = {};
    }
    return *this;
  }
  // NOLINTNEXTLINE(performance-noexcept-move-constructor): throws where the shapes differ
  Param& operator=(Param&& other) {
    if (this != &other) {
      if (cell_) {
        assign(other, [](const Tens& value) { return value; });
        if (cell_) cell_->drawn = other.cell_->drawn;
      } else
        cell_ = std::move(other.cell_);
    }
    return *this;
  }
  ~Param() = default;

  bool defined() const { return cell_ != nullptr; }
  explicit operator bool() const { return defined(); }

  const Tens& value() const {
    const Cell& cell = checked();
    if (detail::recording_step()) stay_for_replays(cell);
    return cell.value;
  }
  const Shape<Tens::rank>& shape() const { return checked().value.shape(); }
  Index size() const { return checked().value.size(); }

  /// Replaces the value. \throws ShapeError when the shape differs.
  void set(const Tens& value) {
    Cell& cell = checked();
    if (!(value.shape() == cell.value.shape()))
      throw ShapeError(message("parameter", cell.name.empty() ? "" : " ", cell.name, ": shape ",
                               cell.value.shape(), " cannot be set to a tensor of shape ",
                               value.shape()));
    cell.value = value;
    cell.drawn = {};
  }

  /// The gradient gathered since the last `zero_grad`; undefined while there is none.
  Tens grad() const { return checked().slot.grad(); }
  void zero_grad() const { checked().slot.clear(); }

  /// "conv1.weight", once `name_parameters`, an optimizer or a summary has seen the network.
  const std::string& name() const { return checked().name; }
  void set_name(const std::string& name) const { checked().name = name; }

  bool trainable() const { return checked().trainable; }
  /// Freezes or thaws the parameter: a frozen one gets no gradient and no update.
  void set_trainable(bool trainable) const { checked().trainable = trainable; }

  /// The parameter as an operand of x's kind: a variable on x's tape where x is a `Var`, the plain
  /// value where x is a plain tensor. A function of parameters alone is written with it, so that it
  /// is recorded whenever x is: `linear(x, weight.on(x) * mask, bias)`, with x the layer's input.
  template <class X>
  auto on(const X& x) const;

  const std::shared_ptr<Cell>& cell() const { return cell_; }

 private:
  /// A recorded step has this value's address, and whether there is a gradient.
  void stay_for_replays(const Cell& cell) const {
    const auto* const data = cell.value.data();  // throws when undefined
    detail::replay_while(&cell, [cell = cell_, data, trainable = cell.trainable] {
      return cell->value.defined() && cell->value.data() == data && cell->trainable == trainable;
    });
  }

  Cell& checked() const {
    if (!cell_)
      throw ValueError("parameter: this parameter is absent (default-constructed or moved from)");
    return *cell_;
  }

  template <class Take>
  void assign(const Param& other, Take take) {
    if (!other.cell_) {
      cell_.reset();
      return;
    }
    if (cell_ && cell_->value.shape() == other.cell_->value.shape()) {
      cell_->value = take(other.cell_->value);
      cell_->slot.clear();
    } else {
      cell_ = std::make_shared<Cell>(take(other.cell_->value));
    }
    cell_->name = other.cell_->name;
    cell_->trainable = other.cell_->trainable;
  }

  std::shared_ptr<Cell> cell_;
};

}  // namespace ebb
