/// \file
/// What a network does, before its first run: layers, output shapes, parameters, multiply-adds and
/// activation memory.
#pragma once

#include <ebb/nn/undrawn.hpp>
#include <ebb/nn/visit.hpp>

#include <algorithm>

namespace ebb::inline EBB_ABI::nn {

/// One operation of a forward pass.
struct SummaryRow {
  std::string layer;      ///< "conv1"; empty for an operation without parameters
  std::string op;         ///< "conv2d"
  std::string shape;      ///< of the output
  Index parameters = 0;   ///< of the layer, on its first row
  Index macs = 0;         ///< multiply-adds
  std::size_t bytes = 0;  ///< of the output
};

/// What `summary` returns; `to_string` makes a table of it.
struct Summary {
  std::string input;  ///< shape
  std::vector<SummaryRow> rows;
  Index parameters = 0, trainable = 0;
  Index macs = 0;
  std::size_t parameter_bytes = 0;
  std::size_t activation_bytes = 0;  ///< of all outputs together, as training keeps them
  /// Parameters that are not frozen and that no operation of the forward pass recorded: no gradient
  /// can reach them.
  std::vector<std::string> unused;
};

namespace detail {

/// "1,605,696".
inline std::string grouped(Index number) {
  std::string digits = std::to_string(number);
  for (std::size_t at = digits.size(); at > 3;) digits.insert(at -= 3, 1, ',');
  return digits;
}

/// "12.3 MiB".
inline std::string readable_bytes(std::size_t bytes) {
  const char* const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  auto amount = static_cast<double>(bytes);
  int unit = 0;
  for (; amount >= 1024 && unit < 4; ++unit) amount /= 1024;
  return ebb::detail::fixed(amount, unit == 0 ? 0 : 1) + " " + units[unit];
}

/// The layer a parameter belongs to, as tapes name it.
inline std::string layer_name(const std::string& parameter) {
  return parameter.substr(0, parameter.rfind('.'));
}

}  // namespace detail

/// Runs zeros of the given shape (batch first) through the network, whose layers evaluate, and
/// notes every operation. The network's statistics and the random state stay as they are; its
/// parameters get their names.
///
///     std::puts(to_string(nn::summary(net, Shape{1, 1, 28, 28})).c_str());
///
/// `T` and `Device` are those of the input.
template <class T = float, class Device = Cpu, class Net, int N>
Summary summary(const Net& net, const Shape<N>& input) {
  name_parameters(net);
  const detail::KeepGenerator keep;
  visit_parameters(net, [](const std::string&, const auto& p) {
    p.cell()->arrival.used_by.store(nullptr, std::memory_order_relaxed);
  });
  Tape tape({.evaluate = true});
  tape.set_replays(true);  // no side effects
  static_cast<void>(net(tape.watch(Tensor<T, N, Device>::zeros(input))));

  Summary s;
  s.input = to_string(input);
  std::vector<std::pair<std::string, Index>> layers;  // parameters of each, not yet told
  visit_parameters(net, [&]<class Tens>(const std::string& path, const Param<Tens>& p) {
    s.parameters += p.size();
    if (p.trainable()) s.trainable += p.size();
    s.parameter_bytes += p.value().bytes();
    if (p.trainable() && p.cell()->arrival.used_by.load(std::memory_order_relaxed) == nullptr)
      s.unused.push_back(path);
    const std::string layer = detail::layer_name(path);
    const auto known = std::find_if(layers.begin(), layers.end(),
                                    [&](const auto& entry) { return entry.first == layer; });
    if (known == layers.end())
      layers.emplace_back(layer, p.size());
    else
      known->second += p.size();
  });
  for (const NodeInfo& node : tape.nodes()) {
    if (node.op == "watch") continue;
    SummaryRow row{node.label, node.op, node.shape, 0, node.macs, node.bytes};
    for (auto& [layer, parameters] : layers)
      if (layer == row.layer) row.parameters = std::exchange(parameters, 0);
    s.macs += row.macs;
    s.activation_bytes += row.bytes;
    s.rows.push_back(std::move(row));
  }
  return s;
}

/// A table, one line per operation, and the totals.
inline std::string to_string(const Summary& s) {
  std::vector<std::array<std::string, 5>> table;
  table.push_back({"layer", "operation", "output", "parameters", "multiply-adds"});
  table.push_back({"", "input", s.input, "", ""});
  for (const SummaryRow& row : s.rows)
    table.push_back({row.layer, row.op, row.shape,
                     row.parameters > 0 ? detail::grouped(row.parameters) : "",
                     row.macs > 0 ? detail::grouped(row.macs) : ""});
  std::array<std::size_t, 5> width{};
  for (const auto& line : table)
    for (std::size_t c = 0; c < line.size(); ++c) width[c] = std::max(width[c], line[c].size());

  std::string text;
  for (std::size_t r = 0; r < table.size(); ++r) {
    for (std::size_t c = 0; c < width.size(); ++c) {
      const std::string pad(width[c] - table[r][c].size(), ' ');
      text += c < 3 ? table[r][c] + pad : pad + table[r][c];  // numbers to the right
      text += c + 1 < width.size() ? "  " : "\n";
    }
    if (r == 0) {
      std::size_t total = 2 * (width.size() - 1);
      for (const std::size_t w : width) total += w;
      text += std::string(total, '-') + "\n";
    }
  }
  text += message("parameters: ", detail::grouped(s.parameters), " (",
                  detail::readable_bytes(s.parameter_bytes), ")");
  if (s.trainable != s.parameters)
    text += message(", of which ", detail::grouped(s.trainable), " are trained");
  text += message("\nmultiply-adds: ", detail::grouped(s.macs),
                  "\nactivations: ", detail::readable_bytes(s.activation_bytes), "\n");
  if (!s.unused.empty()) {
    text += "not used by the forward pass, so that no gradient reaches it: ";
    for (std::size_t i = 0; i < s.unused.size(); ++i) text += (i > 0 ? ", " : "") + s.unused[i];
    text += "\n";
  }
  return text;
}

}  // namespace ebb::nn
