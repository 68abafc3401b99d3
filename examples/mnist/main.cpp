// How does a program learn to read digits?
//
// This is the whole of it: 60000 labelled images of 28 x 28 pixels, a network of four layers with
// 1.6 million weights that start at random, and a loop that shows the network a few images, asks
// how wrong it is (cross entropy) and in which direction each weight should move to be less so (the
// gradient), and moves it a little (the optimizer). Three passes over the images take it from 10 %
// to more than 98 % on images it has never seen.
//
//   network.hpp     the network, and why it ends without a softmax
//   training.inl    the loop, tests, checkpoints; training.cpp on the CPU, training.cu on a GPU
//   pictures.cpp    curves, confusion matrix, mistakes
//   options.cpp     the command line
//   ../common       what the programs share: where images come from (source.cpp, download.cpp),
//                   optimizers by name, checkpoints

#include "../common/program.hpp"
#include "options.hpp"
#include "training.hpp"

int main(int argc, char** argv) {
  return run_program(
      "mnist",
      [](int count, char** words) {
        const Command command = parse_command_line(count, words);
        if (command.exit_code) return *command.exit_code;
        const Options& options = command.options;
        paths_of(options).check();
        const Source source = find_images(options.data);
        return options.device == "cuda" ? train_and_test_on_gpu(options, source)
                                        : train_and_test(options, source);
      },
      argc, argv);
}
