/// \file
/// What an update rule is: hyper-parameters, a few numbers of state per weight, and one function.
///
///     struct Momentum {
///       static constexpr const char* name = "momentum";
///       static constexpr int states = 1;
///       double lr = 0.01, beta = 0.9;
///       template <class T>
///       EBB_HD void update(T& w, T g, T* state, const ebb::optim::StepInfo&) const {
///         state[0] = T(beta) * state[0] + g;
///         w -= T(lr) * state[0];
///       }
///     };
///
/// `Optimizer<Momentum>` turns it into one vectorised, parallel pass over all parameters.
/// Branches keep compilers from vectorising it: write `ebb::math::select(condition, a, b)`, and
/// `ebb::math::sqrt(x)` (device/math.hpp), which needs no compiler option.
///
/// A rule may also offer
///  - `void check() const`: throws a sentence when a hyper-parameter makes no sense;
///  - `static constexpr const char* state_names[]`: what the states are called when saved;
///  - `int states_used() const`: how many of `states` the present settings need (the first ones),
///    and `static constexpr int fewest_states`, the least it returns (0 if not said);
///  - `prepare(const StepInfo&) const`: what depends on the step alone, computed once per step in
///    double; `update` receives its result in place of the StepInfo;
///  - `static constexpr int memory`: doubles kept per parameter from step to step, for `prepare`.
#pragma once

#include <ebb/core/config.hpp>
#include <ebb/core/error.hpp>
#include <ebb/core/finite.hpp>

#include <cmath>
#include <concepts>
#include <cstdint>

namespace ebb::inline EBB_ABI::optim {

/// What a rule knows about the present update of a parameter.
struct StepInfo {
  std::int64_t number = 1;   ///< how many updates the parameter has had, this one included
  double* memory = nullptr;  ///< the parameter's `memory` doubles; zero before the first update
  /// Whether this is the first update that uses all the states which the settings need now.
  bool fresh = true;
};

namespace detail {
template <class R>
constexpr auto prepare(const R& rule, const StepInfo& info) {
  if constexpr (requires { rule.prepare(info); })
    return rule.prepare(info);
  else
    return info;
}
template <class R>
using Prepared = decltype(prepare(std::declval<const R&>(), std::declval<const StepInfo&>()));

template <class R>
constexpr int memory_of() {
  if constexpr (requires { R::memory; })
    return R::memory;
  else
    return 0;
}

template <class R>
constexpr const char* name_of() {
  if constexpr (requires { R::name; })
    return R::name;
  else
    return "optimizer";
}

template <class R>
constexpr bool may_use_fewer = requires(const R& rule) {
  rule.states_used();
};

template <class R>
constexpr int fewest_states() {
  if constexpr (!may_use_fewer<R>)
    return R::states;
  else if constexpr (requires { R::fewest_states; })
    return R::fewest_states;
  else
    return 0;
}

template <class R>
int states_used(const R& rule) {
  if constexpr (may_use_fewer<R>)
    return rule.states_used();
  else
    return R::states;
}

template <class R>
std::string state_name(int slot) {
  if constexpr (requires { R::state_names[0]; })
    return R::state_names[slot];
  else
    return "state" + std::to_string(slot);
}
}  // namespace detail

/// An update rule: see the top of this file.
template <class R>
concept Rule = requires(const R& rule, float& w, float g, float* state,
                        const detail::Prepared<R>& step) {
  { R::states } -> std::convertible_to<int>;
  rule.update(w, g, state, step);
};

// --- the sentences rules share ---

/// \throws ValueError unless `value` is a number >= 0.
inline void require_not_negative(const char* rule, const char* what, double value) {
  if (!(value >= 0) || math::is_infinite(value))
    throw ValueError(message(rule, ": ", what, " = ", value,
                             " must be a finite number that is not "
                             "negative"));
}

/// \throws ValueError unless 0 <= `value` < 1.
inline void require_decay(const char* rule, const char* what, double value) {
  if (!(value >= 0 && value < 1))
    throw ValueError(message(rule, ": ", what, " = ", value,
                             " must be at least 0 and below 1; it "
                             "is the share of the old average that is kept"));
}

}  // namespace ebb::optim
