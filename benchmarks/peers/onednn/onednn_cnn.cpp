// The tutorial's CNN composed by hand on oneDNN, in blocked layouts throughout and with nothing
// between the primitives:
//
//   bench_onednn_cnn train|infer BATCH THREADS SECONDS direct|winograd|auto
//
// The word chooses the algorithm of the second convolution. Where oneDNN does not have it on this
// processor, the program prints {}.

#include "benchmarks/clock.hpp"
#include "benchmarks/peers/onednn/layers.hpp"

#include <omp.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>

namespace {

using namespace bench;

/// The gradient of the mean cross entropy, from logits (n, 10).
void loss_gradient(const float* logits, float* gradient, long n) {
  for (long i = 0; i < n; ++i) {
    const float* z = logits + i * 10;
    float most = z[0], sum = 0, e[10];
    for (int k = 1; k < 10; ++k) most = z[k] > most ? z[k] : most;
    for (int k = 0; k < 10; ++k) sum += e[k] = std::exp(z[k] - most);
    for (int k = 0; k < 10; ++k)
      gradient[i * 10 + k] =
          (e[k] / sum - (k == i * 31 % 10 ? 1.0f : 0.0f)) / static_cast<float>(n);
  }
}

double images_per_second(bool train, long batch, double seconds, dnnl::algorithm how) {
  Program program;
  const auto first =
      how == dnnl::algorithm::convolution_winograd ? dnnl::algorithm::convolution_direct : how;
  const memory images = program.make(Program::plain({batch, 1, 28, 28}));
  Convolution conv1(program, images, 16, train, first);
  Convolution conv2(program, conv1.output, 32, train, how);
  Dense fc1(program, conv2.output, 64, train, true), fc2(program, fc1.output, 10, train, false);
  if (train) {
    const memory gradient(fc2.output.get_desc(), program.engine());
    program.add([from = Program::floats(fc2.output), to = Program::floats(gradient), batch] {
      loss_gradient(from, to, batch);
    });
    conv1.backward(conv2.backward(fc1.backward(fc2.backward(gradient)), true), false);
  }
  return static_cast<double>(batch) * rate(seconds, 2, [&] { program.run(); });
}

}  // namespace

int main(int count, char** words) {
  if (count != 6) {
    std::fprintf(stderr, "usage: %s train|infer BATCH THREADS SECONDS direct|winograd|auto\n",
                 words[0]);
    return 2;
  }
  omp_set_num_threads(std::atoi(words[3]));
  const char how = words[5][0];
  try {
    const double rate =
        images_per_second(words[1][0] == 't', std::atol(words[2]), std::atof(words[4]),
                          how == 'd'   ? dnnl::algorithm::convolution_direct
                          : how == 'w' ? dnnl::algorithm::convolution_winograd
                                       : dnnl::algorithm::convolution_auto);
    std::printf("{\"images_per_s\": %.2f, \"peak_mib\": %.1f}\n", rate, peak_memory());
  } catch (const dnnl::error& error) {
    std::fprintf(stderr, "oneDNN: %s\n", error.what());
    std::puts("{}");
  }
}
