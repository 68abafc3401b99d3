// A kernel that sees the tape, and includes by a relative path.
#include <ebb/tape/var.hpp>
#include "geometry.hpp"
