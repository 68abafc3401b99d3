/// \file
/// The PyTorch side of a test: scripts in tests/oracle, run where Python has what they need.
#pragma once

#include <cstdlib>
#include <string>

#include "tests/support/catch.hpp"

namespace ebb::test {

/// A Python with these modules: $EBB_PYTHON, or python3; "" with a warning without.
inline std::string python(const std::string& modules = "torch, safetensors.torch") {
  const char* chosen = std::getenv("EBB_PYTHON");
  for (const std::string& name : {std::string(chosen != nullptr ? chosen : ""),
                                  std::string("python3"), std::string("/usr/bin/python3")})
    if (!name.empty() &&
        std::system((name + " -c 'import " + modules + "' > /dev/null 2>&1").c_str()) == 0)
      return name;
  WARN("skipped: no Python with " + modules + " was found; name one in EBB_PYTHON");
  return {};
}

/// The path of a script in tests/oracle.
inline std::string oracle(const std::string& name) {
  const char* source = std::getenv("EBB_SOURCE");
  return std::string(source != nullptr ? source : ".") + "/tests/oracle/" + name;
}

}  // namespace ebb::test
