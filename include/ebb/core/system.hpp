/// \file
/// What belongs to an operating system: files, terminals, the process. Everything above is written
/// in terms of it. Paths are UTF-8 on every system.
///
/// Functions set `errno` where they fail, as POSIX's do.
#pragma once

#include <ebb/core/config.hpp>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include <fcntl.h>
#include <sys/stat.h>
#if defined(_WIN32)
#  include <io.h>
#  include <process.h>
#  include <wchar.h>
#else
#  include <sys/ioctl.h>
#  include <unistd.h>
#endif

#if defined(_WIN32)
// As <windows.h> has them, whose macros (min, near, small) would be everybody's.
extern "C" __declspec(dllimport) int __stdcall MoveFileExW(const wchar_t*, const wchar_t*,
                                                           unsigned long);
extern "C" __declspec(dllimport) unsigned long __stdcall GetLastError();
extern "C" __declspec(dllimport) unsigned long __stdcall GetFileAttributesW(const wchar_t*);
extern "C" __declspec(dllimport) unsigned long __stdcall GetFinalPathNameByHandleW(void*, wchar_t*,
                                                                                   unsigned long,
                                                                                   unsigned long);
extern "C" __declspec(dllimport) int __stdcall MultiByteToWideChar(unsigned, unsigned long,
                                                                   const char*, int, wchar_t*, int);
extern "C" __declspec(dllimport) int __stdcall WideCharToMultiByte(unsigned, unsigned long,
                                                                   const wchar_t*, int, char*, int,
                                                                   const char*, int*);
#endif

namespace ebb::inline EBB_ABI::os {

/// What is at a path, or behind a descriptor.
struct Kind {
  bool there = false, folder = false, regular = false;
  unsigned mode = 0;        ///< permissions
  std::uint64_t bytes = 0;  ///< of a regular file
};

#if defined(_WIN32)

/// A path as Windows takes it; empty, which nothing is called, where it is not UTF-8.
inline std::wstring wide(const std::string& path) {
  constexpr unsigned utf8 = 65001, strict = 8;
  const auto length = static_cast<int>(path.size());
  const int units = MultiByteToWideChar(utf8, strict, path.data(), length, nullptr, 0);
  std::wstring text(static_cast<std::size_t>(units > 0 ? units : 0), L'\0');
  MultiByteToWideChar(utf8, strict, path.data(), length, text.data(), units);
  return text;
}

/// The other way round.
inline std::string narrow(const std::wstring& path) {
  constexpr unsigned utf8 = 65001;
  const auto length = static_cast<int>(path.size());
  const int bytes = WideCharToMultiByte(utf8, 0, path.data(), length, nullptr, 0, nullptr, nullptr);
  std::string text(static_cast<std::size_t>(bytes > 0 ? bytes : 0), '\0');
  WideCharToMultiByte(utf8, 0, path.data(), length, text.data(), bytes, nullptr, nullptr);
  return text;
}

/// A path as std::filesystem takes it.
inline std::wstring native(const std::string& path) { return wide(path); }

namespace detail {
inline Kind kind_of(const struct _stat64& s) {
  return {true, (s.st_mode & _S_IFMT) == _S_IFDIR, (s.st_mode & _S_IFMT) == _S_IFREG,
          s.st_mode & 0777u, static_cast<std::uint64_t>(s.st_size)};
}
inline int open(const std::string& path, int flags) {
  return ::_wopen(wide(path).c_str(), flags | _O_BINARY | _O_NOINHERIT, _S_IREAD | _S_IWRITE);
}
}  // namespace detail

inline Kind look_at(const std::string& path) {
  struct _stat64 s = {};
  return ::_wstat64(wide(path).c_str(), &s) == 0 ? detail::kind_of(s) : Kind{};
}
inline Kind look_at(int descriptor) {
  struct _stat64 s = {};
  return ::_fstat64(descriptor, &s) == 0 ? detail::kind_of(s) : Kind{};
}
inline bool may_write(const std::string& path) { return ::_waccess(wide(path).c_str(), 2) == 0; }

inline int open_to_read(const std::string& path) { return detail::open(path, _O_RDONLY); }
inline int open_new(const std::string& path) {
  return detail::open(path, _O_WRONLY | _O_CREAT | _O_EXCL);
}
inline int open_to_append(const std::string& path) {
  return detail::open(path, _O_RDWR | _O_CREAT | _O_APPEND);
}
inline void close_quietly(int descriptor) { ::_close(descriptor); }
inline bool close(int descriptor) { return ::_close(descriptor) == 0; }
/// Windows has no permissions to take over beside the folder's.
inline bool set_mode(int, unsigned) { return true; }

inline std::ptrdiff_t write(int descriptor, const void* from, std::size_t bytes) {
  constexpr std::size_t most = std::size_t{1} << 30;
  return ::_write(descriptor, from, static_cast<unsigned>(bytes < most ? bytes : most));
}
/// From a place in the file. A descriptor is to be used by one thread at a time.
inline std::ptrdiff_t read_at(int descriptor, void* to, std::size_t bytes, std::uint64_t place) {
  constexpr std::size_t most = std::size_t{1} << 30;
  if (::_lseeki64(descriptor, static_cast<std::int64_t>(place), SEEK_SET) < 0) return -1;
  return ::_read(descriptor, to, static_cast<unsigned>(bytes < most ? bytes : most));
}
inline bool cut(int descriptor, std::uint64_t bytes) {
  errno = ::_chsize_s(descriptor, static_cast<std::int64_t>(bytes));
  return errno == 0;
}
/// Brings a file to the disk: FlushFileBuffers.
inline bool sync(int descriptor) { return ::_commit(descriptor) == 0; }

/// Puts a file in another one's place, and comes back when that is on the disk.
inline bool replace(const std::string& from, const std::string& to) {
  constexpr unsigned long replace_existing = 1, write_through = 8;
  if (MoveFileExW(wide(from).c_str(), wide(to).c_str(), replace_existing | write_through) != 0)
    return true;
  const unsigned long code = GetLastError();
  errno = code == 5 || code == 32 ? EACCES : code == 2 || code == 3 ? ENOENT : EIO;
  return false;
}
inline bool remove(const std::string& path) { return ::_wunlink(wide(path).c_str()) == 0; }
inline std::string behind_links(const std::string& path) {
  constexpr unsigned long reparse_point = 0x400, none = ~0ul;
  const unsigned long attributes = GetFileAttributesW(wide(path).c_str());
  if (attributes == none || (attributes & reparse_point) == 0) return path;
  const int descriptor = open_to_read(path);
  if (descriptor < 0) return path;
  std::wstring target(32768, L'\0');
  const unsigned long length =
      GetFinalPathNameByHandleW(reinterpret_cast<void*>(::_get_osfhandle(descriptor)),
                                target.data(), static_cast<unsigned long>(target.size()), 0);
  ::_close(descriptor);
  if (length == 0 || length >= target.size()) return path;
  target.resize(length);
  return narrow(target);
}

inline std::FILE* open_file(const std::string& path, const char* mode) {
  return ::_wfopen(wide(path).c_str(), wide(mode).c_str());
}

/// Whether an error says that somebody's share of the disk is used up.
inline bool is_quota(int) { return false; }
inline long process_id() { return ::_getpid(); }
inline bool is_terminal(std::FILE* file) { return ::_isatty(::_fileno(file)) != 0; }
/// Not known here.
inline int terminal_columns(std::FILE*) { return 0; }

#else

inline const std::string& native(const std::string& path) { return path; }

namespace detail {
inline Kind kind_of(const struct stat& s) {
  return {true, S_ISDIR(s.st_mode), S_ISREG(s.st_mode), s.st_mode & 07777u,
          static_cast<std::uint64_t>(s.st_size)};
}
inline int open(const std::string& path, int flags) {
  int descriptor = -1;
  do descriptor = ::open(path.c_str(), flags | O_CLOEXEC, 0666);
  while (descriptor < 0 && errno == EINTR);
  return descriptor;
}
}  // namespace detail

inline Kind look_at(const std::string& path) {
  struct stat s = {};
  return ::stat(path.c_str(), &s) == 0 ? detail::kind_of(s) : Kind{};
}
inline Kind look_at(int descriptor) {
  struct stat s = {};
  return ::fstat(descriptor, &s) == 0 ? detail::kind_of(s) : Kind{};
}
inline bool may_write(const std::string& path) {
  return ::faccessat(AT_FDCWD, path.c_str(), W_OK, AT_EACCESS) == 0;
}

/// Never waits, as opening a pipe would.
inline int open_to_read(const std::string& path) {
  return detail::open(path, O_RDONLY | O_NONBLOCK);
}
/// A file that was not there before, to be written.
inline int open_new(const std::string& path) {
  return detail::open(path, O_WRONLY | O_CREAT | O_EXCL);
}
/// To be read anywhere, and written at its end.
inline int open_to_append(const std::string& path) {
  return detail::open(path, O_RDWR | O_CREAT | O_APPEND);
}
inline void close_quietly(int descriptor) { ::close(descriptor); }
inline bool close(int descriptor) { return ::close(descriptor) == 0; }
inline bool set_mode(int descriptor, unsigned mode) { return ::fchmod(descriptor, mode) == 0; }

/// Some of the bytes; how many, or -1.
inline std::ptrdiff_t write(int descriptor, const void* from, std::size_t bytes) {
  constexpr std::size_t most = std::size_t{1} << 30;  // some systems refuse more at once
  std::ptrdiff_t done = 0;
  do done = ::write(descriptor, from, bytes < most ? bytes : most);
  while (done < 0 && errno == EINTR);
  return done;
}
/// The same from a place in the file; 0 at its end.
inline std::ptrdiff_t read_at(int descriptor, void* to, std::size_t bytes, std::uint64_t place) {
  constexpr std::size_t most = std::size_t{1} << 30;
  std::ptrdiff_t done = 0;
  do done = ::pread(descriptor, to, bytes < most ? bytes : most, static_cast<off_t>(place));
  while (done < 0 && errno == EINTR);
  return done;
}
/// Leaves the first bytes of a file. (A pipe, which has none, is left as it is.)
inline bool cut(int descriptor, std::uint64_t bytes) {
  return ::ftruncate(descriptor, static_cast<off_t>(bytes)) == 0 || (bytes == 0 && errno == EINVAL);
}
/// Brings a file to the disk.
inline bool sync(int descriptor) { return ::fsync(descriptor) == 0; }

/// Puts a file in another one's place, and brings that to the disk with its folder; where that is
/// not possible, the file is in place all the same.
inline bool replace(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return false;
  const std::size_t slash = to.rfind('/');
  const std::string folder = slash == to.npos ? "." : slash == 0 ? "/" : to.substr(0, slash);
  const int directory = detail::open(folder, O_RDONLY | O_DIRECTORY);
  if (directory < 0) return true;
  static_cast<void>(::fsync(directory));
  ::close(directory);
  return true;
}
inline bool remove(const std::string& path) { return ::unlink(path.c_str()) == 0; }
/// The file that a path leads to, where it is a link to one that is there; else the path.
inline std::string behind_links(const std::string& path) {
  struct stat s = {};
  if (::lstat(path.c_str(), &s) != 0 || !S_ISLNK(s.st_mode)) return path;
  char* const found = ::realpath(path.c_str(), nullptr);
  if (!found) return path;
  std::string target = found;
  std::free(found);
  return target;
}

inline std::FILE* open_file(const std::string& path, const char* mode) {
  return std::fopen(path.c_str(), mode);
}

/// Whether an error says that somebody's share of the disk is used up.
inline bool is_quota(int code) { return code == EDQUOT; }
inline long process_id() { return ::getpid(); }
inline bool is_terminal(std::FILE* file) { return ::isatty(::fileno(file)) == 1; }
/// Columns of a terminal; 0 where they are not known.
inline int terminal_columns(std::FILE* file) {
  winsize size{};
  return ::ioctl(::fileno(file), TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

#endif

/// The text of a std::filesystem::path, whose own string() is not UTF-8 on every system.
template <class Path>
std::string utf8(const Path& path) {
  const auto text = path.u8string();
  return {text.begin(), text.end()};
}

}  // namespace ebb::os
