#include "pictures.hpp"

#include "../common/plots.hpp"
#include "../common/say.hpp"

#include <ebb/train/curves.hpp>
#include <ebb/train/gallery.hpp>
#include <ebb/train/plot.hpp>

struct Pictures::Parts {
  std::vector<std::string> classes;
  ebb::ConfusionMatrix confusion;
  ebb::Mistakes mistakes;
};

Pictures::Pictures(std::vector<std::string> classes, double mean, double deviation)
    : parts_(new Parts{classes, ebb::ConfusionMatrix(classes),
                       ebb::Mistakes(40, (0 - mean) / deviation, (1 - mean) / deviation)}) {}
Pictures::Pictures(Pictures&&) noexcept = default;
Pictures& Pictures::operator=(Pictures&&) noexcept = default;
Pictures::~Pictures() = default;

void Pictures::add(const ebb::Tensor<float, 4>& images, const ebb::Tensor<float, 2>& logits,
                   const ebb::Tensor<int, 1>& labels) {
  parts_->confusion.add(logits, labels);
  parts_->mistakes.add(images, logits, labels);
}

void Pictures::write(const std::string& folder, const std::string& command,
                     const std::vector<ebb::EpochFacts>& epochs,
                     const std::vector<std::pair<std::string, std::string>>& facts) const {
  const auto draw = [&](const char* name, auto&& drawing) {
    const std::string path = folder + "/" + name;
    try {
      drawing(path);
      say("wrote %s\n", path.c_str());
    } catch (const ebb::Error& error) {
      say("not written: %s\n", error.what());
    }
  };
  if (!epochs.empty())
    draw("curves.svg", [&](const std::string& path) { ebb::plot::curves(path, epochs, "test"); });
  draw("confusion.svg",
       [&](const std::string& path) { ebb::plot::confusion(path, parts_->confusion); });
  draw("mistakes.svg", [&](const std::string& path) {
    const auto pictures = parts_->mistakes.pictures(parts_->classes);
    ebb::plot::gallery(
        path, pictures,
        ebb::message("The ", pictures.size(), " most confident of ", parts_->mistakes.count(),
                     " mistakes among ", parts_->confusion.count(), " test images"));
  });
  const bool digits = !parts_->classes.empty() && parts_->classes.front() == "0";
  Page page(digits ? "A network that reads digits" : "A network that tells images apart", command);
  show_confusion(page, folder, parts_->confusion);
  if (!epochs.empty()) show_course(page, folder, epochs, "test");
  page.heading("Where it was most convinced, and wrong");
  page.gallery(parts_->mistakes.pictures(parts_->classes),
               ebb::message(parts_->mistakes.kept().size(), " of ", parts_->mistakes.count(),
                            " mistakes among ", parts_->confusion.count(), " test images"));
  page.heading("How it was made");
  page.list(facts);
  page.write(folder + "/report.html");
  say("wrote %s/report.html\n", folder.c_str());
}
