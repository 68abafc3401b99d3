/// \file
/// Threads that do numbered work ahead of its time.
#pragma once

#include <ebb/core/config.hpp>

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace ebb::inline EBB_ABI::data::detail {

/// Calls `make(number)` for the numbers 0, 1, ... on some threads, at most `ahead` numbers beyond
/// the one that is wanted now. Number n uses slot n modulo `slots`, and never while number n -
/// slots is still wanted.
class Background {
 public:
  Background(int threads, Index count, Index slots, std::function<void(Index)> make)
      : make_(std::move(make)), count_(count), ready_(static_cast<std::size_t>(slots), -1) {
    try {
      for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
    } catch (...) {  // no more threads are to be had
      stop();        // those there are must end first
      throw;
    }
  }
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;
  ~Background() { stop(); }

  /// Number `number` is wanted now, and what was before it no longer: returns when it is made.
  void want(Index number) {
    std::unique_lock lock(mutex_);
    wanted_ = number;
    room_.notify_all();
    made_.wait(lock, [&] { return slot_of(number) == number; });
  }

  /// No number is begun any more.
  void end() {
    const std::scoped_lock lock(mutex_);
    begun_ = count_;
    room_.notify_all();
  }

 private:
  Index& slot_of(Index number) { return ready_[static_cast<std::size_t>(number) % ready_.size()]; }

  /// What a thread does: makes the next number nobody has begun, once its slot is free.
  void work() {
    std::unique_lock lock(mutex_);
    while (true) {
      room_.wait(lock, [&] {
        return stopping_ || begun_ >= count_ ||
               begun_ < wanted_ + static_cast<Index>(ready_.size());
      });
      if (stopping_ || begun_ >= count_) return;
      const Index number = begun_++;
      lock.unlock();
      make_(number);
      lock.lock();
      slot_of(number) = number;
      made_.notify_all();
    }
  }

  void stop() {
    {
      const std::scoped_lock lock(mutex_);
      stopping_ = true;
    }
    room_.notify_all();
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

  const std::function<void(Index)> make_;  // does not throw
  const Index count_;
  std::mutex mutex_;
  std::condition_variable made_, room_;
  std::vector<Index> ready_;  ///< for each slot, the number that was made in it last
  Index wanted_ = 0;
  Index begun_ = 0;  ///< numbers that threads have taken on
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace ebb::data::detail
