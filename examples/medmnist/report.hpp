// The account of a run as a page.
#pragma once

#include "../common/checkpoint.hpp"
#include "account.hpp"
#include "calibration.hpp"
#include "options.hpp"

#include <ebb/train/gallery.hpp>

// Writes report.html into the folder of --report: one file with its pictures inside. Pictures that
// cannot be drawn (no gnuplot) are replaced by the reason.
void write_report(const Options& options, const Run& run, const std::vector<double>& aucs,
                  const Answers& answers, const Account& account, const Calibration& calibration,
                  const ebb::Mistakes& mistakes);
