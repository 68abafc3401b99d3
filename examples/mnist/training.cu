#include <ebb/cuda.cuh>

#include "training.inl"

#include <ebb/data/load/cuda_loader.cuh>
#include <ebb/train/fit.cuh>

namespace {

// The images stay on the GPU, and a step is one call there.
struct OnCuda {
  using Device = ebb::Cuda;

  static auto loader(const ebb::data::Dataset<>& images, const BatchOptions& o) {
    return ebb::data::Loader(images,
                             {.batch_size = o.batch_size,
                              .shuffle = o.shuffle,
                              .seed = o.seed,
                              .transform = o.normalize,
                              .resident = true},
                             ebb::Cuda{});
  }
  static auto fit(auto& net, auto& optimizer, auto& loader, const ebb::FitOptions& options) {
    return ebb::fit_captured(net, optimizer, loader, options);
  }
  static std::string settings(const Options& options) {
    return ", on a GPU in " + options.precision;
  }
};

int on_cuda(const Options& options, const Source& source) {
  ebb::Cuda::synchronize();  // without a GPU this says so, before any image is read
  ebb::cuda::set_precision(options.precision == "tf32"   ? ebb::cuda::Precision::tf32
                           : options.precision == "bf16" ? ebb::cuda::Precision::bf16
                                                         : ebb::cuda::Precision::fp32);
  return train_and_test_with<OnCuda>(options, source);
}

}  // namespace

int (*const train_and_test_on_gpu)(const Options&, const Source&) = on_cuda;
