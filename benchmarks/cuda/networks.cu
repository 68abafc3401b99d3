// Microseconds of training steps on an NVIDIA GPU, of a batch that lies there: forward, cross
// entropy, backward, SGD with momentum.
//
//   bench_gpu_networks cnn|lenet|resnet18|unet BATCH eager|captured fp32|tf32|bf16 SECONDS
//   bench_gpu_networks cnn|lenet|resnet18|unet check WEIGHTS   its loss with these weights
//   bench_gpu_networks device                                  which GPU there is
//
// Its peer is benchmarks/peers/gpu_networks.py, which does the same work in PyTorch.

#include <ebb/cuda.cuh>
#include <ebb/models/lenet5.hpp>
#include <ebb/models/resnet.hpp>
#include <ebb/models/unet.hpp>

#include "benchmarks/cuda/device.cuh"
#include "benchmarks/networks/cnn.hpp"
#include "benchmarks/networks/work.hpp"

#include <cstdlib>

#if __has_include(<nlohmann/json.hpp>)
#  include <ebb/io.hpp>
#  define HAVE_FILES 1
#endif

namespace {

using namespace ebb;

// The tests' emulator is a million times slower than a GPU: what it trains is smaller.
#if defined(EBB_GPU_EMULATOR)
constexpr models::ResNetOptions resnet{
    .channels = 1, .classes = 10, .small_images = true, .width = 2};
constexpr models::UNetOptions unet{.base = 2, .depth = 2};
constexpr Index scan_size = 16;
#else
constexpr models::ResNetOptions resnet{.channels = 1, .classes = 10, .small_images = true};
constexpr models::UNetOptions unet{.base = 32, .depth = 4};
constexpr Index scan_size = 256;
#endif

/// What the command line says, and what is wrong with it.
struct Arguments {
  std::string network, mode, precision, weights;
  Index batch = 4;  ///< of a check
  double seconds = 1;

  Arguments(int count, char** words) : network(words[1]), mode(words[count == 4 ? 2 : 3]) {
    if (count == 4) {
      weights = words[3];
      return;
    }
    batch = std::atoll(words[2]);
    precision = words[4];
    seconds = std::atof(words[5]);
    if (precision != "fp32" && precision != "tf32" && precision != "bf16")
      throw ValueError("there is no precision " + precision + "; use fp32, tf32 or bf16");
    if (mode != "eager" && mode != "captured")
      throw ValueError("there is no mode " + mode + "; use eager or captured");
    if (batch < 1) throw ValueError(std::string(words[2]) + " is no number of images");
    cuda::set_precision(precision == "tf32"   ? cuda::Precision::tf32
                        : precision == "bf16" ? cuda::Precision::bf16
                                              : cuda::Precision::fp32);
  }
};

template <class Net, int N>
void check(const Arguments& a, Net start, const bench::Work<N>& work) {
#ifdef HAVE_FILES
  io::load(start, a.weights);
  const auto net = to<Cuda>(start);
  Tape tape;  // as in training, so that batch norm uses the batch's statistics
  const auto loss = cross_entropy(net(tape.input(to<Cuda>(work.images))), to<Cuda>(work.labels));
  bench::Line("check")
      .add("network", a.network)
      .add("who", "ebb")
      .add("loss", static_cast<double>(loss.value().item()))
      .add("parameters", static_cast<double>(nn::count_parameters(net)))
      .print();
#else
  static_cast<void>(start);
  static_cast<void>(work);
  throw ValueError("weights of " + a.network + " cannot be read: compile with nlohmann-json");
#endif
}

template <class Net, int N>
void measure(const Arguments& a, const Net& start, const bench::Work<N>& work) {
  if (a.mode == "check") return check(a, start, work);
  auto net = to<Cuda>(start);
  const auto images = to<Cuda>(work.images);
  const auto labels = to<Cuda>(work.labels);
  optim::Optimizer opt(net, optim::Sgd{.lr = 0.01, .momentum = 0.9});
  const auto step = [&] {
    Tape tape;
    const auto loss = cross_entropy(net(tape.input(images)), labels);
    opt.zero_grad();
    backward(loss);
    opt.step();
    return loss.value();
  };
  Tensor<float, 0, Cuda> loss;
  std::vector<double> us;
  if (a.mode == "captured") {
    auto captured = capture(step);  // without inputs: the batch is always the same, as PyTorch's
    us = bench::rounds_us(
        a.seconds, [&] { loss = captured(); }, Cuda::synchronize);
  } else {
    us = bench::rounds_us(
        a.seconds, [&] { loss = step(); }, Cuda::synchronize);
  }
  if (const float last = loss.item(); !std::isfinite(last))
    throw ValueError(message("the loss became ", last, ": this is no training step"));
  bench::Line("networks")
      .add("network", a.network)
      .add("batch", static_cast<double>(a.batch))
      .add("who", "ebb")
      .add("mode", a.mode)
      .add("precision", a.precision)
      .add("us_per_step", us)
      .add("images_per_s", 1e6 * static_cast<double>(a.batch) / bench::median(us))
      // All that was taken from the GPU: pools give nothing back.
      .add("peak_mib", static_cast<double>(Cuda::stats().bytes_reserved) / (1 << 20))
      .print();
}

template <class Net>
void classify(const Arguments& a, const Net& net) {
  measure(a, net, bench::Work<1>(a.batch, 28, Shape<1>{a.batch}, 10));
}

void run(const Arguments& a) {
  if (a.network == "cnn") return classify(a, bench::Cnn<>());
  if (a.network == "lenet") return classify(a, models::LeNet5<>());
  if (a.network == "resnet18") return classify(a, models::ResNet18<>(resnet));
  if (a.network == "unet")
    return measure(a, models::UNet<>(unet),
                   bench::Work<3>(a.batch, scan_size, Shape<3>{a.batch, scan_size, scan_size}, 2));
  throw ValueError("there is no network " + a.network + "; use cnn, lenet, resnet18 or unet");
}

}  // namespace

int main(int count, char** words) {
  const bool device = count == 2 && std::string(words[1]) == "device";
  if (!device && count != 6 && !(count == 4 && std::string(words[2]) == "check")) {
    std::fprintf(stderr,
                 "usage: %s cnn|lenet|resnet18|unet BATCH eager|captured fp32|tf32|bf16 SECONDS\n"
                 "       %s cnn|lenet|resnet18|unet check WEIGHTS\n"
                 "       %s device\n",
                 words[0], words[0], words[0]);
    return 2;
  }
  try {
    const auto gpu = bench::device_line("ebb");  // first of all: where there is none, it says so
    if (device)
      gpu.print();
    else
      run(Arguments(count, words));
    return 0;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
  }
}
