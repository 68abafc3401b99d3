// Images per second of a network, and the most memory it took:
//
//   bench_networks cnn|lenet|resnet18|unet train|infer BATCH THREADS SECONDS
//   bench_networks cnn|lenet|resnet18|unet check WEIGHTS   its loss with these weights
//
// Its peer is benchmarks/peers/networks.py, which does the same work in PyTorch.

#include "benchmarks/clock.hpp"
#include "benchmarks/networks/cnn.hpp"
#include "benchmarks/networks/lenet5.hpp"
#include "benchmarks/networks/unet.hpp"
#include "benchmarks/networks/work.hpp"

#include <ebb/models/resnet.hpp>

#include <cstdio>
#include <cstdlib>
#include <string>

#if __has_include(<nlohmann/json.hpp>)
#  include <ebb/io.hpp>
#  define HAVE_FILES 1
#endif

namespace {

using namespace ebb;

struct Arguments {
  std::string mode, weights;
  Index batch = 1;
  int threads = 1;
  double seconds = 1;
};

template <class Net, int N>
void measure(const Arguments& arguments, const bench::Work<N>& work) {
  Net net;
  double rate = 0;
  if (arguments.mode == "check") {
#ifdef HAVE_FILES
    io::load(net, arguments.weights);
    Tape tape;  // as in training, so that batch norm uses the batch's statistics
    const auto loss = cross_entropy(net(tape.input(work.images)), work.labels);
    std::printf("{\"loss\": %.7g, \"parameters\": %td}\n", static_cast<double>(loss.item()),
                nn::count_parameters(net));
#else
    std::printf("{}\n");
#endif
    return;
  }
  if (arguments.mode == "train") {
    optim::Optimizer opt(net, optim::Sgd{.lr = 0.01});
    rate = bench::rate(arguments.seconds, 2, [&] {
      Tape tape;
      opt.zero_grad();
      backward(cross_entropy(net(tape.input(work.images)), work.labels));
      opt.step();
    });
  } else {
    float kept = 0;  // read each result, so that none is computed in vain
    rate = bench::rate(arguments.seconds, 2, [&] { kept += net(work.images).data()[0]; });
    if (kept == 12345.0f) std::puts("");
  }
  std::printf("{\"images_per_s\": %.2f, \"peak_mib\": %.1f}\n",
              rate * static_cast<double>(arguments.batch), bench::peak_memory());
}

struct ResNet18 : models::ResNet18<> {
  ResNet18() : models::ResNet18<>({.channels = 1, .classes = 10, .small_images = true}) {}
};

template <class Net>
void classify(const Arguments& a) {
  measure<Net>(a, bench::Work<1>(a.batch, 28, Shape{a.batch}, 10));
}

}  // namespace

int main(int count, char** words) {
  const std::string network = count > 1 ? words[1] : "";
  Arguments a;
  if (count > 2) a.mode = words[2];
  if (count == 4 && a.mode == "check") {
    a.weights = words[3];
    a.batch = 4;
  } else if (count == 6) {
    a.batch = std::atoll(words[3]);
    a.threads = std::atoi(words[4]);
    a.seconds = std::atof(words[5]);
  } else {
    std::fprintf(stderr, "usage: %s cnn|lenet|resnet18|unet train|infer BATCH THREADS SECONDS\n",
                 words[0]);
    return 2;
  }
  set_num_threads(a.threads);
  if (network == "cnn") classify<bench::Cnn<>>(a);
  if (network == "lenet") classify<bench::LeNet5>(a);
  if (network == "resnet18") classify<ResNet18>(a);
  if (network == "unet")
    measure<bench::UNet>(a,
                         bench::Work<3>(a.batch, 256, Shape{a.batch, Index{256}, Index{256}}, 2));
}
