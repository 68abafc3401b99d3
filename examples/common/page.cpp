#include "page.hpp"

#include <ebb/core/error.hpp>
#include <ebb/io/atomic_file.hpp>
#include <ebb/io/png.hpp>

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

std::string bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string bytes((std::istreambuf_iterator<char>(file)), {});
  if (bytes.empty()) throw ebb::FileError(ebb::message(path, " cannot be read"));
  return bytes;
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

// An element with its picture inside.
std::string img(const char* type, const std::string& bytes, const std::string& said,
                const std::string& more = {}) {
  return ebb::message("<img src=\"data:image/", type, ";base64,", base64(bytes), "\" alt=\"",
                      escaped(said), "\"", more, ">");
}

// Contrasts of 7 to 1 and more for text (WCAG 2.1, 1.4.6). Plots are drawn on white and keep it in
// the dark; tables and plots that are wider than a phone scroll by themselves, not the page.
constexpr const char* style = R"(
:root { color-scheme: light dark; --ink: #1d232b; --paper: #ffffff; --faint: #4a525c;
  --line: #d5d9de; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8eaed; --paper: #15181c; --faint: #b4bcc5;
  --line: #3a4149; } }
body { font: 16px/1.5 Helvetica, Arial, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 1080px; margin: 2em auto; padding: 0 1em; overflow-wrap: anywhere; }
h1, h2 { line-height: 1.25; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; margin: 1em 0; overflow-wrap: normal; }
th, td { padding: 0.3em 0.8em; border-bottom: 1px solid var(--line); text-align: left;
  vertical-align: top; }
th { font-weight: 600; }
.facts td { overflow-wrap: anywhere; }
figure { margin: 1.5em 0; }
figcaption, summary, code { color: var(--faint); }
img { background: #ffffff; border-radius: 4px; display: block; }
.plot img { width: 640px; max-width: 100%; height: auto; }
.pixels img { max-width: 100%; height: auto; image-rendering: pixelated; }
.gallery { display: grid; grid-template-columns: repeat(auto-fill, minmax(104px, 1fr));
  gap: 1em; }
.gallery figure { margin: 0; font-size: 14px; line-height: 1.3; }
.gallery img { width: 100%; image-rendering: pixelated; }
@media (max-width: 480px) { body { margin: 1em auto; } th, td { padding: 0.3em 0.5em 0.3em 0; }
  table { font-size: 14px; } .facts tr { display: block; padding: 0.4em 0;
  border-bottom: 1px solid var(--line); } .facts th, .facts td { display: block; border: 0;
  padding: 0; } }
)";

}  // namespace

Page::Page(const std::string& title, std::string command)
    : html_(ebb::message(
          "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
          "<meta name=\"color-scheme\" content=\"light dark\">\n"
          // Even a picture with a foreign address in it could fetch nothing.
          "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src "
          "data:; style-src 'unsafe-inline'\">\n<title>",
          escaped(title), "</title>\n<style>", style, "</style></head><body>\n<main>\n<h1>",
          escaped(title), "</h1>\n")),
      command_(std::move(command)) {}

void Page::heading(const std::string& text) { html_ += "<h2>" + escaped(text) + "</h2>\n"; }

void Page::paragraph(const std::string& text) { html_ += "<p>" + escaped(text) + "</p>\n"; }

void Page::table(const std::vector<std::string>& head,
                 const std::vector<std::vector<std::string>>& rows) {
  html_ += "<div class=\"wide\" tabindex=\"0\"><table>\n<thead><tr>";
  for (const auto& cell : head) html_ += "<th scope=\"col\">" + escaped(cell) + "</th>";
  html_ += "</tr></thead>\n<tbody>\n";
  for (const auto& row : rows) {
    html_ += "<tr>";
    for (const auto& cell : row) html_ += "<td>" + escaped(cell) + "</td>";
    html_ += "</tr>\n";
  }
  html_ += "</tbody></table></div>\n";
}

void Page::list(const std::vector<std::pair<std::string, std::string>>& facts) {
  html_ += "<table class=\"facts\">\n";
  for (const auto& [name, value] : facts)
    html_ +=
        "<tr><th scope=\"row\">" + escaped(name) + "</th><td>" + escaped(value) + "</td></tr>\n";
  html_ += "</table>\n";
}

void Page::caption(const std::string& text) {
  html_ += "<figcaption>" + escaped(text) + "\n<details><summary>The command that makes it" +
           "</summary><code>" + escaped(command_) + "</code></details></figcaption></figure>\n";
}

void Page::picture(const std::string& folder, const std::string& name, const std::string& text,
                   const std::string& said, const std::function<void(const std::string&)>& draw) {
  const std::string path = folder + "/" + name;
  try {
    draw(path);
    html_ += "<figure class=\"plot\">\n" + img("svg+xml", bytes_of(path), said) + "\n";
    caption(text);
  } catch (const ebb::Error& error) {
    paragraph(ebb::message(text, ". ", said, " (Not drawn: ", error.what(), ")"));
  }
}

void Page::image(const std::string& path, const std::string& text, const std::string& said,
                 int width) {
  html_ += "<figure class=\"pixels\">\n" +
           img("png", bytes_of(path), said, ebb::message(" style=\"width: ", width, "px\"")) + "\n";
  caption(text);
}

void Page::gallery(const std::vector<ebb::Picture>& pictures, const std::string& text) {
  html_ += "<figure>\n<div class=\"gallery\">\n";
  for (const ebb::Picture& p : pictures)
    html_ += "<figure>" +
             img("png", ebb::io::encode_png(p.width, p.height, p.channels, p.pixels),
                 p.caption + ", " + p.remark) +
             "<figcaption>" + escaped(p.caption) + "<br><strong>" + escaped(p.remark) +
             "</strong></figcaption></figure>\n";
  html_ += "</div>\n";
  caption(text);
}

void Page::write(const std::string& path) const {
  write_text(path, html_ + "</main></body></html>\n");
}

void write_text(const std::string& path, const std::string& text) {
  ebb::io::AtomicFile file(path);
  file.write(text.data(), text.size());
  file.commit();
}
