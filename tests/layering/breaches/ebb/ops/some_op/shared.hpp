// Fine in itself: no kernel.
#include <ebb/tape/var.hpp>
