/// \file
/// A list of oneDNN primitives that is put together once and run again and again: what a framework
/// would do between them is left out, so this is what oneDNN itself can reach.
#pragma once

#include <dnnl.hpp>

#include <cstddef>
#include <functional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace bench {

using dnnl::memory;
using Tag = memory::format_tag;
using Args = std::unordered_map<int, memory>;

class Program {
 public:
  Program() : engine_(dnnl::engine::kind::cpu, 0), stream_(engine_) {}

  const dnnl::engine& engine() const { return engine_; }

  static memory::desc any(const memory::dims& dims) {
    return {dims, memory::data_type::f32, Tag::any};
  }
  static memory::desc plain(const memory::dims& dims) {
    const Tag tags[] = {Tag::a, Tag::ab, Tag::abc, Tag::abcd, Tag::abcde};
    return {dims, memory::data_type::f32, tags[dims.size() - 1]};
  }

  /// Memory of its own, filled with small numbers.
  memory make(const memory::desc& desc) const {
    memory m(desc, engine_);
    float* const data = floats(m);
    for (std::size_t i = 0; i < count(m); ++i)
      data[i] = static_cast<float>((i * 2654435761u >> 16 & 1023u)) / 1024.0f * 0.02f - 0.01f;
    return m;
  }
  static float* floats(const memory& m) { return static_cast<float*>(m.get_data_handle()); }
  static std::size_t count(const memory& m) { return m.get_desc().get_size() / sizeof(float); }

  void add(const dnnl::primitive& primitive, Args args) {
    steps_.push_back(
        [this, primitive, args = std::move(args)] { primitive.execute(stream_, args); });
  }
  /// A step that is no primitive.
  void add(std::function<void()> step) { steps_.push_back(std::move(step)); }

  /// `from` as `desc` wants it: the same memory, or a copy that a reorder makes at each run.
  memory as(const memory& from, const memory::desc& desc) {
    if (from.get_desc() == desc) return from;
    memory to(desc, engine_);
    copy(from, to);
    return to;
  }
  void copy(const memory& from, const memory& to) {
    add(dnnl::reorder(from, to), {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}});
  }

  void run() {
    for (const auto& step : steps_) step();
    stream_.wait();
  }

 private:
  dnnl::engine engine_;
  dnnl::stream stream_;
  std::vector<std::function<void()>> steps_;
};

/// Post-operation: relu of what a primitive yields, before it is written.
inline dnnl::primitive_attr with_relu(bool relu) {
  dnnl::primitive_attr attributes;
  if (relu) {
    dnnl::post_ops after;
    after.append_eltwise(1.0f, dnnl::algorithm::eltwise_relu, 0.0f, 0.0f);
    attributes.set_post_ops(after);
  }
  return attributes;
}

}  // namespace bench
