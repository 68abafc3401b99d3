/// \file
/// Runs the threads of blocks in turn, until all are done or none can go on.
#pragma once

#include <ebb/core/config.hpp>

#include "tests/support/gpu_emulator/block.hpp"

#include <cstdarg>
#include <cstdlib>
#include <random>

namespace ebb::inline EBB_ABI::gpu::emulator {

/// One for each thread of the CPU.
class Scheduler {
 public:
  static Scheduler& own() {
    static thread_local Scheduler scheduler;
    return scheduler;
  }

  /// The kernel with its arguments, to be called by every thread.
  void set_kernel(void (*call)(void*), void* argument) { call_ = call, argument_ = argument; }

  /// Where a launch begins, what the host wrote is ordered before its threads.
  void begin_launch() {
    const Quiet quiet;
    spare_.insert(spare_.end(), retired_.begin(), retired_.end());
    retired_.clear();
    release(&start_tag_);
  }
  void end_launch() { acquire(&end_tag_); }

  /// Runs these blocks, threads of all of them in turn.
  /// \throws KernelError
  void run(const std::vector<Block*>& blocks) {
    const Quiet quiet;
    error_.clear();
    grid_ = &blocks;
    grid_waiting_ = grid_live_ = 0;
    turns_.clear();
    for (Block* block : blocks) {
      grid_live_ += block->live;
      for (Thread& thread : block->threads) turns_.push_back(&thread);
    }
    if (config.order == Order::reverse) std::reverse(turns_.begin(), turns_.end());
    random_.seed(config.seed + blocks[0]->index.x * 7919 + blocks[0]->index.y * 104729);
    scheduler_fiber = &main_;
#if defined(EBB_EMULATOR_TSAN)
    main_.tsan = __tsan_get_current_fiber();
#endif
    for (std::size_t left = turns_.size(); left > 0;) {
      const std::size_t before = left;
      bool moved = false;
      if (config.order == Order::random) std::shuffle(turns_.begin(), turns_.end(), random_);
      for (Thread* thread : turns_) {
        if (thread->state == State::fresh)
          thread->fiber = take_fiber();
        else if (thread->state != State::ready)
          continue;
        thread->state = State::ready;
        moved = true;
        current = thread;
        switch_fibers(main_, *thread->fiber);
        current = nullptr;
        if (!error_.empty()) fail(error_);
        if (thread->state != State::done) continue;
        give_fiber(thread->fiber);
        thread->fiber = nullptr;
        --left;
      }
      if (!moved && left == before) fail(deadlock());
    }
  }

  /// Ends the kernel from one of its threads: the error is thrown on the scheduler's stack.
  [[noreturn]] void die(const char* text) {
    error_ = text;
    for (;;) park(State::done, "", 0);
  }

  /// __threadfence: orders a thread behind those that passed a fence before it. (Their atomics
  /// are relaxed: without fences ThreadSanitizer sees no order between blocks.)
  static void fence() {
    static unsigned char tag = 0;
    release(&tag);
    acquire(&tag);
  }

  /// Waits until every thread of the grid is here.
  void grid_barrier() {
    const Quiet quiet;
    void* const tag = &grid_tags_[grid_barriers_ % 2];
    release(tag);
    if (++grid_waiting_ == grid_live_) {
      open_grid_barrier();
      park(State::ready, "gpu::grid_sync", 0);
    } else {
      park(State::at_grid, "gpu::grid_sync", 0);
    }
    acquire(tag);
  }

  WarpOp* take_op() {
    if (ops_.empty()) {
      all_ops_.push_back(std::make_unique<WarpOp>());
      return all_ops_.back().get();
    }
    WarpOp* const op = ops_.back();
    ops_.pop_back();
    return op;
  }
  void give_op(WarpOp* op) { ops_.push_back(op); }

  static void open_barrier(Block& block) {
    block.waiting = 0;
    ++block.barriers;
    for (Thread& thread : block.threads)
      if (thread.state == State::at_barrier) thread.state = State::ready;
  }

 private:
  Fiber* take_fiber() {
    Fiber* fiber = nullptr;
    if (spare_.empty() && all_fibers_.size() >= most_watched && !retired_.empty()) {
      fiber = retired_.front();
      retired_.pop_front();
    } else if (spare_.empty()) {
      all_fibers_.push_back(std::make_unique<Fiber>(config.stack));
      fiber = all_fibers_.back().get();
    } else {
      fiber = spare_.back();
      spare_.pop_back();
    }
    fiber->prepare(enter);
    return fiber;
  }
  /// A fiber of ThreadSanitizer serves one thread a launch, so that there is no order between
  /// blocks; where it would need too many of them, the oldest serve again.
  void give_fiber(Fiber* fiber) {
    if (races_are_watched)
      retired_.push_back(fiber);
    else
      spare_.push_back(fiber);
  }

  /// What runs on a fiber.
  static void enter() {
    arrive_from(*scheduler_fiber);
    Scheduler* scheduler = nullptr;
    {
      const Quiet quiet;
      scheduler = &own();
      acquire(&scheduler->start_tag_);
    }
    try {
      scheduler->call_(scheduler->argument_);
    } catch (const std::exception& thrown) {
      scheduler->error_ = thrown.what();
    }
    Fiber* fiber = nullptr;
    {
      const Quiet quiet;
      scheduler->leave_kernel();
      fiber = current->fiber;
    }
    switch_fibers(*fiber, *scheduler_fiber, true);
    std::abort();  // nobody comes back to a thread that is done
  }

  /// A barrier waits for the threads that have not left the kernel, as in CUDA.
  void leave_kernel() {
    Block& block = *current->block;
    release(&end_tag_);
    --block.live;
    --grid_live_;
    block.exited[current->flat / 32] |= 1u << lane();
    for (const WarpOp* op : block.pending[current->flat / 32])
      if (op->mask >> lane() & 1) error_ = waiting_for(*op);
    if (block.live > 0 && block.waiting == block.live) open_barrier(block);
    if (grid_live_ > 0 && grid_waiting_ == grid_live_) open_grid_barrier();
    current->state = State::done;
  }

  void open_grid_barrier() {
    grid_waiting_ = 0;
    ++grid_barriers_;
    for (Block* block : *grid_)
      for (Thread& thread : block->threads)
        if (thread.state == State::at_grid) thread.state = State::ready;
  }

  [[noreturn]] void fail(const std::string& text) {
    for (Thread* thread : turns_) {
      // A fiber of ThreadSanitizer that was left in the middle is of no more use: it is let go.
      if (thread->fiber && !races_are_watched) give_fiber(thread->fiber);
      thread->fiber = nullptr;
    }
    throw KernelError(text);
  }

  std::string deadlock() const {
    std::string text = "deadlock:";
    for (const Thread* thread : turns_) {
      if (thread->state == State::done) continue;
      if (thread->state == State::at_warp) {
        for (const WarpOp* op : thread->block->pending[thread->flat / 32])
          if (op->arrived >> thread->flat % 32 & 1) return "deadlock: " + waiting_for(*op);
      }
      text += " block " + std::to_string(thread->block->index.x) + " thread " +
              std::to_string(thread->flat) + " waits at " + thread->file + ":" +
              std::to_string(thread->line) + ";";
      if (text.size() > 400) break;
    }
    return text;
  }

  static std::string waiting_for(const WarpOp& op) {
    char text[160];
    std::snprintf(text, sizeof text, "%s of mask %08x: lanes %08x do not come to it", op.kind,
                  op.mask, op.mask & ~op.arrived);
    return text;
  }

  static constexpr std::size_t most_watched = 1024;

  Fiber main_;
  std::vector<std::unique_ptr<Fiber>> all_fibers_;
  std::vector<Fiber*> spare_;
  std::deque<Fiber*> retired_;
  std::vector<std::unique_ptr<WarpOp>> all_ops_;
  std::vector<WarpOp*> ops_;
  std::vector<Thread*> turns_;
  const std::vector<Block*>* grid_ = nullptr;
  unsigned grid_waiting_ = 0, grid_live_ = 0, grid_barriers_ = 0;
  unsigned char grid_tags_[2] = {}, start_tag_ = 0, end_tag_ = 0;
  void (*call_)(void*) = nullptr;
  void* argument_ = nullptr;
  std::string error_;
  std::minstd_rand random_;
};

/// Ends the kernel with a sentence, as printf has it.
[[noreturn]]
#if defined(__GNUC__)
__attribute__((format(printf, 1, 2)))
#endif
inline void
die(const char* format, ...) {
  char text[400];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  Scheduler::own().die(text);
}

}  // namespace ebb::gpu::emulator
