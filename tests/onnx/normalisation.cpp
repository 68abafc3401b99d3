// Normalisations and dropout.

#include "runner.hpp"

#include <ebb/nn/dropout.hpp>
#include <ebb/ops/ops.hpp>

namespace onnx_vectors {
namespace {

/// In training ONNX's momentum is the share of the old running value, and its running variance is
/// the population's; ebb has PyTorch's conventions, from which ONNX's value is computed back.
Results batch_normalization(const Vector& v) {
  const bool training = v.integer("training_mode", 0) != 0;
  const double keep = v.real("momentum", 0.9);
  return with_tensor<2, 5>(v.inputs.at(0), [&]<class T, int N>(const ebb::Tensor<T, N>& x) {
    const auto mean = tensor<T, 1>(v.inputs.at(3)), variance = tensor<T, 1>(v.inputs.at(4));
    ebb::BatchNormOptions options;
    options.training = training;
    options.momentum = 1 - keep;
    options.eps = v.real("epsilon", 1e-5);
    Results results{result(ebb::batch_norm(x, mean, variance, tensor<T, 1>(v.inputs.at(1)),
                                           tensor<T, 1>(v.inputs.at(2)), options))};
    if (training) {
      results.push_back(result(mean));
      Value population = result(variance);
      const auto n = static_cast<double>(x.size() / x.extent(1));
      for (std::size_t i = 0; i < population.numbers.size(); ++i) {
        const double old = v.inputs[4].numbers[i] * keep;
        population.numbers[i] = old + (population.numbers[i] - old) * (n - 1) / n;
      }
      results.push_back(population);
    }
    return results;
  });
}

/// Layer normalisation of all axes from `axis` on: they are joined to one, which is ebb's last.
Results layer_normalization(const Vector& v) {
  const Value& x = v.inputs.at(0);
  std::int64_t axis = v.integer("axis", -1);
  if (axis < 0) axis += x.rank();
  std::int64_t outer = 1, inner = 1;
  for (int k = 0; k < x.rank(); ++k)
    (k < axis ? outer : inner) *= x.shape[static_cast<std::size_t>(k)];
  return {with_real(x, [&]<class T>(T) {
    const auto weight = tensor<T, 1>(v.inputs.at(1), ebb::Shape<1>{inner});
    const auto bias = tensor<T, 1>(v.inputs.at(2), ebb::Shape<1>{inner});
    const auto y = ebb::layer_norm(tensor<T, 2>(x, ebb::Shape<2>{outer, inner}), weight, bias,
                                   v.real("epsilon", 1e-5));
    return reshaped(result(y), x.shape);
  })};
}

/// Instance normalisation is group normalisation with a group for each channel.
Results instance_normalization(const Vector& v) {
  return {with_tensor<3, 4>(v.inputs.at(0), [&]<class T, int N>(const ebb::Tensor<T, N>& x) {
    return result(ebb::group_norm(x, x.extent(1), tensor<T, 1>(v.inputs.at(1)),
                                  tensor<T, 1>(v.inputs.at(2)), v.real("epsilon", 1e-5)));
  })};
}

/// (x - mean) / sqrt(mean of squares - square of the mean), over all axes but the channel's.
Results mean_variance_normalization(const Vector& v) {
  return {with_real(v.inputs.at(0), [&]<class T>(T) {
    const auto x = tensor<T, 4>(v.inputs[0]);
    const ebb::Axes axes{0, 2, 3};
    const auto mean = ebb::mean(x, axes, ebb::keep_axis);
    const auto squares = ebb::mean(ebb::square(x), axes, ebb::keep_axis);
    return result((x - mean) / (ebb::sqrt(squares - ebb::square(mean)) + 1e-9));
  })};
}

Results dropout(const Vector& v) {
  const bool training =
      v.given(2) && v.inputs[2].kind == Kind::other && v.name.find("training") != std::string::npos;
  const double ratio = v.given(1) ? v.inputs[1].numbers.at(0) : v.real("ratio", 0.5);
  if (training && ratio > 0)
    throw Skip("training: the mask is NumPy's, ebb draws its own from Philox");
  return {with_tensor<1, 4>(v.inputs.at(0), [&](const auto& x) {
    if (training) return result(ebb::dropout(x, ratio, ebb::RandomStream{}));
    return result(ebb::nn::Dropout<>(ratio)(x));
  })};
}

}  // namespace

void add_normalisation(Table& table) {
  table["BatchNormalization"] = batch_normalization;
  table["LayerNormalization"] = layer_normalization;
  table["InstanceNormalization"] = instance_normalization;
  table["MeanVarianceNormalization"] = mean_variance_normalization;
  table["Dropout"] = dropout;
}

}  // namespace onnx_vectors
