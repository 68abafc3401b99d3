// From two folders, images and masks, to a network that finds the structure in new images.
//
// A U-Net (Ronneberger, Fischer & Brox, 2015) learns from patches of the first images, mirrored,
// turned and deformed together with their masks, to lower the sum of Dice loss and cross entropy.
// The last images, of which it has seen nothing, are for the account: Dice and IoU of the
// foreground, and how far outlines lie from where they should. (Neighbours in a stack look alike:
// the last ones are a harder and more honest test than some picked from in between.)
//
// Research use only: nothing this program trains is fit to decide about a patient.
//
//   training.cpp   the loop
//   account.cpp    what the validation images say
//   report.cpp     the same as a page, with overlays
//   options.cpp    the command line
//   ../common      optimizers by name, checkpoints: what the training programs share

#include "../common/program.hpp"
#include "options.hpp"
#include "training.hpp"

int main(int argc, char** argv) {
  return run_program(
      "segment",
      [](int count, char** words) {
        Options options;
        if (const auto code = parse_command_line(count, words, options)) return *code;
        paths_of(options).check();
        take_from_file(options);
        return train_and_account(options, read_images(options));
      },
      argc, argv);
}
