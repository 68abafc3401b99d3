/// \file
/// Runs an example program, and says what it printed.
#pragma once

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/match.hpp"
#include "tests/train/files.hpp"

extern "C" char** environ;

namespace ebb::test {

/// Path of an example program, as the test's environment or the build says; empty when it is not
/// there, with a warning that the test is skipped.
inline std::string example(const std::string& name) {
  std::string folder;
#ifdef EBB_EXAMPLES_DIR
  folder = EBB_EXAMPLES_DIR;
#endif
  if (const char* said = std::getenv("EBB_EXAMPLES")) folder = said;
  if (folder.empty()) folder = "build/examples";
  const std::string path = std::filesystem::absolute(folder + "/" + name).string();
  if (::access(path.c_str(), X_OK) == 0) return path;
  WARN("skipped: " + path + " is not built");
  return {};
}

struct Outcome {
  int code = -1;    ///< exit code; -1 when a signal ended it
  int signal = 0;   ///< which one
  std::string out;  ///< what it wrote to standard output
  std::string err;

  /// The last line of `out`.
  std::string last_line() const {
    const std::size_t end = out.find_last_not_of('\n');
    if (end == out.npos) return {};
    const std::size_t before = out.find_last_of('\n', end);
    const std::size_t begin = before == out.npos ? 0 : before + 1;
    return out.substr(begin, end + 1 - begin);
  }
};

/// A program under way. What it writes goes to files in a folder of the test.
class Running {
 public:
  /// `environment`: "NAME=value" entries that replace those of this process.
  Running(const TemporaryFolder& folder, const std::string& program,
          const std::vector<std::string>& arguments,
          const std::vector<std::string>& environment = {})
      : out_(folder / "stdout"), err_(folder / "stderr") {
    std::vector<std::string> words{program};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> argv, env;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    std::vector<std::string> variables = environment;
    for (char** at = environ; *at; ++at) {
      const std::string variable = *at, name = variable.substr(0, variable.find('=') + 1);
      bool replaced = false;
      for (const std::string& other : environment) replaced = replaced || other.starts_with(name);
      if (!replaced) variables.push_back(variable);
    }
    for (std::string& variable : variables) env.push_back(variable.data());
    env.push_back(nullptr);

    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    constexpr int flags = O_WRONLY | O_CREAT | O_TRUNC;
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, out_.c_str(), flags, 0600);
    posix_spawn_file_actions_addopen(&actions, 2, err_.c_str(), flags, 0600);
    REQUIRE(::posix_spawn(&child_, program.c_str(), &actions, nullptr, argv.data(), env.data()) ==
            0);
    posix_spawn_file_actions_destroy(&actions);
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  ~Running() {
    if (child_ > 0) {
      ::kill(child_, SIGKILL);
      wait();
    }
  }

  void send(int signal) const { ::kill(child_, signal); }
  std::string out_so_far() const { return read_file(out_); }

  /// Waits until standard output contains `text`; false when the program ended before, or a minute
  /// has passed.
  bool wait_for(const std::string& text) {
    for (int i = 0; i < 6000; ++i) {
      if (out_so_far().find(text) != std::string::npos) return true;
      siginfo_t info{};
      if (::waitid(P_PID, static_cast<id_t>(child_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
          info.si_pid == child_)
        return out_so_far().find(text) != std::string::npos;
      ::usleep(10'000);
    }
    return false;
  }

  Outcome wait() {
    Outcome outcome;
    int status = 0;
    while (::waitpid(child_, &status, 0) < 0 && errno == EINTR) {
    }
    child_ = -1;
    if (WIFEXITED(status)) outcome.code = WEXITSTATUS(status);
    if (WIFSIGNALED(status)) outcome.signal = WTERMSIG(status);
    outcome.out = read_file(out_);
    outcome.err = read_file(err_);
    return outcome;
  }

 private:
  std::string out_, err_;
  pid_t child_ = -1;
};

inline Outcome run(const TemporaryFolder& folder, const std::string& program,
                   const std::vector<std::string>& arguments,
                   const std::vector<std::string>& environment = {}) {
  return Running(folder, program, arguments, environment).wait();
}

}  // namespace ebb::test
