/// \file
/// A tape as text: a table for reading, Graphviz for drawing.
#pragma once

#include <ebb/core/stream.hpp>
#include <ebb/tape/param.hpp>
#include <ebb/tape/tape.hpp>
#include <ebb/tape/var.hpp>
#include <ebb/tensor/print.hpp>

#include <algorithm>
#include <string>

namespace ebb::inline EBB_ABI {

/// The elements of a variable, as those of a tensor.
template <class Tens>
std::string to_string(const Var<Tens>& x) {
  return to_string(x.value());
}

/// And those of a parameter.
template <class Tens>
std::string to_string(const Param<Tens>& x) {
  return x.defined() ? to_string(x.value()) : "undefined";
}

/// One line per node, oldest first: number, operation, layer, shape, and the nodes it read.
///
///      0  watch                    (2, 3)
///      1  linear    fc1            (2, 8)     <- 0
inline std::string to_string(const Tape& tape) {
  const auto nodes = tape.nodes();
  std::size_t op_width = 0, label_width = 0, shape_width = 0;
  for (const NodeInfo& node : nodes) {
    op_width = std::max(op_width, node.op.size());
    label_width = std::max(label_width, node.label.size());
    shape_width = std::max(shape_width, node.shape.size());
  }
  const auto padded = [](std::string text, std::size_t width) {
    text.resize(std::max(width, text.size()), ' ');
    return text;
  };
  std::string text;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const std::string number = std::to_string(i);
    std::string line = padded("", number.size() < 4 ? 4 - number.size() : 0) + number + "  " +
                       padded(nodes[i].op, op_width) + "  " + padded(nodes[i].label, label_width) +
                       "  " + padded(nodes[i].shape, shape_width);
    for (std::size_t k = 0; k < nodes[i].inputs.size(); ++k)
      line += (k == 0 ? "  <- " : ", ") + std::to_string(nodes[i].inputs[k]);
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

/// The tape as a Graphviz graph, values flowing down: `dot -Tsvg tape.dot > tape.svg`.
inline std::string to_dot(const Tape& tape) {
  const auto nodes = tape.nodes();
  std::string text = "digraph tape {\n  node [shape=box, fontname=\"sans-serif\"];\n";
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const std::string layer = nodes[i].label.empty() ? "" : " " + nodes[i].label;
    text += "  n" + std::to_string(i) + " [label=\"" + nodes[i].op + layer + "\\n" +
            nodes[i].shape + "\"];\n";
    for (const int input : nodes[i].inputs)
      text += "  n" + std::to_string(input) + " -> n" + std::to_string(i) + ";\n";
  }
  return text + "}\n";
}

}  // namespace ebb
