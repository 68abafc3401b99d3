/// \file
/// What an optimizer keeps of its parameters: one batch for each scalar type and device.
#pragma once

#include <ebb/core/finite.hpp>
#include <ebb/core/replay.hpp>
#include <ebb/core/type_tag.hpp>
#include <ebb/kit/counting.hpp>
#include <ebb/optim/kernel.hpp>
#include <ebb/tape/param.hpp>

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

namespace ebb::inline EBB_ABI::optim {

namespace detail {

/// The parameters of one scalar type on one device.
template <class R>
struct Batch {
  virtual ~Batch() = default;
  virtual void step(const std::vector<R>& rules) = 0;
  /// Counts a step, and changes nothing else.
  virtual void skip(const std::vector<R>& rules) = 0;
  virtual void zero_grad() const = 0;
  /// Whether a gradient of that backward pass arrived at one of these parameters.
  virtual bool reached_by(std::uint64_t pass) const = 0;
  /// Adds the names of the parameters that are not frozen and that no gradient ever reached.
  virtual void list_unreached(std::vector<std::string>& names) const = 0;
  /// Steps that the device left out (`step_if_finite`). Waits for it.
  virtual std::int64_t skipped() const = 0;

  /// This batch as a B, or nothing where it is none.
  template <class B>
  B* as() {
    return is(&ebb::detail::type_tag<B>) ? static_cast<B*>(this) : nullptr;
  }

 protected:
  virtual bool is(const void* type) const = 0;
};

/// Of one device, whose scalar type does not matter.
template <class R, class Device>
struct BatchOn : Batch<R> {
  /// A step that the device leaves out where `norm`, a number in its memory, is not finite.
  virtual void step_if_finite(const std::vector<R>& rules, const double* norm) = 0;
};

template <class R, class T, class Device>
struct BatchOf final : BatchOn<R, Device> {
  struct Entry {
    std::shared_ptr<ParamBase<T, Device>> cell;
    std::size_t group;
    std::int64_t number = 0;  ///< updates so far
    int begun = 0;            ///< how many states an update has used; the others are zeros
    double memory[memory_of<R>() > 0 ? memory_of<R>() : 1] = {};
    Tensor<T, 1, Device> state[R::states > 0 ? R::states : 1] = {};

    /// Makes the states the rule needs now; they begin at zero.
    void make_state(const R& rule) {
      for (int k = 0; k < states_used(rule); ++k)
        if (!state[k].defined()) state[k] = Tensor<T, 1, Device>::zeros(cell->flat_value().shape());
    }
    /// Whether the next update is the first that uses all the states of now. (That they are there
    /// says nothing: whoever saves the optimizer makes them.)
    bool fresh(const R& rule) const { return number == 0 || begun < states_used(rule); }
    /// How many states wait for their first update though the parameter has had some.
    int waiting(const R& rule) const {
      return number == 0 ? 0 : std::max(0, states_used(rule) - begun);
    }
    /// Whether a step changes it: it is not frozen, and there is a gradient.
    bool updated() const {
      if (!cell->trainable) return false;
      if (cell->grad_factors()) return true;
      const auto gradient = cell->flat_grad();
      return gradient.defined() && gradient.size() > 0;
    }
  };
  std::vector<Entry> entries;
  std::vector<kernel::UpdateJob<R, T>> jobs;  ///< of the present step; kept for its memory
  /// Steps that the device left out, where the host cannot know of them. (Made here, not at the
  /// first step, for the reason that states are.)
  Tensor<std::int64_t, 1, Device> left_out = Device::host_accessible
                                                 ? Tensor<std::int64_t, 1, Device>()
                                                 : Tensor<std::int64_t, 1, Device>::zeros({1});

  void step(const std::vector<R>& rules) override { update(rules); }

  void step_if_finite(const std::vector<R>& rules, const double* norm) override {
    if constexpr (Device::host_accessible)
      math::is_finite(*norm) ? update(rules) : skip(rules);
    else
      update(rules, kernel::UpdateGate{norm, left_out.mutable_data()});
  }

  void skip(const std::vector<R>& rules) override {
    for (Entry& entry : entries)
      if (entry.updated()) next_numbers(entry, rules);
  }

  bool is(const void* type) const override {
    return type == &ebb::detail::type_tag<BatchOf> ||
           type == &ebb::detail::type_tag<BatchOn<R, Device>>;
  }

  std::int64_t skipped() const override {
    if constexpr (Device::host_accessible)
      return 0;
    else
      return left_out.values()[0];
  }

  template <class... Gate>
  void update(const std::vector<R>& rules, const Gate&... gate) {
    jobs.clear();
    jobs.reserve(entries.size());
    Index piece = 0;
    std::vector<std::size_t> updated;  // where the step is recorded
    for (std::size_t i = 0; i < entries.size(); ++i) {
      Entry& entry = entries[i];
      if (!entry.cell->trainable) continue;
      const auto factors = entry.cell->grad_factors();
      const auto gradient = factors ? Tensor<T, 1, Device>() : entry.cell->flat_grad();
      if (!factors && gradient.size() == 0) continue;
      const R& rule = rules[entry.group];
      entry.make_state(rule);
      kernel::UpdateJob<R, T> job{next_numbers(entry, rules, entry.fresh(rule))};
      const auto weight = entry.cell->flat_value();
      job.weight = weight.mutable_data();
      job.size = weight.size();
      if (factors)
        job.factors = factors;
      else
        job.gradient = gradient.data();
      job.states_used = states_used(rule);
      entry.begun = std::max(entry.begun, job.states_used);
      for (int k = 0; k < job.states_used; ++k) job.state[k] = entry.state[k].mutable_data();
      job.first_piece = piece;
      piece += kernel::divide_up(job.size, kernel::chunk);
      jobs.push_back(job);
      if (ebb::detail::recording_step()) updated.push_back(i);
    }
    update_parameters(Device{}, jobs.data(), static_cast<Index>(jobs.size()), gate...);
    if (ebb::detail::recording_step()) repeat(rules, updated);
  }

  /// What replays of a recorded step do: they count, and bring the kernel its numbers.
  void repeat(const std::vector<R>& rules, const std::vector<std::size_t>& updated) {
    ebb::detail::replay_while(
        this, [this, &rules, updated, recorded = jobs, known = entries.size()] {
          for (std::size_t j = 0; j < updated.size(); ++j) {
            const Entry& entry = entries[updated[j]];
            const kernel::UpdateJob<R, T>& job = recorded[j];
            if (states_used(rules[entry.group]) != job.states_used) return false;
            if (!entry.cell->trainable || entry.cell->flat_value().data() != job.weight)
              return false;
            for (int k = 0; k < job.states_used; ++k)
              if (!entry.state[k].defined() || entry.state[k].data() != job.state[k]) return false;
          }
          return entries.size() == known;
        });
    ebb::detail::on_replay([this, &rules, updated, again = jobs]() mutable {
      for (std::size_t j = 0; j < updated.size(); ++j) {
        kernel::UpdateNumbers<R>& numbers = again[j];
        numbers = next_numbers(entries[updated[j]], rules);
      }
      update_parameters(Device{}, again.data(), static_cast<Index>(again.size()));
    });
  }

  /// Counts one update more, and works out its numbers.
  static kernel::UpdateNumbers<R> next_numbers(Entry& entry, const std::vector<R>& rules,
                                               bool fresh = false) {
    const R& rule = rules[entry.group];
    ++entry.number;
    return {rule, prepare(rule, StepInfo{entry.number, entry.memory, fresh})};
  }

  void zero_grad() const override {
    for (const Entry& entry : entries) entry.cell->zero_grad();
  }
  bool reached_by(std::uint64_t pass) const override {
    for (const Entry& entry : entries)
      if (entry.cell->arrival.pass == pass) return true;
    return false;
  }
  void list_unreached(std::vector<std::string>& names) const override {
    for (const Entry& entry : entries)
      if (entry.cell->trainable && entry.cell->arrival.pass == 0 && entry.number == 0)
        names.push_back(entry.cell->name);
  }
};

}  // namespace detail

}  // namespace ebb::optim
