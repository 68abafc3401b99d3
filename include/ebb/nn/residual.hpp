/// \file
/// A layer beside a short cut.
#pragma once

#include <ebb/nn/draws.hpp>
#include <ebb/ops/elementwise/arithmetic.hpp>

namespace ebb::inline EBB_ABI::nn {

/// Hands its input on.
struct Identity {
  template <class X>
  X operator()(const X& x) const {
    return x;
  }
};

/// y = shortcut(x) + body(x); the short cut is x itself unless another is given (a 1x1 convolution,
/// say, where the body changes the shape). He, Zhang, Ren & Sun, "Deep residual learning for image
/// recognition", CVPR 2016.
template <class Body, class Shortcut = Identity>
struct Residual {
  Body body;
  Shortcut shortcut;

  explicit Residual(Body f, Shortcut s = {}) : body(std::move(f)), shortcut(std::move(s)) {
    detail::draw_from_left_to_right(body, shortcut);
  }

  /// \throws ShapeError when the two do not have one shape.
  template <Operand X>
  auto operator()(const X& x) const {
    auto around = shortcut(x);
    auto through = body(x);
    static_assert(rank_of<decltype(around)> == rank_of<decltype(through)>,
                  "ebb::nn::Residual: body and short cut must yield tensors of one rank");
    // Broadcasting would hide a mistake here.
    if (!(around.shape() == through.shape()))
      throw ShapeError(message("residual: the body turns ", x.shape(), " into ", through.shape(),
                               ", and the short cut into ", around.shape(),
                               "; they must agree: "
                               "give a short cut that changes the shape as the body does"));
    return around + through;
  }

  /// On another device: see `to<Device>(net)`.
  static Residual moved(const auto& other, const auto& mover) {
    return Residual(mover.template part<Body>(other.body),
                    mover.template part<Shortcut>(other.shortcut));
  }

  static void visit(auto& self, auto&& f) {
    f("body", self.body);
    f("shortcut", self.shortcut);
  }
};

}  // namespace ebb::nn
