/// \file
/// Several opinions on the same samples, averaged, and how far they differ.
#pragma once

#include <ebb/nn/visit.hpp>
#include <ebb/ops/elementwise/sigmoid.hpp>
#include <ebb/ops/normalisation/softmax.hpp>

#include <cmath>
#include <vector>

namespace ebb::inline EBB_ABI::uncertainty {

/// The mean of members' probabilities, and its uncertainty in nats, for each sample (or pixel).
/// `entropy` is that of the mean; the part of it on which members disagree is `disagreement`, the
/// mutual information of answer and member, which more training data would lessen; the rest is the
/// mean of their own entropies, which it would not. Houlsby et al., "Bayesian active learning for
/// classification and preference learning", 2011; Smith & Gal, "Understanding measures of
/// uncertainty for adversarial example detection", UAI 2018.
template <class T, int N>
struct Prediction {
  Tensor<T, N> mean;              ///< probabilities, (n, classes, ...)
  Tensor<T, N - 1> entropy;       ///< (n, ...)
  Tensor<T, N - 1> disagreement;  ///< (n, ...), from 0 to entropy
  int members = 0;
};

/// Gathers members' logits (n, classes, ...), one `add` each; softmax along axis 1, or a sigmoid
/// where there is one class. Sums are in double, in the order of the calls.
template <class T, int N>
class Average {
  static_assert(N >= 2, "ebb::uncertainty: logits have at least two axes, (n, classes, ...)");

 public:
  /// \throws ShapeError when a member's logits have another shape than the first's.
  template <class Device>
  void add(const Tensor<T, N, Device>& logits) {
    if (members_ == 0) {
      shape_ = logits.shape();
      sum_.assign(static_cast<std::size_t>(shape_.size()), 0.0);
      entropies_.assign(static_cast<std::size_t>(lines()), 0.0);
    } else if (!(logits.shape() == shape_)) {
      throw ShapeError(message("Average: logits of shape ", logits.shape(),
                               " after others of shape ", shape_,
                               "; members must agree on what they are asked"));
    }
    const auto p = to<Cpu>(shape_[1] == 1 ? sigmoid(logits) : softmax(logits, 1));
    std::vector<double> member(p.data(), p.data() + p.size());
    for (std::size_t i = 0; i < member.size(); ++i) sum_[i] += member[i];
    each_entropy(member, 1, [this](std::size_t line, double h) { entropies_[line] += h; });
    ++members_;
  }

  /// \throws ValueError when nothing was added.
  Prediction<T, N> result() const {
    if (members_ == 0) throw ValueError("Average: no member was added, so there is no mean");
    Shape<N - 1> lines_shape{};
    for (int axis = 0; axis < N - 1; ++axis) lines_shape[axis] = shape_[axis == 0 ? 0 : axis + 1];
    Prediction<T, N> found{Tensor<T, N>(shape_), Tensor<T, N - 1>(lines_shape),
                           Tensor<T, N - 1>(lines_shape), members_};
    for (std::size_t i = 0; i < sum_.size(); ++i)
      found.mean.mutable_data()[i] = static_cast<T>(sum_[i] / members_);
    each_entropy(sum_, members_, [&](std::size_t line, double h) {
      found.entropy.mutable_data()[line] = static_cast<T>(h);
      found.disagreement.mutable_data()[line] =
          static_cast<T>(std::fmax(0.0, h - entropies_[line] / members_));
    });
    return found;
  }

 private:
  Index lines() const { return shape_[1] > 0 ? shape_.size() / shape_[1] : 0; }

  /// Calls f(line, entropy) of the probabilities sums / count.
  template <class F>
  void each_entropy(const std::vector<double>& sums, int count, const F& f) const {
    const Index classes = shape_[1], inner = shape_.stride(1);
    const auto part = [](double p) { return p > 0 ? -p * std::log(p) : 0.0; };
    for (Index line = 0; line < lines(); ++line) {
      double h = 0;
      for (Index c = 0; c < classes; ++c) {
        const Index at = (line / inner * classes + c) * inner + line % inner;
        const double p = sums[static_cast<std::size_t>(at)] / count;
        h += classes == 1 ? part(p) + part(1 - p) : part(p);
      }
      f(static_cast<std::size_t>(line), h);
    }
  }

  Shape<N> shape_{};
  std::vector<double> sum_, entropies_;
  int members_ = 0;
};

namespace detail {

/// The Average that suits a network's logits.
template <class Logits>
using AverageOf = Average<typename Logits::scalar, Logits::rank>;

}  // namespace detail

}  // namespace ebb::uncertainty
