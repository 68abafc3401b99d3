// A kernel that reaches the tape through another header, and includes by a relative path.
#include <ebb/ops/some_op/shared.hpp>
#include "geometry.hpp"
