// Training a U-Net, and its account.
#pragma once

#include "options.hpp"

// Returns the exit code of the program.
int train_and_account(const Options& options, const Split& split);
