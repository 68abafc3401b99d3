/// \file
/// A whole training step as one piece of work for the GPU: recorded once, then replayed.
///
///     auto step = ebb::capture([&](const auto& x, const auto& y) {
///       Tape tape;
///       const auto loss = cross_entropy(net(tape.input(x)), y);
///       opt.zero_grad();
///       backward(loss);
///       optim::clip_grad_norm<Cuda>(net, 1.0);
///       opt.step();
///       schedule.step();
///       return loss;
///     }, images, labels);                      // what batches look like; nothing is run yet
///
///     for (const auto& [x, y] : loader) step(x, y);
///     std::printf("%g\n", step.loss());        // waits, and reads it
///
/// It gives the very bits that the function would have given. The first call runs it as it is, the
/// second records it and replays, and from then on its code is not run any more: the GPU repeats
/// what it was asked, with the present batch, learning rate, step count and random numbers. Where
/// that would not be right any more (weights were replaced, or frozen), it begins again like that.
#pragma once

#include <ebb/core/replay.hpp>
#include <ebb/device/cuda/step.cuh>
#include <ebb/device/gpu/graph.cuh>
#include <ebb/optim/clip.cuh>
#include <ebb/tape/backward.hpp>

#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>

namespace ebb::inline EBB_ABI {

namespace detail {

/// While it lives, `on_replay` adds to `part`.
class HostPartScope {
 public:
  explicit HostPartScope(HostPart& part) { recorded_host_part = &part; }
  HostPartScope(const HostPartScope&) = delete;
  HostPartScope& operator=(const HostPartScope&) = delete;
  ~HostPartScope() { recorded_host_part = nullptr; }
};

/// A batch into the buffer that the captured step reads; from the host by way of pinned memory.
template <class T, int N, class From>
void copy_into(const Tensor<T, N, Cuda>& buffer, const Tensor<T, N, From>& x) {
  const std::size_t bytes = static_cast<std::size_t>(x.size()) * sizeof(T);
  if constexpr (From::host_accessible) {
    Cuda::upload(buffer.mutable_data(), x.data(), bytes);
  } else {
    if (x.data() != buffer.data()) Cuda::copy(buffer.mutable_data(), x.data(), bytes);
  }
}

}  // namespace detail

/// What `capture` returns: call it with batches. It serves one thread at a time, and may be moved.
/// F's arguments are tensors on Cuda; the call also takes tensors in host memory.
template <class F, class... X>
class CapturedStep {
  using Returned = std::remove_cvref_t<std::invoke_result_t<F&, const X&...>>;
  static_assert(Operand<Returned>,
                "ebb::capture: the function must return a tensor or a variable, such as its loss");

 public:
  using result_type = tensor_of<Returned>;

  CapturedStep(F f, const Shape<X::rank>&... shapes)
      : state_(std::make_unique<State>(std::move(f), shapes...)) {}

  /// Runs the step on a batch. Returns at once; the result may be read later, until the next call.
  /// \throws ShapeError when the batch has other shapes than the step was captured with.
  template <class... Batch>
  const result_type& operator()(const Batch&... x) {
    static_assert(sizeof...(Batch) == sizeof...(X),
                  "ebb::capture: as many inputs as the step was captured with");
    State& own = *state_;
    std::apply([&](const auto&... shape) { (check_shape(shape, x), ...); }, own.shapes);
    if (gpu::stream().capturing)
      throw DeviceError("a captured step may not run another captured step");
    const gpu::OrderedScope scope(own.stream.stream(), own.begun, own.ended);
    if (own.runs == 0)  // here, so that the buffers come from the step's own pool
      std::apply([&](auto&... buffer) { ((buffer = X(x.shape())), ...); }, own.inputs);
    std::apply([&](const auto&... buffer) { (detail::copy_into(buffer, x), ...); }, own.inputs);
    if (own.graph && !own.host.holds()) own.forget();
    if (!own.seen) {
      own.run();
      own.seen = true;
    } else {
      if (own.graph)
        own.prepare();
      else
        own.record();
      own.numbers->upload();
      own.graph.replay();
    }
    ++own.runs;
    return own.result;
  }

  /// What the last call gave: its memory is written anew by the next one.
  /// \throws ValueError before the first call.
  const result_type& result() const {
    if (state_->runs == 0)
      throw ValueError("captured step: it has not been called yet, so there is no result");
    return state_->result;
  }
  /// The number that the last call gave. Waits for it.
  auto loss() const {
    static_assert(result_type::rank == 0,
                  "ebb::capture: loss() is for functions that return a scalar; see result()");
    return result().item();
  }

  /// Calls so far.
  Index runs() const { return state_->runs; }

 private:
  struct State {
    F f;
    std::tuple<Shape<X::rank>...> shapes;
    CudaStream stream;
    gpu::Event begun, ended;
    std::tuple<X...> inputs{};  ///< where the captured step finds its batch
    result_type result{};
    detail::HostPart host;
    std::unique_ptr<gpu::StepNumbers> numbers;
    Generator generator;      ///< the thread's default one when the step was recorded,
    std::uint64_t drawn = 0;  ///< and the streams that the step takes from it
    Index runs = 0;
    bool seen = false;  ///< it was run as it is, so all it makes when it is first run is there
    gpu::Graph graph;   ///< goes first: it uses all of the above

    State(F function, const Shape<X::rank>&... x) : f(std::move(function)), shapes(x...) {}

    void run() {
      result = std::apply([&](const auto&... x) { return result_type(value(f(x...))); }, inputs);
    }

    /// The next call begins as the first one did.
    void forget() {
      graph = {};
      seen = false;
    }

    void record() {
      host.clear();
      generator = default_generator();
      numbers = std::make_unique<gpu::StepNumbers>();
      {
        const detail::HostPartScope host_scope(host);
        const gpu::StepNumbersScope numbers_scope(*numbers);
        graph = gpu::Graph::record([&] { run(); });
      }
      drawn = default_generator().next - generator.next;
    }

    /// What the host does of a step: it counts, and works out the numbers of the replay.
    void prepare() {
      Generator& now = default_generator();
      numbers->rewind();
      numbers->set_shift({now.seed - generator.seed, now.next - generator.next});
      now.next += drawn;
      const gpu::StepNumbersScope scope(*numbers);
      host.run();
    }
  };

  template <int N, class Tens>
  static void check_shape(const Shape<N>& shape, const Tens& x) {
    if (!(x.shape() == shape))
      throw ShapeError(message(
          "captured step: an input has shape ", x.shape(), ", but the step was captured with ",
          shape, "; leave out a smaller last batch (drop_last), or capture another step for it"));
  }

  std::unique_ptr<State> state_;
};

/// Captures `f`, a training step or any other work for the GPU: see the top of this file. `like`
/// are tensors with the shapes of its inputs, on any device.
///
/// Random numbers are drawn from the calling thread's default generator, as by `nn::Dropout`. The
/// function must return a tensor or a variable, and its tapes, like everything it makes, must stay
/// within. What it refers to must outlive the captured step and stay where it is: the network, the
/// optimizer, a schedule. Whatever else it says on the host (numbers of its own, decisions, output)
/// is said when it is recorded, and no more.
template <class F, class... T, int... N, class... Device>
auto capture(F f, const Tensor<T, N, Device>&... like) {
  return CapturedStep<F, Tensor<T, N, Cuda>...>(std::move(f), like.shape()...);
}

struct CaptureOptions {
  double clip_norm = 0;          ///< bound on the norm of all gradients; 0: none
  double clip_value = 0;         ///< bound on every element of every gradient; 0: none
  bool skip_not_finite = false;  ///< leave out updates by gradients that are not finite numbers
};

/// Captures the step of `fit`, which minimises `loss(net(x), y)`:
///
///     auto step = ebb::capture(net, opt, ebb::CrossEntropy{}, x, y, {.clip_norm = 1});
///
/// A schedule goes on between the steps, by `schedule.step()`.
template <class Net, class Optimizer, class Loss, class X, class Y>
requires requires(Optimizer& optimizer) {
  optimizer.zero_grad();
  optimizer.step();
}
auto capture(Net& net, Optimizer& optimizer, Loss loss, const X& x, const Y& y,
             CaptureOptions options = {}) {
  return capture(
      [&net, &optimizer, loss = std::move(loss), options](const auto& input, const auto& target) {
        Tape tape;
        const auto objective = loss(net(tape.input(input)), target);
        optimizer.zero_grad();
        backward(objective);
        Tensor<double, 1, Cuda> norm;
        if (options.clip_norm > 0)
          norm = optim::clip_grad_norm<Cuda>(net, options.clip_norm);
        else if (options.skip_not_finite)
          norm = optim::grad_norm<Cuda>(net);
        if (options.clip_value > 0) optim::clip_grad_value(net, options.clip_value);
        if (!options.skip_not_finite)
          optimizer.step();
        else if constexpr (requires { optimizer.step_if_finite(norm); })
          optimizer.step_if_finite(norm);
        else
          throw ValueError("capture: skip_not_finite needs an optimizer with step_if_finite(norm)");
        return objective.value();
      },
      x, y);
}

}  // namespace ebb
