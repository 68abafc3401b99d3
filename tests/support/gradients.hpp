/// \file
/// `CHECK_GRADIENTS(f, x...)`: gradcheck as a test.
#pragma once

#include <ebb/tape/gradcheck.hpp>

#include "tests/support/catch.hpp"

#define CHECK_GRADIENTS(...)                                    \
  do {                                                          \
    const auto gradcheck_result_ = ebb::gradcheck(__VA_ARGS__); \
    INFO(gradcheck_result_.message);                            \
    CHECK(gradcheck_result_.passed);                            \
  } while (false)
