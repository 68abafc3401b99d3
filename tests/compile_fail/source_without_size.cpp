// expect: this source does not say how many samples it has; give it a member `Index size() const`
#include <ebb/data/load/loader.hpp>

struct Files {
#ifndef WRONG
  ebb::Index size() const { return 3; }
#endif
  int get(ebb::Index i) const { return static_cast<int>(i); }
};

void load() {
  ebb::data::Loader loader(Files{}, {.batch_size = 2});
  for (const auto& batch : loader) static_cast<void>(batch);
}
