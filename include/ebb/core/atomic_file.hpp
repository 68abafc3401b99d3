/// \file
/// Files that are written whole or not at all.
#pragma once

#include <ebb/core/error.hpp>
#include <ebb/core/system.hpp>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string>
#include <utility>

namespace ebb::inline EBB_ABI::os {

/// Writes a temporary file in the target's folder and, on `commit`, brings it to disk and renames
/// it: whoever looks, at any time, also after a crash, sees the old file whole or the new one
/// whole. Destroyed without a commit, it leaves the old file as it was and removes the temporary.
class AtomicFile {
 public:
  /// Errors begin with the name of `who` writes.
  /// \throws FileError when the folder or the old file may not be written to.
  explicit AtomicFile(const std::string& path, const char* who = "save")
      // A link keeps pointing where it does; what it points to is replaced.
      : who_(who), path_(path), target_(os::behind_links(path)) {
    const os::Kind old = os::look_at(target_);
    if (old.folder) fail("it is a folder; name a file in it");
    if (old.there && !old.regular) fail("it is not a regular file");
    if (old.there && !os::may_write(target_)) fail(reason());
    static std::atomic<unsigned> counter{0};
    do {
      temporary_ = message(target_, ".", os::process_id(), ".", ++counter, ".tmp");
      descriptor_ = os::open_new(temporary_);
    } while (descriptor_ < 0 && errno == EEXIST);
    if (descriptor_ < 0) fail(reason());
    // The new file is as readable as the old one was.
    if (old.there && !os::set_mode(descriptor_, old.mode)) abandon(reason());
  }
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile() { discard(); }

  /// Appends bytes. \throws FileError when there is no room; the old file is unchanged then.
  void write(const void* data, std::size_t bytes) {
    const auto* at = static_cast<const char*>(data);
    while (bytes > 0) {
      const std::ptrdiff_t wrote = os::write(descriptor_, at, bytes);
      if (wrote <= 0) abandon(reason());
      at += wrote;
      bytes -= static_cast<std::size_t>(wrote);
    }
  }

  /// Puts the new file in the old one's place. \throws FileError; the old file is unchanged then.
  void commit() {
    if (!os::sync(descriptor_)) abandon(reason());
    const bool closed = os::close(std::exchange(descriptor_, -1));
    if (!closed || !os::replace(temporary_, target_)) abandon(reason());
    temporary_.clear();
  }

 private:
  static std::string reason() {
    const int code = errno;
    const char* mend = "";
    if (code == ENOSPC || code == EFBIG || os::is_quota(code))
      mend = "; make room, or save elsewhere";
    else if (code == EACCES || code == EPERM || code == EROFS)
      mend = "; save where you may write, or change the permissions";
    else if (code == ENOENT || code == ENOTDIR)
      mend = "; the folder must exist";
    return std::string(std::strerror(code)) + mend;
  }

  [[noreturn]] void fail(const std::string& why) const {
    throw FileError(message(who_, ": '", path_, "' cannot be written: ", why));
  }

  /// Gives up: nothing of the new file remains.
  [[noreturn]] void abandon(const std::string& why) {
    discard();
    fail(why + (os::look_at(target_).there ? " (the old file is unchanged)" : ""));
  }

  void discard() noexcept {
    if (descriptor_ >= 0) os::close_quietly(descriptor_);
    descriptor_ = -1;
    if (!temporary_.empty()) os::remove(temporary_);
    temporary_.clear();
  }

  const char* who_;
  std::string path_;       ///< as the caller named it
  std::string target_;     ///< what is replaced
  std::string temporary_;  ///< empty: there is none
  int descriptor_ = -1;
};

}  // namespace ebb::os
