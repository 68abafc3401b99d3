/// \file
/// What a DICOM image is once it has been read (dicom.hpp does that): stored values, what they
/// mean, where they are. Format: DICOM PS3.3 (C.7.6.3, C.11.1, C.11.2). Needs no toolkit.
#pragma once

#include <ebb/core/finite.hpp>
#include <ebb/data/read/npy.hpp>

#include <array>
#include <optional>

namespace ebb::inline EBB_ABI::data {

/// A table that stored values are looked up in; values outside take the entry at that end.
struct DicomTable {
  Index first = 0;  ///< the stored value of the first entry
  int bits = 16;    ///< entries are below 2^bits
  std::vector<std::uint16_t> entries;

  float operator()(double value) const {
    if (entries.empty()) return 0;
    const double i = value - static_cast<double>(first), last = static_cast<double>(entries.size());
    if (!(i > 0)) return entries.front();  // a not-a-number, too
    return i < last ? entries[static_cast<std::size_t>(i)] : entries.back();
  }
};

/// The range of values that is to be shown from black to white.
struct DicomWindow {
  double center = 0, width = 1;
  std::string function = "LINEAR";  ///< or "LINEAR_EXACT", "SIGMOID"

  bool operator==(const DicomWindow&) const = default;

  /// From a value to 0 (black) ... 1 (white). PS3.3, C.11.2.1.2 and C.11.2.1.3.
  double operator()(double x) const {
    if (function == "SIGMOID") return 1 / (1 + std::exp(-4 * (x - center) / width));
    // The formula of LINEAR holds for widths of at least 1; narrower ones, which are of rescaled
    // values (of a PET, say), can only be meant exactly.
    if (function == "LINEAR_EXACT" || width < 1)
      return std::clamp((x - center) / width + 0.5, 0.0, 1.0);
    if (width == 1) return x > center - 0.5 ? 1 : 0;
    return std::clamp((x - (center - 0.5)) / (width - 1) + 0.5, 0.0, 1.0);
  }
};

/// A DICOM image, and what its header says of values and space.
///
/// `values()` is what to compute with: after rescaling (Hounsfield units of a CT, say), colours as
/// RGB. `display()` is what to look at, or to give a network that learnt from pictures: 0 to 1.
struct DicomImage {
  std::string source;           ///< what messages call it
  std::string transfer_syntax;  ///< UID
  std::string transfer_syntax_name;
  bool transfer_syntax_guessed = false;  ///< the file does not name it
  std::string modality;                  ///< "CT", "MR", ...
  std::string series;                    ///< UID of the series
  std::string photometric;               ///< of `stored`: "MONOCHROME2", "RGB", "YBR_FULL", ...
  int bits = 8;                          ///< of a stored value
  Index frames = 1, rows = 0, columns = 0, samples = 1;
  /// (frames, rows, columns, samples) as in the file: stored bits with their sign, before rescaling
  /// and colour conversion. One bit a pixel becomes bytes 0 and 1.
  Array stored;

  double slope = 1, intercept = 0;  ///< value = slope * stored + intercept, of the first frame
  std::vector<std::array<double, 2>> rescale_of_frame;  ///< slope, intercept; empty: all alike
  DicomTable modality_table;                            ///< in place of slope and intercept
  std::array<DicomTable, 3> palette;                    ///< of PALETTE COLOR: red, green, blue
  std::string unit;  ///< of values after rescaling: "HU", "Gy", "Bq/ml", ...; "" if not said
  std::optional<DicomWindow> window;  ///< the first of several, of the first frame
  std::vector<std::optional<DicomWindow>> window_of_frame;  ///< empty: all alike
  DicomTable shown_table;  ///< VOI LUT: from rescaled values to grey, in place of the window
  /// Stored values from the first to the second fill the frame where nothing was seen.
  std::optional<std::array<double, 2>> padding;

  /// Millimetres between slices (or frames), rows, and columns; 0 where the file does not say.
  std::array<double, 3> spacing{};
  /// "PixelSpacing"; "ImagerPixelSpacing": at the detector, larger than in the patient;
  /// "NominalScannedPixelSpacing": on the film or paper; or "".
  std::string spacing_from;
  /// Centre of the first pixel, in millimetres (left, posterior, superior), of every frame, or of
  /// the first; empty where the file does not say.
  std::vector<std::array<double, 3>> positions;
  /// Directions along a row (towards higher columns), and down a column; zeros: unknown.
  std::array<std::array<double, 3>, 2> orientation{};

  bool grey() const { return samples == 1 && photometric != "PALETTE COLOR"; }
  Index channels() const { return grey() ? 1 : 3; }

  /// Pixel `i` of a grey image after rescaling, padding too.
  double value(Index i) const {
    if (!modality_table.entries.empty()) return modality_table(stored_value(i));
    const auto [a, b] = rescale_of_frame.empty()
                            ? std::array{slope, intercept}
                            : rescale_of_frame[static_cast<std::size_t>(i / (rows * columns))];
    return a * stored_value(i) + b;
  }

  /// Whether pixel `i` of a grey image is padding.
  bool is_padding(Index i) const {
    if (!padding || !grey()) return false;
    const double value = stored_value(i);
    return value >= (*padding)[0] && value <= (*padding)[1];
  }

  /// Shape (frames, channels, rows, columns): 1 channel of values after rescaling, or red, green,
  /// blue from 0 to `color_most()`. Values of MONOCHROME1 are not turned round (display() does).
  /// Padding takes the least of the other values, so that it widens no range.
  /// \throws FileError when colours are of a kind that is not known.
  Tensor<float, 4> values() const;

  /// Largest value of a colour.
  double color_most() const {
    const int b = photometric == "PALETTE COLOR" ? palette[0].bits : bits;
    return std::ldexp(1.0, b) - 1;
  }

  /// Shape (frames, channels, rows, columns), from 0 to 1: grey values through the file's table or
  /// window (or from the least to the largest value of all frames, where it has none), black for
  /// low values whatever the photometric interpretation, and for padding; colours divided by their
  /// largest value.
  Tensor<float, 4> display() const;

  /// Puts the least of the other values where grey values are padding.
  void fill_padding(Tensor<float, 4>& x) const;

  /// \throws FileError when the number of frames, values and rescalings do not fit each other.
  void check() const;

  /// Element `i` of `stored`, as a double.
  double stored_value(Index i) const { return stored.value(i); }
};

inline void DicomImage::check() const {
  const auto fits = [&](std::size_t count) {
    return count == 0 || count == static_cast<std::size_t>(frames);
  };
  const bool whole = frames >= 0 && rows >= 0 && columns >= 0 && samples >= 0 &&
                     stored.shape == std::vector<Index>{frames, rows, columns, samples} &&
                     stored.bytes.size() >= static_cast<std::size_t>(stored.size()) *
                                                static_cast<std::size_t>(stored.type.bytes);
  if (!whole || !fits(rescale_of_frame.size()) || !fits(window_of_frame.size()))
    throw FileError(message(source, ": its ", frames, " frames of ", rows, "x", columns, "x",
                            samples, " are not what it has values, rescalings (",
                            rescale_of_frame.size(), ") and windows (", window_of_frame.size(),
                            ") for"));
}

inline void DicomImage::fill_padding(Tensor<float, 4>& x) const {
  if (!padding) return;
  float* at = x.mutable_data();
  float least = std::numeric_limits<float>::infinity();
  for (Index i = 0; i < x.size(); ++i)
    if (!is_padding(i) && math::is_finite(at[i])) least = std::min(least, at[i]);
  if (!math::is_finite(least)) return;  // there is nothing else
  for (Index i = 0; i < x.size(); ++i)
    if (is_padding(i)) at[i] = least;
}

inline Tensor<float, 4> DicomImage::values() const {
  check();
  Tensor<float, 4> x({frames, channels(), rows, columns});
  float* to = x.mutable_data();
  const Index area = rows * columns;
  if (grey()) {
    for (Index i = 0; i < x.size(); ++i) to[i] = static_cast<float>(value(i));
    fill_padding(x);
    return x;
  }
  const bool mapped = photometric == "PALETTE COLOR";
  const bool luminance = photometric == "YBR_FULL";
  if (!mapped && !luminance && photometric != "RGB")
    throw FileError(message(source, ": its colours are '", photometric,
                            "', and RGB, YBR_FULL, YBR_FULL_422, PALETTE COLOR and grey can be ",
                            "read; convert it to RGB"));
  if (!mapped && samples != 3)
    throw FileError(message(source, ": it has ", samples, " samples a pixel, and colours have 3"));
  const double most = color_most(), half = std::ldexp(1.0, bits - 1);
  for (Index f = 0; f < frames; ++f)
    for (Index i = 0; i < area; ++i) {
      const Index from = (f * area + i) * samples;
      for (Index c = 0; c < 3; ++c) {
        float& value = to[(f * 3 + c) * area + i];
        if (mapped) {
          value = palette[static_cast<std::size_t>(c)](stored_value(from));
        } else if (!luminance) {
          value = static_cast<float>(stored_value(from + c));
        } else {  // PS3.3, C.7.6.3.1.2
          static constexpr double blue[] = {0, -0.344136, 1.772}, red[] = {1.402, -0.714136, 0};
          value = static_cast<float>(std::clamp(stored_value(from) +
                                                    blue[c] * (stored_value(from + 1) - half) +
                                                    red[c] * (stored_value(from + 2) - half),
                                                0.0, most));
        }
      }
    }
  return x;
}

inline Tensor<float, 4> DicomImage::display() const {
  Tensor<float, 4> x = values();
  float* at = x.mutable_data();
  if (!grey()) {
    for (Index i = 0; i < x.size(); ++i) at[i] /= static_cast<float>(color_most());
    return x;
  }
  float least = std::numeric_limits<float>::infinity(), most = -least;
  for (Index i = 0; i < x.size(); ++i)
    if (math::is_finite(at[i])) least = std::min(least, at[i]), most = std::max(most, at[i]);
  const float range = most > least ? most - least : 1;
  const bool table = !shown_table.entries.empty();
  const double white = std::ldexp(1.0, shown_table.bits) - 1;
  const Index area = std::max<Index>(rows * columns, 1);
  for (Index i = 0; i < x.size(); ++i) {
    const auto& shown =
        window_of_frame.empty() ? window : window_of_frame[static_cast<std::size_t>(i / area)];
    float y = table   ? static_cast<float>(double{shown_table(double{at[i]})} / white)
              : shown ? static_cast<float>((*shown)(double{at[i]}))
                      : (at[i] - least) / range;
    if (!math::is_finite(y)) y = 0;
    at[i] = is_padding(i) ? 0 : photometric == "MONOCHROME1" ? 1 - y : y;
  }
  return x;
}

}  // namespace ebb::data
