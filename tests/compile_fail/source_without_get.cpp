// expect: this source gives no samples; give it a const member `get(Index i)`
#include <ebb/data/load/loader.hpp>

struct Files {
  ebb::Index size() const { return 3; }
#ifndef WRONG
  int get(ebb::Index i) const { return static_cast<int>(i); }
#endif
};

void load() {
  ebb::data::Loader loader(Files{}, {.batch_size = 2});
  for (const auto& batch : loader) static_cast<void>(batch);
}
