// Microseconds of single operations on an NVIDIA GPU, one JSON object a line:
//
//   bench_gpu_operations [FILTER] SECONDS     SECONDS each; those whose names hold FILTER
//
// Products and convolutions in every precision; what is bound by memory beside a copy on the GPU,
// on tensors that are larger than its caches. Calls are recorded as a graph and replayed, so that
// what the host takes to ask for them does not count. The peers are benchmarks/cuda/cudnn.cu.

#include <ebb/cuda.cuh>

#include "benchmarks/cuda/device.cuh"
#include "benchmarks/cuda/shapes.hpp"

#include <cstdlib>
#include <span>

namespace {

using namespace ebb;
using bench::Operation;

#if defined(EBB_GPU_EMULATOR)  // a few elements of each are all that it can do
constexpr std::span<const bench::ConvShape> conv_shapes = bench::tiny_conv_shapes;
constexpr std::span<const bench::GemmShape> gemm_shapes = bench::tiny_gemm_shapes;
constexpr Index planes[] = {2, 3, 4, 4};
constexpr Index weights[] = {6, 5};
constexpr Index longest_graph = 2;
#else
constexpr std::span<const bench::ConvShape> conv_shapes = bench::gpu_conv_shapes;
constexpr std::span<const bench::GemmShape> gemm_shapes = bench::gpu_gemm_shapes;
constexpr Index planes[] = {32, 32, 256, 256};  // 256 MiB
constexpr Index weights[] = {3344, 3344};       // 11.2 million, as many as ResNet-18 has
constexpr Index longest_graph = 200;
#endif

/// What the command line asks for, and how it is measured.
class Bench {
 public:
  Bench(std::string filter, double seconds) : filter_(std::move(filter)), seconds_(seconds) {}

  bool wants(const Operation& operation) const { return bench::asked_for(operation, filter_); }

  /// Times f, which asks the GPU for the operation, and prints its line.
  template <class F>
  void time(const Operation& operation, F f) const {
    if (!wants(operation)) return;
    f();  // takes what memory it needs
    Cuda::synchronize();
    const Index tries = std::min(longest_graph, Index{10});
    const double start = bench::now();
    for (Index i = 0; i < tries; ++i) f();
    Cuda::synchronize();
    const double each = (bench::now() - start) / static_cast<double>(tries);
    // About a millisecond of work a replay.
    const auto calls = std::clamp(static_cast<Index>(1e-3 / each), Index{1}, longest_graph);
    const auto graph = gpu::Graph::record([&] {
      for (Index i = 0; i < calls; ++i) f();
    });
    auto us = bench::rounds_us(
        seconds_, [&] { graph.replay(); }, Cuda::synchronize);
    for (double& one : us) one /= static_cast<double>(calls);
    bench::line_of(operation, "ebb", us).print();
  }

  /// Once with each precision; `operation(name)` describes it.
  template <class Describe, class F>
  void time_in_each_precision(Describe operation, F f) const {
    constexpr cuda::Precision all[] = {cuda::Precision::fp32, cuda::Precision::tf32,
                                       cuda::Precision::bf16};
    for (std::size_t i = 0; i < std::size(all); ++i) {
      const cuda::PrecisionScope scope(all[i]);
      time(operation(bench::precisions[i]), f);
    }
  }

 private:
  std::string filter_;
  double seconds_;
};

template <int N>
Tensor<float, N, Cuda> random(const Shape<N>& shape) {
  const Tensor<float, N, Cuda> x(shape);
  nn::init::uniform(x, -1, 1);
  return x;
}

/// An operation that is bound by memory: it reads and writes `elements` floats.
Operation moves(const char* op, const Shape<4>& shape, Index elements) {
  std::string extents = std::to_string(shape[0]);
  for (int axis = 1; axis < 4; ++axis) extents += "x" + std::to_string(shape[axis]);
  return {op, extents, "fp32", "", 0, 4.0 * static_cast<double>(elements)};
}

void convolutions(const Bench& bench) {
  for (const auto& s : conv_shapes) {
    const auto each = [&](const char* pass) {
      return [&s, pass](const char* precision) { return operation_of(s, pass, precision); };
    };
    if (std::none_of(std::begin(bench::passes), std::end(bench::passes),
                     [&](const char* pass) { return bench.wants(each(pass)("")); }))
      continue;
    const Shape<4> in{s.batch, s.in, s.height, s.width},
        kernel{s.out, s.in / s.groups, s.kernel, s.kernel};
    const kernel::Conv2dGeometry g = kernel::detail::conv2d_geometry(
        "", in, kernel, {.stride = s.stride, .padding = s.padding, .groups = s.groups});
    const auto x = random(in), w = random(kernel);
    const auto dy = random(Shape<4>{s.batch, s.out, s.out_height(), s.out_width()});
    const Tensor<float, 4, Cuda> y(dy.shape()), dx(in), dw(kernel);
    const View<const float, 1> no_bias{};
    const auto over = [](const auto& t) {
      return Into<float, 4>{t.mutable_data(), t.shape(), false};
    };
    bench.time_in_each_precision(each(bench::passes[0]),
                                 [&] { conv2d_forward(Cuda{}, g, x.view(), w.view(), y.mut()); });
    bench.time_in_each_precision(each(bench::passes[1]), [&] {
      conv2d_grad_input(Cuda{}, g, dy.view(), w.view(), no_bias, over(dx));
    });
    bench.time_in_each_precision(each(bench::passes[2]), [&] {
      conv2d_grad_weight(Cuda{}, g, x.view(), dy.view(), over(dw));
    });
  }
}

void products(const Bench& bench) {
  for (const auto& s : gemm_shapes) {
    const auto each = [&s](const char* precision) { return operation_of(s, precision); };
    if (!bench.wants(each(""))) continue;
    const auto stored = [](Index rows, Index columns, bool transposed) {
      return random(transposed ? Shape<2>{columns, rows} : Shape<2>{rows, columns});
    };
    const auto a = stored(s.m, s.k, s.transposed_a), b = stored(s.k, s.n, s.transposed_b);
    const Tensor<float, 2, Cuda> c(Shape<2>{s.m, s.n});
    bench.time_in_each_precision(each, [&] {
      gemm(Cuda{}, {.a = s.transposed_a, .b = s.transposed_b}, a.view(), b.view(),
           Into<float, 2>{c.mutable_data(), c.shape(), false});
    });
  }
}

/// What other operations bound by memory are held against, and functions of single elements.
void elementwise(const Bench& bench, const Shape<4>& shape) {
  const auto x = random(shape), other = random(shape);
  const Tensor<float, 4, Cuda> y(shape);
  const Index n = x.size();
  bench.time(moves("copy", shape, 2 * n), [&] {
    Cuda::copy(y.mutable_data(), x.data(), static_cast<std::size_t>(n) * sizeof(float));
  });
  bench.time(moves("relu", shape, 2 * n), [&] { map_forward(Cuda{}, relu, x.view(), y.mut()); });
  bench.time(moves("relu gradient", shape, 3 * n), [&] {
    map_backward(Cuda{}, relu, x.view(), other.view(),
                 Into<float, 4>{y.mutable_data(), shape, false});
  });
  bench.time(moves("add", shape, 3 * n), [&] { x + other; });
  bench.time(moves("sum", shape, n), [&] { sum(x); });
  bench.time(moves("sum over all but channels", shape, n), [&] { sum(x, Axes{0, 2, 3}); });
}

/// Forward as in training: the statistics read x once, normalising reads it again.
void batch_norm(const Bench& bench, const Shape<4>& shape) {
  const auto x = random(shape), dy = random(shape);
  const auto g = kernel::BatchNormGeometry::of(shape);
  const Shape<1> channels{g.channels}, all{x.size()};
  const auto weight = random(channels), bias = random(channels), mean = random(channels);
  const auto inv_std = Tensor<float, 1, Cuda>::ones(channels);
  const auto running_mean = random(channels), running_variance = inv_std.clone();
  const Tensor<float, 1, Cuda> sum_dy(channels), sum_dy_xhat(channels);
  const Tensor<float, 4, Cuda> dx(shape);
  const View<const float, 1> flat_x{x.data(), all}, flat_dy{dy.data(), all};
  const BatchNormOptions training{.training = true};
  bench.time(moves("batch norm forward", shape, 3 * x.size()),
             [&] { ebb::batch_norm(x, running_mean, running_variance, weight, bias, training); });
  bench.time(moves("batch norm backward", shape, 5 * x.size()), [&] {
    batch_norm_sums(Cuda{}, g, flat_x, flat_dy, mean.view(), inv_std.view(), {}, sum_dy.mut(),
                    sum_dy_xhat.mut());
    batch_norm_backward(Cuda{}, g, flat_x, flat_dy, mean.view(), inv_std.view(), weight.view(),
                        sum_dy.view(), sum_dy_xhat.view(),
                        Into<float, 1>{dx.mutable_data(), all, false});
  });
}

void pooling(const Bench& bench, const Shape<4>& shape) {
  const auto x = random(shape);
  const auto g = kernel::pool2d_geometry("", shape, 2, 2, 0, 1, false);
  const Shape<4> half{shape[0], shape[1], g.y.out, g.x.out};
  const auto dy = random(half);
  const Tensor<float, 4, Cuda> y(half), dx(shape);
  const Tensor<int, 4, Cuda> argmax(half);
  const auto forward = [&] { max_pool2d_forward(Cuda{}, g, x.view(), y.mut(), argmax.mut()); };
  const Index moved = x.size() + 2 * y.size();
  forward();  // backward needs the positions
  bench.time(moves("max pool forward", shape, moved), forward);
  bench.time(moves("max pool backward", shape, moved), [&] {
    max_pool2d_backward(Cuda{}, g, argmax.view(), dy.view(),
                        Into<float, 4>{dx.mutable_data(), shape, false});
  });
}

/// The loss of every pixel and its gradient: softmax is worked out in both, logits are read twice.
void softmax_cross_entropy(const Bench& bench, const Shape<4>& shape) {
  const auto x = random(shape);
  Tensor<int, 3> classes({shape[0], shape[2], shape[3]});
  for (Index i = 0; i < classes.size(); ++i)
    classes.mutable_data()[i] = static_cast<int>(i % shape[1]);
  const auto labels = to<Cuda>(classes);
  bench.time(moves("softmax cross entropy with gradient", shape, 3 * x.size() + 2 * labels.size()),
             [&] {
               Tape tape;
               const auto v = tape.watch(x);
               backward(cross_entropy(v, labels));
             });
}

template <class R>
void update(const Bench& bench, const char* op, const R& rule, Index moved) {
  const Shape<4> shape{1, 1, weights[0], weights[1]};
  const auto operation = moves(op, shape, moved * shape.size());
  if (!bench.wants(operation)) return;
  const nn::Linear<float, Cuda> layer(weights[1], weights[0], {.bias = false});
  optim::Optimizer opt(layer, rule);
  Tape tape;
  backward(sum(tape.watch(layer.weight) * 1e-3f));
  bench.time(operation, [&] { opt.step(); });
}

void run(const Bench& bench) {
  bench::device_line("ebb").print();
  const CudaStream own;  // graphs are not recorded on the one that all threads share
  const CudaStream::Scope scope(own);
  const Shape<4> shape{planes[0], planes[1], planes[2], planes[3]};
  elementwise(bench, shape);
  batch_norm(bench, shape);
  pooling(bench, shape);
  softmax_cross_entropy(bench, shape);
  update(bench, "SGD update", optim::Sgd{.lr = 1e-3, .momentum = 0.9}, 5);
  update(bench, "Adam update", optim::Adam{.lr = 1e-3}, 7);
  products(bench);
  convolutions(bench);
}

}  // namespace

int main(int count, char** words) {
  if (count != 2 && count != 3) {
    std::fprintf(stderr, "usage: %s [FILTER] SECONDS\n", words[0]);
    return 2;
  }
  try {
    run(Bench(count == 3 ? words[1] : "", std::atof(words[count - 1])));
    return 0;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
  }
}
