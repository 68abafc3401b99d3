// What registers do of an epilogue (kit/epilogue_tile.hpp), for the instruction set of
// kit/product/tile.inl, which includes this file.

/// A register of sums, their bias already in them: adds what was there `before`, and rectifies.
template <class T>
EBB_ISA_INLINE void finish(const InRegisters<T>& end, const T* before, void* sums) {
  using Vector = Vec<T>;
  Vector& v = *static_cast<Vector*>(sums);
  if (end.add) {
    Vector there;
    load(before, there);
    v += there;
  }
  if (end.relu) v = v < T(0) ? Vector{} : v;
}
