#include "report.hpp"

#include "../common/page.hpp"
#include "../common/plots.hpp"
#include "../common/provenance.hpp"
#include "../common/say.hpp"

#include <ebb/core/number.hpp>
#include <ebb/io/png.hpp>
#include <ebb/morphology.hpp>

#include <algorithm>
#include <numeric>

using ebb::Index;

namespace {

// The image in grey; found foreground green, missed blue in stripes, wrongly found red in squares:
// each is known by its pattern, too.
void write_overlay(const std::string& path, const ebb::data::ByteImage& image,
                   const ImageAccount& account) {
  const Index channels = image.extent(0), height = image.extent(1), width = image.extent(2);
  const Index area = height * width, unit = std::max<Index>(1, width / 100);
  std::vector<std::uint8_t> pixels;
  pixels.reserve(static_cast<std::size_t>(3 * area));
  for (Index i = 0; i < area; ++i) {
    int grey = 0;
    for (Index c = 0; c < channels; ++c) grey += image.data()[c * area + i];
    grey /= static_cast<int>(channels);
    const Index row = i / width / unit, column = i % width / unit;
    const bool found = account.predicted.data()[i] != 0, is = account.truth.data()[i] != 0;
    const bool drawn = found ? is || (row + column) % 2 == 0 : is && (row + column) % 3 != 0;
    const int colour[3] = {found && !is ? 255 : 0, found && is ? 200 : 0, is && !found ? 255 : 0};
    for (const int c : colour)
      pixels.push_back(static_cast<std::uint8_t>(drawn ? (grey + c) / 2 : grey));
  }
  ebb::io::write_png(path, static_cast<int>(width), static_cast<int>(height), 3, pixels);
}

// What an overlay shows, in words.
std::string in_words(const ImageAccount& image) {
  const auto& o = image.overlap;
  const auto share = [](Index part, Index all) {
    return ebb::detail::fixed(
               100 * static_cast<double>(part) / static_cast<double>(std::max<Index>(1, all)), 1) +
           " %";
  };
  return ebb::message("Overlay of image ", image.name, ": of ",
                      o.true_positives + o.false_negatives, " pixels of foreground ",
                      share(o.true_positives, o.true_positives + o.false_negatives),
                      " were found; of the pixels called foreground ",
                      share(o.false_positives, o.true_positives + o.false_positives), " are none.");
}

}  // namespace

void write_report(const Options& options, const Split& split, const Run& run,
                  const std::vector<double>& dices, const Account& account) {
  const std::string& folder = options.report;
  Page page("Segmentation: what a U-Net finds", options.command);
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
  page.paragraph(
      "Green, whole: foreground that was found. Blue, striped: missed. Red, in squares: found "
      "where "
      "there is none.");
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
    write_overlay(path, split.validation.image(static_cast<Index>(i)), image);
    // All of them are files in the folder; the page shows the worst four and the best.
    if (place++ < 4 || i == order.back())
      page.image(path, ebb::message("Image ", image.name, ": Dice ", figure(dice(i))),
                 in_words(image), 512);
    const auto parts =
        ebb::morphology::components(image.predicted, 1, ebb::morphology::Connectivity::corners);
    write_text(folder + "/shapes_" + image.name + ".csv",
               ebb::morphology::to_csv(ebb::morphology::measure(parts)));
  }

  if (!run.epochs.empty()) {
    page.heading("Training");
    show_course(page, folder, run.epochs);
    show_by_epoch(page, folder, "dice.svg", "Dice",
                  "Dice on the validation images; the last epoch is kept, not the best: what is "
                  "chosen on these images would look better on them than it is",
                  dices);
  }
  page.heading("How it was made");
  page.list({{"settings", run.settings},
             {"ebb", library_version()},
             {"command", options.command},
             {"licence of the data",
              options.licence.empty() ? "not stated (--licence)" : options.licence},
             {"images", options.images + ": " + fingerprint(files_in(options.images))},
             {"masks", options.masks + ": " + fingerprint(files_in(options.masks))},
             {"seed", std::to_string(options.seed)},
             {"compiler", __VERSION__},
             {"date", today()}});
  const std::string path = folder + "/report.html";
  page.write(path);
  say("wrote %s\n", path.c_str());
}
