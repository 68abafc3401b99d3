/// \file
/// Runs another program, without a shell in between that could read names as commands.
#pragma once

#include <ebb/core/error.hpp>
#include <ebb/core/system.hpp>

#include <cstring>
#include <memory>
#include <string>
#if !defined(_WIN32)
#  include <spawn.h>
#  include <sys/wait.h>

extern "C" char** environ;
#endif

namespace ebb::inline EBB_ABI::os {

/// What a program made of its input.
struct Finished {
  bool found = false;  ///< false: there is no such program
  bool well = false;   ///< it ended by itself, with status 0
  std::string output, errors;
};

namespace detail {

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

[[noreturn]] inline void no_temporary() {
  throw FileError(message("no temporary file can be written: ", std::strerror(errno)));
}
inline void put(std::FILE* file, const std::string& content) {
  if (std::fwrite(content.data(), 1, content.size(), file) != content.size() ||
      std::fflush(file) != 0)
    no_temporary();
  std::rewind(file);
}
inline std::string read_all(std::FILE* file) {
  std::string text;
  char piece[4096];
  std::rewind(file);
  for (std::size_t got; (got = std::fread(piece, 1, sizeof piece, file)) > 0;)
    text.append(piece, got);
  return text;
}

#if defined(_WIN32)
/// A file for the interpreter of commands, which opens it by its name.
class Temporary {
 public:
  explicit Temporary(const std::string& content = {}) {
    wchar_t* const made = ::_wtempnam(nullptr, L"ebb");
    if (!made) no_temporary();
    path_ = made;
    std::free(made);
    const File file(::_wfopen(path_.c_str(), L"wb"));
    if (!file) no_temporary();
    put(file.get(), content);
  }
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;
  ~Temporary() { ::_wunlink(path_.c_str()); }
  std::wstring quoted() const { return L"\"" + path_ + L"\""; }
  std::string content() const {
    const File file(::_wfopen(path_.c_str(), L"rb"));
    return file ? read_all(file.get()) : std::string();
  }

 private:
  std::wstring path_;
};
#endif

}  // namespace detail

/// Runs `program`, found where programs are looked for, with `input` as its standard input and
/// `argument` as its only one, and waits for its end.
/// \throws FileError when no temporary file can be written.
inline Finished run(const std::string& program, const std::string& argument,
                    const std::string& input) {
#if defined(_WIN32)
  // (Windows has an interpreter in between after all; but every word is ours, and in quotes.)
  wchar_t place[1024] = L"";
  ::_wsearchenv(wide(program + ".exe").c_str(), L"PATH", place);
  if (*place == L'\0') return {};
  const detail::Temporary in(input), out, errors;
  const std::wstring command = L"\"\"" + std::wstring(place) + L"\" " + wide(argument) + L" < " +
                               in.quoted() + L" > " + out.quoted() + L" 2> " + errors.quoted() +
                               L"\"";
  const int status = ::_wsystem(command.c_str());
  return {true, status == 0, out.content(), errors.content()};
#else
  const auto temporary = [](const std::string& content) {
    detail::File file(std::tmpfile());
    if (!file) detail::no_temporary();
    detail::put(file.get(), content);
    return file;
  };
  const detail::File in = temporary(input), out = temporary({}), errors = temporary({});
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ::fileno(in.get()), 0);
  posix_spawn_file_actions_adddup2(&actions, ::fileno(out.get()), 1);
  posix_spawn_file_actions_adddup2(&actions, ::fileno(errors.get()), 2);
  std::string name = program, word = argument;
  char* arguments[] = {name.data(), word.data(), nullptr};
  pid_t child = 0;
  const int failed = ::posix_spawnp(&child, name.c_str(), &actions, nullptr, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  int status = 0;
  if (failed == 0)
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
  if (failed != 0 || (WIFEXITED(status) && WEXITSTATUS(status) == 127)) return {};
  return {true, WIFEXITED(status) && WEXITSTATUS(status) == 0, detail::read_all(out.get()),
          detail::read_all(errors.get())};
#endif
}

}  // namespace ebb::os
