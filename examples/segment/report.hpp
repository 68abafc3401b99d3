// The account of a run as a page.
#pragma once

#include "../common/checkpoint.hpp"
#include "account.hpp"
#include "options.hpp"

// Writes report.html into the folder of --report: one file with its pictures inside; beside it an
// overlay and a table of shapes for each validation image.
void write_report(const Options& options, const Split& split, const Run& run,
                  const std::vector<double>& dices, const Account& account);
