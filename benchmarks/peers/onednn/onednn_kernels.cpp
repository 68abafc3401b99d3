// oneDNN's convolutions and matrix products on the shapes of benchmarks/kernels:
//
//   bench_onednn_kernels convolutions|products THREADS SECONDS
//
// Each convolution is timed in the layouts oneDNN likes best, and from and to plain (batch,
// channels, height, width), the reorders of images and weights included.

#include "benchmarks/clock.hpp"
#include "benchmarks/kernels/shapes.hpp"
#include "benchmarks/peers/onednn/program.hpp"

#include <omp.h>

#include <cstdlib>

namespace {

using namespace bench;
using dnnl::algorithm;

struct Sizes {
  memory::dims x, w, y, stride, padding;

  explicit Sizes(const ConvShape& s)
      : x{s.batch, s.in, s.height, s.width},
        w{s.out, s.in, s.kernel, s.kernel},
        y{s.batch, s.out, s.out_height(), s.out_width()},
        stride{s.stride, s.stride},
        padding{s.padding, s.padding} {
    if (s.groups > 1) w = {s.groups, s.out / s.groups, s.in / s.groups, s.kernel, s.kernel};
  }
};

/// A program of one primitive, from and to plain memory or in its own layouts.
class Single {
 public:
  Single(Program& program, bool plain) : program_(program), plain_(plain) {}

  memory input(const memory::desc& wanted) {
    const memory from = program_.make(plain_ ? Program::plain(wanted.dims()) : wanted);
    return program_.as(from, wanted);
  }
  memory output(const memory::desc& made) {
    output_ = program_.make(made);
    return output_;
  }
  double time(double seconds) {
    if (plain_) program_.as(output_, Program::plain(output_.get_desc().dims()));
    return median_time(seconds, [&] { program_.run(); });
  }

 private:
  Program& program_;
  bool plain_;
  memory output_;
};

double time_of(const char* pass, const ConvShape& shape, algorithm how, bool plain,
               double seconds) {
  const Sizes s(shape);
  Program p;
  Single single(p, plain);
  const auto any = Program::any;
  const dnnl::convolution_forward::primitive_desc forward(
      {dnnl::prop_kind::forward_training, how, any(s.x), any(s.w), any({s.y[1]}), any(s.y),
       s.stride, s.padding, s.padding},
      p.engine());
  const std::string name = pass;
  if (name == "forward") {
    p.add(dnnl::convolution_forward(forward),
          {{DNNL_ARG_SRC, single.input(forward.src_desc())},
           {DNNL_ARG_WEIGHTS, single.input(forward.weights_desc())},
           {DNNL_ARG_BIAS, p.make(forward.bias_desc())},
           {DNNL_ARG_DST, single.output(forward.dst_desc())}});
  } else if (name == "grad_input") {
    const dnnl::convolution_backward_data::primitive_desc back(
        {how, any(s.x), any(s.w), any(s.y), s.stride, s.padding, s.padding}, p.engine(), forward);
    p.add(dnnl::convolution_backward_data(back),
          {{DNNL_ARG_DIFF_DST, single.input(back.diff_dst_desc())},
           {DNNL_ARG_WEIGHTS, single.input(back.weights_desc())},
           {DNNL_ARG_DIFF_SRC, single.output(back.diff_src_desc())}});
  } else {
    const dnnl::convolution_backward_weights::primitive_desc back(
        {how, any(s.x), any(s.w), any(s.y), s.stride, s.padding, s.padding}, p.engine(), forward);
    p.add(dnnl::convolution_backward_weights(back),
          {{DNNL_ARG_SRC, single.input(back.src_desc())},
           {DNNL_ARG_DIFF_DST, single.input(back.diff_dst_desc())},
           {DNNL_ARG_DIFF_WEIGHTS, single.output(back.diff_weights_desc())}});
  }
  return single.time(seconds);
}

void convolution(const ConvShape& shape, double seconds) {
  const char* before = "";
  for (const char* pass : {"forward", "grad_input", "grad_weight"}) {
    std::printf("%s\"%s\": {", before, pass);
    before = ", ";
    const char* comma = "";
    for (const bool winograd : {false, true})
      for (const bool plain : {false, true}) {
        try {
          const double time =
              time_of(pass, shape,
                      winograd ? algorithm::convolution_winograd : algorithm::convolution_direct,
                      plain, seconds);
          std::printf("%s\"%s%s\": %.4g", comma, winograd ? "winograd" : "direct",
                      plain ? " plain" : "", time);
          comma = ", ";
        } catch (const dnnl::error&) {  // not on this processor, or not for this shape
        }
      }
    std::printf("}");
  }
}

void product(const GemmShape& s, double seconds) {
  Program p;
  const memory a = p.make(Program::plain({s.m * s.k})), b = p.make(Program::plain({s.k * s.n}));
  const memory c = p.make(Program::plain({s.m * s.n}));
  const double time = median_time(seconds, [&] {
    dnnl::sgemm(s.transposed_a ? 'T' : 'N', s.transposed_b ? 'T' : 'N', s.m, s.n, s.k, 1.0f,
                Program::floats(a), s.transposed_a ? s.m : s.k, Program::floats(b),
                s.transposed_b ? s.k : s.n, 0.0f, Program::floats(c), s.n);
  });
  std::printf("\"seconds\": %.4g", time);
}

}  // namespace

int main(int count, char** words) {
  if (count != 4) {
    std::fprintf(stderr, "usage: %s convolutions|products THREADS SECONDS\n", words[0]);
    return 2;
  }
  omp_set_num_threads(std::atoi(words[2]));
  const double seconds = std::atof(words[3]);
  const char* before = "{";
  const auto each = [&](const auto& shapes, auto measure) {
    for (const auto& shape : shapes) {
      std::printf("%s\"%s\": {", before, shape.name);
      measure(shape, seconds);
      std::printf("}");
      before = ",\n ";
    }
  };
  if (words[1][0] == 'c')
    each(conv_shapes, convolution);
  else
    each(gemm_shapes, product);
  std::puts("}");
}
