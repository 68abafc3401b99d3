// Training and testing.
#pragma once

#include "../common/source.hpp"
#include "options.hpp"

// Does what the options say; returns the exit code of the program. Throws ebb::Error.
int train_and_test(const Options& options, const Source& source);

// The same on a GPU; null in a program that was built for the CPU alone.
extern int (*const train_and_test_on_gpu)(const Options& options, const Source& source);
