/// \file
/// Where threads wait for each other: the barrier of a block, and collectives of a warp.
#pragma once

#include <ebb/core/config.hpp>

#include "tests/support/gpu_emulator/scheduler.hpp"

#include <cstring>
#include <type_traits>

namespace ebb::inline EBB_ABI::gpu::emulator {

/// __syncthreads. All threads that have not left the kernel must come to the same line.
inline void block_barrier(const char* file, int line) {
  const Quiet quiet;
  Block& block = *current->block;
  void* const tag = &block.tags[block.barriers % 2];
  release(tag);
  if (block.waiting > 0 && block.barrier_line != line)
    die("divergent __syncthreads: thread %u came to %s:%d, others wait at line %d", current->flat,
        file, line, block.barrier_line);
  block.barrier_line = line;
  if (++block.waiting == block.live) {
    Scheduler::open_barrier(block);
    park(State::ready, file, line);
  } else {
    park(State::at_barrier, file, line);
  }
  acquire(tag);
}

/// Waits until the lanes of `mask` are at this collective, each with `bytes` bytes.
inline WarpOp* meet(unsigned mask, const char* kind, const void* value, std::size_t bytes) {
  Block& block = *current->block;
  const unsigned warp = current->flat / 32, bit = 1u << lane();
  const std::size_t behind = block.threads.size() - std::size_t{warp} * 32;
  if (behind < 32) mask &= (1u << behind) - 1;  // lanes that the block does not have
  if (!(mask & bit)) die("%s: lane %u is not in its own mask %08x", kind, lane(), mask);
  if (mask & block.exited[warp])
    die("%s: mask %08x names exited lanes %08x", kind, mask, mask & block.exited[warp]);

  auto& pending = block.pending[warp];
  WarpOp* op = nullptr;
  for (WarpOp* other : pending) {
    if (!(other->mask & mask)) continue;
    if (other->mask != mask || std::strcmp(other->kind, kind) != 0)
      die("warp divergence: lane %u at %s of mask %08x meets %s of mask %08x", lane(), kind, mask,
          other->kind, other->mask);
    op = other;
  }
  if (!op) {
    op = Scheduler::own().take_op();
    op->mask = op->left = mask;
    op->arrived = 0;
    op->kind = kind;
    pending.push_back(op);
  }
  std::memcpy(op->values[lane()], value, bytes);
  op->arrived |= bit;
  release(op);
  if (op->arrived == mask) {
    std::erase(pending, op);
    for (unsigned i = 0; i < 32; ++i)
      if (i != lane() && (mask >> i & 1)) block.threads[warp * 32 + i].state = State::ready;
  } else {
    park(State::at_warp, kind, 0);
  }
  acquire(op);
  return op;
}

/// A collective: `use(peer)` is called when all lanes of `mask` are there; peer(l) is what lane l
/// brought.
template <class V, class Use>
void warp_collective(unsigned mask, const char* kind, const V& value, Use&& use) {
  static_assert(sizeof(V) <= 32 && std::is_trivially_copyable_v<V>);
  const Quiet quiet;
  WarpOp* const op = meet(mask, kind, &value, sizeof value);
  use([op](unsigned from) {
    V brought;
    std::memcpy(&brought, op->values[from % 32], sizeof brought);
    return brought;
  });
  op->left &= ~(1u << lane());
  if (op->left == 0) Scheduler::own().give_op(op);
}

/// A shuffle: the value that lane `from` brought.
template <class V>
V shuffle(unsigned mask, const char* kind, V value, unsigned from) {
  V result = value;
  warp_collective(mask, kind, value, [&](auto peer) {
    if (!(mask >> from & 1) || current->flat / 32 * 32 + from >= current->block->threads.size())
      die("%s: lane %u reads lane %u, which takes no part", kind, lane(), from);
    result = peer(from);
  });
  return result;
}

/// The lanes of `mask` that vote yes.
inline unsigned ballot(unsigned mask, const char* kind, bool vote) {
  unsigned lanes = 0;
  warp_collective(mask, kind, vote, [&](auto peer) {
    const Block& block = *current->block;
    const std::size_t first = std::size_t{current->flat} / 32 * 32;
    for (unsigned i = 0; i < 32 && first + i < block.threads.size(); ++i)
      if ((mask >> i & 1) && peer(i)) lanes |= 1u << i;
  });
  return lanes;
}

}  // namespace ebb::gpu::emulator
