// The operator vectors of ONNX, as Debian's libonnx-testdata has them: what applies must pass.

#include "runner.hpp"
#include "tests/support/catch.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <set>

namespace onnx_vectors {

const std::map<std::string, std::string>& without_counterpart() {
  static const std::map<std::string, std::string> reasons = {
      {"Hardmax", "not differentiable"},
      {"LRN", "local response normalisation: out of use"},
      {"GridSample", "no sampling at given positions"},
      {"ReduceProd", "no product over axes"},
      {"MaxUnpool", "max pooling returns no positions"},
      {"Erf", "only inside gelu"},
      {"Expand", "broadcasting happens inside operations"},
      {"Where", "no selection by a mask"},
      {"CumSum", "its axis is a tensor, and some exclude an element or begin at the end"},
      {"Einsum", "no index notation"},
      {"ThresholdedRelu", "no threshold but zero"},
      {"Shrink", "no shrinkage"},
  };
  return reasons;
}

namespace {

/// Where the vectors lie: EBB_ONNX, or where Debian puts them.
std::string folder() {
  const char* chosen = std::getenv("EBB_ONNX");
  return chosen != nullptr ? chosen : "/usr/share/libonnx-testdata/data/node";
}

/// "" when both are the same within float rounding, else what differs.
std::string difference(const Value& got, const Value& expected) {
  if (got.shape != expected.shape) return "the shape differs";
  if (expected.kind == Kind::other) return "expected values of type " + expected.type;
  for (std::size_t i = 0; i < expected.numbers.size(); ++i) {
    const double a = got.numbers[i], b = expected.numbers[i];
    const bool same =
        a == b || (std::isnan(a) && std::isnan(b)) || std::abs(a - b) <= 1e-6 + 1e-5 * std::abs(b);
    if (!same)
      return "element " + std::to_string(i) + " is " + std::to_string(a) + ", expected " +
             std::to_string(b);
  }
  return {};
}

struct Count {
  int passed = 0, compared = 0, total = 0;
  std::map<std::string, std::vector<std::string>> skipped;  ///< names by reason
};

}  // namespace

TEST_CASE("ONNX operator vectors") {
  if (!std::filesystem::is_directory(folder())) {
    std::printf(
        "skipped: no ONNX operator vectors in %s (Debian: apt install libonnx-testdata; or "
        "set EBB_ONNX)\n",
        folder().c_str());
    return;
  }
  Table table;
  add_elementwise(table);
  add_reductions(table);
  add_shapes(table);
  add_products(table);
  add_images(table);
  add_normalisation(table);
  add_losses(table);
  add_optimizers(table);

  std::map<std::string, Count> counts;
  std::map<std::string, int> others;
  int composed = 0, passed = 0, applicable = 0, skipped = 0;
  for (const Vector& vector : read_vectors(folder())) {
    if (vector.nodes != 1) {
      ++composed;
      continue;
    }
    const auto entry = table.find(vector.op);
    if (entry == table.end()) {
      const auto reason = without_counterpart().find(vector.op);
      if (reason == without_counterpart().end())
        ++others[vector.op];
      else
        counts[vector.op].skipped[reason->second].push_back(vector.name);
      continue;
    }
    Count& count = counts[vector.op];
    try {
      const Results results = entry->second(vector);
      ++applicable;
      bool same = !results.empty();
      for (std::size_t i = 0; i < results.size(); ++i) {
        const std::string wrong = difference(results[i], vector.outputs.at(i));
        INFO(vector.name << " (" << vector.op << "), output " << i << ": " << wrong);
        CHECK(wrong.empty());
        same = same && wrong.empty();
      }
      CHECK(!results.empty());
      if (same) {
        ++passed;
        ++count.passed;
      }
      ++count.compared;
    } catch (const Skip& skip) {
      count.skipped[skip.what()].push_back(vector.name);
    } catch (const std::exception& error) {
      ++applicable;
      ++count.compared;
      FAIL_CHECK(vector.name << " (" << vector.op << ") threw: " << error.what());
    }
  }

  std::printf("ONNX operator vectors in %s\n", folder().c_str());
  for (const auto& [op, count] : counts) {
    std::size_t left_out = 0;
    for (const auto& [reason, names] : count.skipped) left_out += names.size();
    skipped += static_cast<int>(left_out);
    std::printf("  %-28s %3d of %3d pass", op.c_str(), count.passed, count.compared);
    if (left_out > 0) std::printf(", %zu skipped", left_out);
    std::printf("\n");
    for (const auto& [reason, names] : count.skipped) {
      std::printf("      skipped: %s\n       ", reason.c_str());
      for (const auto& name : names) std::printf(" %s", name.c_str());
      std::printf("\n");
    }
  }
  std::printf("  not a single operator (expanded functions, models of several nodes): %d\n",
              composed);
  std::printf("  operators outside of what ebb is for:");
  for (const auto& [op, number] : others) std::printf(" %s (%d)", op.c_str(), number);
  std::printf("\n%d of %d applicable vectors pass; %d skipped\n", passed, applicable, skipped);
  CHECK(passed == applicable);
  CHECK(passed >= 200);
}

}  // namespace onnx_vectors
