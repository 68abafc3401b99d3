// Copies of operands in the order in which register tiles read them, and transpositions, for the
// instruction set of kit/product/tile.inl, which includes this file.

/// Lays rows of B out for `packed` dot tiles: panel after panel of `columns` rows; rows that hang
/// over the edge repeat the last.
template <class T, int columns>
EBB_ISA_TARGET void pack_rows(Index n, Index depth, const T* b, Index b_row, T* panels) {
  using Vector = Vec<T>;
  constexpr Index lanes = lanes_of<T>;
  const Index room = divide_up(depth, lanes) * lanes;
  for (Index j = 0; j < n; j += columns, panels += columns * room)
    for (int l = 0; l < columns; ++l) {
      const T* row = b + (j + l < n ? j + l : n - 1) * b_row;
      T* to = panels + l * lanes;
      Index k = 0;
      for (; k + lanes <= depth; k += lanes, to += columns * lanes) {
        Vector v;
        load(row + k, v);
        store(v, to);
      }
      for (; k < depth; ++k) *to++ = row[k];
    }
}

/// Copies `depth` rows of `columns` elements, `row` apart, into panels of whole registers, `width`
/// elements wide and `stride` apart, zero where a panel hangs over the edge. Row after row, because
/// each may lie on a page of its own.
template <class T>
EBB_ISA_TARGET void copy_panels(Index depth, Index columns, const T* b, Index row, Index width,
                                Index stride, T* panels) {
  using Vector = Vec<T>;
  constexpr Index lanes = lanes_of<T>;
  const Index whole = columns / width * width;
  for (Index k = 0; k < depth; ++k, b += row, panels += width) {
    T* to = panels;
    const T* from = b;
    for (; from < b + whole; from += width, to += stride)
      for (Index l = 0; l < width; l += lanes) {
        Vector v;
        load(from + l, v);
        store(v, to + l);
      }
    if (whole == columns) continue;
    for (Index l = 0; l < width; ++l) to[l] = whole + l < columns ? from[l] : T(0);
  }
}

/// to[p][c] = y[c][p], with zeros up to a whole register of channels.
template <class T>
EBB_ISA_TARGET void from_planes(const T* y, Index y_stride, Index pixels, Index channels, T* to,
                                Index stride) {
  using Vector = Vec<T>;
  constexpr int lanes = lanes_of<T>;
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
        if (l < live) load(y + (c + l) * y_stride + p, square[l]);
      }
      transpose_square<T>(square);
#pragma GCC unroll 16
      for (int l = 0; l < lanes; ++l) store(square[l], to + (p + l) * stride + c);
      p += lanes;
    }
    for (; p < pixels; ++p)
      for (int l = 0; l < lanes; ++l)
        to[p * stride + c + l] = l < live ? y[(c + l) * y_stride + p] : T(0);
  }
}
