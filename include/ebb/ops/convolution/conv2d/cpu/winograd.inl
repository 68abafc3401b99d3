// The transforms of Winograd's convolution, for one instruction set;
// ops/convolution/conv2d/cpu/winograd_transforms.hpp says what they compute (and
// device/simd/per_isa.inl how this file is compiled). A vector holds one pixel of `lanes` channels.

namespace winograd {

using Vector = Vec<float>;
inline constexpr int lanes = lanes_of<float>;

/// B^T d.
EBB_ISA_INLINE void spread_input(const Vector (&d)[6], Vector (&v)[6]) {
  using P = WinogradPoints;
  const Vector even_a = d[4] - P::b2 * d[2], odd_a = P::a * (d[3] - P::b2 * d[1]);
  const Vector even_b = d[4] - P::a2 * d[2], odd_b = P::b * (d[3] - P::a2 * d[1]);
  v[0] = d[4] - P::sum * d[2] + P::product * d[0];
  v[1] = even_a + odd_a;
  v[2] = even_a - odd_a;
  v[3] = even_b + odd_b;
  v[4] = even_b - odd_b;
  v[5] = d[5] - P::sum * d[3] + P::product * d[1];
}

/// A^T m.
EBB_ISA_INLINE void gather_output(const Vector (&m)[6], Vector (&y)[4]) {
  using P = WinogradPoints;
  const Vector even_a = m[1] + m[2], odd_a = m[1] - m[2];
  const Vector even_b = m[3] + m[4], odd_b = m[3] - m[4];
  y[0] = m[0] + even_a + even_b;
  y[1] = P::a * odd_a + P::b * odd_b;
  y[2] = P::a2 * even_a + P::b2 * even_b;
  y[3] = P::a3 * odd_a + P::b3 * odd_b + m[5];
}

/// A y, the adjoint of A^T.
EBB_ISA_INLINE void spread_slope(const Vector (&y)[4], Vector (&m)[6]) {
  using P = WinogradPoints;
  const Vector even_a = y[0] + P::a2 * y[2], odd_a = P::a * y[1] + P::a3 * y[3];
  const Vector even_b = y[0] + P::b2 * y[2], odd_b = P::b * y[1] + P::b3 * y[3];
  m[0] = y[0];
  m[1] = even_a + odd_a;
  m[2] = even_a - odd_a;
  m[3] = even_b + odd_b;
  m[4] = even_b - odd_b;
  m[5] = y[3];
}

/// G w.
EBB_ISA_INLINE void spread_weight(const Vector (&w)[3], Vector (&u)[6]) {
  using P = WinogradPoints;
  const Vector even_a = P::at_a * w[0] + P::at_a * P::a2 * w[2], odd_a = P::at_a * P::a * w[1];
  const Vector even_b = P::at_b * w[0] + P::at_b * P::b2 * w[2], odd_b = P::at_b * P::b * w[1];
  u[0] = P::at_0 * w[0];
  u[1] = even_a + odd_a;
  u[2] = even_a - odd_a;
  u[3] = even_b + odd_b;
  u[4] = even_b - odd_b;
  u[5] = w[2];
}

/// G^T u, the adjoint of G.
EBB_ISA_INLINE void gather_weight(const Vector (&u)[6], Vector (&w)[3]) {
  using P = WinogradPoints;
  const Vector even_a = P::at_a * (u[1] + u[2]), odd_a = P::at_a * (u[1] - u[2]);
  const Vector even_b = P::at_b * (u[3] + u[4]), odd_b = P::at_b * (u[3] - u[4]);
  w[0] = P::at_0 * u[0] + even_a + even_b;
  w[1] = P::a * odd_a + P::b * odd_b;
  w[2] = P::a2 * even_a + P::b2 * even_b + u[5];
}

/// `F` applied to the columns and then to the rows of a square: from[i][j] to to[i][j], which are
/// `row` elements apart down and `column` across.
template <int in, int out, void (*F)(const Vector (&)[array_size(in)], Vector (&)[array_size(out)])>
EBB_ISA_INLINE void square(const float* from, Index row, Index column, float* to, Index to_row,
                           Index to_column) {
  Vector half[array_size(out)][array_size(in)];
  for (Index j = 0; j < in; ++j) {
    Vector before[array_size(in)], after[array_size(out)];
#pragma GCC unroll 6
    for (int i = 0; i < in; ++i) load(from + i * row + j * column, before[i]);
    F(before, after);
#pragma GCC unroll 6
    for (int i = 0; i < out; ++i) half[i][j] = after[i];
  }
  for (Index i = 0; i < out; ++i) {
    Vector after[array_size(out)];
    F(half[i], after);
#pragma GCC unroll 6
    for (int j = 0; j < out; ++j) store(after[j], to + i * to_row + j * to_column);
  }
}

EBB_ISA_TARGET inline void input_tiles(const float* pixels, Index width, Index count, float* v,
                                       Index point, Index step) {
  for (Index t = 0; t < count; ++t, pixels += 4 * lanes, v += step)
    square<6, 6, spread_input>(pixels, width * lanes, lanes, v, 6 * point, point);
}

EBB_ISA_TARGET inline void slope_tiles(const float* pixels, Index width, Index count, float* m,
                                       Index point, Index step) {
  for (Index t = 0; t < count; ++t, pixels += 4 * lanes, m += step)
    square<4, 6, spread_slope>(pixels, width * lanes, lanes, m, 6 * point, point);
}

EBB_ISA_TARGET inline void output_tiles(const float* m, Index point, Index step, Index count,
                                        float* pixels, Index width) {
  for (Index t = 0; t < count; ++t, m += step, pixels += 4 * lanes)
    square<6, 4, gather_output>(m, 6 * point, point, pixels, width * lanes, lanes);
}

/// The nine taps of `lanes` channels, `out` elements apart, as nine vectors at `taps`.
EBB_ISA_INLINE void load_taps(const float* w, Index out, float* taps) {
  if constexpr (lanes >
                8) {  // a register holds the taps up to the eighth, and those from the second
    Vector v[lanes];
#pragma GCC unroll 16
    for (int l = 0; l < lanes; ++l) {
      float twice[lanes];
      __builtin_memcpy(twice, w + l * out, 32);
      __builtin_memcpy(twice + lanes - 8, w + l * out + 1, 32);
      load(twice, v[l]);
    }
    transpose_square<float>(v);
#pragma GCC unroll 8
    for (int t = 0; t < 8; ++t) store(v[t], taps + t * lanes);
    store(v[lanes - 1], taps + 8 * lanes);
  } else {
#pragma GCC unroll 2
    for (int t = 0; t < 8; t += lanes) {
      Vector v[lanes];
#pragma GCC unroll 16
      for (int l = 0; l < lanes; ++l) load(w + l * out + t, v[l]);
      transpose_square<float>(v);
#pragma GCC unroll 16
      for (int l = 0; l < lanes; ++l) store(v[l], taps + (t + l) * lanes);
    }
    for (int l = 0; l < lanes; ++l) taps[8 * lanes + l] = w[l * out + 8];
  }
}

EBB_ISA_TARGET inline void weight_tile(const float* w, Index out, Index live, bool turned, float* u,
                                       Index point) {
  float taps[9 * lanes];
  if (live == lanes) {
    load_taps(w, out, taps);
  } else {
    for (int l = 0; l < lanes; ++l)
      for (int t = 0; t < 9; ++t) taps[t * lanes + l] = l < live ? w[l * out + t] : 0.0f;
  }
  if (turned)
    square<3, 6, spread_weight>(taps + 8 * lanes, -3 * lanes, -lanes, u, 6 * point, point);
  else
    square<3, 6, spread_weight>(taps, 3 * lanes, lanes, u, 6 * point, point);
}

/// The other way: w (+)= the nine taps.
EBB_ISA_INLINE void store_taps(const float* taps, bool add, float* w, Index out) {
  constexpr int some = lanes < 8 ? lanes : 8;
#pragma GCC unroll 2
  for (int t = 0; t < 8; t += some) {
    Vector v[lanes];
#pragma GCC unroll 16
    for (int l = 0; l < lanes; ++l) load(taps + (t + std::min(l, some - 1)) * lanes, v[l]);
    transpose_square<float>(v);
#pragma GCC unroll 16
    for (int l = 0; l < lanes; ++l) {
      float* const to = w + l * out + t;
      float row[lanes];
      store(v[l], row);
      for (int k = 0; k < some; ++k) to[k] = row[k] + (add ? to[k] : 0.0f);
    }
  }
  for (int l = 0; l < lanes; ++l) {
    float& to = w[l * out + 8];
    to = taps[8 * lanes + l] + (add ? to : 0.0f);
  }
}

EBB_ISA_TARGET inline void weight_slope_tile(const float* u, Index point, Index splits, Index split,
                                             Index live, bool add, float* w, Index out) {
  float sum[36 * lanes], taps[9 * lanes];
  for (int p = 0; p < 36; ++p) {
    Vector total;
    load(u + p * point, total);
    for (Index s = 1; s < splits; ++s) {
      Vector more;
      load(u + p * point + s * split, more);
      total += more;
    }
    store(total, sum + p * lanes);
  }
  square<6, 3, gather_weight>(sum, 6 * lanes, lanes, taps, 3 * lanes, lanes);
  if (live == lanes) return store_taps(taps, add, w, out);
  for (Index l = 0; l < live; ++l)
    for (int t = 0; t < 9; ++t) {
      float& to = w[l * out + t];
      to = taps[t * lanes + l] + (add ? to : 0.0f);
    }
}

EBB_ISA_TARGET inline void gather_channels(const float* image, Index plane, Index live,
                                           const Index* place, Index count, float* pixels) {
  const float* channel[lanes];
  for (Index l = 0; l < lanes; ++l) channel[l] = image + std::min(l, live - 1) * plane;
  Index p = 0;
  while (p < count) {
    if (count < lanes) {
      for (int l = 0; l < lanes; ++l) pixels[place[p] * lanes + l] = channel[l][p];
      ++p;
      continue;
    }
    const Index from = std::min(p, count - lanes);  // the last ones overlap those before
    Vector v[lanes];
#pragma GCC unroll 16
    for (int l = 0; l < lanes; ++l) load(channel[l] + from, v[l]);
    transpose_square<float>(v);
#pragma GCC unroll 16
    for (int l = 0; l < lanes; ++l) store(v[l], pixels + place[from + l] * lanes);
    p = from + lanes;
  }
}

EBB_ISA_TARGET inline void scatter_channels(const float* pixels, const Index* place, Index count,
                                            Index live, const InRegisters<float>& end, float* image,
                                            Index plane) {
  float start[lanes];
  for (Index l = 0; l < lanes; ++l) start[l] = end.bias && l < live ? end.bias[l] : 0.0f;
  Vector bias_lanes;
  load(start, bias_lanes);
  const bool rectifies = end.relu && !end.add;  // else after the addition
  Index p = 0;
  for (; p + lanes <= count; p += lanes) {
    Vector v[lanes];
#pragma GCC unroll 16
    for (int l = 0; l < lanes; ++l) {
      load(pixels + place[p + l] * lanes, v[l]);
      v[l] += bias_lanes;
      if (rectifies) v[l] = v[l] < Vector{} ? Vector{} : v[l];
    }
    transpose_square<float>(v);
    if (live == lanes && !end.add) {
#pragma GCC unroll 16
      for (int l = 0; l < lanes; ++l) store(v[l], image + l * plane + p);
    } else {
      float rows[lanes * lanes];
#pragma GCC unroll 16
      for (int l = 0; l < lanes; ++l) store(v[l], rows + l * lanes);
      for (Index l = 0; l < live; ++l) {
        float* const to = image + l * plane + p;
        for (int k = 0; k < lanes; ++k)
          to[k] = end.add ? end.finish(rows[l * lanes + k], to + k) : rows[l * lanes + k];
      }
    }
  }
  for (; p < count; ++p)
    for (Index l = 0; l < live; ++l) {
      float& to = image[l * plane + p];
      to = end.finish(pixels[place[p] * lanes + l] + start[l], &to);
    }
}

inline WinogradTransforms transforms() {
  return {lanes,        &gather_channels, &scatter_channels, &input_tiles,
          &slope_tiles, &output_tiles,    &weight_tile,      &weight_slope_tile};
}

}  // namespace winograd
