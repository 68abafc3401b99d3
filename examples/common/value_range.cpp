#include "value_range.hpp"

#include "command_line.hpp"
#include "say.hpp"

#include <cstdio>

namespace {

// "0,4095"
Range range_in(const std::string& text) {
  ebb::data::ValueRange range;
  int read = 0;
  if (std::sscanf(text.c_str(), "%5d,%5d%n", &range.low, &range.high, &read) != 2) return {};
  const bool whole = static_cast<std::size_t>(read) == text.size();
  if (!whole || range.low < 0 || range.high > 65535 || range.low >= range.high) return {};
  return range;
}

}  // namespace

void add_range(CLI::App& app, Range& range) {
  app.add_option_function<std::string>(
         "--range", [&range](const std::string& text) { range = range_in(text); },
         "Of PNG with 16 bits a value: what is black and what is white, as 0,4095 of a scan with "
         "12 bits [that of --load, else 0,65535]")
      ->take_last()
      ->type_name("LOW,HIGH")
      ->check(CLI::Validator(
          [](const std::string& text) {
            return range_in(text) ? std::string()
                                  : "'" + text +
                                        "' is not a range: use two numbers from 0 to 65535, black "
                                        "below white: 0,4095";
          },
          ""));
}

void take_range(Range& range, const ModelFile& file) {
  if (!range)
    range = file.range;
  else if (file.range && !(*range == *file.range))
    say_warning("--range says %d,%d, and %s says %d,%d: taken is what --range says\n", range->low,
                range->high, file.path.c_str(), file.range->low, file.range->high);
}

void assume_range(Range& range, const std::string& name, std::span<const std::string> paths) {
  if (range) return;
  const auto found = ebb::data::deep_range(paths);
  if (!found) return;
  range.emplace();
  // Scanners have 10, 12 or 14 bits: the least of such numbers that holds all values.
  int white = 255;
  while (white < found->high) white = 2 * white + 1;
  const std::string hint = white < range->high ? ebb::message(", so it is dark (--range 0,", white,
                                                              " makes ", white, " white)")
                                               : std::string();
  say_warning("%s: 16 bits a value, from %d to %d, taken from 0 (black) to 65535 (white)%s\n",
              name.c_str(), found->low, found->high, hint.c_str());
}
