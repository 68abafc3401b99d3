/// \file
/// How the benchmarks' programs measure: time, and the most memory the process ever had.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <vector>

namespace bench {

/// Seconds since some fixed moment.
inline double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// Calls `step` until `seconds` have passed, after `warm_up` calls; returns calls per second.
template <class Step>
double rate(double seconds, int warm_up, Step step) {
  for (int i = 0; i < warm_up; ++i) step();
  const double start = now();
  for (int calls = 1;; ++calls) {
    step();
    const double passed = now() - start;
    if (passed >= seconds) return calls / passed;
  }
}

/// The median time of a call in seconds, of those that fit into `seconds`, and of three at least.
template <class Call>
double median_time(double seconds, Call call) {
  call();
  std::vector<double> times;
  const double start = now();
  do {
    const double before = now();
    call();
    times.push_back(now() - before);
  } while (times.size() < 3 || now() - start < seconds);
  const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
  std::nth_element(times.begin(), middle, times.end());
  return *middle;
}

/// The most memory this process ever had, in MiB (Linux's VmHWM); 0 where that is not known.
inline double peak_memory() {
  double kilobytes = 0;
  if (std::FILE* file = std::fopen("/proc/self/status", "r")) {
    char line[256];
    while (std::fgets(line, sizeof line, file))
      if (std::strncmp(line, "VmHWM:", 6) == 0) std::sscanf(line + 6, "%lf", &kilobytes);
    std::fclose(file);
  }
  return kilobytes / 1024;
}

}  // namespace bench
