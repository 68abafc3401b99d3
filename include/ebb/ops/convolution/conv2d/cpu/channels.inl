// The register tile and the transpositions of the convolutions whose vectors run along channels,
// for one instruction set (channel_tiles.hpp, device/simd/per_isa.inl). As in kit/product/tile.inl,
// loops are unrolled whole, so that sums live in registers.

/// `rows` x (`vectors` registers) of sums c[r][:] (+)= sum over k of a[r][k] b[k][:], where k runs
/// over an outer range, by strides, and an inner one, by tables of offsets. The bias is one of the
/// row. The same again for `repeat` tiles side by side. The inner range is a multiple of `unroll`.
template <class T, int rows, int vectors, int unroll>
EBB_ISA_TARGET void channel_tile(const ChannelSum& sum, const T* const* a, const T* b, T* const* c,
                                 const InRegisters<T>& end, Index repeat) {
#if defined(__clang__) && EBB_ISA_BYTES > 16
#  pragma clang fp contract(fast)
#endif
  using Vector = Vec<T>;
  constexpr int lanes = lanes_of<T>;
  const T* row[array_size(rows)];
#pragma GCC unroll 16
  for (int i = 0; i < rows; ++i) row[i] = a[i];
  const Index inner = sum.inner;
  const Index *const a_offset = sum.a_offset, *const b_offset = sum.b_offset;

  for (Index p = 0; p < repeat * vectors * lanes; p += vectors * lanes) {
    Vector total[array_size(rows)][array_size(vectors)];
#pragma GCC unroll 16
    for (int i = 0; i < rows; ++i)
#pragma GCC unroll 4
      for (int j = 0; j < vectors; ++j) total[i][j] = Vector{};

    Index a_at = 0;
    const T* right_at = b + p;
    for (Index o = sum.outer; o > 0; --o, a_at += sum.a_outer, right_at += sum.b_outer)
      for (Index k0 = 0; k0 < inner; k0 += unroll)
#pragma GCC unroll 16
        for (int step = 0; step < unroll; ++step) {
          const Index k = k0 + step;
          const T* from = right_at + b_offset[k];
          const Index at = a_at + a_offset[k];
          Vector right[array_size(vectors)];
#pragma GCC unroll 4
          for (int j = 0; j < vectors; ++j) load(from + j * lanes, right[j]);
#pragma GCC unroll 16
          for (int i = 0; i < rows; ++i) {
            const Vector left = row[i][at] - Vector{};
#pragma GCC unroll 4
            for (int j = 0; j < vectors; ++j) total[i][j] += left * right[j];
          }
        }

    if (end.bias) {
#pragma GCC unroll 16
      for (int i = 0; i < rows; ++i)
#pragma GCC unroll 4
        for (int j = 0; j < vectors; ++j) total[i][j] += end.bias[i] - Vector{};
    }
    if (end.add || end.relu) {  // asked once a tile: a short sum is not much longer than this
#pragma GCC unroll 16
      for (int i = 0; i < rows; ++i)
#pragma GCC unroll 4
        for (int j = 0; j < vectors; ++j) finish<T>(end, c[i] + p + j * lanes, &total[i][j]);
    }
#pragma GCC unroll 16
    for (int i = 0; i < rows; ++i)
#pragma GCC unroll 4
      for (int j = 0; j < vectors; ++j) store(total[i][j], c[i] + p + j * lanes);
  }
}

/// y[c][p] (+)= sums[p][c] + bias[c], or the larger of that and zero.
template <class T>
EBB_ISA_TARGET void to_planes(const T* sums, Index stride, Index pixels, Index channels, T* y,
                              Index y_stride, const InRegisters<T>& end) {
  using Vector = Vec<T>;
  constexpr int lanes = lanes_of<T>;
  for (Index c = 0; c < channels; c += lanes) {
    const int live = static_cast<int>(channels - c < lanes ? channels - c : lanes);
    T bias[array_size(lanes)] = {};
    for (int l = 0; l < live && end.bias; ++l) bias[l] = end.bias[c + l];
    Index p = 0;
    for (; p + lanes <= pixels; p += lanes) {
      Vector square[array_size(lanes)];
#pragma GCC unroll 16
      for (int l = 0; l < lanes; ++l) load(sums + (p + l) * stride + c, square[l]);
      transpose_square<T>(square);
#pragma GCC unroll 16
      for (int l = 0; l < lanes; ++l) {
        if (l >= live) break;
        T* to = y + (c + l) * y_stride + p;
        Vector v = square[l] + bias[l];
        finish<T>(end, to, &v);
        store(v, to);
      }
    }
    for (; p < pixels; ++p)
      for (int l = 0; l < live; ++l) {
        T* to = y + (c + l) * y_stride + p;
        *to = end.finish(sums[p * stride + c + l] + bias[l], to);
      }
  }
}

/// This instruction set's functions, as values.
template <class T>
ChannelTiles<T> channel_tiles() {
  // Rows of a tile two registers wide, as many as there are registers for; tiles of 4 rows come
  // beside it for what remains, and tiles of 8 and 4 rows where one register is wide enough.
  constexpr int rows = EBB_ISA_BYTES == 64 ? 8 : EBB_ISA_BYTES == 32 ? 6 : 4;
  ChannelTiles<T> t;
  t.lanes = lanes_of<T>;
  t.slim[0] = {8, &channel_tile<T, 8, 1, 1>, &channel_tile<T, 8, 1, 9>};
  t.slim[1] = {4, &channel_tile<T, 4, 1, 1>, &channel_tile<T, 4, 1, 9>};
  t.wide[0] = {rows, &channel_tile<T, rows, 2, 1>, &channel_tile<T, rows, 2, 9>};
  t.wide[1] = {4, &channel_tile<T, 4, 2, 1>, &channel_tile<T, 4, 2, 9>};
  t.to_planes = &to_planes<T>;
  t.from_planes = &from_planes<T>;
  return t;
}
