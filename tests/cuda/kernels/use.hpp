/// \file
/// `use(f, ranks...)` makes nvcc compile the kernels of an operation, forward and backward. The
/// files beside this one name each kernel of the library at least once, for check.sh, which reads
/// what the compiler says of registers and memory; they are never run.
#pragma once

#include <ebb/cuda.cuh>

namespace ebb::test {

/// An operand of rank N.
template <int N, class T = float>
Tensor<T, N, Cuda> operand() {
  return Tensor<T, N, Cuda>(Shape<N>{});
}

/// `f` of variables that are the tensors x.
template <class F, int... N>
void use(F&& f, const Tensor<float, N, Cuda>&... x) {
  Tape tape;
  const auto y = f(tape.watch(x)...);
  backward(y, y.value().clone());
}

}  // namespace ebb::test
