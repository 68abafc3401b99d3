// Milliseconds of single operations, forward and with their backward pass:
// `bench_operations THREADS SECONDS`. Its peer is benchmarks/peers/operations.py.

#include <ebb/ebb.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

namespace {

using namespace ebb;
using Clock = std::chrono::steady_clock;

double seconds_each = 0.2;
bool first = true;

/// The median time of a call, of those that fit into `seconds_each`, in milliseconds.
template <class Call>
double median_ms(Call call) {
  call();
  std::vector<double> times;
  const auto start = Clock::now();
  do {
    const auto before = Clock::now();
    call();
    times.push_back(std::chrono::duration<double, std::milli>(Clock::now() - before).count());
  } while (std::chrono::duration<double>(Clock::now() - start).count() < seconds_each);
  std::nth_element(times.begin(), times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2),
                   times.end());
  return times[times.size() / 2];
}

template <int N>
Tensor<float, N> random(const Shape<N>& shape) {
  const Tensor<float, N> x(shape);
  nn::init::uniform(x, -1, 1);
  return x;
}

/// Times f(x) on a plain tensor, and f(x) with the backward pass from a gradient of ones.
template <int N, class F>
void measure(const char* name, const Shape<N>& shape, F f) {
  const auto x = random(shape);
  const double forward = median_ms([&] { return f(x).size(); });
  const auto ones = tensor_of<decltype(f(x))>::ones(f(x).shape());
  const double both = median_ms([&] {
    Tape tape;
    if constexpr (requires { F::visit(f, [](const char*, const auto&) {}); }) nn::zero_grad(f);
    backward(f(tape.watch(x)), ones);
  });
  std::printf("%s\"%s\": {\"forward\": %.4f, \"both\": %.4f}", first ? "{" : ", ", name, forward,
              both);
  first = false;
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 3) {
    std::fprintf(stderr, "usage: %s THREADS SECONDS\n", arguments[0]);
    return 2;
  }
  set_num_threads(std::atoi(arguments[1]));
  seconds_each = std::atof(arguments[2]);

  const nn::Conv2d<> conv1(1, 16, 3, {.padding = 1}), conv2(16, 32, 3, {.padding = 1});
  const nn::Conv2d<> strided(32, 64, 3, {.stride = 2, .padding = 1}),
      depthwise(32, 32, 3, {.padding = 1, .groups = 32});
  const nn::ConvTranspose2d<> transposed(32, 16, 2, {.stride = 2});
  const nn::Linear<> fc1(25088, 64), square_linear(512, 512);
  const nn::BatchNorm2d<> batch_norm(32);
  const nn::LayerNorm<> layer_norm(512);
  Tensor<int, 1> labels(Shape{64});
  for (Index i = 0; i < 64; ++i) labels(i) = static_cast<int>(i % 10);

  measure("conv2d 1->16, 3x3", Shape{64, 1, 28, 28}, conv1);
  measure("conv2d 16->32, 3x3", Shape{64, 16, 28, 28}, conv2);
  measure("conv2d 32->64, 3x3, stride 2", Shape{64, 32, 28, 28}, strided);
  measure("conv2d depthwise 32, 3x3", Shape{64, 32, 28, 28}, depthwise);
  measure("conv_transpose2d 32->16, 2x2", Shape{64, 32, 14, 14}, transposed);
  measure("linear 25088->64", Shape{64, 25088}, fc1);
  measure("linear 512->512", Shape{64, 512}, square_linear);
  measure("max_pool2d 2", Shape{64, 32, 28, 28}, [](const auto& x) { return max_pool2d(x, 2); });
  measure("avg_pool2d 2", Shape{64, 32, 28, 28}, [](const auto& x) { return avg_pool2d(x, 2); });
  measure("batch_norm2d 32", Shape{64, 32, 28, 28}, batch_norm);
  measure("layer_norm 512", Shape{1024, 512}, layer_norm);
  measure("relu", Shape{64, 32, 28, 28}, relu);
  measure("gelu", Shape{64, 32, 28, 28}, gelu);
  measure("tanh", Shape{64, 32, 28, 28}, Tanh{});
  measure("softmax 1000", Shape{256, 1000}, [](const auto& x) { return softmax(x, 1); });
  measure("cross_entropy 10", Shape{64, 10},
          [&](const auto& x) { return cross_entropy(x, labels); });
  measure("add", Shape{64, 32, 28, 28}, [](const auto& x) { return x + x; });
  measure("mean axes 2, 3", Shape{64, 32, 28, 28}, [](const auto& x) {
    return mean(x, Axes{2, 3});
  });
  measure("upsample bilinear 2", Shape{64, 16, 14, 14},
          [](const auto& x) { return upsample_bilinear2d(x, Size2(28, 28)); });
  std::printf("}\n");
}
