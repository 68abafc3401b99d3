// benchmarks/cuda/networks.cu in the emulator. `PROGRAM write FILE` writes weights of LeNet-5, and
// says the loss that `PROGRAM lenet check FILE` must find, computed by the CPU.

#include "tests/cuda/programs/emulated.hpp"

#define main benchmark
#include "benchmarks/cuda/networks.cu"
#undef main

int main(int count, char** words) {
  choose_gpus();
  if (count != 3 || std::string(words[1]) != "write") return benchmark(count, words);
  ebb::manual_seed(7);  // other weights than a new network has
  const ebb::models::LeNet5<> net;
  ebb::io::save(net, words[2]);
  const bench::Work<1> work(4, 28, ebb::Shape<1>{4}, 10);
  const auto loss = ebb::cross_entropy(net(work.images), work.labels);
  bench::Line("check").add("loss", static_cast<double>(loss.item())).print();
}
