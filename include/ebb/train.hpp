/// \file
/// Training comfort: `fit` and `evaluate`, metrics, progress, CSV logs, plots.
#pragma once

#include <ebb/core/set_aside.inl>

#include <ebb/train/csv.hpp>
#include <ebb/train/curves.hpp>
#include <ebb/train/evaluate.hpp>
#include <ebb/train/fit.hpp>
#include <ebb/train/gallery.hpp>
#include <ebb/train/gnuplot.hpp>
#include <ebb/train/metrics.hpp>
#include <ebb/train/plot.hpp>
#include <ebb/train/progress.hpp>

#include <ebb/core/give_back.inl>
