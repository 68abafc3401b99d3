#include "inspect.hpp"

#include <ebb/data/read/printable.hpp>

#include <cmath>
#include <cstdio>

void fact(const std::string& name, const std::string& value) {
  std::printf("  %-16s %s\n", ebb::data::printable(name).c_str(),
              ebb::data::printable(value).c_str());
}

namespace {
constexpr std::size_t most_text = std::size_t{1} << 20;

void rest(const std::string& name, std::size_t bytes) {
  if (bytes > most_text)
    fact(name, ebb::message("(and ", bytes - most_text, " more bytes, NOT SHOWN)"));
}
}  // namespace

void free_text(const std::string& name, std::string_view text) {
  while (!text.empty() && text.back() == '\0') text.remove_suffix(1);
  fact(name, std::string(text.substr(0, most_text)));
  rest(name, text.size());
}

void unknown(const std::string& name, std::span<const unsigned char> bytes) {
  const std::size_t some = std::min(bytes.size(), most_text);
  const std::string texts =
      ebb::data::texts_in({reinterpret_cast<const char*>(bytes.data()), some});
  fact(name, ebb::message(bytes.size(), " bytes, ",
                          texts.empty() ? "no text in them" : "and texts in them: " + texts));
  rest(name, bytes.size());
}

std::string shape_text(const std::vector<ebb::Index>& shape) {
  std::string text;
  for (const ebb::Index extent : shape)
    text += (text.empty() ? "" : " x ") + std::to_string(extent);
  return text.empty() ? "a single number" : text;
}

std::string scaling_text(double slope, double intercept) {
  return ebb::message("value = ", slope == 1 ? "" : ebb::message(slope, " * "), "stored",
                      intercept == 0  ? ""
                      : intercept > 0 ? ebb::message(" + ", intercept)
                                      : ebb::message(" - ", -intercept));
}

std::string range(ebb::Index count, const std::function<double(ebb::Index)>& value) {
  double least = INFINITY, most = -INFINITY;
  ebb::Index odd = 0;
  for (ebb::Index i = 0; i < count; ++i) {
    const double x = value(i);
    if (!std::isfinite(x)) {
      ++odd;
      continue;
    }
    least = std::fmin(least, x), most = std::fmax(most, x);
  }
  std::string text = least > most    ? std::string("none")
                     : least == most ? ebb::message("all ", least)
                                     : ebb::message(least, " to ", most);
  if (odd > 0) text += ebb::message(" (and ", odd, " infinite or not a number)");
  return text;
}

std::string range(const ebb::data::Array& array) {
  const int width = array.type.bytes;
  return range(array.size(), [&](ebb::Index i) -> double {
    const unsigned char* at = array.bytes.data() + i * width;
    const auto as = [at](auto value) {
      std::memcpy(&value, at, sizeof value);
      return static_cast<double>(value);
    };
    switch (array.type.kind) {
      case 'f':
        return width == 2   ? double{ebb::data::detail::half_value(
                                  static_cast<std::uint16_t>(as(std::uint16_t{})))}
               : width == 4 ? as(float{})
                            : as(double{});
      case 'i':
        return width == 1   ? as(std::int8_t{})
               : width == 2 ? as(std::int16_t{})
               : width == 4 ? as(std::int32_t{})
                            : as(std::int64_t{});
      default:
        return width == 1   ? as(std::uint8_t{})
               : width == 2 ? as(std::uint16_t{})
               : width == 4 ? as(std::uint32_t{})
                            : as(std::uint64_t{});
    }
  });
}
