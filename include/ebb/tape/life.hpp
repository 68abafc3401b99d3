/// \file
/// Whether a tape is still there: what a variable asks before it touches the record.
#pragma once

#include <ebb/core/error.hpp>
#include <ebb/device/cpu/fork.hpp>

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>

namespace ebb::inline EBB_ABI::detail {

/// A place in the source of a program. `SourcePlace::here()` as a default argument is where the
/// caller stands.
struct SourcePlace {
  const char* file;
  int line;

  // (No aggregate: the options of a tape, in braces, are not to be taken for a place.)
  constexpr explicit SourcePlace(const char* in_file = "", int at_line = 0)
      : file(in_file), line(at_line) {}

  static constexpr SourcePlace here(const char* in_file = __builtin_FILE(),
                                    int at_line = __builtin_LINE()) {
    return SourcePlace(in_file, at_line);
  }
  friend std::string to_string(const SourcePlace& place) {
    return message(place.file, ":", place.line);
  }
};

/// The part of a tape that outlives it. A tape takes one when it begins and gives it back when it
/// ends; the memory is never freed, so that a variable left over may look at it at any time. `pass`
/// goes up whenever the record is forgotten, and never repeats.
struct Life {
  std::atomic<std::uint64_t> pass{0};
  SourcePlace made;
  // How the pass before this one ended, for the error message.
  SourcePlace last_made, last_end;
  bool cleared = false;
  Life* next = nullptr;  ///< of those that wait for a tape
};

struct Lives {
  std::mutex mutex;
  Life* waiting = nullptr;

  /// Never destroyed: tapes and variables may be static. A process made by `fork` finds it
  /// unlocked.
  static Lives& all() {
    static Lives& lives = []() -> Lives& {
      kernel::detail::around_forks([] { all().mutex.lock(); }, [] { all().mutex.unlock(); });
      return *new Lives;
    }();
    return lives;
  }
};

inline Life& begin_life(SourcePlace made) {
  Lives& lives = Lives::all();
  const std::lock_guard lock(lives.mutex);
  Life* life = lives.waiting;
  if (life == nullptr)
    life = new Life;
  else
    lives.waiting = life->next;
  life->made = made;
  return *life;
}

/// The record is forgotten, by `clear()` called at the place given.
inline void end_pass(Life& life, SourcePlace at) {
  const std::lock_guard lock(Lives::all().mutex);
  life.last_made = life.made;
  life.last_end = at;
  life.cleared = true;
  life.pass.fetch_add(1, std::memory_order_relaxed);
}

inline void end_life(Life& life) {
  Lives& lives = Lives::all();
  const std::lock_guard lock(lives.mutex);
  life.last_made = life.made;
  life.cleared = false;
  life.pass.fetch_add(1, std::memory_order_relaxed);
  life.next = lives.waiting;
  lives.waiting = &life;
}

/// For a variable of the pass `pass`, described by `what`, when that is over.
[[noreturn]] inline void throw_ended(const Life& life, std::uint64_t pass,
                                     const std::string& what) {
  std::string end = "its tape ended some tapes ago";
  {
    const std::lock_guard lock(Lives::all().mutex);
    if (life.pass.load(std::memory_order_relaxed) == pass + 1) {
      end = message("the tape made at ", to_string(life.last_made));
      end += life.cleared ? message(" was cleared at ", to_string(life.last_end))
                          : " was destroyed at the end of its scope";
    }
  }
  throw ValueError(message("tape: ", what, " was made on a tape that is over: ", end,
                           "; keep the tape as long as its variables, or keep their value() and "
                           "watch it on the new tape"));
}

}  // namespace ebb::detail
