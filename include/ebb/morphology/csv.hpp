/// \file
/// A table of components as comma-separated values.
#pragma once

#include <ebb/core/atomic_file.hpp>
#include <ebb/morphology/measures.hpp>

#include <charconv>
#include <string>

namespace ebb::inline EBB_ABI::morphology {

namespace detail {

/// The shortest digits that read back as the same number, whatever the locale.
template <class Number>
std::string digits_of(Number value) {
  char digits[64];
  return {digits, std::to_chars(digits, digits + sizeof digits, value).ptr};
}

inline const char* axis_name(int axis, int rank) {
  constexpr const char* names[] = {"slice", "row", "column"};
  return names[axis + 3 - rank];
}

}  // namespace detail

/// A header and a row per component. Sizes are in the unit of the spacing, boxes in elements; the
/// direction is that of the longest axis.
template <int N>
std::string to_csv(const std::vector<Measures<N>>& components) {
  std::string text = "component,elements,";
  text += N == 2 ? "area,perimeter" : "volume,surface";
  const auto columns = [&](const std::string& before, const std::string& after) {
    for (int k = 0; k < N; ++k) text += "," + before + detail::axis_name(k, N) + after;
  };
  columns("centroid_", "");
  for (int k = 1; k <= N; ++k) text += ",axis_" + std::to_string(k);
  columns("direction_", "");
  text += ",eccentricity,compactness,equivalent_diameter";
  columns("", "_begin");
  columns("", "_end");
  text += '\n';
  for (const Measures<N>& m : components) {
    const auto add = [&](auto number) { text += "," + detail::digits_of(number); };
    text += std::to_string(m.label);
    add(m.elements), add(m.size), add(m.boundary);
    for (const double x : m.centroid) add(x);
    for (const double x : m.axis_lengths) add(x);
    for (const double x : m.axes[0]) add(x);
    add(m.eccentricity), add(m.compactness), add(m.equivalent_diameter);
    for (int k = 0; k < N; ++k) add(m.box_begin[k]);
    for (int k = 0; k < N; ++k) add(m.box_end[k]);
    text += '\n';
  }
  return text;
}

/// Writes the table, whole or not at all. \throws FileError when the file cannot be written; an
/// older one is unchanged then.
template <int N>
void save_csv(const std::string& path, const std::vector<Measures<N>>& components) {
  const std::string text = to_csv(components);
  os::AtomicFile file(path, "save_csv");
  file.write(text.data(), text.size());
  file.commit();
}

}  // namespace ebb::morphology
