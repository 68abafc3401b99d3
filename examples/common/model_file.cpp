#include "model_file.hpp"

#include "classifier_names.hpp"
#include "pixels.hpp"
#include "say.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <sstream>

namespace {

// The metadata by name, with a sentence for what is missing or makes no sense.
class Facts {
 public:
  explicit Facts(const ebb::io::TensorFile& file) : file_(file) {}

  bool has(const std::string& key) const { return file_.metadata().contains(key); }
  const std::string& text(const std::string& key) const {
    const auto found = file_.metadata().find(key);
    if (found == file_.metadata().end())
      file_.fail(ebb::message("its metadata has no '", key,
                              "', so it is not known how to use its weights; write it with "
                              "mnist --save, medmnist --save or segment --save"));
    return found->second;
  }
  std::vector<std::string> list(const std::string& key) const {
    std::vector<std::string> all;
    std::istringstream words(text(key));
    for (std::string word; std::getline(words, word, ',');) all.push_back(word);
    return all;
  }
  template <class T>
  T number(const std::string& key, const std::string& digits, T least, T most) const {
    T value{};
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc{} || end != digits.data() + digits.size() ||
        !(value >= least && value <= most))
      file_.fail(ebb::message("its metadata says ", key, " = '", digits,
                              "', which is no number from ", least, " to ", most));
    return value;
  }
  template <class T>
  T number(const std::string& key, T least, T most) const {
    return number(key, text(key), least, most);
  }
  std::vector<float> numbers(const std::string& key, ebb::Index count, float least) const {
    std::vector<float> all;
    for (const std::string& word : list(key)) all.push_back(number(key, word, least, 1e6f));
    if (static_cast<ebb::Index>(all.size()) != count)
      file_.fail(ebb::message("its metadata has ", all.size(), " numbers of ", key, ", where ",
                              count, " are needed"));
    return all;
  }

 private:
  const ebb::io::TensorFile& file_;
};

ebb::data::ByteImage with_channels(const ebb::data::ByteImage& x, ebb::Index channels) {
  const ebb::Index area = x.extent(1) * x.extent(2);
  ebb::data::ByteImage y({channels, x.extent(1), x.extent(2)});
  const std::uint8_t* const from = x.data();
  for (ebb::Index c = 0; c < channels; ++c)
    for (ebb::Index i = 0; i < area; ++i)
      y.mutable_data()[c * area + i] =
          channels == 3
              ? from[i]  // luminance: ITU-R BT.601
              : static_cast<std::uint8_t>(std::lround(0.299f * from[i] + 0.587f * from[area + i] +
                                                      0.114f * from[2 * area + i]));
  return y;
}

std::string listed(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

}  // namespace

ModelFile open_model(const std::string& path) {
  const auto opened = ebb::io::open_weights(path);
  const ebb::io::TensorFile& file = *opened;
  const Facts facts(file);
  ModelFile m;
  m.path = path;
  m.model = facts.text("model");
  const auto known = std::find_if(classifiers().begin(), classifiers().end(),
                                  [&](const auto& c) { return c.name == m.model; });
  if (!m.segments() && known == classifiers().end()) {
    std::string names;
    for (const auto& c : classifiers()) names += (names.empty() ? "" : ", ") + c.name;
    file.fail(ebb::message("its model is '", m.model, "', and ", names,
                           " and unet (of segment) are known"));
  }
  m.channels = facts.number<ebb::Index>("channels", 1, 3);
  if (m.channels == 2) file.fail("its metadata says channels = 2; images are of 1 or 3");
  m.mean = facts.numbers("mean", m.channels, -1e6f);
  m.deviation = facts.numbers("deviation", m.channels, 1e-9f);
  if (facts.has("spacing")) {
    const auto words = facts.list("spacing");
    if (words.size() != 2) file.fail("its metadata says spacing, and not two numbers of it");
    m.spacing = std::array{facts.number("spacing", words[0], 1e-6, 1e6),
                           facts.number("spacing", words[1], 1e-6, 1e6)};
  }
  if (facts.has("range")) {
    const auto words = facts.list("range");
    if (words.size() != 2) file.fail("its metadata says range, and not two numbers of it");
    m.range.emplace();
    m.range->low = facts.number("range", words[0], 0, 65534);
    m.range->high = facts.number("range", words[1], m.range->low + 1, 65535);
  }
  if (facts.has("data")) m.data = facts.text("data");
  if (facts.has("licence")) m.licence = facts.text("licence");
  if (m.segments()) {
    m.base = facts.number<ebb::Index>("base", 1, 1024);
    m.depth = facts.number("depth", 1, 8);
    if (facts.has("threshold")) m.threshold = facts.number("threshold", 0.0, 1.0);
    if (facts.has("foreground")) m.foreground = facts.number("foreground", 0, 255);
    m.batch_norm = file.contains("down.0.bn1.weight");
    const auto& head = file.info("head.weight").shape;
    if (head.empty() || head[0] != 2)
      file.fail(ebb::message("its U-Net has ", head.empty() ? 0 : head[0],
                             " outputs a pixel; two are understood, background and foreground"));
    return m;
  }
  m.classes = facts.list("classes");
  if (m.classes.size() < 2) file.fail("its metadata names fewer than two classes");
  m.height = facts.number<ebb::Index>("height", 1, 4096);
  m.width = facts.number<ebb::Index>("width", 1, 4096);
  if (facts.has("fit")) {
    const std::string& how = facts.text("fit");
    if (how != "stretch" && how != "pad")
      file.fail(ebb::message("its metadata says fit = '", how, "'; stretch and pad are known"));
    m.fit = how == "pad" ? ebb::data::Fit::pad : ebb::data::Fit::stretch;
  }
  const FixedSize& size = known->size;
  if (!size.any() && (static_cast<ebb::Index>(m.classes.size()) != size.classes ||
                      m.height != size.side || m.width != size.side))
    file.fail(ebb::message("its network, ", m.model, "'s, tells ", size.classes,
                           " classes apart in images of ", size.side, " x ", size.side,
                           " pixels, and its metadata says otherwise"));
  if (facts.has("temperature")) m.temperature = facts.number("temperature", 1e-6, 1e6);
  if (facts.has("conformal_threshold"))
    m.conformal_threshold =
        facts.number("conformal_threshold", 0.0, std::numeric_limits<double>::infinity());
  if (facts.has("conformal_coverage"))
    m.conformal_coverage = facts.number("conformal_coverage", 0.0, 1.0);
  if (facts.has("positive")) m.positive = facts.text("positive");
  return m;
}

std::optional<ModelFile> model_to_load(const std::string& path) {
  if (path.empty()) return {};
  if (ebb::io::open_weights(path)->metadata().contains("model")) return open_model(path);
  say_warning(
      "%s does not say how its weights are to be used: they are taken with the options given, and "
      "with the mean and deviation of these training images\n",
      path.c_str());
  return {};
}

ebb::io::Metadata to_metadata(const ModelFile& m) {
  ebb::io::Metadata all{{"model", m.model},
                        {"channels", std::to_string(m.channels)},
                        {"mean", joined(m.mean)},
                        {"deviation", joined(m.deviation)}};
  if (m.spacing) all["spacing"] = joined(*m.spacing);
  if (m.range) all["range"] = ebb::message(m.range->low, ",", m.range->high);
  if (!m.data.empty()) all["data"] = m.data;
  if (!m.licence.empty()) all["licence"] = m.licence;
  if (m.segments()) {
    all["base"] = std::to_string(m.base);
    all["depth"] = std::to_string(m.depth);
    all["classes"] = "background,foreground";
    all["foreground"] = std::to_string(m.foreground);
    all["threshold"] = digits(m.threshold);
    return all;
  }
  all["classes"] = joined(m.classes);
  all["height"] = std::to_string(m.height);
  all["width"] = std::to_string(m.width);
  all["fit"] = m.fit == ebb::data::Fit::pad ? "pad" : "stretch";
  if (m.temperature) all["temperature"] = digits(*m.temperature);
  if (m.conformal_threshold) {
    all["conformal_coverage"] = digits(m.conformal_coverage);
    all["conformal_threshold"] = digits(*m.conformal_threshold);
  }
  if (!m.positive.empty()) all["positive"] = m.positive;
  return all;
}

void require_model(const ModelFile& m, const std::vector<std::string>& models,
                   ebb::Index channels) {
  if (std::find(models.begin(), models.end(), m.model) == models.end())
    throw ebb::ValueError(ebb::message("--load: ", m.path, " holds the network '", m.model,
                                       "'; this program goes on with ", listed(models)));
  if (m.channels != channels)
    throw ebb::ValueError(ebb::message("--load: the network in ", m.path, " takes images of ",
                                       m.channels, m.channels == 1 ? " channel" : " channels",
                                       ", and these have ", channels,
                                       "; convert the images, or train without --load"));
}

std::string about(const ModelFile& m) {
  return ebb::message(m.path, ": ", m.model,
                      m.segments() ? std::string() : " of " + listed(m.classes),
                      m.range ? ebb::message(", of 16 bits a value ", m.range->low,
                                             " is black and ", m.range->high, " white")
                              : std::string(),
                      m.data.empty() ? "" : ", learnt from data " + m.data,
                      ", licence of the data: ", m.licence.empty() ? "not stated" : m.licence);
}

float normalised(const ModelFile& m, ebb::Index channel, std::uint8_t value) {
  const auto c = static_cast<std::size_t>(channel);
  return (static_cast<float>(value) / 255 - m.mean[c]) / m.deviation[c];
}

PreparedImage prepare(const ModelFile& m, const ebb::data::ByteImage& image) {
  PreparedImage made;
  made.bytes = image;
  if (image.extent(0) != m.channels) {
    made.changed = m.channels == 1 ? "colour made grey" : "grey taken as colour";
    made.bytes = with_channels(image, m.channels);
  }
  if (m.segments()) return made;
  const ebb::Size2 had{image.extent(1), image.extent(2)}, wanted{m.height, m.width};
  if (!(had == wanted)) {
    made.changed += ebb::message(
        made.changed.empty() ? "" : ", ", m.fit == ebb::data::Fit::pad ? "padded and " : "",
        "resized from ", had.height, " x ", had.width, " to ", wanted.height, " x ", wanted.width);
    made.bytes = ebb::data::resize(made.bytes, wanted, m.fit);
  }
  made.shown = ebb::Tensor<float, 4>({1, m.channels, wanted.height, wanted.width});
  made.input = ebb::Tensor<float, 4>(made.shown.shape());
  for (ebb::Index i = 0; i < made.shown.size(); ++i) {
    const std::uint8_t value = made.bytes.data()[i];
    made.shown.mutable_data()[i] = static_cast<float>(value) / 255;
    made.input.mutable_data()[i] = normalised(m, i / wanted.area(), value);
  }
  return made;
}
