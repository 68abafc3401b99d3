// Pictures that several reports have, in a size whose letters can be read on a phone.
#pragma once

#include "page.hpp"

#include <ebb/train/fit.hpp>
#include <ebb/train/metrics.hpp>
#include <ebb/train/plot.hpp>

#include <string>
#include <vector>

// Axes of shares, 0 to 1.
ebb::plot::Axes square(const char* title, const char* x, const char* y);

// Loss and accuracy, epoch by epoch.
void show_course(Page& page, const std::string& folder, const std::vector<ebb::EpochFacts>& epochs,
                 const std::string& validation_name = "validation");

// One value an epoch, on the validation images.
void show_by_epoch(Page& page, const std::string& folder, const std::string& name,
                   const std::string& title, const std::string& caption,
                   const std::vector<double>& values);

// Which class was taken for which.
void show_confusion(Page& page, const std::string& folder, const ebb::ConfusionMatrix& matrix);
