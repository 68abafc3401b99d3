/// \file
/// Convolution on CUDA where groups have a few channels, too few for the tiles of a product:
/// depthwise convolution above all. Each thread sums up one result. What neighbouring threads read
/// in common comes from the nearest cache.
#pragma once

#include <ebb/kit/fold_parts.cuh>
#include <ebb/ops/convolution/conv2d/cuda/gather.cuh>

namespace ebb::inline EBB_ABI::kernel::detail {

inline bool few_channels(const Conv2dGeometry& g) {
  return g.groups > 1 && g.group_in() <= 4 && g.group_out() <= 4;
}

/// The geometry as these kernels divide by it.
template <class I>
struct FewChannels {
  DivMod<I> in_columns, in_rows, in_channels, out_columns, out_rows, out_channels;
  DivMod<I> group_in, group_out, stride_row, stride_column, kernel_columns, kernel_rows;
  I padding_row, padding_column, dilation_row, dilation_column;

  explicit FewChannels(const Conv2dGeometry& g)
      : in_columns(g.input.width),
        in_rows(g.input.height),
        in_channels(g.in_channels),
        out_columns(g.output.width),
        out_rows(g.output.height),
        out_channels(g.out_channels),
        group_in(g.group_in()),
        group_out(g.group_out()),
        stride_row(g.stride.height),
        stride_column(g.stride.width),
        kernel_columns(g.kernel.width),
        kernel_rows(g.kernel.height),
        padding_row(static_cast<I>(g.padding.height)),
        padding_column(static_cast<I>(g.padding.width)),
        dilation_row(static_cast<I>(g.dilation.height)),
        dilation_column(static_cast<I>(g.dilation.width)) {}
};

/// One output of a thread.
template <class T, class I>
EBB_KERNEL few_forward_kernel(FewChannels<I> g, I n, const T* x, const T* w, T* y,
                              Epilogue<T> end) {
  const I in = g.group_in.by(), kernel_rows = g.kernel_rows.by();
  const I kernel_columns = g.kernel_columns.by(), height = g.in_rows.by();
  const I width = g.in_columns.by();
  for (I i = gpu::thread_as<I>(); i < n; i += gpu::threads_as<I>()) {
    I image = i;
    const I ow = g.out_columns.take(image), oh = g.out_rows.take(image);
    const I out = g.out_channels.take(image);
    I group = out;
    g.group_out.take(group);
    const I top = oh * g.stride_row.by() - g.padding_row;
    const I left = ow * g.stride_column.by() - g.padding_column;
    const T* from = x + (image * g.in_channels.by() + group * in) * height * width;
    const T* weight = w + out * in * kernel_rows * kernel_columns;
    T sum = end.shift(out);
    for (I c = 0; c < in; ++c, from += height * width)
      for (I r = 0; r < kernel_rows; ++r, weight += kernel_columns) {
        const I row = top + r * g.dilation_row;
        if (row < 0 || row >= height) continue;
        for (I s = 0; s < kernel_columns; ++s) {
          const I column = left + s * g.dilation_column;
          if (column >= 0 && column < width) sum += from[row * width + column] * weight[s];
        }
      }
    y[i] = end.finish(sum, i);
  }
}

/// One input's gradient of a thread.
template <class T, class I>
EBB_KERNEL few_grad_input_kernel(FewChannels<I> g, I n, const T* dy, const T* w, const T* bias,
                                 Into<T, 1> dx) {
  const I in = g.group_in.by(), outs = g.group_out.by(), kernel_rows = g.kernel_rows.by();
  const I kernel_columns = g.kernel_columns.by(), height = g.out_rows.by();
  const I width = g.out_columns.by(), kernel = kernel_rows * kernel_columns;
  for (I i = gpu::thread_as<I>(); i < n; i += gpu::threads_as<I>()) {
    I image = i;
    const I iw = g.in_columns.take(image), ih = g.in_rows.take(image);
    const I channel = g.in_channels.take(image);
    I group = channel;
    const I c = g.group_in.take(group);
    const T* from = dy + (image * g.out_channels.by() + group * outs) * height * width;
    const T* weight = w + (group * outs * in + c) * kernel;
    T sum = bias != nullptr ? bias[channel] : T(0);
    for (I o = 0; o < outs; ++o, from += height * width, weight += in * kernel)
      for (I r = 0; r < kernel_rows; ++r) {
        I row = ih + g.padding_row - r * g.dilation_row;
        if (row < 0 || g.stride_row.take(row) != 0 || row >= height) continue;
        for (I s = 0; s < kernel_columns; ++s) {
          I column = iw + g.padding_column - s * g.dilation_column;
          if (column < 0 || g.stride_column.take(column) != 0 || column >= width) continue;
          sum += from[row * width + column] * weight[r * kernel_columns + s];
        }
      }
    dx.put(static_cast<Index>(i), sum);
  }
}

/// The products that a tap's gradient is the sum of: result (out, c, i, j), over images and pixels.
template <class T, class J>
struct FewProducts {
  FewChannels<J> g;
  const T *x, *dy;

  template <class I>
  EBB_DEVICE T operator()(I result, const I (&)[1], I pixel) const {
    J out = static_cast<J>(result), image = static_cast<J>(pixel);
    const J s = g.kernel_columns.take(out), r = g.kernel_rows.take(out);
    const J c = g.group_in.take(out), ow = g.out_columns.take(image), oh = g.out_rows.take(image);
    const J row = oh * g.stride_row.by() + r * g.dilation_row - g.padding_row;
    const J column = ow * g.stride_column.by() + s * g.dilation_column - g.padding_column;
    if (row < 0 || row >= g.in_rows.by() || column < 0 || column >= g.in_columns.by()) return T(0);
    J group = out;
    g.group_out.take(group);
    const J channel = image * g.in_channels.by() + group * g.group_in.by() + c;
    const J to = image * g.out_channels.by() + out;
    return x[(channel * g.in_rows.by() + row) * g.in_columns.by() + column] *
           dy[(to * g.out_rows.by() + oh) * g.out_columns.by() + ow];
  }
};
template <class I, class T>
void few_grad_weight(const Conv2dGeometry& g, const T* x, const T* dy, const Into<T, 4>& dw) {
  Loop<2, 2> loop;
  loop.push(dw.size(), {1, 0});
  loop.push(g.batch * g.output.area(), {0, 0});
  fold_on_gpu<T>(loop, AddUp{}, FewProducts<T, I>{FewChannels<I>(g), x, dy},
                 PutTotal<T>{{dw.data, {dw.size()}, dw.add}});
}

}  // namespace ebb::kernel::detail
