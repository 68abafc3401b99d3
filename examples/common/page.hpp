// An HTML page that holds everything it shows: for phones and large screens, by day and by night,
// for eyes and for screen readers. It asks no network for anything.
#pragma once

#include <ebb/train/gallery.hpp>

#include <functional>
#include <string>
#include <utility>
#include <vector>

// Writes a file, whole or not at all. Throws ebb::FileError.
void write_text(const std::string& path, const std::string& text);

class Page {
 public:
  // `command` is the command line that makes the page; every picture names it.
  Page(const std::string& title, std::string command);

  void heading(const std::string& text);
  void paragraph(const std::string& text);
  void table(const std::vector<std::string>& head,
             const std::vector<std::vector<std::string>>& rows);
  void list(const std::vector<std::pair<std::string, std::string>>& facts);  // name and value
  // A picture that `draw` writes as SVG to the path it is given; beside the page, it stays as
  // `name`. `said` is for who does not see it: what it shows, in words. If it cannot be drawn, the
  // page says why, and `said`.
  void picture(const std::string& folder, const std::string& name, const std::string& caption,
               const std::string& said, const std::function<void(const std::string&)>& draw);

  // A PNG file, `width` pixels wide where there is room.
  void image(const std::string& path, const std::string& caption, const std::string& said,
             int width);

  // Small pictures side by side, as many as there is room for, each over its caption and remark.
  void gallery(const std::vector<ebb::Picture>& pictures, const std::string& caption);

  // Writes the page, whole or not at all. Throws ebb::FileError.
  void write(const std::string& path) const;

 private:
  void caption(const std::string& text);

  std::string html_, command_;
};
