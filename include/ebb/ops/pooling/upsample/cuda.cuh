/// \file
/// Upsampling on CUDA. Which pixels a column or a row of the result reads is worked out once, in
/// double precision as on the CPU, by a small kernel that writes tables; the kernels of the pixels
/// find them in the first-level cache. Backward, a thread gathers for one pixel of the operand what
/// the results that read it have received: those are neighbours, and a table says where they begin.
#pragma once

#include <ebb/core/view.hpp>
#include <ebb/device/cuda/scratch.cuh>
#include <ebb/device/gpu/pack.cuh>
#include <ebb/ops/pooling/upsample/geometry.hpp>

namespace ebb::inline EBB_ABI::kernel {

namespace detail {

/// Which pixel result i repeats.
struct NearestSource {
  UpsampleAxis axis;
  EBB_DEVICE Index first(Index i) const { return axis.nearest(i); }
  EBB_DEVICE double weight(Index) const { return 0; }
};

/// The first of the pixels that result i lies between, and the weight of the second.
struct BilinearSource {
  UpsampleAxis axis;
  EBB_DEVICE Index first(Index i) const { return axis.between(i).first; }
  EBB_DEVICE double weight(Index i) const { return axis.between(i).weight; }
};

/// What is known of an axis, in device memory.
template <class T, class I>
struct AxisTable {
  I* first;   ///< (out): the first pixel that a result reads
  I* begin;   ///< (in + 1): the first result whose first pixel is this one or a later one
  T* weight;  ///< (out): that of the second pixel
};

/// Fills the tables of both axes; threads are results, then pixels, of rows, then of columns.
template <class Source, class T, class I>
EBB_KERNEL upsample_table_kernel(Source rows, Source columns, AxisTable<T, I> y,
                                 AxisTable<T, I> x) {
  const auto fill = [](const Source& source, const AxisTable<T, I>& table, Index i) {
    const Index out = source.axis.out;
    if (i < out) {
      table.first[i] = static_cast<I>(source.first(i));
      table.weight[i] = static_cast<T>(source.weight(i));
      return;
    }
    const Index pixel = i - out;
    Index low = 0, high = out;  // bisection: `first` never falls
    while (low < high) {
      const Index middle = (low + high) / 2;
      if (source.first(middle) < pixel)
        low = middle + 1;
      else
        high = middle;
    }
    table.begin[pixel] = static_cast<I>(low);
  };
  const Index of_rows = rows.axis.out + rows.axis.in + 1;
  const Index all = of_rows + columns.axis.out + columns.axis.in + 1;
  for (Index i = gpu::thread(); i < all; i += gpu::threads())
    i < of_rows ? fill(rows, y, i) : fill(columns, x, i - of_rows);
}

/// The tables of both axes, in memory from the pool.
template <class T, class I>
class UpsampleTables {
 public:
  AxisTable<T, I> y, x;

  template <class Source>
  UpsampleTables(const Source& rows, const Source& columns)
      : weights_(rows.axis.out + columns.axis.out),
        places_(2 + rows.axis.out + rows.axis.in + columns.axis.out + columns.axis.in) {
    y = {places_.data(), places_.data() + rows.axis.out, weights_.data()};
    x.first = y.begin + rows.axis.in + 1;
    x.begin = x.first + columns.axis.out;
    x.weight = y.weight + rows.axis.out;
    const Index all = 2 + rows.axis.out + rows.axis.in + columns.axis.out + columns.axis.in;
    gpu::launch(gpu::blocks_for(all), gpu::block_size, 0, upsample_table_kernel<Source, T, I>, rows,
                columns, y, x);
  }

 private:
  CudaScratch<T> weights_;
  CudaScratch<I> places_;
};

/// Extents as kernels divide by them.
template <class I>
struct UpsampleSizes {
  gpu::Divisor<I> rows, columns;  ///< of what the threads follow; columns in packs
  I in_rows, in_columns, out_rows, out_columns;

  UpsampleSizes(const UpsampleGeometry& g, Index rows, Index columns)
      : rows(rows),
        columns(columns),
        in_rows(static_cast<I>(g.y.in)),
        in_columns(static_cast<I>(g.x.in)),
        out_rows(static_cast<I>(g.y.out)),
        out_columns(static_cast<I>(g.x.out)) {}

  /// The plane, row and column of the thread's number.
  EBB_DEVICE void place(I i, I& plane, I& row, I& column) const {
    const I line = columns.quotient(i);
    column = i - line * columns.by;
    plane = rows.quotient(line);
    row = line - plane * rows.by;
  }
};

/// V neighbours of a row of the result a thread.
template <int V, class I, class T>
EBB_KERNEL upsample_nearest_kernel(I packs, UpsampleSizes<I> g, UpsampleAxis rows,
                                   UpsampleAxis columns, const T* x, T* y) {
  using S = std::conditional_t<std::is_same_v<I, unsigned>, int, Index>;
  for (I q = gpu::thread_as<I>(); q < packs; q += gpu::threads_as<I>()) {
    I plane, oy, column;
    g.place(q, plane, oy, column);
    const I line = plane * g.in_rows + static_cast<I>(rows.nearest(static_cast<S>(oy)));
    const T* const from = x + line * g.in_columns;
    gpu::Pack<T, V> pack;
    EBB_UNROLL
    for (int k = 0; k < V; ++k)
      pack[k] = from[columns.nearest(static_cast<S>(column * static_cast<I>(V)) + k)];
    gpu::store_pack(y + q * static_cast<I>(V), pack);
  }
}

template <class I, class T>
EBB_KERNEL upsample_nearest_grad_kernel(I n, UpsampleSizes<I> g, const I* row_begin,
                                        const I* column_begin, const T* dy, T* dx, bool add) {
  for (I i = gpu::thread_as<I>(); i < n; i += gpu::threads_as<I>()) {
    I plane, iy, ix;
    g.place(i, plane, iy, ix);
    const I begin = column_begin[ix], end = column_begin[ix + 1];
    T sum(0);
    for (I oy = row_begin[iy]; oy < row_begin[iy + 1]; ++oy) {
      const T* const from = dy + (plane * g.out_rows + oy) * g.out_columns;
      T of_row(0);
      for (I ox = begin; ox < end; ++ox) of_row += from[ox];
      sum += of_row;
    }
    dx[i] = add ? dx[i] + sum : sum;
  }
}

template <int V, class I, class T>
EBB_KERNEL upsample_bilinear_kernel(I packs, UpsampleSizes<I> g, AxisTable<T, I> rows,
                                    AxisTable<T, I> columns, const T* x, T* y) {
  for (I q = gpu::thread_as<I>(); q < packs; q += gpu::threads_as<I>()) {
    I plane, oy, column;
    g.place(q, plane, oy, column);
    const I first = rows.first[oy], second = first + 1 < g.in_rows ? first + 1 : first;
    const T below = rows.weight[oy], above = T(1) - below;
    const T* const top = x + (plane * g.in_rows + first) * g.in_columns;
    const T* const bottom = x + (plane * g.in_rows + second) * g.in_columns;
    gpu::Pack<T, V> pack;
    EBB_UNROLL
    for (int k = 0; k < V; ++k) {
      const I o = column * static_cast<I>(V) + static_cast<I>(k);
      const I left = columns.first[o], right = left + 1 < g.in_columns ? left + 1 : left;
      const T w = columns.weight[o], v = T(1) - w;
      pack[k] =
          above * (v * top[left] + w * top[right]) + below * (v * bottom[left] + w * bottom[right]);
    }
    gpu::store_pack(y + q * static_cast<I>(V), pack);
  }
}

/// The results that read pixel i of an axis, [begin, end), and with what weight.
template <class T, class I>
struct Readers {
  I pixel, begin, end;
  bool last;  ///< the last pixel is its own second neighbour

  EBB_DEVICE Readers(const AxisTable<T, I>& table, I i, I extent)
      : pixel(i),
        begin(table.begin[i > 0 ? i - 1 : 0]),
        end(table.begin[i + 1]),
        last(i + 1 == extent) {}
  EBB_DEVICE T weight(const AxisTable<T, I>& table, I o) const {
    const T w = table.weight[o];
    if (table.first[o] != pixel) return w;
    return last ? T(1) : T(1) - w;
  }
};

template <class I, class T>
EBB_KERNEL upsample_bilinear_grad_kernel(I n, UpsampleSizes<I> g, AxisTable<T, I> rows,
                                         AxisTable<T, I> columns, const T* dy, T* dx, bool add) {
  for (I i = gpu::thread_as<I>(); i < n; i += gpu::threads_as<I>()) {
    I plane, iy, ix;
    g.place(i, plane, iy, ix);
    const Readers<T, I> v(rows, iy, g.in_rows), h(columns, ix, g.in_columns);
    T sum(0);
    for (I oy = v.begin; oy < v.end; ++oy) {
      const T* const from = dy + (plane * g.out_rows + oy) * g.out_columns;
      T of_row(0);
      for (I ox = h.begin; ox < h.end; ++ox) of_row += h.weight(columns, ox) * from[ox];
      sum += v.weight(rows, oy) * of_row;
    }
    dx[i] = add ? dx[i] + sum : sum;
  }
}

/// Elements of the larger of both images.
inline Index indexed(const UpsampleGeometry& g) {
  const Index in = g.planes * g.in();
  return in > g.size() ? in : g.size();
}

/// Calls f with the elements of a pack of a row of the result, and a zero of the type of indices.
template <class T, class F>
void with_upsampled(const UpsampleGeometry& g, const T* y, F&& f) {
  gpu::with_pack_and_index<T>(gpu::packable(y) && g.x.out % gpu::pack_of<T> == 0, indexed(g), f);
}

}  // namespace detail

/// Kernel: every result pixel repeats the nearest one.
template <class T>
void upsample_nearest_forward(Cuda, const UpsampleGeometry& g, View<const T, 4> x, View<T, 4> y) {
  detail::with_upsampled(g, y.data, [&]<int V, class I>(std::integral_constant<int, V>, I) {
    const Index packs = g.size() / V;
    gpu::launch(gpu::blocks_for(packs), gpu::block_size, 0,
                detail::upsample_nearest_kernel<V, I, T>, static_cast<I>(packs),
                detail::UpsampleSizes<I>(g, g.y.out, g.x.out / V), g.y, g.x, x.data, y.data);
  });
}

/// Kernel: dx is the sum of dy over the pixels that repeated it.
template <class T>
void upsample_nearest_backward(Cuda, const UpsampleGeometry& g, View<const T, 4> dy,
                               Into<T, 4> dx) {
  gpu::with_index(detail::indexed(g), [&]<class I>(I) {
    const detail::UpsampleTables<T, I> tables(detail::NearestSource{g.y},
                                              detail::NearestSource{g.x});
    const Index n = dx.size();
    gpu::launch(gpu::blocks_for(n), gpu::block_size, 0, detail::upsample_nearest_grad_kernel<I, T>,
                static_cast<I>(n), detail::UpsampleSizes<I>(g, g.y.in, g.x.in), tables.y.begin,
                tables.x.begin, dy.data, dx.data, dx.add);
  });
}

/// Kernel: the mean of four neighbours, weighted by how near they are.
template <class T>
void upsample_bilinear_forward(Cuda, const UpsampleGeometry& g, View<const T, 4> x, View<T, 4> y) {
  detail::with_upsampled(g, y.data, [&]<int V, class I>(std::integral_constant<int, V>, I) {
    const detail::UpsampleTables<T, I> tables(detail::BilinearSource{g.y},
                                              detail::BilinearSource{g.x});
    const Index packs = g.size() / V;
    gpu::launch(gpu::blocks_for(packs), gpu::block_size, 0,
                detail::upsample_bilinear_kernel<V, I, T>, static_cast<I>(packs),
                detail::UpsampleSizes<I>(g, g.y.out, g.x.out / V), tables.y, tables.x, x.data,
                y.data);
  });
}

/// Kernel: every pixel receives its share of dy from the results it was averaged into.
template <class T>
void upsample_bilinear_backward(Cuda, const UpsampleGeometry& g, View<const T, 4> dy,
                                Into<T, 4> dx) {
  gpu::with_index(detail::indexed(g), [&]<class I>(I) {
    const detail::UpsampleTables<T, I> tables(detail::BilinearSource{g.y},
                                              detail::BilinearSource{g.x});
    const Index n = dx.size();
    gpu::launch(gpu::blocks_for(n), gpu::block_size, 0, detail::upsample_bilinear_grad_kernel<I, T>,
                static_cast<I>(n), detail::UpsampleSizes<I>(g, g.y.in, g.x.in), tables.y, tables.x,
                dy.data, dx.data, dx.add);
  });
}

}  // namespace ebb::kernel
