#include "training.inl"

#include <ebb/data/load/loader.hpp>

namespace {

struct OnCpu {
  using Device = ebb::Cpu;

  static auto loader(const ebb::data::Dataset<>& images, const BatchOptions& o) {
    return ebb::data::Loader(images, {.batch_size = o.batch_size,
                                      .shuffle = o.shuffle,
                                      .seed = o.seed,
                                      .transform = o.normalize});
  }
  static auto fit(auto& net, auto& optimizer, auto& loader, const ebb::FitOptions& options) {
    return ebb::fit(net, optimizer, loader, options);
  }
  static std::string settings(const Options&) { return {}; }
};

}  // namespace

int train_and_test(const Options& options, const Source& source) {
  return train_and_test_with<OnCpu>(options, source);
}
