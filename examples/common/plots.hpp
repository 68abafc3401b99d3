// Pictures that several reports have.
#pragma once

#include <string>
#include <vector>

// One value an epoch, on the validation images, as SVG.
void draw_by_epoch(const std::string& path, const std::string& title,
                   const std::vector<double>& values);
