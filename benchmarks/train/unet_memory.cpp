// What training a U-Net takes, with gradient checkpointing and without:
//
//   bench_unet_memory [SIZE]                          a table for images of SIZE pixels (512)
//   bench_unet_memory SIZE BATCH BASE DEPTH on|off    one row: MiB, and seconds of a step
//
// Every row is a process of its own, whose greatest size (VmHWM) after three steps of Adam on the
// sum of Dice and cross entropy is reported.

#include <ebb/ebb.hpp>
#include <ebb/models/unet.hpp>

#include "benchmarks/clock.hpp"

#include <cstdio>
#include <cstdlib>
#include <string>

namespace {

using namespace ebb;

void one(Index size, Index batch, Index base, int depth, bool checkpointed) {
  manual_seed(1);
  const models::UNet<> net({.base = base, .depth = depth, .checkpoint = checkpointed});
  optim::Optimizer adam(net, optim::Adam{.lr = 1e-3});
  Tensor<float, 4> images({batch, 1, size, size});
  Tensor<int, 3> masks({batch, size, size});
  for (Index i = 0; i < images.size(); ++i) {
    images.mutable_data()[i] = static_cast<float>(i * 7919 % 1009) / 1009.0f;
    masks.mutable_data()[i] = static_cast<int>(i * 31 % 5 == 0);
  }
  double seconds = 0;
  float last = 0;
  for (int step = 0; step < 3; ++step) {
    const double start = bench::now();
    adam.zero_grad();
    Tape tape;
    const auto logits = net(tape.input(images));
    const auto loss = cross_entropy(logits, masks) + dice_loss(logits, masks);
    backward(loss);
    adam.step();
    last = loss.item();
    seconds = bench::now() - start;
  }
  std::printf("%5.0f MiB  %6.2f s a step  loss %.9g\n", bench::peak_memory(), seconds,
              static_cast<double>(last));
}

}  // namespace

int main(int argc, char** argv) {
  const Index size = argc > 1 ? std::atoi(argv[1]) : 512;
  if (argc == 6) {
    one(size, std::atoi(argv[2]), std::atoi(argv[3]), std::atoi(argv[4]),
        std::string(argv[5]) == "on");
    return 0;
  }
  if (argc > 2 || size < 1) {
    std::fprintf(stderr, "unet_memory [SIZE [BATCH BASE DEPTH on|off]]\n");
    return 1;
  }
  for (const int depth : {3, 4})
    for (const int base : {16, 32, 64})
      for (const int batch : {1, 4})
        for (const char* checkpointed : {"off", "on"}) {
          const std::string arguments = std::to_string(size) + ' ' + std::to_string(batch) + ' ' +
                                        std::to_string(base) + ' ' + std::to_string(depth) + ' ' +
                                        checkpointed;
          std::printf("%-22s", arguments.c_str());
          std::fflush(stdout);
          if (std::system(('"' + std::string(argv[0]) + "\" " + arguments).c_str()) != 0) return 1;
        }
}
