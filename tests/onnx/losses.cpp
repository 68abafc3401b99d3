// Softmax and the losses on it.

#include "runner.hpp"

#include <ebb/ops/ops.hpp>

namespace onnx_vectors {
namespace {

/// (n, c, d1, d2, ...) as (n, c, d1 d2 ...), and (n, c) as it is: ebb's losses take any of ONNX's
/// ranks up to 5 as they are, and the others so.
Value joined(const Value& v) {
  if (v.rank() <= 5) return v;
  std::int64_t rest = 1;
  for (std::size_t k = 2; k < v.shape.size(); ++k) rest *= v.shape[k];
  return reshaped(v, {v.shape[0], v.shape[1], rest});
}

struct Settings {
  std::vector<double> weights;
  std::int64_t ignore_index;
  std::string reduction;
};

/// loss(scores, labels, weights, ignore, reduction) as ONNX reduces it. Unreduced losses are sums
/// over one position each.
template <class T, int N, class Loss>
Value reduced(const ebb::Tensor<T, N>& scores, const Vector& v, const Settings& settings,
              Loss loss) {
  std::vector<int> labels;
  for (double label : v.inputs.at(1).numbers) labels.push_back(static_cast<int>(label));
  ebb::Shape<N - 1> shape{};
  for (int k = 0; k < N - 1; ++k) shape[k] = k == 0 ? scores.extent(0) : scores.extent(k + 1);
  const auto target = ebb::Tensor<int, N - 1>::from(shape, labels);
  if (settings.reduction == "mean") return result(loss(scores, target, ebb::Reduction::mean));
  if (settings.reduction == "sum") return result(loss(scores, target, ebb::Reduction::sum));

  const ebb::Index classes = scores.extent(1), positions = scores.size() / classes;
  const ebb::Index inner = positions / scores.extent(0);
  const auto flat = ebb::reshape(
      ebb::transpose(ebb::reshape(scores, ebb::Shape{scores.extent(0), classes, inner}), 1, 2),
      ebb::Shape{positions, classes});
  Value y;
  y.kind = v.outputs.at(0).kind;
  y.shape = v.outputs.at(0).shape;
  for (ebb::Index i = 0; i < positions; ++i) {
    const ebb::Tensor<int, 1> label({1}, {labels[static_cast<std::size_t>(i)]});
    y.numbers.push_back(static_cast<double>(
        loss(ebb::slice(flat, 0, i, i + 1), label, ebb::Reduction::sum).item()));
  }
  return y;
}

template <class Make>
Results loss(const Vector& v, Make make, bool with_log_probabilities) {
  Settings settings;
  if (v.given(2)) settings.weights = v.inputs[2].numbers;
  settings.ignore_index = v.integer("ignore_index", -100);
  settings.reduction = v.text("reduction", "mean");
  const Value scores = joined(v.inputs.at(0));
  return with_tensor<2, 5>(scores, [&]<class T, int N>(const ebb::Tensor<T, N>& x) {
    Results results{reduced(x, v, settings, make(T{}, settings))};
    if (with_log_probabilities && v.outputs.size() > 1)
      results.push_back(reshaped(result(ebb::log_softmax(x, 1)), v.outputs[1].shape));
    return results;
  });
}

template <class T, class Options>
Options options_of(const Settings& settings, ebb::Reduction reduction) {
  Options options;
  if (!settings.weights.empty()) {
    Value weights;
    weights.numbers = settings.weights;
    options.weights = tensor<T, 1>(weights, {static_cast<ebb::Index>(settings.weights.size())});
  }
  options.ignore_index = static_cast<int>(settings.ignore_index);
  options.reduction = reduction;
  return options;
}

}  // namespace

void add_losses(Table& table) {
  table["Softmax"] = [](const Vector& v) -> Results {
    return {with_tensor<1, 4>(v.inputs.at(0), [&](const auto& x) {
      return result(ebb::softmax(x, static_cast<int>(v.integer("axis", -1))));
    })};
  };
  table["LogSoftmax"] = [](const Vector& v) -> Results {
    return {with_tensor<1, 4>(v.inputs.at(0), [&](const auto& x) {
      return result(ebb::log_softmax(x, static_cast<int>(v.integer("axis", -1))));
    })};
  };
  table["SoftmaxCrossEntropyLoss"] = [](const Vector& v) {
    return loss(
        v,
        []<class T>(T, const Settings& s) {
          return [s](const auto& x, const auto& t, ebb::Reduction reduction) {
            return ebb::cross_entropy(x, t,
                                      options_of<T, ebb::CrossEntropyOptions<T>>(s, reduction));
          };
        },
        true);
  };
  table["NegativeLogLikelihoodLoss"] = [](const Vector& v) {
    return loss(
        v,
        []<class T>(T, const Settings& s) {
          return [s](const auto& x, const auto& t, ebb::Reduction reduction) {
            return ebb::nll_loss(x, t, options_of<T, ebb::NllOptions<T>>(s, reduction));
          };
        },
        false);
  };
}

}  // namespace onnx_vectors
