// The loops of depthwise convolution over one plane, for one instruction set (depthwise_loops.hpp,
// device/simd/per_isa.inl).

/// Copies `count` elements, fewer than fill a register, in pieces of a power of two.
template <class T>
EBB_ISA_INLINE void copy_few(const T* from, Index count, T* to) {
  constexpr int lanes = lanes_of<T>;
#pragma GCC unroll 4
  for (int piece = lanes / 2; piece > 0; piece /= 2)
    if (count & piece) {
      __builtin_memcpy(to, from, static_cast<std::size_t>(piece) * sizeof(T));
      from += piece, to += piece;
    }
}

template <class T>
EBB_ISA_TARGET void copy_rows(const T* from, Index rows, Index columns, Index from_pitch, T* to,
                              Index to_pitch) {
  using Vector = Vec<T>;
  constexpr int lanes = lanes_of<T>;
  for (Index r = 0; r < rows; ++r, from += from_pitch, to += to_pitch) {
    Index q = 0;
    for (; q + lanes <= columns; q += lanes) {
      Vector v;
      load(from + q, v);
      store(v, to + q);
    }
    copy_few(from + q, columns - q, to + q);
  }
}

/// y[r][q] (+)= the sum over taps k of w[k] source[r * pitch + q + offset[k]], `rows` rows of
/// `vectors` registers at a time. The last registers of a row overlap those before, or reach into
/// the next row, which is written later; where neither will do, they take a detour. Of `three` rows
/// of taps, one below the other, each row of the source is read once for all the sums it goes into;
/// what its columns see to the left and right of the source is masked, and rows above and below are
/// left out, so that nothing needs to surround it.
template <class T, int rows, int vectors, bool three>
EBB_ISA_TARGET void depthwise_plane(const DepthwisePlane& plane, const T* w, const T* source, T* y,
                                    const InRegisters<T>& end) {
#if defined(__clang__) && EBB_ISA_BYTES > 16
#  pragma clang fp contract(fast)
#endif
  using Vector = Vec<T>;
  typedef decltype(Vector{} < Vector{}) Mask;
  constexpr int lanes = lanes_of<T>, width = vectors * lanes;
  const Index taps = plane.taps, columns = plane.columns, all = plane.rows;
  const Index* const offset = plane.offset;
  const T bias = end.bias ? *end.bias : T(0);
  T detour[array_size(rows * width)];
  for (Index r = 0; r < all; r += rows)
    for (Index next = 0; next < columns; next += width) {
      const Index q =
          !end.add && columns >= width && next + width > columns ? columns - width : next;
      const T* row[array_size(rows)];
#pragma GCC unroll 8
      for (int i = 0; i < rows; ++i) row[i] = source + (r + i < all ? r + i : r) * plane.pitch + q;
      Vector sum[array_size(rows)][array_size(vectors)];
#pragma GCC unroll 8
      for (int i = 0; i < rows; ++i)
#pragma GCC unroll 4
        for (int j = 0; j < vectors; ++j) sum[i][j] = bias - Vector{};
      if constexpr (three) {
        const Index wide = taps / 3, top = r - plane.above;
        unsigned outside = 0;  // a bit for each row that the source does not have
        for (int h = 0; h < rows + 2; ++h)
          if (top + h < 0 || top + h >= plane.height) outside |= 1u << h;
        const T* plane_at = source + top * plane.pitch + q;
        const T* weights = w;
        for (Index c = 0; c < plane.channels; ++c, plane_at += plane.apart, weights += taps) {
          const unsigned char* mask_at = plane.mask + plane.mask_at[next / width];
          for (Index k = 0; k < wide; ++k) {
            const Vector left[3] = {weights[k] - Vector{}, weights[wide + k] - Vector{},
                                    weights[2 * wide + k] - Vector{}};
            Mask mask[array_size(vectors)];
#pragma GCC unroll 4
            for (int j = 0; j < vectors; ++j, mask_at += sizeof(Vector)) load(mask_at, mask[j]);
            const T* from = plane_at + offset[k];
#pragma GCC unroll 16
            for (int h = 0; h < rows + 2; ++h, from += plane.pitch) {
              if (__builtin_expect(outside & (1u << h), 0)) continue;
#pragma GCC unroll 4
              for (int j = 0; j < vectors; ++j) {
                Mask bits;
                Vector right;
                load(from + j * lanes, bits);
                bits &= mask[j];
                load(&bits, right);
#pragma GCC unroll 3
                for (int i = 0; i < 3; ++i)
                  if (h - i >= 0 && h - i < rows) sum[h - i][j] += left[i] * right;
              }
            }
          }
        }
      } else {
        for (Index k = 0; k < taps; ++k) {
          const Vector left = w[k] - Vector{};
          const Index at = offset[k];
#pragma GCC unroll 8
          for (int i = 0; i < rows; ++i)
#pragma GCC unroll 4
            for (int j = 0; j < vectors; ++j) {
              Vector right;
              load(row[i] + at + j * lanes, right);
              sum[i][j] += left * right;
            }
        }
      }
      if (!end.add) {
#pragma GCC unroll 8
        for (int i = 0; i < rows; ++i)
#pragma GCC unroll 4
          for (int j = 0; j < vectors; ++j) finish<T>(end, nullptr, &sum[i][j]);
      }
      T* const out = y + r * columns + q;
      const bool fits =
          columns >= width ? r + rows <= all : (all - r - rows) * columns >= width - columns;
      const bool straight = !end.add && fits;
      T* to = straight ? out : detour;
      const Index step = straight ? columns : width;
#pragma GCC unroll 8
      for (int i = 0; i < rows; ++i, to += step)
#pragma GCC unroll 4
        for (int j = 0; j < vectors; ++j) store(sum[i][j], to + j * lanes);
      if (straight) continue;
      for (Index i = 0; i < (rows < all - r ? rows : all - r); ++i)
        for (Index l = 0; l < (width < columns - q ? width : columns - q); ++l) {
          T& element = out[i * columns + l];
          element = end.add ? end.finish(detour[i * width + l], &element) : detour[i * width + l];
        }
    }
}

/// sums[k][lane] += dy[r][q] source[r * pitch + q + offset[k]] for `depthwise_taps` taps, where
/// each row of dy is some whole registers. There are `sum_lanes` lanes, and column q goes to lane
/// q, or so many lanes before it; a register holds some of them: they are summed one share after
/// the other. Of taps in `three` rows and columns, one row below the other, each row of the source
/// meets the last three rows of dy; both are masked, as in depthwise_plane.
template <class T, bool three>
EBB_ISA_TARGET void depthwise_dots(const DepthwisePlane& plane, const T* dy, Index dy_pitch,
                                   const T* source, T* sums) {
#if defined(__clang__) && EBB_ISA_BYTES > 16
#  pragma clang fp contract(fast)
#endif
  using Vector = Vec<T>;
  typedef decltype(Vector{} < Vector{}) Mask;
  constexpr int lanes = lanes_of<T>, all = sum_lanes<T>;
  constexpr int taps = depthwise_taps;
  constexpr int places = three ? 3 : taps;  // those of one row stand for all three
  const T* from[array_size(places)];
  Vector sum[taps];
#pragma GCC unroll 16
  for (int k = 0; k < places; ++k) from[k] = source + plane.offset[k];
  for (int share = 0; share < all && share < plane.columns; share += lanes) {
#pragma GCC unroll 16
    for (int k = 0; k < taps; ++k) load(sums + k * all + share, sum[k]);
    for (Index q = share; q < plane.columns; q += all) {
      if constexpr (three) {
        Mask mask[4];  // for each column of taps, and for dy
        __builtin_memcpy(mask, plane.mask + plane.mask_at[q / lanes], sizeof mask);
        Vector now{}, before{}, first{};
        Index at = q - plane.above * plane.pitch;
        for (Index h = 0; h < plane.rows + 2; ++h, at += plane.pitch) {
          first = before, before = now, now = Vector{};
          Mask bits;
          if (h < plane.rows) {
            load(dy + h * dy_pitch + q, bits);
            bits &= mask[3];
            load(&bits, now);
          }
          if (h < plane.above || h - plane.above >= plane.height) continue;
#pragma GCC unroll 3
          for (int j = 0; j < 3; ++j) {
            load(from[j] + at, bits);
            bits &= mask[j];
            Vector right;
            load(&bits, right);
            sum[j] += now * right, sum[3 + j] += before * right, sum[6 + j] += first * right;
          }
        }
      } else {
        Index at = q;
        for (Index r = 0; r < plane.rows; ++r, at += plane.pitch) {
          Vector left;
          load(dy + r * dy_pitch + q, left);
#pragma GCC unroll 16
          for (int k = 0; k < taps; ++k) {
            Vector right;
            load(from[k] + at, right);
            sum[k] += left * right;
          }
        }
      }
    }
#pragma GCC unroll 16
    for (int k = 0; k < taps; ++k) store(sum[k], sums + k * all + share);
  }
}

/// This instruction set's functions, as values.
template <class T>
DepthwiseLoops<T> depthwise_loops() {
  DepthwiseLoops<T> loops;
  loops.lanes = lanes_of<T>;
  loops.copy_rows = &copy_rows<T>;
  loops.plane[0] = &depthwise_plane<T, 8, 1, false>;
  loops.plane[1] = &depthwise_plane<T, 4, 2, false>;
  loops.plane[2] = &depthwise_plane<T, 2, 4, false>;
  loops.three[0] = &depthwise_plane<T, 6, 1, true>;
  loops.three[1] = &depthwise_plane<T, 4, 2, true>;
  loops.dots[0] = &depthwise_dots<T, false>;
  loops.dots[1] = &depthwise_dots<T, true>;
  return loops;
}
