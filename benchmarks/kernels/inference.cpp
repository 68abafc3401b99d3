// Seconds of the convolutions of ResNet-18 on one image of 28x28 pixels, with weights that are
// packed at each call and that were packed once: bench_inference THREADS SECONDS.

#include "benchmarks/clock.hpp"
#include "benchmarks/kernels/random.hpp"
#include "benchmarks/kernels/shapes.hpp"

#include <ebb/ebb.hpp>

#include <cstdlib>

namespace {

using namespace ebb;
using bench::random;

void print(const char* name, long count, double flops, double anew, double once, Index bytes) {
  std::printf(
      "\"%s\": {\"count\": %ld, \"flops\": %.0f, \"anew\": %.4g, \"once\": %.4g, \"bytes\": %.0f}",
      name, count, flops, anew, once, static_cast<double>(bytes));
}

void measure(const bench::ConvShape& s, long count, double seconds) {
  const Conv2dOptions options{.stride = s.stride, .padding = s.padding, .activation = relu};
  const auto x = random(Shape<4>{s.batch, s.in, s.height, s.width});
  const auto w = random(Shape<4>{s.out, s.in, s.kernel, s.kernel});
  const auto b = random(Shape<1>{s.out});
  const auto packed = pack_conv2d(w, options, x.shape());
  const double anew = bench::median_time(seconds, [&] { conv2d(x, w, b, options); });
  const double once = bench::median_time(seconds, [&] { conv2d(x, packed, b); });
  print(s.name, count, s.flops(), anew, once, packed.bytes());
}

void measure_dense(Index batch, double seconds) {
  const auto x = random(Shape<2>{batch, 4096}), w = random(Shape<2>{1000, 4096});
  const auto b = random(Shape<1>{1000});
  const auto packed = pack_linear(w, batch);
  const double anew = bench::median_time(seconds, [&] { linear(x, w, b, relu); });
  const double once = bench::median_time(seconds, [&] { linear(x, packed, b, relu); });
  print("dense 4096 -> 1000, batch 32", 0, 2.0 * static_cast<double>(batch) * 4096 * 1000, anew,
        once, packed.bytes());
}

}  // namespace

int main(int count, char** words) {
  if (count != 3) {
    std::fprintf(stderr, "usage: %s THREADS SECONDS\n", words[0]);
    return 2;
  }
  set_num_threads(std::atoi(words[1]));
  const double seconds = std::atof(words[2]);
  std::fputs("{", stdout);
  for (const auto& shape : bench::resnet18_shapes) {
    measure(shape.conv, shape.count, seconds);
    std::fputs(",\n ", stdout);
  }
  measure_dense(32, seconds);
  std::puts("}");
}
