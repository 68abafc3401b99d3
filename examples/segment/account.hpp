// How well predicted masks cover the true ones.
#pragma once

#include <ebb/metrics/bootstrap.hpp>
#include <ebb/metrics/overlap.hpp>
#include <ebb/tensor/tensor.hpp>

#include <optional>
#include <string>
#include <vector>

struct ImageAccount {
  std::string name;
  ebb::Tensor<int, 2> predicted, truth;
  ebb::metrics::Overlap overlap;
  std::optional<double> hausdorff95, surface_distance;  // pixels; none where a mask is empty
};

ImageAccount account_of(std::string name, ebb::Tensor<int, 2> predicted, ebb::Tensor<int, 2> truth);

struct Account {
  std::vector<ImageAccount> images;
  ebb::metrics::Overlap overlap;               // of the pixels of all images together
  std::optional<ebb::metrics::Interval> dice;  // its interval, from three images on

  double dice_or_zero() const { return overlap.defined() ? overlap.dice() : 0; }
};

// The images are what is drawn again for the interval: pixels of one image are not independent.
Account account_of(std::vector<ImageAccount> images, std::uint64_t seed);

// The table of images.
std::string to_text(const Account& account);
std::string figure(const std::optional<double>& x);  // "0.913", or "-"
