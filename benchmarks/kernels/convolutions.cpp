// Seconds of convolution kernels, images in and out as (batch, channels, height, width), without
// tape: bench_convolutions THREADS SECONDS. The peer is benchmarks/peers/onednn/onednn_kernels.cpp.

#include "benchmarks/clock.hpp"
#include "benchmarks/kernels/random.hpp"
#include "benchmarks/kernels/shapes.hpp"

#include <ebb/ebb.hpp>

#include <cstdlib>

namespace {

using namespace ebb;
using bench::random;

void measure(const bench::ConvShape& s, double seconds) {
  const Shape<4> in{s.batch, s.in, s.height, s.width},
      kernel{s.out, s.in / s.groups, s.kernel, s.kernel};
  const kernel::Conv2dGeometry g = kernel::detail::conv2d_geometry(
      "", in, kernel, {.stride = s.stride, .padding = s.padding, .groups = s.groups});
  const auto x = random(in), w = random(kernel);
  const auto bias = random(Shape<1>{s.out});
  const auto dy = random(Shape<4>{s.batch, s.out, s.out_height(), s.out_width()});
  Tensor<float, 4> y(dy.shape()), dx(in), dw(kernel);

  const double forward = bench::median_time(seconds, [&] {
    conv2d_forward<float>(Cpu{}, g, x.view(), w.view(), y.mut(), {bias.data()});
  });
  const double grad_input = bench::median_time(seconds, [&] {
    conv2d_grad_input(Cpu{}, g, dy.view(), w.view(), View<const float, 1>{},
                      Into<float, 4>{dx.mutable_data(), in, false});
  });
  const double grad_weight = bench::median_time(seconds, [&] {
    conv2d_grad_weight(Cpu{}, g, x.view(), dy.view(),
                       Into<float, 4>{dw.mutable_data(), kernel, false});
  });
  std::printf(
      "\"%s\": {\"flops\": %.0f, \"bytes\": %.0f, \"forward\": %.4g, \"grad_input\": %.4g, "
      "\"grad_weight\": %.4g}",
      s.name, s.flops(), s.bytes(), forward, grad_input, grad_weight);
}

}  // namespace

int main(int count, char** words) {
  if (count != 3) {
    std::fprintf(stderr, "usage: %s THREADS SECONDS\n", words[0]);
    return 2;
  }
  set_num_threads(std::atoi(words[1]));
  const char* before = "{";
  for (const auto& shape : bench::conv_shapes) {
    std::fputs(before, stdout);
    measure(shape, std::atof(words[2]));
    before = ",\n ";
  }
  std::puts("}");
}
