// expect: a part of what get() gives is neither a tensor in host memory nor a number
#include <ebb/data/load/loader.hpp>

#ifdef WRONG
using Name = std::string;
#else
using Name = int;
#endif
struct Files {
  struct File {
    ebb::Tensor<float, 3> image;
    Name name;
  };
  ebb::Index size() const { return 3; }
  File get(ebb::Index) const { return {}; }
};

void load() {
  ebb::data::Loader loader(Files{}, {.batch_size = 2});
  for (const auto& batch : loader) static_cast<void>(batch);
}
