/// \file
/// What folds on CUDA read and write (fold.cuh): the simplest of both.
#pragma once

#include <ebb/kit/fold.cuh>
#include <ebb/kit/joins.hpp>

namespace ebb::inline EBB_ABI::kernel::detail {

/// What is folded: the elements of x.
template <class T>
struct Elements {
  const T* x;
  template <class I>
  EBB_DEVICE T operator()(I, const I (&at)[1], I) const {
    return x[at[0]];
  }
};
/// What becomes of a total: it is divided and stored.
template <class T>
struct StoreQuotient {
  T divisor;
  T* y;
  template <class I>
  EBB_DEVICE void operator()(I result, T total) const {
    y[result] = divisor != T(1) ? total / divisor : total;
  }
};

/// What becomes of each value of a loop, or of a total: it goes to a gradient.
template <class Values, class T>
struct PutEach {
  Values values;
  Into<T, 1> dx;
  template <class I, int K>
  EBB_DEVICE void operator()(I i, const I (&at)[K]) const {
    dx.put(static_cast<Index>(i), values(i, at, i));
  }
};
template <class T>
struct PutTotal {
  Into<T, 1> dx;
  template <class I>
  EBB_DEVICE void operator()(I i, T total) const {
    dx.put(static_cast<Index>(i), total);
  }
};

}  // namespace ebb::kernel::detail
