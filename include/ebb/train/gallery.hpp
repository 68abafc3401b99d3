/// \file
/// A sheet of small images with captions (the mistakes of a classifier, say) as one SVG file. The
/// images are embedded as PNG, encoded by stb_image_write.
#pragma once

#include <ebb/core/error.hpp>
#include <ebb/io/atomic_file.hpp>
#include <ebb/io/png.hpp>
#include <ebb/tape/var.hpp>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

namespace ebb::inline EBB_ABI {

/// An image with 8 bits per channel, grey (1 channel) or colour (3), rows from the top, channels
/// interleaved; and what is written below it.
struct Picture {
  int width = 0, height = 0, channels = 1;
  std::vector<std::uint8_t> pixels;
  std::string caption;  ///< in dark grey
  std::string remark;   ///< below the caption, in red
};

/// Image `index` of a batch (B, C, H, W) with 1 or 3 channels; values from `black` to `white`
/// become 0 to 255, and what lies outside is clipped. For pixels normalised with mean m and
/// deviation s, black is (0 - m) / s and white (1 - m) / s. \throws ShapeError when there is no
/// such image, or it has another number of channels.
template <Operand X>
requires(rank_of<X> == 4) Picture
    picture(const X& batch, Index index, double black = 0, double white = 1) {
  const Shape<4> shape = batch.shape();
  if (index < 0 || index >= shape[0] || (shape[1] != 1 && shape[1] != 3))
    throw ShapeError(
        message("picture: image ", index, " of a batch of shape ", shape,
                " cannot be drawn; it takes images of 1 or 3 channels, counted from 0"));
  const auto host = to<Cpu>(value(batch));
  Picture p{static_cast<int>(shape[3]),
            static_cast<int>(shape[2]),
            static_cast<int>(shape[1]),
            {},
            {},
            {}};
  p.pixels.reserve(static_cast<std::size_t>(shape[1] * shape[2] * shape[3]));
  for (Index h = 0; h < shape[2]; ++h)
    for (Index w = 0; w < shape[3]; ++w)
      for (Index c = 0; c < shape[1]; ++c) {
        const double x = (static_cast<double>(host(index, c, h, w)) - black) / (white - black);
        p.pixels.push_back(
            static_cast<std::uint8_t>(x > 0 ? (x < 1 ? std::lround(255 * x) : 255) : 0));
      }
  return p;
}

/// The most convinced mistakes of a classifier, gathered over batches.
class Mistakes {
 public:
  /// A wrong answer.
  struct Mistake {
    Picture picture;
    int truth = 0, predicted = 0;
    double confidence = 0;  ///< the softmax probability of the wrong class
    Index index = 0;        ///< position among all images added
  };

  /// Keeps the `most` mistakes with the highest confidence; `black` and `white` as in `picture`.
  explicit Mistakes(std::size_t most = 40, double black = 0, double white = 1)
      : most_(most), black_(black), white_(white) {}

  /// Images (B, C, H, W), logits (B, classes), labels (B).
  /// \throws ShapeError when these do not belong together.
  template <class Images, class Logits, class Device>
  requires(rank_of<Images> == 4 &&
           rank_of<Logits> == 2) void add(const Images& images, const Logits& logits,
                                          const Tensor<int, 1, Device>& labels) {
    const Index count = labels.extent(0), classes = logits.extent(1);
    if (images.extent(0) != count || logits.extent(0) != count)
      throw ShapeError(message("Mistakes: images ", images.shape(), ", logits ", logits.shape(),
                               " and labels ", labels.shape(), " differ in their number"));
    const auto scores = to<Cpu>(value(logits));
    const auto truths = to<Cpu>(labels);
    for (Index i = 0; i < count; ++i) {
      const auto* score = scores.data() + i * classes;
      Index best = 0;
      for (Index c = 1; c < classes; ++c)
        if (score[c] > score[best]) best = c;
      ++seen_;
      if (best == truths(i)) continue;
      ++total_;
      double sum = 0;
      for (Index c = 0; c < classes; ++c)
        sum += std::exp(static_cast<double>(score[c] - score[best]));
      const double confidence = 1 / sum;
      if (kept_.size() == most_ && !(most_ > 0 && confidence > kept_.back().confidence)) continue;
      Mistake mistake{picture(images, i, black_, white_), truths(i), static_cast<int>(best),
                      confidence, seen_ - 1};
      const auto place = std::find_if(kept_.begin(), kept_.end(), [&](const Mistake& other) {
        return !(other.confidence >= confidence);
      });
      kept_.insert(place, std::move(mistake));
      if (kept_.size() > most_) kept_.pop_back();
    }
  }

  /// Those kept, the most confident first.
  const std::vector<Mistake>& kept() const { return kept_; }
  /// How many mistakes there were, kept or not.
  Index count() const { return total_; }

  /// The kept ones as pictures; `names` of the classes where they have any.
  std::vector<Picture> pictures(const std::vector<std::string>& names = {}) const {
    const auto name = [&](int c) {
      return c >= 0 && static_cast<std::size_t>(c) < names.size()
                 ? names[static_cast<std::size_t>(c)]
                 : std::to_string(c);
    };
    std::vector<Picture> pictures;
    for (const Mistake& mistake : kept_) {
      const std::string percent = " (" + ebb::detail::fixed(100 * mistake.confidence, 0) + " %)";
      pictures.push_back(mistake.picture);
      pictures.back().caption = "true: " + name(mistake.truth);
      pictures.back().remark = "said: " + name(mistake.predicted) + percent;
    }
    return pictures;
  }

 private:
  std::size_t most_;
  double black_, white_;
  std::vector<Mistake> kept_;
  Index seen_ = 0, total_ = 0;
};

namespace plot {

namespace detail {

/// RFC 4648.
inline std::string base64(const unsigned char* bytes, std::size_t count) {
  constexpr char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < count; i += 3) {
    const std::size_t left = count - i;
    const unsigned three = static_cast<unsigned>(bytes[i]) << 16 |
                           (left > 1 ? static_cast<unsigned>(bytes[i + 1]) << 8 : 0u) |
                           (left > 2 ? static_cast<unsigned>(bytes[i + 2]) : 0u);
    text += digit[three >> 18];
    text += digit[three >> 12 & 63];
    text += left > 1 ? digit[three >> 6 & 63] : '=';
    text += left > 2 ? digit[three & 63] : '=';
  }
  return text;
}

inline std::string xml(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '&')
      escaped += "&amp;";
    else if (c == '<')
      escaped += "&lt;";
    else if (c == '>')
      escaped += "&gt;";
    else if (c == '"')
      escaped += "&quot;";
    else
      escaped += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
  }
  return escaped;
}

}  // namespace detail

/// Writes the pictures to the SVG file `path`, `columns` in a row, each in a square of `size`.
/// \throws ValueError when a picture's pixels do not fit its extents, FileError when the file
/// cannot be written.
inline void gallery(const std::string& path, const std::vector<Picture>& pictures,
                    const std::string& title, int columns = 10, int size = 84) {
  if (columns < 1 || size < 1)
    throw ValueError(message("gallery: ", columns, " columns of size ", size, " cannot be drawn"));
  std::size_t longest = 0;
  for (const Picture& p : pictures)
    longest = std::max({longest, p.caption.size(), p.remark.size()});
  const int count = static_cast<int>(pictures.size());
  const int cell = std::max(size, static_cast<int>(longest) * 7) + 16, row = size + 52;
  const int across = std::min(columns, std::max(count, 1));
  const int width = std::max(across * cell + 24, static_cast<int>(title.size()) * 9 + 40);
  const int height = 58 + (count + columns - 1) / columns * row + 4;

  std::string svg = message(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\" "
      "viewBox=\"0 0 ",
      width, " ", height, "\" width=\"", width, "\" height=\"", height,
      "\" font-family=\"Helvetica, Arial, sans-serif\">\n<rect width=\"100%\" height=\"100%\" "
      "fill=\"#ffffff\"/>\n<text x=\"20\" y=\"34\" font-size=\"17\" fill=\"#222831\">",
      detail::xml(title), "</text>\n");
  for (int i = 0; i < count; ++i) {
    const Picture& p = pictures[static_cast<std::size_t>(i)];
    if ((p.channels != 1 && p.channels != 3) || p.width < 1 || p.height < 1 ||
        p.pixels.size() != static_cast<std::size_t>(p.width) * static_cast<std::size_t>(p.height) *
                               static_cast<std::size_t>(p.channels))
      throw ValueError(message("gallery: picture ", i, " of ", p.width, " by ", p.height, " with ",
                               p.channels, " channels has ", p.pixels.size(), " bytes"));
    const std::string png = io::encode_png(p.width, p.height, p.channels, p.pixels);
    const int x = 12 + i % columns * cell + (cell - size) / 2, y = 54 + i / columns * row;
    const int middle = x + size / 2;
    svg += message("<image x=\"", x, "\" y=\"", y, "\" width=\"", size, "\" height=\"", size,
                   "\" style=\"image-rendering: pixelated\" xlink:href=\"data:image/png;base64,");
    svg += detail::base64(reinterpret_cast<const unsigned char*>(png.data()), png.size());
    svg += message("\"/>\n<text text-anchor=\"middle\" font-size=\"12\" x=\"", middle, "\" y=\"",
                   y + size + 16, "\" fill=\"#444b54\">", detail::xml(p.caption), "</text>\n");
    svg += message("<text text-anchor=\"middle\" font-size=\"12\" x=\"", middle, "\" y=\"",
                   y + size + 31, "\" fill=\"#c2343f\">", detail::xml(p.remark), "</text>\n");
  }
  svg += "</svg>\n";

  io::AtomicFile file(path);
  file.write(svg.data(), svg.size());
  file.commit();
}

}  // namespace plot

}  // namespace ebb
