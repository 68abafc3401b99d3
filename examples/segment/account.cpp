#include "account.hpp"

#include <ebb/core/number.hpp>
#include <ebb/metrics/surface.hpp>

#include <cmath>
#include <cstdio>

namespace metrics = ebb::metrics;
using ebb::Index;

ImageAccount account_of(std::string name, ebb::Tensor<int, 2> predicted,
                        ebb::Tensor<int, 2> truth) {
  ImageAccount account{
      std::move(name), predicted, truth, metrics::overlap(predicted, truth, 1), {}, {}};
  const auto& o = account.overlap;
  if (o.true_positives + o.false_positives > 0 && o.true_positives + o.false_negatives > 0) {
    const auto distances = metrics::surface_distances(predicted, truth, 1);
    account.hausdorff95 = distances.hausdorff(0.95);
    account.surface_distance = distances.average();
  }
  return account;
}

Account account_of(std::vector<ImageAccount> images, std::uint64_t seed) {
  Account account{std::move(images), {}, {}};
  for (const auto& image : account.images) account.overlap += image.overlap;
  if (account.images.size() >= 3 && account.overlap.defined())
    account.dice = metrics::bootstrap(static_cast<Index>(account.images.size()),
                                      [&](std::span<const Index> which) {
                                        metrics::Overlap sum;
                                        for (const Index i : which)
                                          sum +=
                                              account.images[static_cast<std::size_t>(i)].overlap;
                                        return sum.defined() ? sum.dice() : std::nan("");
                                      },
                                      {.seed = seed});
  return account;
}

std::string figure(const std::optional<double>& x) {
  if (!x) return "-";
  return ebb::detail::fixed(*x, 3);
}

std::string to_text(const Account& account) {
  char line[256];
  std::snprintf(line, sizeof line, "%-20s   Dice    IoU  HD95, pixels  surface distance, pixels\n",
                "image");
  std::string text = line;
  for (const auto& image : account.images) {
    const bool defined = image.overlap.defined();
    std::snprintf(line, sizeof line, "%-20.40s %6s %6s %13s %25s\n", image.name.c_str(),
                  defined ? figure(image.overlap.dice()).c_str() : "-",
                  defined ? figure(image.overlap.iou()).c_str() : "-",
                  figure(image.hausdorff95).c_str(), figure(image.surface_distance).c_str());
    text += line;
  }
  if (account.dice) {
    text += ebb::message("Dice of all pixels: ", figure(account.dice->value), ", 95 % interval [",
                         figure(account.dice->low), ", ", figure(account.dice->high), "] over ",
                         account.images.size(), " images\n");
  }
  return text;
}
