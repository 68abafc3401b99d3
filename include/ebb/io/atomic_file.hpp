/// \file
/// Files that are written whole or not at all.
#pragma once

#include <ebb/core/error.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <string>

namespace ebb::io {

/// Writes a temporary file in the target's folder and, on `commit`, brings it to disk and renames
/// it: whoever looks, at any time, also after a crash, sees the old file whole or the new one
/// whole. Destroyed without a commit, it leaves the old file as it was and removes the temporary.
class AtomicFile {
 public:
  /// \throws FileError when the folder or the old file may not be written to.
  explicit AtomicFile(const std::string& path) : path_(path), target_(path) {
    // A link keeps pointing where it does; what it points to is replaced.
    std::error_code ignored;
    if (std::filesystem::is_symlink(path, ignored))
      target_ = std::filesystem::weakly_canonical(path, ignored).string();
    struct stat old = {};
    const bool replaces = ::stat(target_.c_str(), &old) == 0;
    if (replaces && S_ISDIR(old.st_mode)) fail("it is a folder; name a file in it");
    if (replaces && !S_ISREG(old.st_mode)) fail("it is not a regular file");
    if (replaces && ::faccessat(AT_FDCWD, target_.c_str(), W_OK, AT_EACCESS) != 0) fail(reason());
    static std::atomic<unsigned> counter{0};
    do {
      temporary_ = message(target_, ".", static_cast<long>(::getpid()), ".", ++counter, ".tmp");
      descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    } while (descriptor_ < 0 && (errno == EEXIST || errno == EINTR));
    if (descriptor_ < 0) fail(reason());
    // The new file is as readable as the old one was.
    if (replaces && ::fchmod(descriptor_, old.st_mode & 07777) != 0) abandon(reason());
  }
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile() { discard(); }

  /// Appends bytes. \throws FileError when there is no room; the old file is unchanged then.
  void write(const void* data, std::size_t bytes) {
    const auto* at = static_cast<const char*>(data);
    while (bytes > 0) {
      constexpr std::size_t most = std::size_t{1} << 30;  // some systems refuse more at once
      const ssize_t wrote = ::write(descriptor_, at, bytes < most ? bytes : most);
      if (wrote < 0 && errno == EINTR) continue;
      if (wrote <= 0) abandon(reason());
      at += wrote;
      bytes -= static_cast<std::size_t>(wrote);
    }
  }

  /// Puts the new file in the old one's place. \throws FileError; the old file is unchanged then.
  void commit() {
    if (::fsync(descriptor_) != 0) abandon(reason());
    const int closed = ::close(descriptor_);
    descriptor_ = -1;
    if (closed != 0) abandon(reason());
    if (::rename(temporary_.c_str(), target_.c_str()) != 0) abandon(reason());
    temporary_.clear();
    // The rename itself reaches the disk with the folder; where that is not possible, the file is
    // in place all the same.
    const std::filesystem::path parent = std::filesystem::path(target_).parent_path();
    const std::string folder = parent.empty() ? "." : parent.string();
    const int directory = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory >= 0) {
      static_cast<void>(::fsync(directory));
      ::close(directory);
    }
  }

 private:
  static std::string reason() {
    const int code = errno;
    const char* mend = "";
    if (code == ENOSPC || code == EDQUOT || code == EFBIG)
      mend = "; make room, or save elsewhere";
    else if (code == EACCES || code == EPERM || code == EROFS)
      mend = "; save where you may write, or change the permissions";
    else if (code == ENOENT || code == ENOTDIR)
      mend = "; the folder must exist";
    return std::string(std::strerror(code)) + mend;
  }

  [[noreturn]] void fail(const std::string& why) const {
    throw FileError(message("save: '", path_, "' cannot be written: ", why));
  }

  /// Gives up: nothing of the new file remains.
  [[noreturn]] void abandon(const std::string& why) {
    discard();
    struct stat old = {};
    fail(why + (::stat(target_.c_str(), &old) == 0 ? " (the old file is unchanged)" : ""));
  }

  void discard() noexcept {
    if (descriptor_ >= 0) ::close(descriptor_);
    descriptor_ = -1;
    if (!temporary_.empty()) ::unlink(temporary_.c_str());
    temporary_.clear();
  }

  std::string path_;       ///< as the caller named it
  std::string target_;     ///< what is replaced
  std::string temporary_;  ///< empty: there is none
  int descriptor_ = -1;
};

}  // namespace ebb::io
