/// \file
/// How the programs for a GPU measure, and the lines of JSON that they print: one object a line on
/// stdout, words go to stderr. `benchmarks/gpu` makes its table of them.
#pragma once

#include "benchmarks/clock.hpp"

#include <cmath>
#include <string>
#include <vector>

namespace bench {

/// Microseconds of one `run()`, in each of ten rounds that take `seconds` together; a quarter of
/// that goes to warming up before. `run` asks the GPU for work, `wait` waits for it, once a round.
/// With 0 seconds as little is done as shows that it works.
template <class Run, class Wait>
std::vector<double> rounds_us(double seconds, Run run, Wait wait) {
  const int rounds = seconds > 0 ? 10 : 2;
  const int warm_up = 3;  // a captured step is as it stays from its third run on
  const double began = now();
  for (int i = 0; i < warm_up || now() - began < seconds / 4; ++i) {
    run();
    wait();
  }
  const double before = now();
  run();
  run();
  wait();
  const double each = (now() - before) / 2;
  const long runs = std::max(1L, std::lround(seconds / rounds / each));
  std::vector<double> found;
  for (int round = 0; round < rounds; ++round) {
    const double start = now();
    for (long i = 0; i < runs; ++i) run();
    wait();
    found.push_back(1e6 * (now() - start) / static_cast<double>(runs));
  }
  return found;
}

inline double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// A JSON object of one line, field by field.
class Line {
 public:
  explicit Line(const char* section) { add("section", section); }

  Line& add(const char* name, const std::string& text) { return put(name, '"' + text + '"'); }
  Line& add(const char* name, const char* text) { return add(name, std::string(text)); }
  Line& add(const char* name, double number) { return put(name, written(number)); }
  Line& add(const char* name, const std::vector<double>& numbers) {
    std::string list;
    for (const double number : numbers) list += (list.empty() ? "[" : ", ") + written(number);
    return put(name, list + "]");
  }
  Line& add_null(const char* name) { return put(name, "null"); }

  /// At once, so that what was measured is there should something go wrong later.
  void print() const {
    std::printf("%s}\n", text_.c_str());
    std::fflush(stdout);
  }

 private:
  static std::string written(double number) {
    char text[32];
    std::snprintf(text, sizeof text, "%.9g", number);
    return std::isfinite(number) ? text : "null";
  }
  Line& put(const char* name, const std::string& value) {
    text_ += (text_.empty() ? "{\"" : ", \"") + std::string(name) + "\": " + value;
    return *this;
  }
  std::string text_;
};

/// What is known of an operation besides its time.
struct Operation {
  std::string op, shape, precision, layer;
  double flops = 0;  ///< 0: it is bound by memory
  double bytes = 0;  ///< read and written at least; 0: it is bound by arithmetic
};

/// The line of a measured operation; `us` is of one call, a number a round.
inline Line line_of(const Operation& o, const char* who, const std::vector<double>& us) {
  const double time = median(us);
  Line line("operations");
  line.add("op", o.op).add("shape", o.shape).add("who", who).add("precision", o.precision);
  line.add("us", us);
  o.flops > 0 ? line.add("gflops", o.flops / time * 1e-3) : line.add_null("gflops");
  o.bytes > 0 ? line.add("gb_per_s", o.bytes / time * 1e-3) : line.add_null("gb_per_s");
  if (!o.layer.empty()) line.add("layer", o.layer);
  return line;
}

}  // namespace bench
