/// \file
/// Layers one after another, chosen while the program runs.
#pragma once

#include <ebb/core/type_tag.hpp>
#include <ebb/nn/on_device.hpp>

#include <memory>

namespace ebb::inline EBB_ABI::nn {

namespace detail {

template <class Leaf>
struct LeafReceiver {
  virtual void on(const std::string& path, Leaf& leaf) = 0;

 protected:
  ~LeafReceiver() = default;
};

/// Receives leaves of the listed types.
template <class... Leaves>
struct LeafReceivers : LeafReceiver<Leaves>... {
  using LeafReceiver<Leaves>::on...;

 protected:
  ~LeafReceivers() = default;
};

/// Passes every leaf it receives on to a function, as const where `Const` says so.
template <class Receivers, bool Const, class F, class... Leaves>
struct PassOn;
template <class Receivers, bool Const, class F>
struct PassOn<Receivers, Const, F> : Receivers {
  F& f;
  explicit PassOn(F& function) : f(function) {}
  using Receivers::on;

 protected:
  ~PassOn() = default;
};
template <class Receivers, bool Const, class F, class Leaf, class... Rest>
struct PassOn<Receivers, Const, F, Leaf, Rest...> : PassOn<Receivers, Const, F, Rest...> {
  using Base = PassOn<Receivers, Const, F, Rest...>;
  using Base::Base;
  using Base::on;
  void on(const std::string& path, Leaf& leaf) override {
    if constexpr (Const)
      this->f(path, std::as_const(leaf));
    else
      this->f(path, leaf);
  }

 protected:
  ~PassOn() = default;
};

/// The leaves that a layer in a stack can have.
template <class T, class Device>
struct StackLeaves {
  template <int N>
  using P = Param<Tensor<T, N, Device>>;
  template <int N>
  using B = Buffer<Tensor<T, N, Device>>;
  using Count = Buffer<Tensor<std::int64_t, 0, Device>>;

  using Receivers = LeafReceivers<Mode, Count, P<0>, P<1>, P<2>, P<3>, P<4>, P<5>, B<0>, B<1>, B<2>,
                                  B<3>, B<4>, B<5>>;
  template <bool Const, class F>
  using PassAll = PassOn<Receivers, Const, F, Mode, Count, P<0>, P<1>, P<2>, P<3>, P<4>, P<5>, B<0>,
                         B<1>, B<2>, B<3>, B<4>, B<5>>;
  template <bool Const, class F>
  struct Pass final : PassAll<Const, F> {
    explicit Pass(F& function) : PassAll<Const, F>(function) {}
  };
};

/// Differs from file to file, and so is always an argument of a template.
template <class Device>
using KnownDevices = decltype(known_devices(std::declval<const Device&>()));

}  // namespace detail

/// Any layer that turns a tensor of rank N into another of rank N; its type is hidden. It is a
/// value: copying it copies the layer, parameters and all.
template <int N, class T = float, class Device = Cpu>
class AnyLayer {
  using Tens = Tensor<T, N, Device>;
  using Leaves = detail::StackLeaves<T, Device>;

 public:
  /// The layer can be moved to the devices that are known where this is compiled.
  template <class Layer, class Devices = detail::KnownDevices<Device>>
  requires(!std::is_same_v<std::remove_cvref_t<Layer>, AnyLayer>) AnyLayer(Layer layer)
      : AnyLayer(std::move(layer), Devices()) {}
  template <class Layer, class... To>
  AnyLayer(Layer layer, ebb::kernel::detail::Devices<To...>)
      : layer_(std::make_unique<Movable<Layer, To...>>(std::move(layer))) {}
  AnyLayer(const AnyLayer& other) : layer_(other.layer_->clone()) {}
  AnyLayer(AnyLayer&&) noexcept = default;
  /// Keeps the parameters' cells where both hide the same type, so that optimizers stay attached.
  AnyLayer& operator=(const AnyLayer& other) {
    if (this != &other && !(layer_ && layer_->assign(*other.layer_)))
      layer_ = other.layer_->clone();
    return *this;
  }
  AnyLayer& operator=(AnyLayer&&) noexcept = default;
  ~AnyLayer() = default;

  /// Moved in, x is freed or written over as soon as nobody needs it.
  Tens operator()(Tens x) const { return layer_->run(std::move(x)); }
  Var<Tens> operator()(Var<Tens> x) const { return layer_->run(std::move(x)); }

  /// On another device: see `to<Device>(net)`.
  static AnyLayer moved(const auto& other, const auto& mover) {
    using To = typename std::remove_cvref_t<decltype(mover)>::Device;
    static_assert(std::is_same_v<To, Device>);
    std::unique_ptr<AnyLayer> result;
    other.layer_->move_to(&ebb::detail::type_tag<Device>, &result);
    if (!result)
      throw ValueError(
          "to another device: a layer of a Stack takes tensors of one device only, or was added in "
          "a file that does not know the other; include its header there (<ebb/cuda.cuh>), or "
          "build the stack anew and use nn::copy_state");
    return std::move(*result);
  }

  /// The leaves of the hidden layer, under dotted names.
  static void visit(auto& self, auto&& f) {
    const auto pass = [&f](const std::string& path, auto& leaf) { f(path, leaf); };
    visit_leaves(self, std::string(), pass);
  }
  template <class Self, class F>
  static void visit_leaves(Self& self, const std::string& path, F& f) {
    typename Leaves::template Pass<std::is_const_v<Self>, F> pass(f);
    self.layer_->each_leaf(path, pass);
  }

 private:
  template <int, class, class>
  friend class AnyLayer;

  struct Erased {
    virtual ~Erased() = default;
    virtual std::unique_ptr<Erased> clone() const = 0;
    virtual bool assign(const Erased& other) = 0;
    virtual const void* type() const = 0;
    /// `result` is a pointer to a unique_ptr of an AnyLayer on the device of that tag.
    virtual void move_to(const void* device, void* result) const = 0;
    virtual Tens run(Tens x) const = 0;
    virtual Var<Tens> run(Var<Tens> x) const = 0;
    virtual void each_leaf(const std::string& path, typename Leaves::Receivers& receivers) = 0;
  };

  template <class Layer>
  struct Hidden : Erased {
    Layer layer;

    explicit Hidden(Layer l) : layer(std::move(l)) {}
    bool assign(const Erased& other) override {
      if (other.type() != type() || !std::is_copy_assignable_v<Layer>) return false;
      if constexpr (std::is_copy_assignable_v<Layer>)
        layer = static_cast<const Hidden&>(other).layer;
      return true;
    }
    const void* type() const override { return &ebb::detail::type_tag<Layer>; }
    Tens run(Tens x) const override { return call(std::move(x)); }
    Var<Tens> run(Var<Tens> x) const override { return call(std::move(x)); }
    template <class X>
    auto call(X&& x) const {
      static_assert(std::is_same_v<std::remove_cvref_t<decltype(layer(x))>, X>,
                    "ebb::nn::Stack: a layer of a stack must yield what it takes, a tensor of the "
                    "stack's rank, scalar type and device");
      return layer(std::forward<X>(x));
    }
    void each_leaf(const std::string& path, typename Leaves::Receivers& receivers) override {
      auto receive = [&receivers]<class Leaf>(const std::string& leaf_path, Leaf& leaf) {
        static_assert(
            requires { receivers.on(leaf_path, leaf); },
            "ebb::nn::Stack: a parameter or buffer of this layer has another scalar type "
            "or device than the stack, or more than 5 axes");
        receivers.on(leaf_path, leaf);
      };
      nn::detail::each_leaf(path, layer, receive);
    }
  };

  template <class Layer, class... To>
  struct Movable final : Hidden<Layer> {
    using Hidden<Layer>::Hidden;
    std::unique_ptr<Erased> clone() const override {
      return std::make_unique<Movable>(this->layer);
    }
    void move_to(const void* device, void* result) const override {
      (move_if<To>(device, result), ...);
    }
    template <class D>
    void move_if([[maybe_unused]] const void* device, [[maybe_unused]] void* result) const {
      using There = AnyLayer<N, T, D>;
      using Moved = on_device<Layer, D>;
      if constexpr (std::is_invocable_v<const Moved&, Tensor<T, N, D>>)
        if (device == &ebb::detail::type_tag<D>)
          *static_cast<std::unique_ptr<There>*>(result) =
              std::make_unique<There>(detail::moved_to<Moved, D>(this->layer));
    }
  };

  std::unique_ptr<Erased> layer_;
};

/// Calls its layers in turn, as Sequential does, but their number and kinds may depend on input:
///
///     nn::Stack<2> hidden;
///     for (int i = 0; i < depth; ++i) {
///       hidden.add(nn::Linear<>(width, width));
///       hidden.add(relu);
///     }
///
/// Every layer keeps the rank N. Layers are named "0", "1", ...; a copy of the stack has copies of
/// them.
template <int N, class T = float, class Device = Cpu>
class Stack {
 public:
  using Layer = AnyLayer<N, T, Device>;

  Stack() = default;

  /// Appends a layer; returns the stack, for more.
  template <class L, class Devices = detail::KnownDevices<Device>>
  Stack& add(L layer) {
    if constexpr (std::is_same_v<L, Layer>)
      layers_.push_back(std::move(layer));
    else
      layers_.push_back(Layer(std::move(layer), Devices()));
    return *this;
  }

  /// On another device: see `to<Device>(net)`.
  static Stack moved(const auto& other, const auto& mover) {
    Stack stack;
    for (Index i = 0; i < other.size(); ++i)
      stack.layers_.push_back(mover.template part<Layer>(other[i]));
    return stack;
  }

  template <OfRank<N> X>
  auto operator()(const X& x) const {
    if constexpr (is_var<X>) {
      Var<tensor_of<X>> y = x;
      for (const Layer& layer : layers_) y = layer(std::move(y));
      return y;
    } else {
      tensor_of<X> y = value(x);
      for (const Layer& layer : layers_) y = layer(std::move(y));
      return y;
    }
  }

  Index size() const { return static_cast<Index>(layers_.size()); }
  /// \throws ValueError when there is no such layer.
  Layer& operator[](Index i) { return layers_[checked(i)]; }
  const Layer& operator[](Index i) const { return layers_[checked(i)]; }

  static void visit(auto& self, auto&& f) {
    for (std::size_t i = 0; i < self.layers_.size(); ++i) f(std::to_string(i), self.layers_[i]);
  }

 private:
  std::size_t checked(Index i) const {
    if (i < 0 || i >= size())
      throw ValueError(message("stack: there is no layer ", i, "; the stack has ", size()));
    return static_cast<std::size_t>(i);
  }

  std::vector<Layer> layers_;
};

}  // namespace ebb::nn
