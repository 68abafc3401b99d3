#include "report.hpp"

#include "../common/page.hpp"
#include "../common/plots.hpp"
#include "../common/provenance.hpp"

#include <ebb/io/png.hpp>
#include <ebb/shape.hpp>
#include <ebb/train/curves.hpp>
#include <ebb/train/plot.hpp>

#include <algorithm>
#include <cstdio>
#include <numeric>

namespace plot = ebb::plot;
using ebb::Index;

namespace {

// The image in grey; found foreground green, missed blue, wrongly found red.
void write_overlay(const std::string& path, const ebb::data::MaskedImages& set, Index n,
                   const ImageAccount& account) {
  const Index area = set.image_size().area(), channels = set.channels();
  const std::uint8_t* const image = set.images.data() + n * channels * area;
  std::vector<std::uint8_t> pixels;
  pixels.reserve(static_cast<std::size_t>(3 * area));
  for (Index i = 0; i < area; ++i) {
    int grey = 0;
    for (Index c = 0; c < channels; ++c) grey += image[c * area + i];
    grey /= static_cast<int>(channels);
    const bool found = account.predicted.data()[i] != 0, is = account.truth.data()[i] != 0;
    const int colour[3] = {found && !is ? 255 : 0, found && is ? 200 : 0, is && !found ? 255 : 0};
    for (const int c : colour)
      pixels.push_back(static_cast<std::uint8_t>(found || is ? (grey + c) / 2 : grey));
  }
  ebb::io::write_png(path, static_cast<int>(set.image_size().width),
                     static_cast<int>(set.image_size().height), 3, pixels);
}

}  // namespace

void write_report(const Options& options, const Split& split, const Run& run,
                  const std::vector<double>& dices, const Account& account) {
  const std::string& folder = options.report;
  Page page("Segmentation: what a U-Net finds");
  page.paragraph(
      "Research use only. This is not a medical device; nothing here is fit to decide about a "
      "patient. Figures hold for images like these, and intervals only say what chance does to " +
      std::to_string(account.images.size()) + " validation images.");
  const bool defined = account.overlap.defined();
  page.list(
      {{"Dice of the foreground, all pixels", figure(account.dice_or_zero())},
       {"95 % interval over images",
        account.dice ? ebb::message(figure(account.dice->low), " to ", figure(account.dice->high))
                     : std::string("not defined: fewer than three images")},
       {"IoU", defined ? figure(account.overlap.iou()) : "-"}});

  page.heading("Image by image");
  std::vector<std::vector<std::string>> rows;
  for (const auto& image : account.images)
    rows.push_back({image.name, image.overlap.defined() ? figure(image.overlap.dice()) : "-",
                    image.overlap.defined() ? figure(image.overlap.iou()) : "-",
                    figure(image.hausdorff95), figure(image.surface_distance)});
  page.table({"image", "Dice", "IoU", "HD95, pixels", "mean surface distance, pixels"}, rows);

  page.heading("Overlays, the worst image first");
  page.paragraph("Green: foreground that was found. Blue: missed. Red: found where there is none.");
  std::vector<std::size_t> order(account.images.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto dice = [&](std::size_t i) {
    const auto& overlap = account.images[i].overlap;
    return overlap.defined() ? overlap.dice() : 1;
  };
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return dice(a) < dice(b); });
  int place = 0;
  for (const std::size_t i : order) {
    const ImageAccount& image = account.images[i];
    const std::string path = folder + "/overlay_" + image.name + ".png";
    write_overlay(path, split.validation, static_cast<Index>(i), image);
    // All of them are files in the folder; the page shows the worst four and the best.
    if (place++ < 4 || i == order.back())
      page.image(path, ebb::message("Image ", image.name, ": Dice ", figure(dice(i))), 256);
    const auto parts =
        ebb::shape::components(image.predicted, 1, ebb::shape::Connectivity::corners);
    ebb::shape::save_csv(folder + "/shapes_" + image.name + ".csv", ebb::shape::measure(parts));
  }

  if (!run.epochs.empty()) {
    page.heading("Training");
    page.picture(folder, "curves.svg", "Loss and accuracy of pixels, epoch by epoch",
                 [&](const std::string& path) { plot::curves(path, run.epochs); });
    page.picture(folder, "dice.svg",
                 "Dice on the validation images; the last epoch is kept, not the best: what is "
                 "chosen on these images would look better on them than it is",
                 [&](const std::string& path) { draw_by_epoch(path, "Dice", dices); });
  }
  page.heading("How it was made");
  page.list({{"settings", run.settings},
             {"ebb", library_version()},
             {"images", options.images + ": " + fingerprint(files_in(options.images))},
             {"masks", options.masks + ": " + fingerprint(files_in(options.masks))},
             {"seed", std::to_string(options.seed)},
             {"compiler", __VERSION__},
             {"date", today()}});
  const std::string path = folder + "/report.html";
  page.write(path);
  std::printf("wrote %s\n", path.c_str());
}
