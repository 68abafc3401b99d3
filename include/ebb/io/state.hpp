/// \file
/// The parameters and buffers of a network to and from files, under PyTorch's names.
#pragma once

#include <ebb/io/weights.hpp>
#include <ebb/nn/visit.hpp>

#include <functional>
#include <optional>
#include <set>

namespace ebb::inline EBB_ABI::io {

/// Every parameter and buffer of a network, in the order of PyTorch's `state_dict`.
template <class Net>
std::vector<NamedTensor> state_dict(const Net& net, const std::string& prefix = {}) {
  std::vector<NamedTensor> tensors;
  nn::visit_state(net, [&](const std::string& path, const auto& x) {
    tensors.emplace_back(prefix + path, x.value());
  });
  return tensors;
}

struct SaveOptions {
  /// F16 or BF16 halves the file: floats and doubles are rounded to it. None: as they are.
  std::optional<Dtype> floats = {};
};

/// Saves a network's parameters and buffers: for PyTorch's `torch.load` where the path ends in .pt,
/// .pth or .ckpt, else as a safetensors file that `safetensors.torch.load_file` reads. The file
/// appears whole or not at all.
/// \throws FileError when it cannot be written.
template <class Net>
void save(const Net& net, const std::string& path, Metadata metadata = {},
          const SaveOptions& options = {}) {
  std::vector<NamedTensor> tensors = state_dict(net);
  if (options.floats)
    for (NamedTensor& tensor : tensors) tensor = tensor.as(*options.floats);
  write_weights(path, tensors, std::move(metadata));
}

struct LoadOptions {
  bool strict = true;    ///< the file must hold the network's tensors and no others
  bool convert = false;  ///< let float become double, and double float
  /// What the file's names begin with: "model." takes the weights out of a training checkpoint,
  /// "encoder." those of one part of a larger network. Names that begin otherwise are ignored.
  std::string prefix = {};
  /// Patterns of names of the network, in which * stands for any text: "conv*", "*.bias". Only what
  /// one of them fits is loaded (all, if there are none), and nothing that one of `except` fits.
  /// The rest of the network stays as it is, and the rest of the file is ignored.
  std::vector<std::string> only = {}, except = {};
};

/// What a load that was not strict passed over.
struct LoadReport {
  std::vector<std::string> missing;     ///< in the network, not in the file: left as they were
  std::vector<std::string> unexpected;  ///< in the file, not in the network: ignored
  std::vector<std::string> loaded;      ///< in both: replaced
  std::vector<std::string> left_out;  ///< in the network, by `only` or `except`: left as they were
};

namespace detail {

/// Whether a pattern, in which * stands for any text, fits a name as a whole.
inline bool fits(std::string_view pattern, std::string_view name) {
  std::size_t p = 0, n = 0, star = pattern.npos, retry = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*')
      star = p++, retry = n;
    else if (p < pattern.size() && pattern[p] == name[n])
      ++p, ++n;
    else if (star != pattern.npos)
      p = star + 1, n = ++retry;
    else
      return false;
  }
  return pattern.find_first_not_of('*', p) == pattern.npos;
}

/// Collects what must happen to load a state, so that nothing happens unless all of it can.
class StateLoader {
 public:
  StateLoader(const TensorFile& file, LoadOptions options)
      : file_(file), options_(std::move(options)) {}

  /// Whether the file has a tensor for this place of the program.
  bool offers(const std::string& path) const { return file_.contains(options_.prefix + path); }

  /// A tensor of the program: `set` receives the file's in its place.
  template <class T, int N, class Device, class Set>
  void expect(const std::string& path, const Tensor<T, N, Device>& now, Set set) {
    const std::string name = options_.prefix + path;
    known_.insert(name);
    if (!asked_for(path)) return report_.left_out.push_back(path);
    if (!file_.contains(name)) {
      report_.missing.push_back(path);
      return;
    }
    const TensorInfo& t = file_.info(name);
    std::vector<Index> shape(N);
    for (int axis = 0; axis < N; ++axis) {
      shape[static_cast<std::size_t>(axis)] = now.shape()[axis];
    }
    if (t.shape != shape) {
      faults_.push_back(message("tensor ", in_quotes(name), " has shape ", to_string(t.shape),
                                " in the file and ", now.shape(), " in the program"));
    } else if (std::string why = file_.mismatch<T>(name, {options_.convert}); !why.empty()) {
      faults_.push_back(std::move(why));
    } else {
      report_.loaded.push_back(path);
      reads_.push_back([this, name, set = std::move(set)] {
        apply_.push_back([set, x = file_.get<T, N, Device>(name, {options_.convert})] { set(x); });
      });
    }
  }

  /// Does it all, or throws before anything is changed.
  LoadReport finish() {
    const std::string& prefix = options_.prefix;
    for (const auto& [name, tensor] : file_.tensors())
      if (name.starts_with(prefix) && !known_.contains(name) &&
          asked_for(name.substr(prefix.size())))
        report_.unexpected.push_back(name.substr(prefix.size()));
    if (!faults_.empty()) {
      std::string text = faults_[0];
      constexpr std::size_t most = 5;
      for (std::size_t i = 1; i < std::min(most, faults_.size()); ++i) text += "; " + faults_[i];
      if (faults_.size() > most) text += message("; and ", faults_.size() - most, " more");
      file_.fail(text);
    }
    if (options_.strict && !(report_.missing.empty() && report_.unexpected.empty()))
      file_.fail(message("it does not fit the program: missing from the file: ",
                         TensorFile::listed(report_.missing), "; in the file alone: ",
                         TensorFile::listed(report_.unexpected), "; ", advice()));
    if (!known_.empty() && report_.left_out.size() == known_.size())
      file_.fail(message("no name of the program is asked for by .only and .except; it has ",
                         TensorFile::listed(report_.left_out)));
    if (!known_.empty() && report_.missing.size() + report_.left_out.size() == known_.size())
      file_.fail(message("it holds nothing that the program has: that has ",
                         TensorFile::listed(report_.missing), "; the file has ",
                         TensorFile::listed(file_.names())));
    for (const auto& read : reads_) read();
    for (const auto& apply : apply_) apply();
    return std::move(report_);
  }

 private:
  bool asked_for(const std::string& path) const {
    const auto one_fits = [&](const std::vector<std::string>& patterns) {
      return std::any_of(patterns.begin(), patterns.end(),
                         [&](const std::string& pattern) { return fits(pattern, path); });
    };
    return (options_.only.empty() || one_fits(options_.only)) && !one_fits(options_.except);
  }

  /// How a file that does not fit may be loaded. Wrappers of networks put a name in front of each:
  /// "module." for several GPUs, "model." in Lightning.
  std::string advice() const {
    for (const auto& [name, tensor] : file_.tensors()) {
      if (report_.missing.empty() || !name.ends_with("." + report_.missing[0])) continue;
      const std::string front = name.substr(0, name.size() - report_.missing[0].size());
      bool all = true;
      for (const std::string& path : report_.missing) all = all && file_.contains(front + path);
      if (all && options_.prefix.empty())
        return message("its names begin with '", front, "': load it with .prefix = \"", front,
                       "\"");
    }
    return "load it with .strict = false to take what fits";
  }

  const TensorFile& file_;
  LoadOptions options_;
  std::set<std::string> known_;
  LoadReport report_;
  std::vector<std::string> faults_;
  std::vector<std::function<void()>> reads_, apply_;
};

template <class Net>
void expect_state(StateLoader& loader, Net& net) {
  nn::visit_state(net, [&](const std::string& path, auto& x) {
    loader.expect(path, x.value(), [&x](const auto& loaded) { x.set(loaded); });
  });
}

}  // namespace detail

/// Replaces a network's parameters and buffers by those of a file, and names its parameters. Either
/// all that is loaded fits, or the network stays as it was.
/// \throws FileError when a shape or a type differs, or, if strict, when tensors are missing or
/// left over; if not, when nothing at all fits.
template <class Net>
LoadReport load(Net& net, const TensorFile& file, const LoadOptions& options = {}) {
  detail::StateLoader loader(file, options);
  detail::expect_state(loader, net);
  LoadReport report = loader.finish();
  nn::name_parameters(net);
  return report;
}

/// The same from a safetensors file or one of PyTorch, whatever its name.
/// \throws FileError when the file cannot be read or believed, too.
template <class Net>
LoadReport load(Net& net, const std::string& path, const LoadOptions& options = {}) {
  return load(net, *open_weights(path), options);
}

}  // namespace ebb::io
