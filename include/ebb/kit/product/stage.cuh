/// \file
/// How a block brings its part of an operand from global memory to shared memory.
///
/// A product sums over *steps*; its left operand has a *line* for each row of the result, its right
/// operand one for each column. In shared memory the lines of a step lie side by side, so that
/// threads read what they multiply sixteen bytes at a time, or as the fragments of `mma.sync`.
#pragma once

#include <ebb/device/gpu/pack.cuh>

#include <type_traits>

namespace ebb::inline EBB_ABI::kernel::detail {

/// Quotient and remainder by a number that all threads share, for signed indices that are not
/// negative.
template <class I>
class DivMod {
  using Bare = std::conditional_t<sizeof(I) == 4, unsigned, Index>;

 public:
  explicit DivMod(Index by) : divisor_(by < 1 ? 1 : by) {}
  EBB_DEVICE I by() const { return static_cast<I>(divisor_.by); }
  /// n becomes n / by; returns the remainder.
  EBB_DEVICE I take(I& n) const {
    const I quotient = static_cast<I>(divisor_.quotient(static_cast<Bare>(n)));
    const I rest = n - quotient * by();
    n = quotient;
    return rest;
  }

 private:
  gpu::Divisor<Bare> divisor_;
};

template <class I>
struct MaybeOffset {
  I offset;
  bool there;
};

/// V elements where both a line and a step are, and zeros elsewhere.
template <int V, class T, class I>
EBB_DEVICE gpu::Pack<T, V> load_or_zero(const T* data, I line, MaybeOffset<I> step) {
  if (line >= 0 && step.there) return gpu::load_pack<V>(data + (line + step.offset));
  return gpu::Pack<T, V>{};
}

/// Where an element is, or null.
template <class T, class I>
EBB_DEVICE const T* find_or_null(const T* data, I line, MaybeOffset<I> step) {
  return line >= 0 && step.there ? data + (line + step.offset) : nullptr;
}

/// A matrix as an operand: the element of a line and a step lies at the sum of two offsets. V
/// neighbours are loaded by one instruction: along lines (`Along`) or along steps.
template <class T, class I, bool Along, int V>
struct MatrixOperand {
  static constexpr bool along_lines = Along;
  static constexpr int pack = V;
  using Scalar = T;
  using Line = I;  ///< an offset; negative where there is no such line
  using Step = MaybeOffset<I>;

  const T* data;
  I line_apart, step_apart;

  EBB_DEVICE Line line(I index, bool there) const { return there ? index * line_apart : -1; }
  EBB_DEVICE Step step(I index, bool there) const { return {index * step_apart, there}; }
  EBB_DEVICE gpu::Pack<T, V> load(Line line, Step step) const {
    return load_or_zero<V>(data, line, step);
  }
  EBB_DEVICE const T* find(Line line, Step step) const { return find_or_null(data, line, step); }
};

/// What one thread carries: some lines times some steps of a tile of `Lines` x `Steps`, loaded into
/// registers while the block still multiplies the tile before, then stored to shared memory.
/// `Pairs` neighbouring steps share a word of shared memory.
template <class Operand, int Lines, int Steps, int Threads, int Pairs>
class Stage {
  static constexpr bool along = Operand::along_lines;
  static constexpr int pack = Operand::pack;
  // A thread's smallest piece: lines x steps. Packs run along one of the two.
  static constexpr int piece_lines = along ? pack : 1;
  static constexpr int piece_steps = along ? Pairs : (pack > Pairs ? pack : Pairs);
  static constexpr int packs = along ? Pairs : piece_steps / pack;
  // Threads stand side by side along the direction in which memory runs.
  static constexpr int whole = along ? Lines / piece_lines : Steps / piece_steps;
  static constexpr int abreast = whole < 32 ? whole : 32, deep = Threads / abreast;
  static constexpr int threads_on_lines = along ? abreast : deep;
  static constexpr int threads_on_steps = along ? deep : abreast;
  static constexpr int line_pieces = Lines / (piece_lines * threads_on_lines);
  static constexpr int step_pieces = Steps / (piece_steps * threads_on_steps);
  static_assert(line_pieces * piece_lines * threads_on_lines == Lines);
  static_assert(step_pieces * piece_steps * threads_on_steps == Steps);

  using Scalar = typename Operand::Scalar;

 public:
  /// What it keeps in registers.
  static constexpr int registers =
      line_pieces * (static_cast<int>(sizeof(typename Operand::Line)) / 4 +
                     step_pieces * packs * pack * static_cast<int>(sizeof(Scalar)) / 4);

  /// For the lines from `first` on, of which there are `lines`.
  template <class I>
  EBB_DEVICE Stage(const Operand& operand, I first, I lines) {
    const int t = static_cast<int>(threadIdx.x), near = t % abreast, far = t / abreast;
    line_ = (along ? near : far) * piece_lines;
    step_ = (along ? far : near) * piece_steps;
    EBB_UNROLL
    for (int l = 0; l < line_pieces; ++l) {
      const auto index = first + (line_ + l * piece_lines * threads_on_lines);
      place_[l] = operand.line(index, index < lines);
    }
  }

  /// Loads the steps from `first` on, up to `end`; zeros beyond. (g++ 12 miscompiles these loops
  /// when that over pieces of lines is the innermost: -fno-ivopts, clang and UBSan agree on it.)
  template <class I>
  EBB_DEVICE void fetch(const Operand& operand, I first, I end) {
    const I left = end - first;
    EBB_UNROLL
    for (int s = 0; s < step_pieces; ++s) {
      typename Operand::Step step[packs];
      EBB_UNROLL
      for (int p = 0; p < packs; ++p) {
        const I ahead = step_ + s * piece_steps * threads_on_steps + p * (along ? 1 : pack);
        step[p] = operand.step(first + ahead, ahead < left);
      }
      EBB_UNROLL
      for (int l = 0; l < line_pieces; ++l) {
        EBB_UNROLL
        for (int p = 0; p < packs; ++p) {
          const gpu::Pack<Scalar, pack> got = operand.load(place_[l], step[p]);
          EBB_UNROLL
          for (int v = 0; v < pack; ++v) value_[l][s][p * pack + v] = got[v];
        }
      }
    }
  }

  /// Stores what was loaded, as the words that `Engine` multiplies.
  template <class Engine, int Width>
  EBB_DEVICE void store(typename Engine::Word* to) const {
    using Word = typename Engine::Word;
    EBB_UNROLL
    for (int l = 0; l < line_pieces; ++l) {
      const int line = line_ + l * piece_lines * threads_on_lines;
      EBB_UNROLL
      for (int s = 0; s < step_pieces; ++s) {
        const int row = (step_ + s * piece_steps * threads_on_steps) / Pairs;
        const auto& value = value_[l][s];
        if constexpr (along) {
          gpu::Pack<Word, pack> words;
          EBB_UNROLL
          for (int v = 0; v < pack; ++v)
            words[v] = Engine::word(value[v], value[(Pairs - 1) * pack + v]);
          gpu::store_pack<pack>(to + (row * Width + line), words);
        } else {
          EBB_UNROLL
          for (int q = 0; q < piece_steps / Pairs; ++q)
            to[(row + q) * Width + line] =
                Engine::word(value[q * Pairs], value[q * Pairs + Pairs - 1]);
        }
      }
    }
  }

 private:
  int line_, step_;
  typename Operand::Line place_[line_pieces];
  Scalar value_[line_pieces][step_pieces][packs * pack];
};

}  // namespace ebb::kernel::detail
