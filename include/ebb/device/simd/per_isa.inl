// Compiles a file once for each instruction set. Who includes this file, in namespace
// ebb::kernel::simd, defines
//   EBB_PER_ISA        the file, as `<ebb/...>`,
// and the file finds itself in namespace `portable`, `avx2` or `avx512` with
//   EBB_ISA_TARGET     the function attribute that turns the instruction set on,
//   EBB_ISA_BYTES      the width of its registers.
// A function that has a vector in it carries the attribute, helpers too (EBB_ISA_INLINE): compilers
// split vectors that a function's instruction set cannot hold before they inline it.

#define EBB_ISA_INLINE EBB_ISA_TARGET inline __attribute__((always_inline))

namespace portable {
#define EBB_ISA_TARGET
#define EBB_ISA_BYTES 16
#include EBB_PER_ISA
#undef EBB_ISA_TARGET
#undef EBB_ISA_BYTES
}  // namespace portable

#if EBB_X86
namespace avx2 {
#  define EBB_ISA_TARGET __attribute__((target("avx2,fma")))
#  define EBB_ISA_BYTES 32
#  include EBB_PER_ISA
#  undef EBB_ISA_TARGET
#  undef EBB_ISA_BYTES
}  // namespace avx2

namespace avx512 {
#  define EBB_ISA_TARGET __attribute__((target("avx512f")))
#  define EBB_ISA_BYTES 64
#  include EBB_PER_ISA
#  undef EBB_ISA_TARGET
#  undef EBB_ISA_BYTES
}  // namespace avx512
#endif

#undef EBB_ISA_INLINE
#undef EBB_PER_ISA
