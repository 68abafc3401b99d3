// Copies of operands in the order in which register tiles read them, and transpositions, for the
// instruction set of kit/product/tile.inl, which includes this file.

/// Lays rows of B out for `packed` dot tiles: panel after panel of `columns` rows; rows that hang
/// over the edge repeat the last.
template <class T, int columns>
EBB_TILE_TARGET void pack_rows(Index n, Index depth, const T* b, Index b_row, T* panels) {
  typedef T Vector __attribute__((vector_size(EBB_TILE_BYTES)));
  constexpr Index lanes = EBB_TILE_BYTES / static_cast<Index>(sizeof(T));
  const Index room = divide_up(depth, lanes) * lanes;
  for (Index j = 0; j < n; j += columns, panels += columns * room)
    for (int l = 0; l < columns; ++l) {
      const T* row = b + (j + l < n ? j + l : n - 1) * b_row;
      T* to = panels + l * lanes;
      Index k = 0;
      for (; k + lanes <= depth; k += lanes, to += columns * lanes) {
        Vector v;
        __builtin_memcpy(&v, row + k, sizeof v);
        __builtin_memcpy(to, &v, sizeof v);
      }
      for (; k < depth; ++k) *to++ = row[k];
    }
}

/// Copies `depth` rows of `columns` elements, `row` apart, into panels of whole registers, `width`
/// elements wide and `stride` apart, zero where a panel hangs over the edge. Row after row, because
/// each may lie on a page of its own.
template <class T>
EBB_TILE_TARGET void copy_panels(Index depth, Index columns, const T* b, Index row, Index width,
                                 Index stride, T* panels) {
  typedef T Vector __attribute__((vector_size(EBB_TILE_BYTES)));
  constexpr Index lanes = EBB_TILE_BYTES / static_cast<Index>(sizeof(T));
  const Index whole = columns / width * width;
  for (Index k = 0; k < depth; ++k, b += row, panels += width) {
    T* to = panels;
    const T* from = b;
    for (; from < b + whole; from += width, to += stride)
      for (Index l = 0; l < width; l += lanes) {
        Vector v;
        __builtin_memcpy(&v, from + l, sizeof v);
        __builtin_memcpy(to + l, &v, sizeof v);
      }
    if (whole == columns) continue;
    for (Index l = 0; l < width; ++l) to[l] = whole + l < columns ? from[l] : T(0);
  }
}

/// Transposes a square of registers: in each step, neighbouring blocks of `half` lanes change
/// places with those of the register `half` further on.
template <class T, int half, int... lane>
EBB_TILE_TARGET inline __attribute__((always_inline)) void transpose_step(
    void* square, std::integer_sequence<int, lane...>) {
  constexpr int lanes = sizeof...(lane);
  typedef T Vector __attribute__((vector_size(EBB_TILE_BYTES)));
  Vector* v = static_cast<Vector*>(square);
#pragma GCC unroll 16
  for (int i = 0; i < lanes; ++i) {
    if (i & half) continue;
    const Vector a = v[i], b = v[i + half];
#if defined(__CUDACC__)  // which loses the pack on its way to the host's compiler
    for (int l = 0; l < lanes; ++l) {
      v[i][l] = (l & half) ? b[l - half] : a[l];
      v[i + half][l] = (l & half) ? b[l] : a[l + half];
    }
#else
    v[i] = EBB_SHUFFLE(a, b, ((lane & half) ? lanes + lane - half : lane)...);
    v[i + half] = EBB_SHUFFLE(a, b, ((lane & half) ? lanes + lane : lane + half)...);
#endif
  }
}
template <class T>
EBB_TILE_TARGET inline __attribute__((always_inline)) void transpose_square(void* square) {
  constexpr int lanes = EBB_TILE_BYTES / static_cast<int>(sizeof(T));
  constexpr auto all = std::make_integer_sequence<int, lanes>{};
  if constexpr (lanes > 8) transpose_step<T, 8 % lanes>(square, all);
  if constexpr (lanes > 4) transpose_step<T, 4 % lanes>(square, all);
  if constexpr (lanes > 2) transpose_step<T, 2 % lanes>(square, all);
  transpose_step<T, 1>(square, all);
}

/// to[p][c] = y[c][p], with zeros up to a whole register of channels.
template <class T>
EBB_TILE_TARGET void from_planes(const T* y, Index y_stride, Index pixels, Index channels, T* to,
                                 Index stride) {
  typedef T Vector __attribute__((vector_size(EBB_TILE_BYTES)));
  constexpr int lanes = EBB_TILE_BYTES / static_cast<int>(sizeof(T));
  for (Index c = 0; c < channels; c += lanes) {
    const int live = static_cast<int>(channels - c < lanes ? channels - c : lanes);
    Index p = 0;
    // (Of a rest of pixels, some twice rather than all one by one, which only two are quicker.)
    while (p + lanes <= pixels || (lanes <= pixels && pixels - p > 2)) {
      if (p + lanes > pixels) p = pixels - lanes;
      Vector square[array_size(lanes)];
#pragma GCC unroll 16
      for (int l = 0; l < lanes; ++l) {
        square[l] = Vector{};
        if (l < live) __builtin_memcpy(&square[l], y + (c + l) * y_stride + p, sizeof(Vector));
      }
      transpose_square<T>(square);
#pragma GCC unroll 16
      for (int l = 0; l < lanes; ++l)
        __builtin_memcpy(to + (p + l) * stride + c, &square[l], sizeof(Vector));
      p += lanes;
    }
    for (; p < pixels; ++p)
      for (int l = 0; l < lanes; ++l)
        to[p * stride + c + l] = l < live ? y[(c + l) * y_stride + p] : T(0);
  }
}
