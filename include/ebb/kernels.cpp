// The kernels of floats and doubles, compiled once for a whole program: see
// ebb/device/compiled.hpp.
#define EBB_COMPILE_KERNELS

#include <ebb/device/performance_hint.hpp>
#include <ebb/ops/ops.hpp>
#include <ebb/optim/optim.hpp>

namespace ebb::inline EBB_ABI::detail {
#if defined(__OPTIMIZE__) || !defined(__GNUC__)
extern const bool kernels_are_optimised = true;
#else
extern const bool kernels_are_optimised = false;
#endif
}  // namespace ebb::detail
