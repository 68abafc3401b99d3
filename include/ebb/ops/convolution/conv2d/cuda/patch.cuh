/// \file
/// Convolution of stride 1 from a patch of the images that lies in shared memory. All taps of the
/// kernel read the same patch, so a block fetches each element once. (A product that gathers its
/// operands, products.cuh, fetches it once for every tap.)
///
/// The images are laid end to end in a *frame*. In it every row begins with a margin of zeros, and
/// every image with rows of zeros. These serve as padding for both sides, because the right edge of
/// one row is followed by the margin of the next. The cells of the frame are numbered along it, and
/// the results are numbered by positions in rows of the same length, the `pitch`. The result at
/// position q sees, by tap (i, j), the cell q + i pitch + j plus a constant. So a tap is an offset.
/// A block takes a run of positions, whatever the size of the images and however many they are, and
/// its patch is a run of cells. Positions in margins are summed up like the others, and not stored.
#pragma once

#include <ebb/ops/convolution/conv2d/cuda/gather.cuh>
#include <ebb/ops/convolution/conv2d/cuda/patch_engines.cuh>

namespace ebb::inline EBB_ABI::kernel::detail {

/// Where a cell, or four of them, are copied from in a channel, or that they are zeros.
struct alignas(8) PatchPlace {
  int offset, there;
};

/// The images that a patch is taken of.
struct PatchImages {
  const float* data;
  int images, channels, height, width;
  int left, top;            ///< zeros before a row, and rows of them before an image
  int first_row;            ///< what the first tap of position 0 sees, in rows of the frame
  DivMod<int> pitch, rows;  ///< cells of a row, rows of an image, with what is before them
  int cells, cells_apart;   ///< of a patch, and from one of its channels to the next
  bool packed;              ///< four cells are neighbours in memory, and aligned, or four zeros

  EBB_DEVICE int area() const { return height * width; }
  /// Notes the places of a patch that begins at `first`: of each cell, or of each four.
  EBB_DEVICE void note_places(int first, PatchPlace* to) const {
    const int pack = packed ? 4 : 1;
    for (int i = static_cast<int>(threadIdx.x); i * pack < cells; i += static_cast<int>(blockDim.x))
      to[i] = place(first + i * pack);
  }

 private:
  EBB_DEVICE PatchPlace place(int cell) const {
    const int column = pitch.take(cell) - left;
    cell += first_row;
    const int row = rows.take(cell) - top;
    const bool there = column >= 0 && column < width && row >= 0 && row < height && cell < images;
    return {there ? cell * channels * area() + row * width + column : 0, there};
  }
};

/// The weight, of rows that are contiguous: all taps of some channels. As it is stored for the
/// forward pass, a row is a channel of the result and holds the channels that are summed over; for
/// the input gradient, the other way round.
struct PatchWeight {
  const float* data;
  int summed, results;  ///< channels
  bool packed;          ///< rows may be copied sixteen bytes at a time
};

/// Where results go.
struct PatchStore {
  float* data;
  Epilogue<float> end;
  int height, width, channels;
  DivMod<int> pitch, rows;  ///< of the frame
  int positions;            ///< of all images
  bool packed;  ///< four positions are neighbours in memory, and aligned, or none of them is stored

  EBB_DEVICE int area() const { return height * width; }
  /// Where the result of a channel at a position goes; null where it is of a margin.
  EBB_DEVICE float* find(int channel, int position) const {
    int image = position;
    const int column = pitch.take(image), row = rows.take(image);
    if (position >= positions || row >= height || column >= width) return nullptr;
    return data + ((image * channels + channel) * area() + row * width + column);
  }
  /// Sums that began with their bias.
  template <int V>
  EBB_DEVICE void put(float* to, gpu::Pack<float, V> pack) const {
    const auto at = to - data;
    EBB_UNROLL
    for (int v = 0; v < V; ++v) pack[v] = end.finish(pack[v], at + v);
    gpu::store_pack<V>(to, pack);
  }
};

struct PatchProblem {
  PatchImages x;
  PatchWeight w;
  PatchStore y;
  int first_column;    ///< what tap (0, 0) of position 0 sees, in cells
  DivMod<int> across;  ///< tiles of channels
};

/// What a block keeps in shared memory: a slice of the channels as it arrives, and as words that
/// the engine multiplies. While it does, the next slice is on its way.
template <class Engine>
struct PatchMemory {
  static std::size_t bytes(int cells_apart) {
    return sizeof(float) * static_cast<std::size_t>(Engine::arriving + Engine::weight_words +
                                                    (Engine::slice + Engine::depth) * cells_apart +
                                                    2 * cells_apart);
  }

  float *w, *x;  ///< as they arrive
  typename Engine::Word *weight_word, *image_word;
  PatchPlace* place;  ///< of the patch's cells

  EBB_DEVICE PatchMemory(float* memory, int cells_apart)
      : w(memory),
        x(w + Engine::arriving),
        weight_word(reinterpret_cast<typename Engine::Word*>(x + Engine::slice * cells_apart)),
        image_word(weight_word + Engine::weight_words),
        place(reinterpret_cast<PatchPlace*>(image_word + Engine::depth * cells_apart)) {}
};

/// Begins to copy `Channels` channels of a patch: each group of `abreast` threads takes one of
/// them.
template <int Channels, int Threads, int V>
EBB_DEVICE void copy_cells(const PatchImages& from, const PatchPlace* place, int channel,
                           float* to) {
  constexpr int abreast = V == 4 ? 16 : 32;
  const int t = static_cast<int>(threadIdx.x), lane = t % abreast;
  EBB_UNROLL
  for (int c = t / abreast; c < Channels; c += Threads / abreast) {
    const bool there = channel + c < from.channels;
    const float* const plane =
        from.data + (there ? static_cast<Index>(channel + c) * from.area() : 0);
    float* const row = to + c * from.cells_apart;
    const unsigned packs = static_cast<unsigned>(from.cells / V);
    for (unsigned p = static_cast<unsigned>(lane); p < packs; p += abreast) {
      const PatchPlace at = place[p];
      gpu::cp_async_or_zeros<4 * V>(row + p * V, plane + at.offset, there && at.there != 0);
    }
  }
}
template <int Channels, int Threads>
EBB_DEVICE void copy_patch(const PatchImages& from, const PatchPlace* place, int channel,
                           float* to) {
  if (from.packed)
    copy_cells<Channels, Threads, 4>(from, place, channel, to);
  else
    copy_cells<Channels, Threads, 1>(from, place, channel, to);
}

/// Begins to copy the weights between a slice of the channels and the results from `first` on. Some
/// threads share a row, whose elements are at fixed distances from each of them.
template <class Engine, int V>
EBB_DEVICE void copy_weights(const PatchWeight& from, int channel, int first, float* to) {
  constexpr int area = Engine::area, row = Engine::weight_row;
  constexpr int abreast = Engine::threads / (Engine::turned ? Engine::slice : Engine::m);
  const int row_channels = Engine::turned ? from.results : from.summed;
  const int top = Engine::turned ? channel : first, left = Engine::turned ? first : channel;
  const int t = static_cast<int>(threadIdx.x), r = t / abreast, lane = t % abreast * V;
  const bool there = top + r < (Engine::turned ? from.summed : from.results);
  const int width = there ? (row_channels - left) * area : 0;
  const float* const begin =
      from.data + ((there ? static_cast<Index>(top + r) * row_channels + left : 0) * area + lane);
  float* const into = to + (r * row + lane);
  EBB_UNROLL_BY(6)
  for (int e = 0; e < row - lane; e += abreast * V)
    gpu::cp_async_or_zeros<4 * V>(into + e, begin + e, e + lane < width);
}

/// Rounds a patch to `Rows` rows of words, of `Pairs` channels each, four cells at a time.
template <class Engine, int Rows, int Pairs>
EBB_DEVICE void patch_words(int cells, int apart, const float* from, typename Engine::Word* to) {
  constexpr int abreast = 16;
  const int t = static_cast<int>(threadIdx.x), lane = t % abreast;
  EBB_UNROLL
  for (int row = t / abreast; row < Rows; row += Engine::threads / abreast)
    for (int cell = lane * 4; cell < cells; cell += abreast * 4) {
      const float* const low = from + (row * Pairs * apart + cell);
      const auto first = gpu::load_pack<4>(low);
      const auto second = gpu::load_pack<4>(low + (Pairs - 1) * apart);
      gpu::Pack<typename Engine::Word, 4> words;
      EBB_UNROLL
      for (int v = 0; v < 4; ++v) words[v] = Engine::word(first[v], second[v]);
      gpu::store_pack<4>(to + (row * apart + cell), words);
    }
}

template <class Engine>
EBB_KERNEL EBB_BOUNDS(Engine::threads, Engine::resident) patch_kernel(PatchProblem problem) {
  EBB_DYNAMIC_SHARED(float, dynamic);
  const PatchImages& x = problem.x;
  const PatchMemory<Engine> memory(dynamic, x.cells_apart);
  int tile = static_cast<int>(blockIdx.x);
  const int channel = problem.across.take(tile) * Engine::m, position = tile * Engine::n;

  x.note_places(position, memory.place);
  __syncthreads();
  const auto begin = [&](int slice) {
    copy_patch<Engine::slice, Engine::threads>(x, memory.place, slice, memory.x);
    if (problem.w.packed)
      copy_weights<Engine, 4>(problem.w, slice, channel, memory.w);
    else
      copy_weights<Engine, 1>(problem.w, slice, channel, memory.w);
    gpu::cp_async_commit();
  };

  begin(0);
  const int results = problem.w.results - channel;
  Engine engine;
  engine.start([&](int c) { return c < results ? problem.y.end.shift(channel + c) : 0.0f; });
  for (int slice = 0; slice < x.channels; slice += Engine::slice) {
    gpu::cp_async_wait<0>();
    __syncthreads();  // the slice is there, and nobody needs the words of the one before
    patch_words<Engine, Engine::depth, Engine::pairs>(x.cells, x.cells_apart, memory.x,
                                                      memory.image_word);
    Engine::weights(memory.w, memory.weight_word);
    __syncthreads();
    if (slice + Engine::slice < x.channels) begin(slice + Engine::slice);
    engine.multiply_patch(memory.weight_word, memory.image_word + problem.first_column,
                          x.cells_apart, x.pitch.by());
  }
  const PatchStore& y = problem.y;
  engine.each_position([&](int q, const auto& each_channel) {
    const auto put_at = [&](float* to, const auto& part) {
      if (to != nullptr)
        each_channel([&](int c, const auto& pack) {
          if (c < results) y.put(to + c * y.area(), part(pack));
        });
    };
    if (y.packed)
      return put_at(y.find(channel, position + q), [](const auto& pack) { return pack; });
    EBB_UNROLL
    for (int v = 0; v < Engine::wide; ++v)
      put_at(y.find(channel, position + q + v),
             [&](const auto& pack) { return gpu::Pack<float, 1>{{pack[v]}}; });
  });
}

}  // namespace ebb::kernel::detail
