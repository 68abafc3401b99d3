// Fine in itself: no kernel.
#include <ebb/tape/track.hpp>
