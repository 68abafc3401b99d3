// In the place of training.cu, where the program is built for the CPU alone.
#include "training.hpp"

int (*const train_and_test_on_gpu)(const Options&, const Source&) = nullptr;
