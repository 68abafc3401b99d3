/// \file
/// How precisely products and convolutions of floats multiply on CUDA.
#pragma once

#include <ebb/core/config.hpp>

#include <atomic>

namespace ebb::inline EBB_ABI::cuda {

/// What the factors of a product are rounded to. Sums are always float, and what is stored is, too:
/// parameters, gradients and the states of optimizers keep their full precision.
enum class Precision {
  fp32,  ///< not at all
  tf32,  ///< 10 bits after the point, so by 2^-11 of themselves at most; tensor cores
  bf16   ///< 7 bits after the point, so by 2^-8 at most; tensor cores, twice as fast
};

namespace detail {
inline std::atomic<Precision>& process_precision() {
  static std::atomic<Precision> precision{Precision::fp32};
  return precision;
}
/// What the scopes of this thread say; null where there is none.
inline const Precision*& thread_precision() {
  static thread_local const Precision* precision = nullptr;
  return precision;
}
}  // namespace detail

/// Sets the precision of the process: of every thread that has no `PrecisionScope` open. fp32
/// unless set otherwise. A captured step keeps what held when it was captured.
inline void set_precision(Precision precision) { detail::process_precision() = precision; }

/// The precision of what this thread would launch now.
inline Precision precision() {
  const Precision* const scoped = detail::thread_precision();
  return scoped != nullptr ? *scoped : detail::process_precision().load();
}

/// Sets the precision of this thread while it lives; scopes may be nested.
///
///     {
///       cuda::PrecisionScope scope(cuda::Precision::tf32);
///       backward(loss(net(x), labels));
///     }
class [[nodiscard]] PrecisionScope {
 public:
  explicit PrecisionScope(Precision precision)
      : precision_(precision), outer_(detail::thread_precision()) {
    detail::thread_precision() = &precision_;
  }
  PrecisionScope(const PrecisionScope&) = delete;
  PrecisionScope& operator=(const PrecisionScope&) = delete;
  ~PrecisionScope() { detail::thread_precision() = outer_; }

 private:
  Precision precision_;
  const Precision* outer_;
};

}  // namespace ebb::cuda
