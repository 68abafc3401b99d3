/// \file
/// Checks gradients against central differences: the proof every operation and layer has to pass.
#pragma once

#include <ebb/core/finite.hpp>
#include <ebb/tape/backward.hpp>
#include <ebb/tape/parts.hpp>

#include <cmath>
#include <cstdint>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace ebb::inline EBB_ABI {

struct GradcheckOptions {
  double step = 1e-5;      ///< of the central difference, relative to max(1, |x|)
  double relative = 1e-6;  ///< tolerance, relative to the larger of the two derivatives
  double absolute = 1e-7;  ///< tolerance near zero
  std::uint64_t seed = 1;  ///< of the random projection of the result
};

/// The outcome: converts to bool, and says in words what was compared or what went wrong.
struct GradcheckResult {
  bool passed = true;
  double worst = 0;    ///< largest difference, in units of its tolerance
  Index compared = 0;  ///< number of derivatives compared
  std::string message;

  explicit operator bool() const { return passed; }
};

namespace detail {

/// Calls f(path, parameter) for every parameter in a module's `visit` tree.
template <class M, class F>
void each_param(M& module, const std::string& path, F&& f) {
  using Plain = std::remove_const_t<M>;
  if constexpr (is_param<Plain>) {
    if (module.defined()) f(path, module);
  } else if constexpr (requires { Plain::visit(module, [](auto&&...) {}); }) {
    Plain::visit(module, [&](const auto& name, auto& part) {
      each_param(part, path.empty() ? std::string(name) : path + "." + name, f);
    });
  } else if constexpr (is_holder<Plain>) {
    each_held(module, [&](const std::string& name, auto& part) {
      each_param(part, path.empty() || name.empty() ? path + name : path + "." + name, f);
    });
  }
}

/// "(1, 0, 2)": the index of element `at` of a tensor of the given shape.
template <int N>
std::string index_text(const Shape<N>& shape, Index at) {
  Shape<N> index{};
  for (int axis = N; axis-- > 0;) {
    index[axis] = at % shape[axis];
    at /= shape[axis];
  }
  return to_string(index);
}

/// Runs f once, for its value or for its gradients, always as in training and always with the same
/// random numbers.
template <class F>
class Gradcheck {
 public:
  Gradcheck(F& f, const GradcheckOptions& options)
      : f_(f), options_(options), generator_(default_generator()) {}

  template <class... X>
  GradcheckResult run(X... x) {
    const auto restore_when_done = default_generator();
    differentiate(x...);
    if (result_.passed) compare_operands(std::index_sequence_for<X...>{}, x...);
    if (result_.passed)
      each_param(f_, "", [&](const std::string& path, auto& p) { compare_param(path, p, x...); });
    if (result_.passed)
      result_.message =
          message("gradcheck: ", op_, ": ", result_.compared,
                  " derivatives agree; the worst is at ", result_.worst, " of its tolerance");
    default_generator() = restore_when_done;
    return result_;
  }

 private:
  template <class... X>
  void differentiate(const X&... x) {
    default_generator() = generator_;
    each_param(f_, "", [](const std::string&, auto& p) { p.zero_grad(); });
    Tape tape;
    std::tuple<Var<X>...> vars{tape.watch(x)...};
    const auto y = std::apply([&](const auto&... v) { return f_(v...); }, vars);
    static_assert(is_var<std::remove_cvref_t<decltype(y)>>,
                  "ebb::gradcheck: the function returned a plain tensor, so it does not depend on "
                  "its operands through the tape");
    if (tape.size() > 0) op_ = tape.nodes().back().op;
    weights_ = random_like(y.value());
    backward(y, std::remove_cvref_t<decltype(y.value())>::from(y.shape(), weights_));
    std::apply([&](const auto&... v) { (grads_.push_back(v.grad().values()), ...); }, vars);
  }

  static std::vector<double> random_like_size(Index n, std::uint64_t seed) {
    std::vector<double> r(static_cast<std::size_t>(n));
    const RandomStream stream{seed, 0};
    for (std::size_t i = 0; i < r.size(); ++i) r[i] = 0.5 + stream.uniform<double>(i);
    return r;
  }
  template <class Tens>
  std::vector<double> random_like(const Tens& y) const {
    return random_like_size(y.size(), options_.seed);
  }

  /// The scalar whose derivatives are compared: the result, projected on fixed random weights.
  template <class... X>
  double projected(const X&... x) {
    default_generator() = generator_;
    Tape tape;
    const std::vector<double> y = f_(tape.input(x)...).value().values();
    double sum = 0;
    for (std::size_t i = 0; i < y.size(); ++i) sum += weights_[i] * y[i];
    return sum;
  }

  /// Compares all derivatives with respect to one tensor. `evaluate(values)` is the projection
  /// with that tensor replaced.
  template <int N, class Evaluate>
  void compare(const std::string& what, const Shape<N>& shape, std::vector<double> values,
               const std::vector<double>& analytic, Evaluate&& evaluate) {
    if (!result_.passed) return;
    if (analytic.empty() && !values.empty())
      return fail(message("gradcheck: ", op_, ": no gradient arrived at ", what));
    bool all_zero = true;
    for (std::size_t i = 0; i < values.size(); ++i) {
      const double x = values[i], h = options_.step * std::fmax(1.0, std::fabs(x));
      values[i] = x + h;
      const double above = evaluate(values);
      values[i] = x - h;
      const double below = evaluate(values);
      values[i] = x;
      const double numeric = (above - below) / (2 * h);
      const double tolerance =
          options_.absolute +
          options_.relative * std::fmax(std::fabs(analytic[i]), std::fabs(numeric));
      const double error = std::fabs(analytic[i] - numeric) / tolerance;
      all_zero = all_zero && std::fabs(numeric) <= options_.absolute;
      ++result_.compared;
      if (error > result_.worst || math::is_nan(error)) {
        result_.worst = error;
        worst_ = message("gradcheck: ", op_, ": the derivative with respect to ", what,
                         " at index ", index_text(shape, static_cast<Index>(i)), " is ",
                         analytic[i], " on the tape but ", numeric, " by central differences");
        if (math::is_nan(error)) break;
      }
    }
    if (!(result_.worst <= 1.0)) return fail(worst_);
    if (all_zero)
      fail(message("gradcheck: ", op_, ": every derivative with respect to ", what,
                   " is zero, so the comparison proves nothing; choose other values"));
  }

  template <std::size_t... I, class... X>
  void compare_operands(std::index_sequence<I...>, const X&... x) {
    (compare(message("operand ", I), x.shape(), x.values(), grads_[I],
             [&](const std::vector<double>& values) {
               std::tuple<X...> changed{x...};
               std::get<I>(changed) = X::from(x.shape(), values);
               return std::apply([&](const auto&... c) { return projected(c...); }, changed);
             }),
     ...);
  }

  template <class Tens, class... X>
  void compare_param(const std::string& path, const Param<Tens>& p, const X&... x) {
    if (!p.trainable()) return;
    const Tens original = p.value();
    const auto cell = p.cell();
    compare(message("parameter ", path), p.shape(), original.values(), p.grad().values(),
            [&](const std::vector<double>& values) {
              cell->value = Tens::from(original.shape(), values);
              const double projection = projected(x...);
              cell->value = original;
              return projection;
            });
  }

  void fail(std::string why) {
    result_.passed = false;
    result_.message = std::move(why);
  }

  F& f_;
  GradcheckOptions options_;
  Generator generator_;
  GradcheckResult result_;
  std::string op_ = "f", worst_;
  std::vector<double> weights_;
  std::vector<std::vector<double>> grads_;
};

}  // namespace detail

/// Compares the gradients of `f(x...)` with central differences, for every element of every operand
/// and, when f is a module, of every parameter. The result may have any shape: it is projected on
/// fixed random weights. A comparison in which all derivatives are zero is refused. Use points away
/// from kinks (relu at 0).
///
///     const auto result = ebb::gradcheck([](const auto& a, const auto& b) { return matmul(a, b);
///     },
///                                        a, b);
///     if (!result) std::puts(result.message.c_str());
template <class F, int... N, class... Device>
GradcheckResult gradcheck(F&& f, const GradcheckOptions& options,
                          const Tensor<double, N, Device>&... x) {
  return detail::Gradcheck<std::remove_reference_t<F>>(f, options).run(x...);
}

template <class F, int... N, class... Device>
GradcheckResult gradcheck(F&& f, const Tensor<double, N, Device>&... x) {
  return gradcheck(std::forward<F>(f), GradcheckOptions{}, x...);
}

}  // namespace ebb
