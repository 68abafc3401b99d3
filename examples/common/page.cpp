#include "page.hpp"

#include <ebb/core/error.hpp>
#include <ebb/io/atomic_file.hpp>

#include <fstream>
#include <iterator>

namespace {

std::string escaped(const std::string& text) {
  std::string safe;
  for (const char c : text) {
    if (c == '&')
      safe += "&amp;";
    else if (c == '<')
      safe += "&lt;";
    else if (c == '>')
      safe += "&gt;";
    else if (c == '"')
      safe += "&quot;";
    else
      safe += c;
  }
  return safe;
}

// The <svg> element of a file: what stands before it does not belong into a page.
std::string svg_in(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  const auto begin = text.find("<svg");
  if (begin == std::string::npos) throw ebb::FileError(ebb::message(path, " holds no picture"));
  return text.substr(begin);
}

// RFC 4648.
std::string base64(const std::string& bytes) {
  static constexpr char digits[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    unsigned word = 0;
    for (std::size_t k = 0; k < 3; ++k)
      word = word << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0u);
    for (std::size_t k = 0; k < 4; ++k)
      text += i + k > bytes.size() ? '=' : digits[word >> (18 - 6 * k) & 63];
  }
  return text;
}

}  // namespace

Page::Page(const std::string& title)
    : html_(ebb::message(
          "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n<title>",
          escaped(title),
          "</title>\n<style>\n"
          "body { font: 16px/1.5 Helvetica, Arial, sans-serif; color: #222831; max-width: 1080px; "
          "margin: 2em auto; padding: 0 1em; }\n"
          "table { border-collapse: collapse; margin: 1em 0; }\n"
          "th, td { padding: 0.3em 0.8em; border-bottom: 1px solid #d5d9de; text-align: left; }\n"
          "th { font-weight: 600; }\nfigure { margin: 1.5em 0; }\n"
          "figcaption { color: #5a626c; }\nsvg { max-width: 100%; height: auto; }\n"
          "img { max-width: 100%; image-rendering: pixelated; }\n"
          "</style></head><body>\n<h1>",
          escaped(title), "</h1>\n")) {}

void Page::heading(const std::string& text) { html_ += "<h2>" + escaped(text) + "</h2>\n"; }

void Page::paragraph(const std::string& text) { html_ += "<p>" + escaped(text) + "</p>\n"; }

void Page::table(const std::vector<std::string>& head,
                 const std::vector<std::vector<std::string>>& rows) {
  html_ += "<table>\n<tr>";
  for (const auto& cell : head) html_ += "<th>" + escaped(cell) + "</th>";
  html_ += "</tr>\n";
  for (const auto& row : rows) {
    html_ += "<tr>";
    for (const auto& cell : row) html_ += "<td>" + escaped(cell) + "</td>";
    html_ += "</tr>\n";
  }
  html_ += "</table>\n";
}

void Page::list(const std::vector<std::pair<std::string, std::string>>& facts) {
  html_ += "<table>\n";
  for (const auto& [name, value] : facts)
    html_ += "<tr><th>" + escaped(name) + "</th><td>" + escaped(value) + "</td></tr>\n";
  html_ += "</table>\n";
}

void Page::picture(const std::string& folder, const std::string& name, const std::string& caption,
                   const std::function<void(const std::string&)>& draw) {
  const std::string path = folder + "/" + name;
  try {
    draw(path);
    html_ += "<figure>\n" + svg_in(path) + "\n<figcaption>" + escaped(caption) +
             "</figcaption></figure>\n";
  } catch (const ebb::Error& error) {
    paragraph(ebb::message("(", caption, ": not drawn. ", error.what(), ")"));
  }
}

void Page::image(const std::string& path, const std::string& caption, int width) {
  std::ifstream file(path, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(file)), {});
  if (bytes.empty()) throw ebb::FileError(ebb::message(path, " cannot be read"));
  html_ += "<figure>\n<img src=\"data:image/png;base64," + base64(bytes) + "\" alt=\"\"";
  if (width > 0) html_ += ebb::message(" style=\"min-width: ", width, "px\"");
  html_ += ">\n<figcaption>" + escaped(caption) + "</figcaption></figure>\n";
}

void Page::write(const std::string& path) const {
  const std::string page = html_ + "</body></html>\n";
  ebb::io::AtomicFile file(path);
  file.write(page.data(), page.size());
  file.commit();
}
