// An HTML page that holds everything it shows.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

class Page {
 public:
  explicit Page(const std::string& title);

  void heading(const std::string& text);
  void paragraph(const std::string& text);
  void table(const std::vector<std::string>& head,
             const std::vector<std::vector<std::string>>& rows);
  void list(const std::vector<std::pair<std::string, std::string>>& facts);  // name and value
  // A picture that `draw` writes as SVG to the path it is given; beside the page, it stays as
  // `name`. If that fails, the page says why.
  void picture(const std::string& folder, const std::string& name, const std::string& caption,
               const std::function<void(const std::string&)>& draw);

  // A PNG file, magnified by whole pixels to be `width` pixels wide at least.
  void image(const std::string& path, const std::string& caption, int width = 0);

  // Writes the page, whole or not at all. Throws ebb::FileError.
  void write(const std::string& path) const;

 private:
  std::string html_;
};
