// expect: the source's Batch does not fit its samples; for each part of a sample it needs a tensor
#include <ebb/data/load/loader.hpp>

#ifdef WRONG
using Labels = ebb::Tensor<float, 1>;
#else
using Labels = ebb::Tensor<int, 1>;
#endif
struct Files {
  struct Batch {
    ebb::Tensor<float, 4> images;
    Labels labels;
  };
  ebb::Index size() const { return 3; }
  ebb::data::LabelledImage get(ebb::Index) const { return {}; }
};

void load() {
  ebb::data::Loader loader(Files{}, {.batch_size = 2});
  for (const auto& batch : loader) static_cast<void>(batch);
}
