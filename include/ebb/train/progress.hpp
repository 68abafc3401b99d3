/// \file
/// How far a long loop is: a bar on a terminal, now and then a plain line elsewhere.
#pragma once

#include <ebb/core/config.hpp>
#include <ebb/core/error.hpp>
#include <ebb/core/system.hpp>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <type_traits>

namespace ebb::inline EBB_ABI {

struct ProgressOptions {
  std::FILE* stream = stderr;
  const char* unit = "images";
  double redraw_every = 0.1;  ///< seconds between two drawings of the bar on a terminal
  double line_every = 10.0;   ///< seconds between two lines elsewhere (log files, pipes)
};

/// The progress of a loop of known length:
///
///     ebb::Progress progress("epoch 1/3", 60000);
///     for (...) { ...; progress.advance(64, "loss 0.213"); }
///
/// On a terminal it draws
///
///     epoch 1/3 ━━━━━━━━━━━━━━╸━━━━━━  62 %  5210 images/s  0:07 gone, 0:04 left  loss 0.213
///
/// over itself, and wipes it at the end, so that what is printed next takes its place.
class Progress {
  using Clock = std::chrono::steady_clock;

 public:
  Progress(std::string label, Index total, ProgressOptions options = {})
      : label_(std::move(label)), total_(total > 0 ? total : 0), options_(options) {
    const char* term = std::getenv("TERM");
    terminal_ = options_.stream != nullptr && os::is_terminal(options_.stream) &&
                !(term && std::strcmp(term, "dumb") == 0);
  }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress() { finish(); }

  /// `count` more are done; `note` is shown at the end of the line.
  void advance(Index count, const std::string& note = {}) {
    advance(count, [&]() -> const std::string& { return note; });
  }
  /// The same with a function that gives the note, called when a line is drawn.
  template <class Note>
  requires std::is_invocable_v<Note&>
  void advance(Index count, Note&& note_now) {
    done_ += count;
    if (options_.stream == nullptr || finished_) return;
    if (seconds() - drawn_ < (terminal_ ? options_.redraw_every : options_.line_every)) return;
    const std::string& note = note_now();  // which may take its time
    const double now = drawn_ = seconds();
    if (terminal_) {
      std::fprintf(options_.stream, "\r%s\x1b[K", bar(now, note, columns()).c_str());
      visible_ = true;
    } else {
      std::fprintf(options_.stream, "%s\n", line(now, note).c_str());
    }
    std::fflush(options_.stream);
  }

  /// Wipes the bar. Called by the destructor.
  void finish() {
    if (visible_) {
      std::fputs("\r\x1b[K", options_.stream);
      std::fflush(options_.stream);
    }
    visible_ = false;
    finished_ = true;
  }

  Index done() const { return done_; }
  /// Since the start.
  double seconds() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }

  /// One plain line: "epoch 1/3: 62 %, 5210 images/s, 0:07 gone, 0:04 left, loss 0.213".
  std::string line(double elapsed, const std::string& note) const {
    std::string text = label_ + ": " + percent() + ", " + rate(elapsed) + ", " + times(elapsed);
    return note.empty() ? text : text + ", " + note;
  }

  /// The bar, made to fit into `width` columns: first the bar shrinks, then the end is cut.
  std::string bar(double elapsed, const std::string& note, int width) const {
    std::string tail = " " + percent() + "  " + rate(elapsed) + "  " + times(elapsed);
    if (!note.empty()) tail += "  " + note;
    int room = width - 1 - static_cast<int>(label_.size() + 1 + tail.size());
    room = room > 40 ? 40 : room;
    std::string text = label_ + " ";
    if (room >= 4) {
      const int full = static_cast<int>(share() * room);
      const bool colour = terminal_ && std::getenv("NO_COLOR") == nullptr;
      const char* on = unicode() ? "━" : "=";
      const char* off = unicode() ? (colour ? "━" : " ") : ".";
      if (colour) text += "\x1b[36m";
      for (int i = 0; i < full; ++i) text += on;
      if (colour) text += "\x1b[90m";
      for (int i = full; i < room; ++i) text += off;
      if (colour) text += "\x1b[0m";
    } else {
      const int space = width - 1 - static_cast<int>(label_.size() + 1);
      tail.resize(static_cast<std::size_t>(space > 0 ? space : 0) < tail.size()
                      ? static_cast<std::size_t>(space > 0 ? space : 0)
                      : tail.size());
    }
    return text + tail;
  }

 private:
  double share() const {
    if (total_ == 0) return 1.0;
    const double s = static_cast<double>(done_) / static_cast<double>(total_);
    return s < 1.0 ? s : 1.0;
  }
  std::string percent() const {
    const std::string text = detail::fixed(100 * share(), 0) + " %";
    return text.size() < 5 ? std::string(5 - text.size(), ' ') + text : text;
  }
  std::string rate(double elapsed) const {
    const double per_second = elapsed > 0 ? static_cast<double>(done_) / elapsed : 0.0;
    return detail::fixed(per_second, per_second < 10 ? 1 : 0) + " " + options_.unit + "/s";
  }
  /// "1:05", "2:03:04".
  static std::string clock(double seconds) {
    const auto s = std::lround(seconds);
    char text[48];
    if (s < 3600)
      std::snprintf(text, sizeof text, "%ld:%02ld", s / 60, s % 60);
    else
      std::snprintf(text, sizeof text, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
    return text;
  }
  std::string times(double elapsed) const {
    std::string text = clock(elapsed) + " gone";
    if (done_ > 0 && done_ < total_)
      text += ", " +
              clock(elapsed * static_cast<double>(total_ - done_) / static_cast<double>(done_)) +
              " left";
    return text;
  }
  int columns() const {
    const int known = os::terminal_columns(options_.stream);
    return known > 0 ? known : 80;
  }
  static bool unicode() {
    for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
      const char* value = std::getenv(name);
      if (value && *value)
        return std::strstr(value, "UTF-8") || std::strstr(value, "utf8") ||
               std::strstr(value, "UTF8") || std::strstr(value, "utf-8");
    }
    return false;
  }

  std::string label_;
  Index total_, done_ = 0;
  ProgressOptions options_;
  Clock::time_point start_ = Clock::now();
  double drawn_ = 0;
  bool terminal_ = false, visible_ = false, finished_ = false;
};

}  // namespace ebb
