// From a file of medical images to a classifier, and an honest account of how good it is.
//
// MedMNIST's files (https://medmnist.com) hold small images in three splits. The network learns
// from the first; after every epoch it is tried on the second, and the epoch that did best there is
// kept; the third, which had no say in anything, is for the account: the area under the ROC curve
// with its confidence interval, and sensitivity and specificity for every class, because accuracy
// alone means little where one class is three times as frequent as the other.
//
// Research use only: nothing this program trains is fit to decide about a patient.
//
//   training.hpp   the loop, and which epoch is kept
//   networks.cpp   the networks it is compiled for: those of ../models that take any images
//   account.cpp    what the test images say
//   report.cpp     the same as a page, with pictures
//   options.cpp    the command line, and what the file of --load adds to it
//   folder.cpp     images that are files of their own
//   ../common      optimizers by name, checkpoints: what the training programs share

#include "../common/program.hpp"
#include "options.hpp"
#include "training.hpp"

int main(int argc, char** argv) {
  return run_program(
      "medmnist",
      [](int count, char** words) {
        Options options;
        if (const auto code = parse_command_line(count, words, options)) return *code;
        paths_of(options).check();
        take_from_file(options);
        const auto set = read_images(options);
        return train(options, set);
      },
      argc, argv);
}
