/// \file
/// Applies an update rule to the parameters of a network.
#pragma once

#include <ebb/core/finite.hpp>
#include <ebb/nn/visit.hpp>
#include <ebb/optim/orphans.hpp>
#include <ebb/optim/parameter_batch.hpp>

#include <algorithm>
#include <cmath>
#include <concepts>
#include <limits>
#include <memory>

namespace ebb::inline EBB_ABI::optim {

/// Takes every parameter: the default of an optimizer's group.
struct AllParameters {
  constexpr bool operator()(std::string_view) const { return true; }
};

/// Changes the parameters of a network by a rule:
///
///     optim::Optimizer opt(net, optim::Sgd{.lr = 0.01, .momentum = 0.9});
///     opt.zero_grad();
///     backward(loss);
///     opt.step();
///
/// It holds the parameters' shared cells: moving the network, or assigning another one's weights to
/// it, keeps the optimizer attached. Parameters that are frozen or have no gradient are left alone,
/// and their step count stands still, as in PyTorch. In a step that is captured (`ebb::capture`),
/// the replays count and see what the rules say by then; the optimizer must stay where it is.
template <Rule R>
class Optimizer {
 public:
  /// One group of all parameters, or of those whose dotted name `take` accepts.
  /// \throws ValueError when the rule's settings make no sense, or there are no parameters.
  template <class Net, class Take = AllParameters>
  Optimizer(const Net& net, R rule, Take take = {}) {
    add_group(net, rule, take);
  }
  Optimizer(Optimizer&&) noexcept = default;
  Optimizer& operator=(Optimizer&&) noexcept = default;

  /// Adds the parameters of `net` whose name `take` accepts, with settings of their own:
  ///
  ///     const auto bias = [](std::string_view name) { return name.ends_with("bias"); };
  ///     optim::Optimizer opt(net, optim::Sgd{.weight_decay = 1e-4}, std::not_fn(bias));
  ///     opt.add_group(net, optim::Sgd{}, bias);
  ///
  /// \throws ValueError when the settings make no sense, no parameter is accepted, or one is in a
  /// group already.
  template <class Net, class Take = AllParameters>
  void add_group(const Net& net, R rule, Take take = {}) {
    check(rule);
    nn::name_parameters(net);
    const std::size_t group = rules_.size();
    std::vector<const void*> known = cells_;
    nn::visit_parameters(net, [&]<class Tens>(const std::string& path, const Param<Tens>& p) {
      p.cell()->arrival.expected = true;  // also where it is left out on purpose
      if (!take(std::string_view(path))) return;
      for (const void* cell : known)
        if (cell == p.cell().get())
          throw ValueError(message(detail::name_of<R>(), ": parameter ", path,
                                   " is in this "
                                   "optimizer already; let each group take other parameters"));
      known.push_back(p.cell().get());
    });
    if (known.size() == cells_.size())
      throw ValueError(message(detail::name_of<R>(),
                               ": there are no parameters to optimize; list "
                               "the network's layers in its visit(), or check the names the group "
                               "asks for"));
    nn::visit_parameters(net, [&]<class Tens>(const std::string& path, const Param<Tens>& p) {
      if (!take(std::string_view(path))) return;
      auto& entries = batch<typename Tens::scalar, typename Tens::device>().entries;
      entries.push_back({p.cell(), group});
      // Now, not at the first step: there it would take memory that the second step counts on.
      if (p.trainable()) entries.back().make_state(rule);
    });
    cells_ = std::move(known);
    rules_.push_back(rule);
    initial_lr_.push_back(std::numeric_limits<double>::quiet_NaN());
  }

  /// Updates every parameter that has a gradient.
  /// \throws ValueError at the first step, if the backward pass before it left a gradient in a
  /// parameter that no optimizer was given, nor the network that it is a part of: a layer that
  /// `visit` forgets, most of the time. Nothing is changed then. Parameters that a `take` leaves
  /// out, frozen ones, and those marked by `optim::untrained(net)` are as they should be.
  void step() {
    if (steps_ == 0) require_no_orphans();
    for (const auto& batch : batches_) batch->step(rules_);
    ++steps_;
    ebb::detail::on_replay([this] { ++steps_; });
  }

  /// Does what `step()` does if `norm`, that of the gradients, is a finite number. Else weights and
  /// the rule's state stay as they are: one bad batch, or a gradient beyond a float's range, does
  /// not spoil them.
  ///
  ///     opt.step_if_finite(optim::clip_grad_norm(net, 1.0));
  ///
  /// A step that is left out counts nevertheless, in `steps()` as for the rule.
  void step_if_finite(double norm) {
    if (math::is_finite(norm)) return step();
    for (const auto& batch : batches_) batch->skip(rules_);
    ++steps_;
    ++skipped_;
  }

  /// The same on a device that looks at the number by itself, so that the host need not wait for
  /// it:
  ///
  ///     opt.step_if_finite(optim::clip_grad_norm<Cuda>(net, 1.0));
  ///
  /// \throws ValueError when some parameters live on another device.
  template <class Device>
  void step_if_finite(const Tensor<double, 1, Device>& norm) {
    for (const auto& batch : batches_)
      if (!batch->template as<detail::BatchOn<R, Device>>())
        throw ValueError(message(
            detail::name_of<R>(), ": step_if_finite was given a norm on device ", Device::name,
            ", but some parameters are not there; give it the number, norm.item()"));
    if (steps_ == 0) require_no_orphans();
    for (const auto& batch : batches_)
      static_cast<detail::BatchOn<R, Device>&>(*batch).step_if_finite(rules_, norm.data());
    ++steps_;
    ebb::detail::on_replay([this] { ++steps_; });
  }

  /// How many steps `step_if_finite` left out so far, in this run of the program. Where a device
  /// decided, this waits for it.
  std::int64_t skipped_steps() const {
    std::int64_t most = 0;
    for (const auto& batch : batches_) most = std::max(most, batch->skipped());
    return skipped_ + most;
  }

  void zero_grad() const {
    for (const auto& batch : batches_) batch->zero_grad();
  }

  /// The parameters that are not frozen and that no gradient has reached in any backward pass: what
  /// the loss does not depend on, or a layer that the network's call leaves out. `fit` tells them.
  std::vector<std::string> unreached() const {
    std::vector<std::string> names;
    for (const auto& batch : batches_) batch->list_unreached(names);
    return names;
  }

  /// Steps taken so far.
  std::int64_t steps() const { return steps_; }

  int groups() const { return static_cast<int>(rules_.size()); }
  /// The settings of a group.
  const R& rule(int group = 0) const { return rules_[index(group)]; }
  /// Changes the settings of a group. \throws ValueError when they make no sense.
  void set_rule(const R& rule, int group = 0) {
    check(rule);
    rules_[index(group)] = rule;
  }

  /// The learning rate of a group, for rules with a member `lr`.
  double lr(int group = 0) const { return rule(group).lr; }
  /// Sets the learning rate of one group. \throws ValueError when it is negative or not a number.
  void set_lr(double lr, int group) {
    R changed = rule(group);
    changed.lr = lr;
    set_rule(changed, group);
  }
  /// Sets the learning rate of all groups.
  void set_lr(double lr) {
    for (int group = 0; group < groups(); ++group) set_lr(lr, group);
  }
  /// The learning rate that schedules of a group begin from: the one it has when this is first
  /// asked, which the first scheduler does (PyTorch's `initial_lr`).
  double initial_lr(int group = 0) {
    double& initial = initial_lr_[index(group)];
    if (std::isnan(initial)) initial = lr(group);
    return initial;
  }
  /// Says what schedules that are made from now on begin from.
  void set_initial_lr(double lr, int group) { initial_lr_[index(group)] = lr; }

  /// Calls `f("conv1.weight.momentum_buffer", tensor)` for the state of every parameter that is
  /// not frozen: `Tensor<T, 1, Device>&`, made of zeros where no step was taken yet. With
  /// `visit_numbers`, this is all a checkpoint needs.
  /// \throws ValueError when some parameters live on another device than `Device`.
  template <class Device = Cpu, class F>
  void visit_state(F&& f) {
    each_entry<Device>([&](auto& entry) {
      const R& rule = rules_[entry.group];
      if (entry.cell->trainable) entry.make_state(rule);
      for (int k = 0; k < R::states; ++k) {
        if (!entry.state[k].defined()) continue;
        const std::string name = entry.cell->name + "." + detail::state_name<R>(k);
        if constexpr (std::invocable<F&, const std::string&, decltype((entry.state[k]))>)
          f(name, entry.state[k]);
        else
          throw ValueError(message(detail::name_of<R>(),
                                   ": the function given to visit_state does "
                                   "not accept the tensor ",
                                   name, "; take it as auto&"));
      }
    });
  }

  /// Calls `f(name, number)` with a `double&` for the number of steps, each group's learning rate,
  /// each parameter's step count, how many states wait for their first step though it had others
  /// (".waiting", for rules that can do with fewer states) and what its rule remembers; `f` may
  /// change them.
  template <class Device = Cpu, class F>
  void visit_numbers(F&& f) {
    count(std::string("steps"), steps_, f);
    if constexpr (requires(R & rule) { f(std::string(), rule.lr); })
      for (std::size_t g = 0; g < rules_.size(); ++g)
        f("group" + std::to_string(g) + ".lr", rules_[g].lr);
    each_entry<Device>([&](auto& entry) {
      count(entry.cell->name + ".step", entry.number, f);
      if constexpr (detail::may_use_fewer<R>) {
        std::int64_t waiting = entry.waiting(rules_[entry.group]);
        const std::int64_t before = waiting;
        count(entry.cell->name + ".waiting", waiting, f);
        if (waiting != before)
          entry.begun = detail::states_used(rules_[entry.group]) - static_cast<int>(waiting);
      }
      for (int k = 0; k < detail::memory_of<R>(); ++k)
        f(entry.cell->name + ".memory" + std::to_string(k), entry.memory[k]);
    });
  }

 private:
  void require_no_orphans() const {
    detail::require_no_orphans(detail::name_of<R>(), [this](std::uint64_t pass) {
      for (const auto& batch : batches_)
        if (batch->reached_by(pass)) return true;
      return false;
    });
  }

  static void check(const R& rule) {
    if constexpr (requires { rule.check(); })
      rule.check();
    else if constexpr (requires { require_not_negative("", "", rule.lr); })
      require_not_negative(detail::name_of<R>(), "lr", rule.lr);
  }

  std::size_t index(int group) const {
    if (group < 0 || group >= groups())
      throw ValueError(message(detail::name_of<R>(), ": there is no group ", group,
                               "; this "
                               "optimizer has ",
                               groups()));
    return static_cast<std::size_t>(group);
  }

  template <class F>
  static void count(const std::string& name, std::int64_t& number, F& f) {
    auto as_double = static_cast<double>(number);
    f(name, as_double);
    number = static_cast<std::int64_t>(as_double);
  }

  template <class T, class Device>
  detail::BatchOf<R, T, Device>& batch() {
    for (const auto& known : batches_)
      if (auto* found = known->template as<detail::BatchOf<R, T, Device>>()) return *found;
    auto fresh = std::make_unique<detail::BatchOf<R, T, Device>>();
    auto& made = *fresh;
    batches_.push_back(std::move(fresh));
    return made;
  }

  template <class Device, class F>
  void each_entry(F&& f) {
    for (const auto& known : batches_) {
      if (auto* floats = known->template as<detail::BatchOf<R, float, Device>>()) {
        for (auto& entry : floats->entries) f(entry);
      } else if (auto* doubles = known->template as<detail::BatchOf<R, double, Device>>()) {
        for (auto& entry : doubles->entries) f(entry);
      } else {
        throw ValueError(message(detail::name_of<R>(), ": some parameters are not on device ",
                                 Device::name,
                                 " as float or double; name their device, as in "
                                 "opt.visit_state<Device>(f)"));
      }
    }
  }

  std::vector<R> rules_;
  std::vector<double> initial_lr_;  ///< of each group; not a number until it is asked for
  std::vector<std::unique_ptr<detail::Batch<R>>> batches_;
  std::vector<const void*> cells_;
  std::int64_t steps_ = 0, skipped_ = 0;
};

}  // namespace ebb::optim
