// Each library keeps its own state: were their symbols one, the second seed would be the first's
// too.
#include <cstdio>

extern "C" int call_this_version(unsigned seed, unsigned long long* drawn);
extern "C" int call_next_version(unsigned seed, unsigned long long* drawn);

int main() {
  unsigned long long first = 0, second = 0;
  const int version = call_this_version(7, &first), next = call_next_version(11, &second);
  call_this_version(0, &first);
  std::printf("version 0.%d has seed %llu, version 0.%d has seed %llu\n", version, first, next,
              second);
  return version >= 0 && next == 99 && first == 7 && second == 11 ? 0 : 1;
}
