// The convolutions and products of benchmarks/cuda/operations.cu by cuDNN and cuBLAS:
//
//   bench_gpu_peers [FILTER] SECONDS
//
// cuDNN is given both layouts of images, and in each the fastest is sought among the ways that it
// proposes; the row is the better layout's. Some elements of each result are checked on the host.
// fp32 leaves out whatever uses tensor cores, tf32 whatever is less precise than that; bf16 stores
// tensors as bfloat16, which ebb keeps as floats.

#include "benchmarks/cuda/cudnn_plan.hpp"
#include "benchmarks/cuda/device.cuh"
#include "benchmarks/cuda/samples.hpp"

#include <cublas_v2.h>

#include <cstdlib>
#include <limits>
#include <random>

namespace {

using ebb::Error;
using ebb::message;
using ebb::gpu::driver::check;
using namespace bench;

void check_blas(cublasStatus_t status, const char* what) {
  if (status != CUBLAS_STATUS_SUCCESS)
    throw Error(message("cuBLAS, ", what, ": ", cublasGetStatusString(status)));
}

/// Memory of the GPU, grown when more is asked for than there is.
class Memory {
 public:
  Memory() = default;
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
  ~Memory() { cudaFree(data_); }

  void* of_bytes(std::size_t bytes) {
    if (bytes <= bytes_) return data_;
    check(cudaFree(data_), "giving GPU memory back");
    data_ = nullptr;
    bytes_ = 0;
    check(cudaMalloc(&data_, bytes), "taking GPU memory");
    bytes_ = bytes;
    return data_;
  }
  /// Numbers from -1 to 1, as floats or in the upper half of theirs as bfloat16.
  void* of_numbers(std::size_t count, bool half) {
    std::minstd_rand generator(1);
    std::uniform_real_distribution<float> uniform(-1, 1);
    std::vector<float> numbers(count);
    for (float& number : numbers) number = uniform(generator);
    std::vector<std::uint16_t> upper;
    const void* from = numbers.data();
    if (half) {
      for (const float number : numbers) {
        std::uint32_t bits;
        std::memcpy(&bits, &number, sizeof bits);
        upper.push_back(static_cast<std::uint16_t>(bits >> 16));
      }
      from = upper.data();
    }
    const std::size_t bytes = count * (half ? sizeof(std::uint16_t) : sizeof(float));
    void* const to = of_bytes(bytes);
    check(cudaMemcpy(to, from, bytes, cudaMemcpyHostToDevice), "copying to the GPU");
    return to;
  }
  Numbers read(long count, bool half) const {
    const std::size_t size = half ? sizeof(std::uint16_t) : sizeof(float);
    Numbers numbers{std::vector<unsigned char>(static_cast<std::size_t>(count) * size), half};
    check(cudaMemcpy(numbers.bytes.data(), data_, numbers.bytes.size(), cudaMemcpyDeviceToHost),
          "copying from the GPU");
    return numbers;
  }

 private:
  void* data_ = nullptr;
  std::size_t bytes_ = 0;
};

/// What every measurement uses. \throws ebb::DeviceError where there is no GPU.
struct Machine {
  std::string filter;
  double seconds;
  cudaStream_t stream = ebb::gpu::driver::create_stream();
  cudnnHandle_t dnn = nullptr;
  cublasHandle_t blas = nullptr;
  Memory a, b, c, workspace;

  Machine(std::string wanted, double seconds_each)
      : filter(std::move(wanted)), seconds(seconds_each) {
    cudnn::check(cudnnCreate(&dnn), "beginning");
    cudnn::check(cudnnSetStream(dnn, stream), "choosing a stream");
    check_blas(cublasCreate(&blas), "beginning");
    check_blas(cublasSetStream(blas, stream), "choosing a stream");
    constexpr std::size_t room = std::size_t{64} << 20;
    check_blas(cublasSetWorkspace(blas, workspace.of_bytes(room), room), "giving it memory");
  }

  void wait() const { ebb::gpu::driver::synchronize(stream); }

  /// Microseconds of f, the mean of some calls in a row, for choosing among plans.
  template <class F>
  double quick_us(F f) const {
    f();
    wait();
    const double start = now();
    for (int i = 0; i < 5; ++i) f();
    wait();
    return 1e6 * (now() - start) / 5;
  }

  /// As ebb's program measures: calls of about a millisecond, recorded as a graph and replayed.
  /// What cannot be recorded is called.
  template <class F>
  std::vector<double> rounds(F f) const {
    const int calls = std::clamp(static_cast<int>(1e3 / quick_us(f)), 1, 200);
    const auto all = [&] {
      for (int i = 0; i < calls; ++i) f();
    };
    std::vector<double> us;
    cudaGraphExec_t graph = nullptr;
    ebb::gpu::driver::begin_capture(stream);
    try {
      all();
      graph = ebb::gpu::driver::end_capture(stream);
    } catch (const Error&) {
      ebb::gpu::driver::abandon_capture(stream);
    }
    if (graph) {
      us = rounds_us(
          seconds, [&] { ebb::gpu::driver::replay(stream, graph); }, [&] { wait(); });
      ebb::gpu::driver::destroy(graph);
    } else {
      us = rounds_us(seconds, all, [&] { wait(); });
    }
    for (double& one : us) one /= calls;
    return us;
  }
};

/// The fastest plan of a layout. \throws Error where there is none.
std::vector<double> rounds_of_best(Machine& on, const ConvShape& s, int pass,
                                   const std::string& precision, cudnn::Layout layout) {
  constexpr std::int64_t most_workspace = std::int64_t{4} << 30;
  const cudnnDataType_t type = precision == "bf16" ? CUDNN_DATA_BFLOAT16 : CUDNN_DATA_FLOAT;
  const auto graph = cudnn::graph_of(on.dnn, s, pass, type, layout);
  std::vector<cudnn::Descriptor> best;  // the plan, where there is one
  double least = std::numeric_limits<double>::infinity();
  const auto execute = [&](const cudnn::Descriptor& plan, const cudnn::Descriptor& pack) {
    cudnn::check(cudnnBackendExecute(on.dnn, plan.handle(), pack.handle()), "running a plan");
  };
  Memory room;
  const auto pack_of = [&](const cudnn::Descriptor& plan) {
    const auto bytes = static_cast<std::size_t>(cudnn::workspace_of(plan));
    // (Contents are there already; of_bytes only asks where.)
    return cudnn::operands(on.a.of_bytes(0), on.b.of_bytes(0), on.c.of_bytes(0),
                           room.of_bytes(std::max(bytes, std::size_t{1})));
  };
  for (const auto& proposal : cudnn::proposals(graph, 12)) {
    if (!cudnn::is_as_precise(proposal, precision)) continue;
    for (auto& plan : cudnn::plan_of(on.dnn, proposal)) {
      if (cudnn::workspace_of(plan) > most_workspace) continue;
      try {
        const auto pack = pack_of(plan);
        const double us = on.quick_us([&] { execute(plan, pack); });
        if (us >= least) continue;
        least = us;
        best.clear();
        best.push_back(std::move(plan));
      } catch (const Error&) {  // a plan that is refused when it is run is none
      }
    }
  }
  if (best.empty()) throw Error("it has no plan that keeps this precision");
  const auto pack = pack_of(best[0]);
  auto us = on.rounds([&] { execute(best[0], pack); });
  const bool half = type == CUDNN_DATA_BFLOAT16, last = layout == cudnn::Layout::nhwc;
  const Numbers x = on.a.read(s.batch * s.in * s.height * s.width, half);
  const Numbers w = on.b.read(s.out * s.in * s.kernel * s.kernel, half);
  const Numbers y = on.c.read(s.batch * s.out * s.out_height() * s.out_width(), half);
  check_convolution(s, pass, {x, s.batch, s.in, s.height, s.width, last},
                    {w, s.out, s.in, s.kernel, s.kernel, last},
                    {y, s.batch, s.out, s.out_height(), s.out_width(), last});
  return us;
}

void say_left_out(const Operation& operation, const Error& e) {
  std::fprintf(stderr, "%s of %s in %s is left out: %s\n", operation.op.c_str(),
               operation.shape.c_str(), operation.precision.c_str(), e.what());
}

/// The row of a pass, of the layout in which cuDNN is faster.
void convolution(Machine& on, const ConvShape& s, int pass, const Operation& operation) {
  const auto rounds = [&](cudnn::Layout layout) {
    try {
      return rounds_of_best(on, s, pass, operation.precision, layout);
    } catch (const Error& e) {
      say_left_out(operation, e);
      return std::vector<double>();
    }
  };
  const auto nchw = rounds(cudnn::Layout::nchw), nhwc = rounds(cudnn::Layout::nhwc);
  if (nchw.empty() && nhwc.empty()) return;
  const bool last = nchw.empty() || (!nhwc.empty() && median(nhwc) < median(nchw));
  auto line = line_of(operation, "cuDNN", last ? nhwc : nchw);
  line.add("layout", last ? "NHWC" : "NCHW");
  line.add("storage", operation.precision == "bf16" ? "bf16" : "fp32");
  if (!nchw.empty()) line.add("us_nchw", median(nchw));
  if (!nhwc.empty()) line.add("us_nhwc", median(nhwc));
  line.print();
}

void convolutions(Machine& on) {
  for (const auto& s : gpu_conv_shapes)
    for (const std::string precision : precisions) {
      const bool half = precision == "bf16";
      bool filled = false;
      for (int pass = 0; pass < 3; ++pass) {
        const auto operation = operation_of(s, passes[pass], precision.c_str());
        if (!asked_for(operation, on.filter)) continue;
        if (!std::exchange(filled, true)) {
          const auto count = [](long n) { return static_cast<std::size_t>(n); };
          on.a.of_numbers(count(s.batch * s.in * s.height * s.width), half);
          on.b.of_numbers(count(s.out * s.in * s.kernel * s.kernel), half);
          on.c.of_numbers(count(s.batch * s.out * s.out_height() * s.out_width()), half);
        }
        convolution(on, s, pass, operation);
      }
    }
}

/// Rows are ours, columns cuBLAS's: it is asked for the transposed product, b^T a^T.
void products(Machine& on) {
  for (const auto& s : gpu_gemm_shapes)
    for (const char* precision : precisions) {
      const auto operation = operation_of(s, precision);
      if (!asked_for(operation, on.filter)) continue;
      const bool half = operation.precision == "bf16";
      const cudaDataType_t type = half ? CUDA_R_16BF : CUDA_R_32F;
      const cublasComputeType_t sums =
          operation.precision == "tf32" ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F;
      const void* const a = on.a.of_numbers(static_cast<std::size_t>(s.m * s.k), half);
      const void* const b = on.b.of_numbers(static_cast<std::size_t>(s.k * s.n), half);
      void* const c = on.c.of_numbers(static_cast<std::size_t>(s.m * s.n), half);
      const int m = static_cast<int>(s.m), n = static_cast<int>(s.n), k = static_cast<int>(s.k);
      const float one = 1, zero = 0;
      try {
        const auto us = on.rounds([&] {
          check_blas(cublasGemmEx(on.blas, s.transposed_b ? CUBLAS_OP_T : CUBLAS_OP_N,
                                  s.transposed_a ? CUBLAS_OP_T : CUBLAS_OP_N, n, m, k, &one, b,
                                  type, s.transposed_b ? k : n, a, type, s.transposed_a ? m : k,
                                  &zero, c, type, n, sums, CUBLAS_GEMM_DEFAULT),
                     "multiplying");
        });
        check_product(s, on.a.read(s.m * s.k, half), on.b.read(s.k * s.n, half),
                      on.c.read(s.m * s.n, half));
        line_of(operation, "cuBLAS", us).add("storage", half ? "bf16" : "fp32").print();
      } catch (const Error& e) {
        say_left_out(operation, e);
      }
    }
}

}  // namespace

int main(int count, char** words) {
  if (count != 2 && count != 3) {
    std::fprintf(stderr, "usage: %s [FILTER] SECONDS\n", words[0]);
    return 2;
  }
  try {
    const auto gpu = device_line("cuDNN and cuBLAS");  // where there is none, it says so
    Machine machine(count == 3 ? words[1] : "", std::atof(words[count - 1]));
    Line(gpu).add("cudnn", static_cast<double>(cudnnGetVersion())).print();
    products(machine);
    convolutions(machine);
    return 0;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
  }
}
