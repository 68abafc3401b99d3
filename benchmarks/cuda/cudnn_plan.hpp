/// \file
/// Convolutions of cuDNN by its graph interface (cudnnBackend..., versions 8 and 9), and the search
/// for the fastest of the ways that it offers.
#pragma once

#include "benchmarks/cuda/shapes.hpp"

#include <ebb/core/error.hpp>

#include <cudnn.h>

#include <array>
#include <cstdint>
#include <initializer_list>
#include <utility>

namespace bench::cudnn {

inline void check(cudnnStatus_t status, const char* what) {
  if (status == CUDNN_STATUS_SUCCESS) return;
  std::string more;
#if CUDNN_MAJOR >= 9
  char text[512] = "";
  cudnnGetLastErrorString(text, sizeof text);
  more = std::string(" ") + text;
#endif
  throw ebb::Error(ebb::message("cuDNN, ", what, ": ", cudnnGetErrorString(status), more));
}

/// One of the interface's objects: attributes are set, then it is finished.
class Descriptor {
 public:
  explicit Descriptor(cudnnBackendDescriptorType_t type) {
    check(cudnnBackendCreateDescriptor(type, &handle_), "making a descriptor");
  }
  Descriptor(Descriptor&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Descriptor() {
    if (handle_) static_cast<void>(cudnnBackendDestroyDescriptor(handle_));
  }

  template <class T>
  Descriptor& set(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type,
                  std::initializer_list<T> values) {
    check(cudnnBackendSetAttribute(handle_, name, type, static_cast<std::int64_t>(values.size()),
                                   values.begin()),
          "setting an attribute");
    return *this;
  }
  Descriptor& set(cudnnBackendAttributeName_t name, const Descriptor& value) {
    return set(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, {value.handle_});
  }
  Descriptor& set(cudnnBackendAttributeName_t name, std::initializer_list<std::int64_t> values) {
    return set(name, CUDNN_TYPE_INT64, values);
  }
  cudnnStatus_t try_to_finish() { return cudnnBackendFinalize(handle_); }
  Descriptor finish() && {
    check(try_to_finish(), "finishing a descriptor");
    return std::move(*this);
  }

  /// Up to `room` values; how many there are.
  std::int64_t get(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type,
                   std::int64_t room, void* values) const {
    std::int64_t count = 0;
    check(cudnnBackendGetAttribute(handle_, name, type, room, &count, values),
          "reading an attribute");
    return count;
  }

  cudnnBackendDescriptor_t handle() const { return handle_; }

 private:
  cudnnBackendDescriptor_t handle_ = nullptr;
};

enum class Layout { nchw, nhwc };

/// The places of the three tensors of a convolution, or of their gradients.
enum Place : std::int64_t { x = 1, w = 2, y = 3 };

inline Descriptor tensor(Place place, cudnnDataType_t type, Layout layout, std::int64_t n,
                         std::int64_t c, std::int64_t h, std::int64_t width) {
  Descriptor made(CUDNN_BACKEND_TENSOR_DESCRIPTOR);
  made.set(CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, {type})
      .set(CUDNN_ATTR_TENSOR_DIMENSIONS, {n, c, h, width})
      .set(CUDNN_ATTR_TENSOR_UNIQUE_ID, {place})
      .set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, {16});
  if (layout == Layout::nchw)
    made.set(CUDNN_ATTR_TENSOR_STRIDES, {c * h * width, h * width, width, 1});
  else
    made.set(CUDNN_ATTR_TENSOR_STRIDES, {c * h * width, 1, width * c, c});
  return std::move(made).finish();
}

/// A pass (an index of `bench::passes`) as a graph of one operation.
inline Descriptor graph_of(cudnnHandle_t handle, const ConvShape& s, int pass, cudnnDataType_t type,
                           Layout layout) {
  const Descriptor in = tensor(x, type, layout, s.batch, s.in, s.height, s.width);
  const Descriptor weight = tensor(w, type, layout, s.out, s.in / s.groups, s.kernel, s.kernel);
  const Descriptor out = tensor(y, type, layout, s.batch, s.out, s.out_height(), s.out_width());
  Descriptor sums(CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
  sums.set(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, {CUDNN_DATA_FLOAT})
      .set(CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE, {CUDNN_CROSS_CORRELATION})
      .set(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, {2})
      .set(CUDNN_ATTR_CONVOLUTION_DILATIONS, {1, 1})
      .set(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, {s.stride, s.stride})
      .set(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, {s.padding, s.padding})
      .set(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, {s.padding, s.padding});
  const Descriptor convolution = std::move(sums).finish();

  struct Names {
    cudnnBackendDescriptorType_t type;
    cudnnBackendAttributeName_t alpha, beta, convolution, x, w, y;
  };
  constexpr Names names[] = {
      {CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR,
       CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA,
       CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA,
       CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC,
       CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W,
       CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y},
      {CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR,
       CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA,
       CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA,
       CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC,
       CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W,
       CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY},
      {CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR,
       CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA,
       CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA,
       CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC,
       CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X,
       CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW,
       CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY}};
  const Names& name = names[pass];
  Descriptor asked(name.type);
  asked.set(name.alpha, CUDNN_TYPE_FLOAT, {1.0f})
      .set(name.beta, CUDNN_TYPE_FLOAT, {0.0f})
      .set(name.convolution, convolution)
      .set(name.x, in)
      .set(name.w, weight)
      .set(name.y, out);
  const Descriptor operation = std::move(asked).finish();
  Descriptor graph(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
  graph.set(CUDNN_ATTR_OPERATIONGRAPH_OPS, operation)
      .set(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, {handle});
  return std::move(graph).finish();
}

/// What cuDNN proposes for a graph, the best guess first: at most `most` of each of its two lists.
inline std::vector<Descriptor> proposals(const Descriptor& graph, std::int64_t most) {
  std::vector<Descriptor> all;
  for (const cudnnBackendHeurMode_t mode : {CUDNN_HEUR_MODE_A, CUDNN_HEUR_MODE_FALLBACK}) {
    Descriptor heuristics(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
    heuristics.set(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph)
        .set(CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, {mode});
    if (heuristics.try_to_finish() != CUDNN_STATUS_SUCCESS) continue;
    std::int64_t count =
        heuristics.get(CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR, 0, nullptr);
    count = std::min(count, most);
    std::vector<cudnnBackendDescriptor_t> handles;
    std::vector<Descriptor> found;
    for (std::int64_t i = 0; i < count; ++i)
      handles.push_back(found.emplace_back(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR).handle());
    if (count > 0)
      heuristics.get(CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR, count,
                     handles.data());
    for (auto& one : found) all.push_back(std::move(one));
  }
  return all;
}

/// Whether a proposal keeps what the precision promises. Of floats, tensor cores mean TF32.
inline bool is_as_precise(const Descriptor& proposal, const std::string& precision) {
  const Descriptor engine(CUDNN_BACKEND_ENGINE_DESCRIPTOR);
  cudnnBackendDescriptor_t handle = engine.handle();
  proposal.get(CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &handle);
  cudnnBackendNumericalNote_t notes[CUDNN_NUMERICAL_NOTE_TYPE_COUNT];
  const std::int64_t count = engine.get(CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, CUDNN_TYPE_NUMERICAL_NOTE,
                                        CUDNN_NUMERICAL_NOTE_TYPE_COUNT, notes);
  return std::none_of(notes, notes + count, [&](cudnnBackendNumericalNote_t note) {
    return note == CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS ||
           note == CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION ||
           (note == CUDNN_NUMERICAL_NOTE_TENSOR_CORE && precision == "fp32");
  });
}

/// The plan of a proposal, or nothing where this GPU has none.
inline std::vector<Descriptor> plan_of(cudnnHandle_t handle, const Descriptor& proposal) {
  std::vector<Descriptor> made;
  Descriptor plan(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
  plan.set(CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, {handle})
      .set(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, proposal);
  if (plan.try_to_finish() == CUDNN_STATUS_SUCCESS) made.push_back(std::move(plan));
  return made;
}

inline std::int64_t workspace_of(const Descriptor& plan) {
  std::int64_t bytes = 0;
  plan.get(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, CUDNN_TYPE_INT64, 1, &bytes);
  return bytes;
}

/// The tensors that a plan is run on.
inline Descriptor operands(void* in, void* weight, void* out, void* workspace) {
  Descriptor pack(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
  pack.set(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, {x, w, y})
      .set(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, {in, weight, out})
      .set(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, {workspace});
  return std::move(pack).finish();
}

}  // namespace bench::cudnn
