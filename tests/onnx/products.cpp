// Matrix products.

#include "runner.hpp"

#include <ebb/ops/ops.hpp>

namespace onnx_vectors {
namespace {

Results matmul(const Vector& v) {
  const Value &a = v.inputs.at(0), &b = v.inputs.at(1);
  return {with_real(a, [&]<class T>(T) {
    if (a.rank() == 2) return result(ebb::matmul(tensor<T, 2>(a), tensor<T, 2>(b)));
    // All axes but the last two are one batch axis to ebb.
    const auto batch = [](const Value& v4) {
      const std::size_t n = v4.shape.size();
      std::int64_t matrices = 1;
      for (std::size_t k = 0; k + 2 < n; ++k) matrices *= v4.shape[k];
      return tensor<T, 3>(v4, ebb::Shape<3>{matrices, v4.shape[n - 2], v4.shape[n - 1]});
    };
    return reshaped(result(ebb::matmul(batch(a), batch(b))), v.outputs.at(0).shape);
  })};
}

/// alpha A B + beta C, A and B transposed on demand, C broadcast.
Results gemm(const Vector& v) {
  return {with_real(v.inputs.at(0), [&]<class T>(T) {
    auto a = tensor<T, 2>(v.inputs.at(0)), b = tensor<T, 2>(v.inputs.at(1));
    if (v.integer("transA", 0) != 0) a = ebb::transpose(a);
    if (v.integer("transB", 0) != 0) b = ebb::transpose(b);
    const auto product = v.real("alpha", 1) * ebb::matmul(a, b);
    if (!v.given(2)) return result(product);
    return with_rank<0, 2>(v.inputs[2], [&](auto rank) {
      return result(product + v.real("beta", 1) * tensor<T, rank()>(v.inputs[2]));
    });
  })};
}

}  // namespace

void add_products(Table& table) {
  table["MatMul"] = matmul;
  table["Gemm"] = gemm;
}

}  // namespace onnx_vectors
