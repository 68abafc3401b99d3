// The register tile and the transpositions of the convolutions whose vectors run along channels.
// ops/convolution/conv2d/cpu/channels.hpp includes this file once per instruction set, in a
// namespace of its own, with
//   EBB_CHANNELS_TARGET   the function attribute that turns the instruction set on,
//   EBB_CHANNELS_BYTES    the width of its registers,
//   EBB_CHANNELS_ROWS     rows of a tile two registers wide; tiles of 4 rows come beside it for
//   what
//                         remains, and tiles of 8 and 4 rows where one register is wide enough.
// As in kit/product/tile.inl, loops are unrolled whole and nothing is left to helpers that could
// not hold the vectors.

/// `rows` x (`vectors` registers) of sums c[r][:] (+)= sum over k of a[r][k] b[k][:], where k runs
/// over an outer range, by strides, and an inner one, by tables of offsets. The bias is one of the
/// row. The same again for `repeat` tiles side by side. The inner range is a multiple of `unroll`.
template <class T, int rows, int vectors, int unroll>
EBB_CHANNELS_TARGET void channel_tile(const ChannelSum& sum, const T* const* a, const T* b,
                                      T* const* c, const InRegisters<T>& end, Index repeat) {
#if defined(__clang__) && EBB_CHANNELS_BYTES > 16
#  pragma clang fp contract(fast)
#endif
  typedef T Vector __attribute__((vector_size(EBB_CHANNELS_BYTES)));
  constexpr int lanes = EBB_CHANNELS_BYTES / static_cast<int>(sizeof(T));
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
          for (int j = 0; j < vectors; ++j)
            __builtin_memcpy(&right[j], from + j * lanes, sizeof(Vector));
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
      for (int j = 0; j < vectors; ++j)
        __builtin_memcpy(c[i] + p + j * lanes, &total[i][j], sizeof(Vector));
  }
}

/// y[c][p] (+)= sums[p][c] + bias[c], or the larger of that and zero.
template <class T>
EBB_CHANNELS_TARGET void to_planes(const T* sums, Index stride, Index pixels, Index channels, T* y,
                                   Index y_stride, const InRegisters<T>& end) {
  typedef T Vector __attribute__((vector_size(EBB_CHANNELS_BYTES)));
  constexpr int lanes = EBB_CHANNELS_BYTES / static_cast<int>(sizeof(T));
  for (Index c = 0; c < channels; c += lanes) {
    const int live = static_cast<int>(channels - c < lanes ? channels - c : lanes);
    T bias[array_size(lanes)] = {};
    for (int l = 0; l < live && end.bias; ++l) bias[l] = end.bias[c + l];
    Index p = 0;
    for (; p + lanes <= pixels; p += lanes) {
      Vector square[array_size(lanes)];
#pragma GCC unroll 16
      for (int l = 0; l < lanes; ++l)
        __builtin_memcpy(&square[l], sums + (p + l) * stride + c, sizeof(Vector));
      transpose_square<T>(square);
#pragma GCC unroll 16
      for (int l = 0; l < lanes; ++l) {
        if (l >= live) break;
        T* to = y + (c + l) * y_stride + p;
        Vector v = square[l] + bias[l];
        finish<T>(end, to, &v);
        __builtin_memcpy(to, &v, sizeof v);
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
  ChannelTiles<T> t;
  t.lanes = EBB_CHANNELS_BYTES / static_cast<int>(sizeof(T));
  t.slim[0] = {8, &channel_tile<T, 8, 1, 1>, &channel_tile<T, 8, 1, 9>};
  t.slim[1] = {4, &channel_tile<T, 4, 1, 1>, &channel_tile<T, 4, 1, 9>};
  t.wide[0] = {EBB_CHANNELS_ROWS, &channel_tile<T, EBB_CHANNELS_ROWS, 2, 1>,
               &channel_tile<T, EBB_CHANNELS_ROWS, 2, 9>};
  t.wide[1] = {4, &channel_tile<T, 4, 2, 1>, &channel_tile<T, 4, 2, 9>};
  t.to_planes = &to_planes<T>;
  t.from_planes = &from_planes<T>;
  return t;
}

#undef EBB_CHANNELS_TARGET
#undef EBB_CHANNELS_BYTES
#undef EBB_CHANNELS_ROWS
