/// \file
/// Initial values of parameters, as in PyTorch's nn.init. Every function takes a tensor or a
/// parameter, fills it, and draws one fresh stream from the calling thread's default generator
/// (restart it with `manual_seed`), or from the generator given.
#pragma once

#include <ebb/core/finite.hpp>
#include <ebb/nn/undrawn.hpp>
#include <ebb/tape/var.hpp>

#include <cmath>
#include <vector>

namespace ebb::inline EBB_ABI::kernel {

namespace detail {

/// `generate` of n numbers.
template <class F, class T>
void generate_numbers(const F& f, Index n, T* y) {
  constexpr Index cost = 20;  // about a random number
  parallel_ranges(n, cost, [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) y[i] = f(i);
  });
}

}  // namespace detail

/// Kernel: y[i] = f(i).
template <class F, class T, int N>
void generate(Cpu, const F& f, View<T, N> y) {
  detail::generate_numbers(f, y.size(), y.data);
}

}  // namespace ebb::kernel

namespace ebb::inline EBB_ABI::nn::init {

/// Which side of a layer keeps its variance: the forward pass (fan_in) or the backward (fan_out).
enum class Fan { in, out };

/// What follows the layer, for the gain that makes up for it.
enum class Nonlinearity { linear, sigmoid, tanh, relu, leaky_relu, selu };

/// Connections into, and out of, one unit.
struct Fans {
  Index in, out;
};

/// Of a weight (out, in, ...): in and out times the elements of the kernel.
/// \throws ShapeError for a weight of fewer than two axes.
template <int N>
Fans fans_of(const Shape<N>& shape) {
  if constexpr (N < 2) {
    throw ShapeError(message("init: a parameter of shape ", shape,
                             " has no fan-in and fan-out; "
                             "Xavier, Kaiming and orthogonal initialisation need a weight with at "
                             "least two axes (out, in, ...)"));
  } else {
    Index field = 1;
    for (int axis = 2; axis < N; ++axis) field *= shape[axis];
    return {shape[1] * field, shape[0] * field};
  }
}

/// PyTorch's calculate_gain; `slope` is the negative slope of a leaky relu.
inline double gain(Nonlinearity after, double slope = 0.01) {
  switch (after) {
    case Nonlinearity::tanh:
      return 5.0 / 3;
    case Nonlinearity::relu:
      return std::sqrt(2.0);
    case Nonlinearity::leaky_relu:
      return std::sqrt(2 / (1 + slope * slope));
    case Nonlinearity::selu:
      return 0.75;
    default:
      return 1;
  }
}

namespace detail {

/// What `generate` calls: numbers of one stream.
template <class T>
struct UniformOf {
  RandomStream stream;
  double low, width;
  EBB_HD T operator()(Index i) const {
    return static_cast<T>(low + width * stream.uniform<double>(static_cast<std::uint64_t>(i)));
  }
};
template <class T>
struct NormalOf {
  RandomStream stream;
  double mean, deviation;
  EBB_HD T operator()(Index i) const {
    return static_cast<T>(mean + deviation * stream.normal<double>(static_cast<std::uint64_t>(i)));
  }
};

template <class Tens>
void draw_uniform(const Tens& x, const RandomStream& stream, double low, double width) {
  using T = typename Tens::scalar;
  generate(typename Tens::device{}, UniformOf<T>{stream, low, width}, x.mut());
}
template <class Tens>
void draw_normal(const Tens& x, const RandomStream& stream, double mean, double deviation) {
  using T = typename Tens::scalar;
  generate(typename Tens::device{}, NormalOf<T>{stream, mean, deviation}, x.mut());
}

/// Draws x by a stream of the generator. A parameter remembers how, where it was the default
/// generator: see nn/draws.hpp.
template <Operand X>
void draw(const X& x, void (*by)(const tensor_of<X>&, const RandomStream&, double, double),
          double a, double b, Generator& generator) {
  if (nn::detail::draws_nothing()) return;
  const RandomStream stream = generator.stream();
  by(value(x), stream, a, b);
  if constexpr (is_param<X>) {
    if (&generator == &default_generator())
      x.cell()->drawn = {by, stream, a, b};
    else
      x.cell()->drawn = {};
  }
}

}  // namespace detail

/// Uniform in [low, high).
template <Operand X>
void uniform(const X& x, double low = 0, double high = 1,
             Generator& generator = default_generator()) {
  if (!(low <= high) || math::is_infinite(low) || math::is_infinite(high))
    throw ValueError(message("init: uniform needs finite low <= high; found ", low, " and ", high));
  detail::draw(x, detail::draw_uniform<tensor_of<X>>, low, high - low, generator);
}

/// Normal of the given mean and standard deviation.
template <Operand X>
void normal(const X& x, double mean = 0, double deviation = 1,
            Generator& generator = default_generator()) {
  if (!math::is_finite(mean) || !(deviation >= 0) || math::is_infinite(deviation))
    throw ValueError(
        message("init: normal needs a finite mean and a deviation that is not negative;"
                " found ",
                mean, " and ", deviation));
  detail::draw(x, detail::draw_normal<tensor_of<X>>, mean, deviation, generator);
}

template <Operand X>
void constant(const X& x, double v) {
  fill(device_of<X>{}, value(x).mut(), static_cast<scalar_of<X>>(v));
  if constexpr (is_param<X>) x.cell()->drawn = {};
}
template <Operand X>
void zeros(const X& x) {
  constant(x, 0);
}
template <Operand X>
void ones(const X& x) {
  constant(x, 1);
}

/// U(-a, a), a = gain sqrt(6 / (fan_in + fan_out)). Glorot & Bengio, "Understanding the difficulty
/// of training deep feedforward neural networks", AISTATS 2010.
template <Operand X>
void xavier_uniform(const X& x, double gain = 1, Generator& generator = default_generator()) {
  const Fans fans = fans_of(x.shape());
  const double bound = gain * std::sqrt(6 / static_cast<double>(fans.in + fans.out));
  uniform(x, -bound, bound, generator);
}

/// N(0, gain^2 2 / (fan_in + fan_out)). Glorot & Bengio, as above.
template <Operand X>
void xavier_normal(const X& x, double gain = 1, Generator& generator = default_generator()) {
  const Fans fans = fans_of(x.shape());
  normal(x, 0, gain * std::sqrt(2 / static_cast<double>(fans.in + fans.out)), generator);
}

struct KaimingOptions {
  double a = 0;  ///< negative slope of the leaky relu that follows; 0: a relu
  Fan fan = Fan::in;
  Nonlinearity nonlinearity = Nonlinearity::leaky_relu;
};

namespace detail {
template <int N>
double kaiming_deviation(const Shape<N>& shape, const KaimingOptions& options) {
  const Fans fans = fans_of(shape);
  const Index fan = options.fan == Fan::in ? fans.in : fans.out;
  if (fan == 0) throw ShapeError(message("init: a weight of shape ", shape, " is empty"));
  return gain(options.nonlinearity, options.a) / std::sqrt(static_cast<double>(fan));
}
}  // namespace detail

/// U(-b, b), b = gain sqrt(3 / fan). He, Zhang, Ren & Sun, "Delving deep into rectifiers",
/// ICCV 2015. `{.a = sqrt(5)}` is the default of PyTorch's layers, and of these.
template <Operand X>
void kaiming_uniform(const X& x, KaimingOptions options = {},
                     Generator& generator = default_generator()) {
  const double bound = std::sqrt(3.0) * detail::kaiming_deviation(x.shape(), options);
  uniform(x, -bound, bound, generator);
}

/// N(0, gain^2 / fan). He, Zhang, Ren & Sun, as above.
template <Operand X>
void kaiming_normal(const X& x, KaimingOptions options = {},
                    Generator& generator = default_generator()) {
  normal(x, 0, detail::kaiming_deviation(x.shape(), options), generator);
}

namespace detail {

template <class Tens>
void draw_orthogonal(const Tens& x, const RandomStream& stream, double gain, double) {
  const auto size = static_cast<std::size_t>(x.size());
  const auto out = static_cast<std::size_t>(x.shape()[0]), in = size / out;
  // The tall side down: rows >= columns. Column-major, so that a reflection walks along memory.
  const std::size_t rows = out > in ? out : in, columns = out > in ? in : out;
  std::vector<double> a(size), reflectors(size), q(size);
  for (std::size_t i = 0; i < size; ++i) a[i] = stream.normal<double>(i);
  std::vector<double> sign(columns);

  const auto reflect = [rows](const double* v, double* column, std::size_t from) {
    double dot = 0;
    for (std::size_t i = from; i < rows; ++i) dot += v[i] * column[i];
    for (std::size_t i = from; i < rows; ++i) column[i] -= 2 * dot * v[i];
  };
  for (std::size_t k = 0; k < columns; ++k) {
    double* v = &reflectors[k * rows];
    double norm = 0;
    for (std::size_t i = k; i < rows; ++i) {
      v[i] = a[k * rows + i];
      norm += v[i] * v[i];
    }
    norm = std::sqrt(norm);
    sign[k] = v[k] < 0 ? 1 : -1;  // of the diagonal of R
    v[k] -= sign[k] * norm;
    double length = 0;
    for (std::size_t i = k; i < rows; ++i) length += v[i] * v[i];
    length = std::sqrt(length);
    for (std::size_t i = k; i < rows && length > 0; ++i) v[i] /= length;
    for (std::size_t j = k; j < columns; ++j) reflect(v, &a[j * rows], k);
  }
  for (std::size_t j = 0; j < columns; ++j) {
    double* column = &q[j * rows];
    column[j] = 1;
    for (std::size_t k = columns; k-- > 0;) reflect(&reflectors[k * rows], column, k);
    for (std::size_t i = 0; i < rows; ++i) column[i] *= gain * sign[j];
  }

  using T = typename Tens::scalar;
  std::vector<T> host(size);
  for (std::size_t r = 0; r < out; ++r)
    for (std::size_t c = 0; c < in; ++c)
      host[r * in + c] = static_cast<T>(out > in ? q[c * rows + r] : q[r * rows + c]);
  Tens::device::upload(x.mutable_data(), host.data(), size * sizeof(T));
}

}  // namespace detail

/// A weight (out, in, ...) whose rows, flattened, are orthonormal times `gain` (its columns, where
/// there are fewer of them): the orthogonal factor of a matrix of normal numbers, by Householder
/// reflections, with signs that make it uniformly distributed. Saxe, McClelland & Ganguli, "Exact
/// solutions to the nonlinear dynamics of learning in deep linear neural networks", ICLR 2014;
/// Mezzadri, "How to generate random matrices from the classical compact groups", Notices of the
/// AMS 54 (2007).
template <Operand X>
void orthogonal(const X& x, double gain = 1, Generator& generator = default_generator()) {
  static_cast<void>(fans_of(x.shape()));  // throws for fewer than two axes
  if (x.size() > 0) detail::draw(x, detail::draw_orthogonal<tensor_of<X>>, gain, 0, generator);
}

namespace detail {

/// How PyTorch's linear and convolution layers begin: Kaiming uniform with a = sqrt(5), which is
/// U(+-1/sqrt(fan_in)), and the bias in the same bounds.
template <class Weight, class Bias>
void layer_default(const Weight& weight, const Bias& bias) {
  kaiming_uniform(weight, {.a = std::sqrt(5.0)});
  if (!bias.defined()) return;
  const double bound = 1 / std::sqrt(static_cast<double>(fans_of(weight.shape()).in));
  uniform(bias, -bound, bound);
}

}  // namespace detail

}  // namespace ebb::nn::init
