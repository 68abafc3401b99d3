/// \file
/// Catch2, whichever major version is installed, under the names of version 2.
#pragma once

#if __has_include(<catch2/catch_all.hpp>)
#  include <catch2/catch_all.hpp>

using Catch::Approx;

/// Version 3 took this name for elements of ranges; of texts it means what it did.
namespace Catch::Matchers {
inline auto Contains(const char* part) { return ContainsSubstring(part); }
inline auto Contains(const std::string& part) { return ContainsSubstring(part); }
inline auto Contains(std::string& part) { return ContainsSubstring(part); }
inline auto Contains(std::string&& part) { return ContainsSubstring(part); }
}  // namespace Catch::Matchers
#else
#  include <catch2/catch.hpp>
#endif
