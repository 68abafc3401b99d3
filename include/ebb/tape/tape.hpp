/// \file
/// The record of one forward pass. Each differentiable operation leaves a node with its pullback;
/// `backward` (tape/backward.hpp) runs them newest first (reverse-mode accumulation: Griewank &
/// Walther, "Evaluating Derivatives", 2nd ed., SIAM 2008, chapter 3).
#pragma once

#include <ebb/core/error.hpp>
#include <ebb/core/random.hpp>
#include <ebb/tape/life.hpp>
#include <ebb/tensor/storage.hpp>

#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ebb::inline EBB_ABI {

template <class Tens>
class Var;
template <class Tens>
class Param;

/// Whether `backward` keeps what the pullbacks saved, so that it can run again.
enum class Retain { no, yes };

/// How an operation names itself on the tape.
struct Op {
  const char* name;     ///< a literal: variables and parameters remember it
  Index macs = 0;       ///< multiply-adds of the forward pass, for summaries
  bool learns = false;  ///< has parameters that are not among its operands

  Op(const char* op_name, Index multiply_adds = 0) : name(op_name), macs(multiply_adds) {}
};

/// An operation of a layer: data first, then the layer's weights, which may be parameters where the
/// data is a plain tensor (inference). Of any other operation they may not: see `track`.
struct LayerOp : Op {
  explicit LayerOp(const char* op_name, Index multiply_adds = 0) : Op(op_name, multiply_adds) {}
};

/// One line of a printed tape.
struct NodeInfo {
  std::string op;
  std::string label;        ///< the layer whose parameters it used, where they have names
  std::string shape;        ///< of the output
  std::vector<int> inputs;  ///< positions of the nodes it read, in recording order
  Index size = 0;           ///< elements of the output
  std::size_t bytes = 0;    ///< of the output
  Index macs = 0;
  bool released = false;  ///< a backward pass has freed what it saved
};

struct TapeOptions {
  bool check_finite = false;  ///< throw NumericError at the first operation that yields nan or inf
  bool keep_gradients = false;  ///< keep every intermediate gradient after backward, to look at
  bool evaluate = false;        ///< layers evaluate, whatever their mode
};

/// The record of one forward pass, made fresh for each step:
///
///     ebb::Tape tape;
///     auto loss = ebb::cross_entropy(net(tape.input(images)), labels);
///     ebb::backward(loss);
///
/// Nodes and the pullbacks' captures live in an arena of pooled blocks, so a tape per step costs
/// no heap allocation after the first. A tape serves one thread at a time, and stays where it is:
/// it is neither copied nor moved. Of a `Var` made on it, the value alone can be used after it is
/// cleared or destroyed; the rest throws, and says where the tape ended.
class Tape {
 public:
  using Options = TapeOptions;

  explicit Tape(detail::SourcePlace made = detail::SourcePlace::here())
      : life_(&detail::begin_life(made)) {}
  explicit Tape(Options options, detail::SourcePlace made = detail::SourcePlace::here())
      : options_(options), life_(&detail::begin_life(made)) {}
  Tape(const Tape&) = delete;
  Tape& operator=(const Tape&) = delete;
  ~Tape() {
    forget();
    detail::end_life(*life_);
  }

  /// A constant on this tape: operations on it are recorded where a parameter takes part, but no
  /// gradient flows into it, and a first layer never computes one.
  template <class Tens>
  Var<Tens> input(Tens x);

  /// A variable whose gradient is wanted: read it with `x.grad()` after `backward`.
  template <class Tens>
  Var<Tens> watch(Tens x);

  /// A parameter as a variable, for functions of parameters alone. Where the code serves plain
  /// tensors as well, `p.on(x)` does it.
  template <class Tens>
  Var<Tens> watch(const Param<Tens>& p);

  /// Forgets everything recorded; `Var`s made before are void.
  void clear(detail::SourcePlace at = detail::SourcePlace::here()) {
    forget();
    detail::end_pass(*life_, at);
  }

  const Options& options() const { return options_; }
  /// Number of recorded nodes.
  int size() const { return count_; }
  /// What is recorded, oldest first.
  std::vector<NodeInfo> nodes() const;
  /// What a `Var` remembers of this tape: whether it is the one of today, and where it ended.
  const detail::Life& life() const { return *life_; }
  /// Whether this tape repeats a forward pass that ran before (gradient checkpointing), so that
  /// side effects such as running statistics must not happen again.
  bool replays() const { return replays_; }
  void set_replays(bool replays) { replays_ = replays; }

  // --- for `track` and `backward` (var.hpp) ---

  /// An entry of the record.
  struct Node {
    Node* previous = nullptr;
    const char* op;
    const char* label = nullptr;
    Index macs = 0;
    const Node* const* inputs = nullptr;
    int input_count = 0;
    int number = 0;  ///< of the nodes before it
    bool released = false;

    explicit Node(const char* name) : op(name) {}
    virtual ~Node() = default;
    /// Passes the gradient on to the operands, if one has arrived, and lets go of it unless it is
    /// to be kept; drops what was saved for that unless it is retained.
    virtual void pull(Retain retain, bool keep_gradient) = 0;
    virtual void forget_gradient() = 0;
    virtual void describe(NodeInfo& info) const = 0;

    /// \throws ValueError when an earlier backward pass freed what this one needs.
    void require_saved() const {
      if (released)
        throw ValueError(message(
            "backward: what '", op,
            "' saved was released by an earlier backward pass; pass "
            "ebb::Retain::yes to every backward but the last, or record a new forward pass"));
    }
  };

  /// Builds a node in the arena and appends it.
  template <class N, class... Args>
  N* push(Args&&... args) {
    N* node = new (bump(sizeof(N), alignof(N))) N(std::forward<Args>(args)...);
    node->previous = last_;
    node->number = count_++;
    last_ = node;
    return node;
  }

  /// A copy of `text` that lives as long as the record.
  const char* keep(std::string_view text) {
    if (text.empty()) return nullptr;
    char* copy = static_cast<char*>(bump(text.size() + 1, 1));
    std::memcpy(copy, text.data(), text.size());
    copy[text.size()] = '\0';
    return copy;
  }

  const Node** keep_inputs(int count) {
    using Entry = const Node*;
    return static_cast<Entry*>(
        bump(sizeof(Entry) * static_cast<std::size_t>(count), alignof(Entry)));
  }

  /// Forgets the intermediate gradients an earlier backward pass left to look at.
  void forget_gradients() {
    if (!options_.keep_gradients) return;
    for (Node* node = last_; node; node = node->previous) node->forget_gradient();
  }

  /// Runs the pullbacks a gradient has reached, newest first. Where one throws, the gradients that
  /// wait on the way are forgotten, so that the next backward pass begins with none; what has
  /// arrived at parameters and watched variables stays there, as in PyTorch.
  void run(Retain retain) {
    try {
      for (Node* node = last_; node; node = node->previous)
        node->pull(retain, options_.keep_gradients);
    } catch (...) {
      for (Node* node = last_; node; node = node->previous) node->forget_gradient();
      throw;
    }
  }

 private:
  static constexpr std::size_t block_bytes = 64 * 1024;

  void forget() {
    while (last_) {
      Node* node = last_;
      last_ = node->previous;
      node->~Node();
    }
    while (blocks_) {
      kernel::Block* block = blocks_;
      blocks_ = block->next;
      Cpu::give(block);
    }
    end_ = cursor_ = nullptr;
    count_ = 0;
  }

  void* bump(std::size_t bytes, std::size_t alignment) {
    auto at = reinterpret_cast<std::uintptr_t>(cursor_);
    at = (at + alignment - 1) & ~(alignment - 1);
    if (cursor_ == nullptr || at + bytes > reinterpret_cast<std::uintptr_t>(end_)) {
      const std::size_t size = bytes > block_bytes ? bytes : block_bytes;
      kernel::Block* block = Cpu::take(size);
      block->next = blocks_;
      blocks_ = block;
      cursor_ = static_cast<std::byte*>(block->data);
      end_ = cursor_ + size;
      at = reinterpret_cast<std::uintptr_t>(cursor_);
    }
    cursor_ = reinterpret_cast<std::byte*>(at + bytes);
    return reinterpret_cast<void*>(at);
  }

  Options options_{};
  Node* last_ = nullptr;
  kernel::Block* blocks_ = nullptr;
  std::byte* cursor_ = nullptr;
  std::byte* end_ = nullptr;
  detail::Life* life_;
  int count_ = 0;
  bool replays_ = false;
};

inline std::vector<NodeInfo> Tape::nodes() const {
  std::vector<NodeInfo> infos(static_cast<std::size_t>(count_));
  for (const Node* node = last_; node; node = node->previous) {
    NodeInfo& info = infos[static_cast<std::size_t>(node->number)];
    info.op = node->op;
    info.label = node->label ? node->label : "";
    info.macs = node->macs;
    info.released = node->released;
    for (int k = 0; k < node->input_count; ++k) info.inputs.push_back(node->inputs[k]->number);
    node->describe(info);
  }
  return infos;
}

}  // namespace ebb
