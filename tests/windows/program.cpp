// What a program on Windows does with the library: it trains, saves, reloads and draws, in a folder
// whose name has a space and letters beyond ASCII. Prints a sentence and ends with 1 where
// something is wrong.
#include <ebb/data.hpp>
#include <ebb/ebb.hpp>
#include <ebb/io.hpp>
#include <ebb/train.hpp>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

using namespace ebb;

namespace {

int faults = 0;

void expect(bool right, const char* what) {
  if (right) return;
  std::printf("wrong: %s\n", what);
  ++faults;
}

std::string content(const std::string& path) {
  std::ifstream file(std::filesystem::path(os::native(path)), std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// What `f()` throws, "" if nothing.
template <class F>
std::string error_of(F&& f) {
  try {
    f();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

auto network() { return nn::Sequential(flatten, nn::Linear<>(64, 16), relu, nn::Linear<>(16, 10)); }

template <class Net>
std::vector<float> weights(const Net& net) {
  std::vector<float> all;
  nn::visit_parameters(net, [&](const std::string&, const auto& parameter) {
    for (const float w : parameter.value().values()) all.push_back(w);
  });
  return all;
}

/// Twice the same: the bits must be.
auto trained(const data::Dataset<std::uint8_t>& digits, const std::string& csv) {
  manual_seed(1);
  auto net = network();
  optim::Optimizer opt(net, optim::Adam{.lr = 0.01});
  data::Loader loader(digits, {.batch_size = 16, .shuffle = true, .seed = 3, .threads = 2});
  CsvLog log(csv, {"epoch", "loss"});
  double first = 0, last = 0;
  fit(net, opt, loader, CrossEntropy{}, {.epochs = 3, .on_epoch = [&](const EpochFacts& e) {
                                           log.row(e.epoch, e.loss);
                                           (e.epoch == 1 ? first : last) = e.loss;
                                         }});
  expect(last < first, "the loss falls");
  return net;
}

}  // namespace

int main() {
  namespace fs = std::filesystem;
  const std::string folder = "ebb Prüfung 测试/";
  fs::create_directories(fs::path(os::native(folder)));
  const auto digits = data::stroke_digits(64, {.size = 8, .seed = 1});

  const auto net = trained(digits, folder + "Verlauf ü.csv");
  const std::string log = content(folder + "Verlauf ü.csv");
  expect(log.starts_with("epoch,loss\n1,") && log.find('\r') == log.npos,
         "the table is as written");
  const auto again = trained(digits, folder + "Verlauf ü.csv");
  expect(weights(net) == weights(again), "training gives the same bits twice");
  expect(content(folder + "Verlauf ü.csv") == log, "and the same table");

  // Saved twice: the second file takes the first one's place.
  const std::string model = folder + "Modell ß.safetensors";
  io::save(network(), model);
  io::save(net, model, {{"note", "für später"}});
  auto loaded = network();
  io::load(loaded, model);
  expect(weights(loaded) == weights(net), "what is reloaded is what was saved");
  expect(io::SafetensorsFile(model).metadata().at("note") == "für später", "with its metadata");
  Index files = 0;
  for (const auto& entry : fs::directory_iterator(fs::path(os::native(folder))))
    files += entry.exists();
  expect(files == 2, "no temporary file is left");
  expect(error_of([&] { io::save(net, folder + "keiner/x"); }).find("the folder must exist") !=
             std::string::npos,
         "a folder that is not there is a sentence");
  expect(error_of([&] { io::SafetensorsFile(folder + "keine"); }).find("check the path") !=
             std::string::npos,
         "a file that is not there is a sentence");

  data::write_idx(folder + "ziffern é.gz", digits.images(), {.gzip = true});
  expect(
      data::read_idx<std::uint8_t, 4>(folder + "ziffern é.gz").values() == digits.images().values(),
      "arrays come back");

  plot::gallery(folder + "Bilder ö.svg", {picture(Tensor<float, 4>::ones({1, 1, 8, 8}), 0)},
                "Ziffern");
  expect(content(folder + "Bilder ö.svg").starts_with("<svg"), "pictures are drawn");
  const std::string curves = folder + "Kurven ä.svg";
  const std::string unable = error_of([&] {
    plot::lines(curves, {{"loss", {1, 2, 3}, {3, 2, 1}}});
  });
  expect(unable.empty() ? content(curves).find("<svg") != std::string::npos
                        : unable.find("needs the program gnuplot") != std::string::npos,
         "curves are drawn, or gnuplot is asked for");

  std::printf("%s", performance_hint().c_str());
  std::printf("%s\n", faults == 0 ? "all is well" : "see above");
  return faults == 0 ? 0 : 1;
}
