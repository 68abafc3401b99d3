/// \file
/// Training checkpoints: all it takes to go on as if nothing had happened, in one safetensors file.
///
///     model.*         parameters and buffers, under PyTorch's names
///     optimizer.*     what the update rule remembers; step counts and learning rates (F64)
///     part0.*, ...    schedules, stopping rules and whatever else was given
///     random          seed and next stream of the default generator
///     epoch
#pragma once

#include <ebb/core/random.hpp>
#include <ebb/io/state.hpp>

namespace ebb::inline EBB_ABI::io {

/// Where a run stands, and what its owner wants to remember.
struct Progress {
  std::int64_t epoch = 0;  ///< epochs done: the next one to run
  Metadata metadata = {};
};

/// Something with numbers to save: a Scheduler, ReduceOnPlateau, Stopping, or your own with a
/// member `visit_numbers(f)` that calls `f(name, number)` with a `double&` for each.
template <class X>
concept Resumable = requires(X& x, void (*f)(const std::string&, double&)) {
  x.visit_numbers(f);
};

namespace detail {

inline constexpr const char* checkpoint_format = "ebb checkpoint 1";

/// The numbers of an optimizer whose parameters live on `Device`.
template <class Device, class Optimizer>
struct NumbersOf {
  Optimizer& optimizer;
  template <class F>
  void visit_numbers(F&& f) {
    optimizer.template visit_numbers<Device>(f);
  }
};

/// Numbers that are zero in most files, and left out of these. (Version 0.1 knew none of them.)
inline bool may_be_left_out(const std::string& name) { return name.ends_with(".waiting"); }

template <class Part>
void collect_numbers(std::vector<NamedTensor>& tensors, const std::string& prefix, Part& part) {
  part.visit_numbers([&](const std::string& name, double& number) {
    if (number != 0 || !may_be_left_out(name))
      tensors.emplace_back(prefix + name, Tensor<double, 0>(number));
  });
}

/// Numbers are read now and handed over when everything else fits.
template <class Part>
void expect_numbers(StateLoader& loader, const std::string& prefix, Part& part,
                    std::vector<std::function<void()>>& apply) {
  auto numbers = std::make_shared<std::map<std::string, double>>();
  part.visit_numbers([&](const std::string& name, double& now) {
    if (may_be_left_out(name) && !loader.offers(prefix + name)) {
      (*numbers)[name] = 0;
      return;
    }
    loader.expect(prefix + name, Tensor<double, 0>(now),
                  [numbers, name](const Tensor<double, 0>& x) { (*numbers)[name] = x.item(); });
  });
  apply.push_back([numbers, &part] {
    part.visit_numbers([&](const std::string& name, double& number) {
      const auto found = numbers->find(name);
      if (found != numbers->end()) number = found->second;
    });
  });
}

}  // namespace detail

/// Saves a network, its optimizer, where the run stands, the random state of the calling thread and
/// any further parts (schedules and the like). The file appears whole or not at all, so a run that
/// is killed while it saves still has its last checkpoint. `Device` is where the optimizer's
/// parameters live.
/// \throws FileError when it cannot be written, ValueError when metadata is called "format".
template <class Device = Cpu, class Net, class Optimizer, Resumable... Parts>
void save_checkpoint(const std::string& path, const Net& net, Optimizer& opt,
                     const Progress& progress = {}, Parts&... parts) {
  std::vector<NamedTensor> tensors = state_dict(net, "model.");
  opt.template visit_state<Device>(
      [&](const std::string& name, auto& x) { tensors.emplace_back("optimizer." + name, x); });
  detail::NumbersOf<Device, Optimizer> counts{opt};
  detail::collect_numbers(tensors, "optimizer.", counts);
  int position = 0;
  (detail::collect_numbers(tensors, message("part", position++, "."), parts), ...);
  const Generator& random = default_generator();
  tensors.emplace_back("random", Tensor<std::uint64_t, 1>({2}, {random.seed, random.next}));
  tensors.emplace_back("epoch", Tensor<std::int64_t, 0>(progress.epoch));
  Metadata metadata = progress.metadata;
  if (!metadata.try_emplace("format", detail::checkpoint_format).second)
    throw ValueError(
        "save_checkpoint: the metadata called 'format' tells checkpoints from other "
        "files; choose another name");
  write_safetensors(path, tensors, metadata);
}

/// Puts everything back that `save_checkpoint` saved with the same parts in the same order; the run
/// then goes on with the same bits as if it had never stopped. If anything does not fit, nothing is
/// changed.
/// \throws FileError when the file cannot be read or believed, or was saved with other parts.
template <class Device = Cpu, class Net, class Optimizer, Resumable... Parts>
Progress load_checkpoint(const std::string& path, Net& net, Optimizer& opt, Parts&... parts) {
  const SafetensorsFile file(path);
  const auto format = file.metadata().find("format");
  if (format == file.metadata().end() || format->second != detail::checkpoint_format)
    file.fail("it is no training checkpoint; load weights alone with io::load");
  detail::StateLoader loader(file, {});
  std::vector<std::function<void()>> numbers;
  nn::visit_state(net, [&](const std::string& name, auto& x) {
    loader.expect("model." + name, x.value(), [&x](const auto& loaded) { x.set(loaded); });
  });
  opt.template visit_state<Device>([&](const std::string& name, auto& x) {
    loader.expect("optimizer." + name, x, [&x](const auto& loaded) { x = loaded; });
  });
  int position = 0;
  (detail::expect_numbers(loader, message("part", position++, "."), parts, numbers), ...);
  // Last, because schedulers that are restored set the rate as if each were alone.
  detail::NumbersOf<Device, Optimizer> counts{opt};
  detail::expect_numbers(loader, "optimizer.", counts, numbers);
  Progress progress{0, file.metadata()};
  progress.metadata.erase("format");
  loader.expect("random", Tensor<std::uint64_t, 1>({2}), [](const auto& x) {
    default_generator() = {x(0), x(1)};
  });
  loader.expect("epoch", Tensor<std::int64_t, 0>(0),
                [&](const auto& x) { progress.epoch = x.item(); });
  loader.finish();
  for (const auto& apply : numbers) apply();
  return progress;
}

}  // namespace ebb::io
