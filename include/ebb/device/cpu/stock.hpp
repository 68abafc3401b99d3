/// \file
/// Small blocks that a thread keeps to itself, in front of the pool that all threads share.
#pragma once

#include <ebb/device/pool.hpp>

namespace ebb::inline EBB_ABI::kernel {

/// A thread's own stock of small blocks. Taking one and putting it there needs neither a lock nor
/// an atomic read-modify-write, which scalar computations would otherwise mostly consist of. A
/// block may be put into another thread's stock than it came from. What exceeds `most_of` goes back
/// to the pool, as does everything when the thread ends.
template <class Source>
class Stock {
  using P = Pool<Source>;

 public:
  static constexpr std::size_t largest = 4096;  ///< bytes of a block
  static constexpr std::uint32_t classes = P::class_of(largest) + 1;

  explicit Stock(P& pool) : pool_(pool) { pool_.enrol(tally_); }
  Stock(const Stock&) = delete;
  Stock& operator=(const Stock&) = delete;
  ~Stock() {
    empty();
    pool_.strike_off(tally_);
  }

  static constexpr bool holds(std::size_t bytes) { return bytes <= largest; }
  static bool holds(const Block* block) { return block->size_class < classes; }

  /// A block of at least `bytes` bytes, at most `largest`, with one user.
  Block* take(std::size_t bytes) {
    const std::uint32_t size_class = P::class_of(bytes);
    Shelf& shelf = shelves_[size_class];
    if (!shelf.first)
      shelf.first = pool_.stock_up(size_class, most_of(size_class) / 4, shelf.count);
    Block* block = shelf.first;
    shelf.first = block->next;
    --shelf.count;
    block->users.store(1, std::memory_order_relaxed);
    tell(static_cast<std::ptrdiff_t>(P::bytes_of(size_class)));
    return block;
  }

  /// Puts a block without users there.
  void give(Block* block) {
    const std::uint32_t size_class = block->size_class;
    Shelf& shelf = shelves_[size_class];
    block->next = shelf.first;
    shelf.first = block;
    tell(-static_cast<std::ptrdiff_t>(P::bytes_of(size_class)));
    if (++shelf.count > most_of(size_class)) halve(shelf);
  }

  /// Puts everything back into the pool.
  void empty() {
    for (Shelf& shelf : shelves_) {
      pool_.put_back(std::exchange(shelf.first, nullptr));
      shelf.count = 0;
    }
  }

  /// Blocks of a class that are kept, at most: 32 KiB of them, and few enough that a thread which
  /// only frees what others take passes them on soon.
  static constexpr int most_of(std::uint32_t size_class) {
    const auto fit = static_cast<int>(std::size_t{32 * 1024} / P::bytes_of(size_class));
    return fit < 128 ? fit : 128;
  }

 private:
  struct Shelf {
    Block* first = nullptr;
    int count = 0;
  };

  void halve(Shelf& shelf) {
    Block* last = shelf.first;  // those used last stay: they are in the cache
    for (int i = 1; i < shelf.count / 2; ++i) last = last->next;
    pool_.put_back(std::exchange(last->next, nullptr));
    shelf.count /= 2;
  }

  void tell(std::ptrdiff_t bytes) {
    const std::ptrdiff_t now = tally_.bytes.load(std::memory_order_relaxed) + bytes;
    tally_.bytes.store(now, std::memory_order_relaxed);
    if (now > noted_ + 32 * 1024) {
      pool_.note_peak();
      noted_ = now;
    }
  }

  P& pool_;
  typename P::Tally tally_;
  std::ptrdiff_t noted_ = 0;  ///< the tally when the peak was last noted
  Shelf shelves_[classes];
};

}  // namespace ebb::kernel
