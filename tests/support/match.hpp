/// \file
/// What Catch2's versions 2 and 3 call differently.
#pragma once

#include <string>

#include "tests/support/catch.hpp"

namespace ebb::test {

#if __has_include(<catch2/catch_all.hpp>)
using Catch::Approx;
inline auto contains(const std::string& text) { return Catch::Matchers::ContainsSubstring(text); }
#else
using Catch::Detail::Approx;
inline auto contains(const std::string& text) { return Catch::Matchers::Contains(text); }
#endif
using Catch::Matchers::StartsWith;

}  // namespace ebb::test
