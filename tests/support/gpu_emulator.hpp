// gpu_emul.hpp - CUDA-on-fibers for tests. Included by gpu.hpp when the compiler is not nvcc.
#pragma once

#define EBB_GPU_EMULATOR 1
#include <algorithm>
#include <atomic>
#include <cassert>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>
#include <sys/mman.h>
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define GPU_ASAN 1
#endif
#if __has_feature(thread_sanitizer)
#define GPU_TSAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define GPU_ASAN 1
#endif
#if defined(__SANITIZE_THREAD__)
#define GPU_TSAN 1
#endif
#if GPU_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#else
#define ASAN_POISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#endif
#if GPU_TSAN
extern "C" { void AnnotateIgnoreReadsBegin(const char*, int); void AnnotateIgnoreReadsEnd(const char*, int);
void AnnotateIgnoreWritesBegin(const char*, int); void AnnotateIgnoreWritesEnd(const char*, int); void* __tsan_create_fiber(unsigned); void __tsan_destroy_fiber(void*); void* __tsan_get_current_fiber();
void __tsan_switch_to_fiber(void*, unsigned); void __tsan_acquire(void*); void __tsan_release(void*); }
#endif
#if !defined(__x86_64__) && !defined(GPU_EMUL_UCONTEXT)
#define GPU_EMUL_UCONTEXT 1
#endif
#ifdef GPU_EMUL_UCONTEXT
#include <ucontext.h>
#endif
#ifndef GPU_TSAN
#define GPU_TSAN 0
#endif
#ifndef GPU_ASAN
#define GPU_ASAN 0
#endif

struct uint3 { unsigned x, y, z; };
struct dim3 { unsigned x, y, z; constexpr dim3(unsigned a = 1, unsigned b = 1, unsigned c = 1) : x(a), y(b), z(c) {} };
struct alignas(16) float4 { float x, y, z, w; };
inline float4 make_float4(float a, float b, float c, float d) { return {a, b, c, d}; }

namespace ebb::gpu::emulator {
struct error : std::runtime_error { using std::runtime_error::runtime_error; };
enum class Order { forward, reverse, random };
struct Config { Order order = Order::forward; unsigned seed = 1; std::size_t stack = 64 * 1024; bool parallel = false; };
inline Config config;

struct Quiet {   // the emulator's own bookkeeping is not the kernel's memory traffic
#if GPU_TSAN
  Quiet() { AnnotateIgnoreReadsBegin("", 0); AnnotateIgnoreWritesBegin("", 0); }
  ~Quiet() { AnnotateIgnoreWritesEnd("", 0); AnnotateIgnoreReadsEnd("", 0); }
#else
  Quiet() {}
#endif
};
struct Block; struct WarpOp;
enum State : unsigned char { Fresh, Ready, AtBlock, AtWarp, AtGrid, Done };
struct Ctx {
#ifdef GPU_EMUL_UCONTEXT
  ucontext_t uc;
#else
  void* sp = nullptr;
#endif
  char* stack = nullptr; std::size_t size = 0, color = 0; void* fake = nullptr; void* tsan = nullptr;
};
struct Copy { void* d; const void* s; unsigned n; };
struct Thread { Block* blk; Ctx* ctx; uint3 tid; unsigned flat; State st; int line; const char* file; };   // hot: fits one line
struct Async { std::deque<std::vector<Copy>> groups; std::vector<Copy> open; };
struct WarpOp { unsigned mask = 0, arrived = 0, left = 0; const char* kind = nullptr; alignas(16) unsigned char val[32][32]; };
struct Site { const void* key; std::size_t off; };
struct Block {
  uint3 bid; dim3 bdim, gdim; std::vector<Thread> th; std::vector<Async> async; unsigned live = 0, waiting = 0;
  std::vector<std::vector<WarpOp*>> pending; std::vector<unsigned> exited;      // per warp
  std::unique_ptr<char[]> arena; std::size_t used = 0; std::vector<Site> sites; std::size_t dyn_off = 0, dyn_size = 0;
  char tag[2] = {}; unsigned gen = 0; int bar_line = 0;                                           // TSan sync objects (alternating)
};
inline constexpr std::size_t kArena = 232448 + 8192;   // sm_90 opt-in limit 227 KiB + red zones
inline constinit thread_local Thread* cur = nullptr;
inline constinit thread_local Ctx* host = nullptr;
inline void tsan_release([[maybe_unused]] void* p) {
#if GPU_TSAN
  __tsan_release(p);
#endif
}
inline void tsan_acquire([[maybe_unused]] void* p) {
#if GPU_TSAN
  __tsan_acquire(p);
#endif
}
struct Sched {                                          // one per OS thread
  Ctx main; std::vector<Ctx*> pool; std::vector<WarpOp*> ops; void* fn = nullptr; void (*call)(void*) = nullptr;
  unsigned grid_wait = 0, grid_live = 0; char gridtag[2] = {}, endtag = 0; unsigned grid_gen = 0; std::string err; std::vector<std::unique_ptr<Block>> spare;
  ~Sched() { for (auto* c : pool) { munmap(c->stack - 4096, c->size + 4096); delete c; } for (auto* o : all) delete o; }
  std::vector<WarpOp*> all; std::vector<Ctx*> retired; char starttag = 0;
  void begin_launch() { pool.insert(pool.end(), retired.begin(), retired.end()); retired.clear(); tsan_release(&starttag); }
};
inline Sched& sched() { thread_local Sched s; return s; }

#ifndef GPU_EMUL_UCONTEXT
__attribute__((naked, noinline)) inline void raw_switch(void** /*save*/, void* /*load*/) {
  asm volatile("pushq %rbp; pushq %rbx; pushq %r12; pushq %r13; pushq %r14; pushq %r15; movq %rsp,(%rdi); movq %rsi,%rsp;"
               "popq %r15; popq %r14; popq %r13; popq %r12; popq %rbx; popq %rbp; ret");
}
#endif
inline void jump(Ctx& from, Ctx& to, [[maybe_unused]] bool dying = false) {
#if GPU_ASAN
  __sanitizer_start_switch_fiber(dying ? nullptr : &from.fake, to.stack, to.size);
#endif
#if GPU_TSAN
  __tsan_switch_to_fiber(to.tsan, 1 /* no happens-before from the switch itself */);
#endif
#ifdef GPU_EMUL_UCONTEXT
  swapcontext(&from.uc, &to.uc);
#else
  raw_switch(&from.sp, to.sp);
#endif
#if GPU_ASAN
  const void* b; std::size_t n; __sanitizer_finish_switch_fiber(from.fake, &b, &n);
  if (&from == host && !from.stack) { }
#endif
}
inline void park(State st, const char* f, int l) { cur->st = st; cur->file = f; cur->line = l; Thread* me = cur; jump(*me->ctx, *host); cur = me; }
template <class... A> [[noreturn]] void die(const char* fmt, A... a) {     // raised on a fiber, thrown on the host stack
  char m[400]; std::snprintf(m, sizeof m, fmt, a...); sched().err = m; for (;;) park(Done, "", 0);
}
inline void finish();
#ifdef GPU_EMUL_UCONTEXT
inline void entry() {
#else
[[noreturn]] inline void entry() {
#endif
#if GPU_ASAN
  const void* b; std::size_t n; __sanitizer_finish_switch_fiber(nullptr, &b, &n);
  if (!host->stack) { host->stack = (char*)const_cast<void*>(b); host->size = n; }
#endif
  Sched* s; { Quiet q; s = &sched(); tsan_acquire(&s->starttag); }
  s->call(s->fn); Ctx* mine; { Quiet q; finish(); cur->st = Done; mine = cur->ctx; }
  jump(*mine, *host, true); std::abort();
}
inline void prepare(Ctx& c) {
  ASAN_UNPOISON_MEMORY_REGION(c.stack, c.size);   // a dead fiber may have left poisoned frames
#ifdef GPU_EMUL_UCONTEXT
  getcontext(&c.uc); c.uc.uc_stack.ss_sp = c.stack; c.uc.uc_stack.ss_size = c.size; c.uc.uc_link = nullptr; makecontext(&c.uc, entry, 0);
#else
  void** sp = (void**)(c.stack + c.size - c.color) - 2;   // colour: else all stacks hit one cache set
   sp[0] = (void*)entry; sp[1] = nullptr; sp -= 6; std::fill(sp, sp + 6, nullptr); c.sp = sp;
#endif
}
inline Ctx* take(Sched& s) {
  Ctx* c; if (s.pool.empty()) { c = new Ctx; c->size = config.stack;
    char* m = (char*)mmap(nullptr, c->size + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (m == MAP_FAILED) throw std::bad_alloc(); mprotect(m, 4096, PROT_NONE); c->stack = m + 4096;   // guard page
    static std::atomic<unsigned> k{0}; c->color = k++ % 61 * 320 % 4096 / 16 * 16;
  } else { c = s.pool.back(); s.pool.pop_back(); }
#if GPU_TSAN
  if (!c->tsan) c->tsan = __tsan_create_fiber(0);
#endif
  prepare(*c); return c;
}
inline void give(Sched& s, Ctx* c) {
#if GPU_TSAN
  s.retired.push_back(c);   // a TSan fiber and its stack serve one CUDA thread per launch: blocks must stay unordered
#else
  s.pool.push_back(c);
#endif
}
inline void open_barrier(Block& b) { b.waiting = 0; ++b.gen; for (auto& t : b.th) if (t.st == AtBlock) t.st = Ready; }
inline void finish() {                                   // thread left the kernel
  Block& b = *cur->blk; Sched& s = sched(); tsan_release(&s.endtag);
  --b.live; --s.grid_live; b.exited[cur->flat / 32] |= 1u << (cur->flat & 31);
  if (b.live && b.waiting == b.live) open_barrier(b);    // CUDA: barrier counts non-exited threads
}
inline void syncthreads(const char* f, int l) {
  Quiet q; Block& b = *cur->blk; void* tag = &b.tag[b.gen & 1]; tsan_release(tag);
  if (b.waiting && b.bar_line != l) die("divergent __syncthreads: thread %u reached %s:%d while others wait at line %d", cur->flat, f, l, b.bar_line);
  b.bar_line = l;
  if (++b.waiting == b.live) { open_barrier(b); park(Ready, f, l); } else park(AtBlock, f, l);
  tsan_acquire(tag);
}
inline void gridsync() {
  Quiet q; Sched& s = sched(); void* tag = &s.gridtag[s.grid_gen & 1]; tsan_release(tag);
  if (++s.grid_wait == s.grid_live) { s.grid_wait = 0; ++s.grid_gen; for (auto& b : s.spare) for (auto& t : b->th) if (t.st == AtGrid) t.st = Ready; park(Ready, "", 0); }
  else park(AtGrid, "grid_sync", 0);
  tsan_acquire(tag);
}
inline WarpOp* warp_arrive(unsigned mask, const char* kind, const void* v, std::size_t n) {
  Block& b = *cur->blk; const unsigned w = cur->flat / 32, lane = cur->flat & 31, bit = 1u << lane;
  const unsigned full = b.th.size() - w * 32 >= 32 ? ~0u : (1u << (b.th.size() - w * 32)) - 1; mask &= full;
  if (!(mask & bit)) die("%s: calling lane %u not in its own mask %08x", kind, lane, mask);
  if (mask & b.exited[w]) die("%s: mask %08x names exited lanes %08x", kind, mask, mask & b.exited[w]);
  WarpOp* op = nullptr;
  for (auto* p : b.pending[w]) if (p->mask & mask) { if (p->mask != mask || std::strcmp(p->kind, kind)) die("warp divergence: lane %u at %s/%08x meets %s/%08x", lane, kind, mask, p->kind, p->mask); op = p; }
  Sched& s = sched();
  if (!op) { if (s.ops.empty()) s.all.push_back(op = new WarpOp); else { op = s.ops.back(); s.ops.pop_back(); } op->mask = mask; op->arrived = 0; op->left = mask; op->kind = kind; b.pending[w].push_back(op); }
  std::memcpy(op->val[lane], v, n); op->arrived |= bit; tsan_release(op);
  if (op->arrived == mask) {
    std::erase(b.pending[w], op);
    for (unsigned i = 0; i < 32; ++i) if ((mask & ~bit) >> i & 1) b.th[w * 32 + i].st = Ready;
  } else park(AtWarp, kind, 0);
  tsan_acquire(op); return op;
}
inline void warp_leave(WarpOp* op) { op->left &= ~(1u << (cur->flat & 31)); if (!op->left) sched().ops.push_back(op); }
template <class V, class F> void warp_collective(unsigned mask, const char* kind, const V& v, F&& f) {
  static_assert(sizeof(V) <= 32 && std::is_trivially_copyable_v<V>);
  Quiet q; WarpOp* op = warp_arrive(mask, kind, &v, sizeof v);
  f([op](unsigned lane) { V r; std::memcpy(&r, op->val[lane & 31], sizeof r); return r; }); warp_leave(op);
}
template <class T> T shfl(unsigned mask, const char* kind, T v, unsigned src) {
  T r = v; warp_collective(mask, kind, v, [&](auto peer) { r = peer(src); }); return r; }
inline void cp_async(void* d, const void* s, unsigned n) { Quiet q; if (((std::uintptr_t)d | (std::uintptr_t)s) & (n - 1)) die("cp.async: misaligned"); cur->blk->async[cur->flat].open.push_back({d, s, n}); }
inline void cp_commit() { Quiet q; Async& a = cur->blk->async[cur->flat]; a.groups.push_back(std::move(a.open)); a.open.clear(); }
inline void cp_wait(std::size_t n) { for (;;) { std::vector<Copy> v; { Quiet q; Async& a = cur->blk->async[cur->flat]; if (a.groups.size() <= n) return; v = std::move(a.groups.front()); a.groups.pop_front(); }
  for (auto& c : v) for (unsigned i = 0; i < c.n / 4; ++i) ((std::uint32_t*)c.d)[i] = ((const std::uint32_t*)c.s)[i]; } }

inline void* shared_at(const void* key, std::size_t bytes, std::size_t align) {
  Quiet q; Block& b = *cur->blk; for (auto& s : b.sites) if (s.key == key) return b.arena.get() + s.off;
  std::size_t o = (b.used + align - 1) / align * align; if (o + bytes + 64 > kArena) die("shared memory exhausted");
  b.sites.push_back({key, o}); b.used = o + bytes + 64; char* p = b.arena.get() + o;     // 64-byte red zone after each object
  ASAN_UNPOISON_MEMORY_REGION(p, bytes); return p;
}
inline void start_block(Block& b, uint3 id, dim3 g, dim3 d, std::size_t smem) {
  Quiet q; b.bid = id; b.bdim = d; b.gdim = g; const unsigned n = d.x * d.y * d.z; b.th.resize(n); b.live = n; b.waiting = 0; b.gen = 0;
  b.pending.assign((n + 31) / 32, {}); b.exited.assign((n + 31) / 32, 0);
  if (!b.arena || GPU_TSAN) { b.arena.reset(new char[kArena + 256]); b.used = kArena; }
  ASAN_UNPOISON_MEMORY_REGION(b.arena.get(), kArena); std::memset(b.arena.get(), 0xff, b.used);  // NaN / -1
  ASAN_POISON_MEMORY_REGION(b.arena.get(), kArena); b.sites.clear(); b.used = 64;
  for (unsigned i = 0; i < n; ++i) { Thread& t = b.th[i]; t.tid = {i % d.x, i / d.x % d.y, i / (d.x * d.y)}; t.flat = i; t.blk = &b; t.st = Fresh; t.ctx = nullptr; }
  b.async.clear(); b.async.resize(n);
  b.dyn_size = smem;
}
inline void abandon(Sched& s, const std::vector<Thread*>& q) { for (Thread* t : q) if (t->ctx) {
#if !GPU_TSAN     // an abandoned TSan fiber still has its ignores on: leak it, the test has failed anyway
    give(s, t->ctx);
#endif
    t->ctx = nullptr; } }
inline void run(Sched& s, Block* const* blk, std::size_t nb) {     // run these blocks to completion, interleaved
  Quiet quiet; s.err.clear(); s.grid_wait = 0; s.grid_live = 0; for (std::size_t i = 0; i < nb; ++i) s.grid_live += blk[i]->live;
  std::vector<Thread*> q; q.reserve(s.grid_live); for (std::size_t i = 0; i < nb; ++i) for (auto& t : blk[i]->th) q.push_back(&t);
  if (config.order == Order::reverse) std::reverse(q.begin(), q.end());
  thread_local std::minstd_rand rng; rng.seed(config.seed + blk[0]->bid.x * 7919 + blk[0]->bid.y * 104729);
  host = &s.main;
#if GPU_TSAN
  s.main.tsan = __tsan_get_current_fiber();
#endif
  for (std::size_t left = q.size(); left;) {
    if (config.order == Order::random) std::shuffle(q.begin(), q.end(), rng);
    bool moved = false;
    for (Thread* t : q) {
      if (t->st == Fresh) { t->ctx = take(s); t->st = Ready; } else if (t->st != Ready) continue;
      moved = true; cur = t; jump(s.main, *t->ctx); cur = nullptr;
      if (!s.err.empty()) { abandon(s, q); throw error(s.err); }
      if (t->st == Done) { give(s, t->ctx); t->ctx = nullptr; --left; }
    }
    if (!moved) { std::string m = "deadlock:"; for (Thread* t : q) if (t->st != Done) { m += " block " + std::to_string(t->blk->bid.x) + " thread " + std::to_string(t->flat) + " waits at " + t->file + ":" + std::to_string(t->line) + ";"; if (m.size() > 400) break; } abandon(s, q); throw error(m); }
  }
}
template <class F> void launch_blocks(dim3 g, dim3 d, std::size_t smem, bool coop, F&& body) {
  if (d.x * d.y * d.z > 1024) throw error("more than 1024 threads in a block");
  const std::size_t nb = std::size_t(g.x) * g.y * g.z; { Quiet q; sched().begin_launch(); }
  auto id = [&](std::size_t i) { return uint3{unsigned(i % g.x), unsigned(i / g.x % g.y), unsigned(i / (std::size_t(g.x) * g.y))}; };
  auto call = [](void* p) { (*static_cast<std::remove_reference_t<F>*>(p))(); };
  if (coop) { Quiet q; Sched& s = sched(); s.fn = &body; s.call = call; s.spare.clear(); std::vector<Block*> v;
    for (std::size_t i = 0; i < nb; ++i) { s.spare.push_back(std::make_unique<Block>()); start_block(*s.spare.back(), id(i), g, d, smem); v.push_back(s.spare.back().get()); }
    run(s, v.data(), v.size()); tsan_acquire(&s.endtag); s.spare.clear(); return; }
  std::string fail;
#if !GPU_TSAN
#pragma omp parallel for schedule(dynamic) if (config.parallel && nb > 1)
#endif
  for (std::size_t i = 0; i < nb; ++i) {
    Quiet q; thread_local Block b; Block* pb = &b; Sched& s = sched(); s.fn = &body; s.call = call;
    try { start_block(b, id(config.order == Order::reverse ? nb - 1 - i : i), g, d, smem); run(s, &pb, 1); }
    catch (const error& e) {
#pragma omp critical
      fail = e.what();
    }
  }
  tsan_acquire(&sched().endtag); if (!fail.empty()) throw error(fail);
}
}  // namespace ebb::gpu::emulator

namespace ebb::gpu {
template <class... P, class... A> void launch(dim3 g, dim3 b, std::size_t smem, void (*k)(P...), A&&... a) {
  std::tuple<P...> args(static_cast<P>(std::forward<A>(a))...);
  emulator::launch_blocks(g, b, smem, false, [&] { std::apply(k, args); });
}
template <class... P, class... A> void launch_cooperative(dim3 g, dim3 b, std::size_t smem, void (*k)(P...), A&&... a) {
  std::tuple<P...> args(static_cast<P>(std::forward<A>(a))...);
  emulator::launch_blocks(g, b, smem, true, [&] { std::apply(k, args); });
}
inline void* allocate(std::size_t bytes) {
  void* p = nullptr;
  if (posix_memalign(&p, 256, bytes)) throw std::bad_alloc();
  std::memset(p, 0xff, bytes);
  return p;
}
inline void release(void* p) { std::free(p); }
inline void upload(void* to, const void* from, std::size_t bytes) { std::memcpy(to, from, bytes); }
inline void download(void* to, const void* from, std::size_t bytes) { std::memcpy(to, from, bytes); }
inline void copy(void* to, const void* from, std::size_t bytes) { std::memcpy(to, from, bytes); }
inline void synchronize() {}
using Stream = void*;
inline int multiprocessors() { return 2; }
}  // namespace ebb::gpu

#define EBB_KERNEL void
#define EBB_DEVICE inline
#define EBB_BOUNDS(...)
#define EBB_UNROLL
#define EBB_SHARED(type, name, ...)                                                                            \
  static const char name##_site_ = 0; using name##_t_ = type __VA_ARGS__;                                      \
  name##_t_& name = *static_cast<name##_t_*>(ebb::gpu::emulator::shared_at(&name##_site_, sizeof(name##_t_), 16))
#define EBB_DYNAMIC_SHARED(type, name) \
  type* name = static_cast<type*>(ebb::gpu::emulator::shared_at((const void*)1, ebb::gpu::emulator::cur->blk->dyn_size, 128))
#define threadIdx (ebb::gpu::emulator::cur->tid)
#define blockIdx (ebb::gpu::emulator::cur->blk->bid)
#define blockDim (ebb::gpu::emulator::cur->blk->bdim)
#define gridDim (ebb::gpu::emulator::cur->blk->gdim)
inline void __syncthreads(const char* f = __builtin_FILE(), int l = __builtin_LINE()) { ebb::gpu::emulator::syncthreads(f, l); }
inline void __syncwarp(unsigned m = ~0u) { ebb::gpu::emulator::shfl(m, "__syncwarp", 0, 0); }
inline unsigned gpu_lane() { return ebb::gpu::emulator::cur->flat & 31; }
template <class T> T __shfl_sync(unsigned m, T v, int src, int w = 32) { unsigned l = gpu_lane(); return ebb::gpu::emulator::shfl(m, "__shfl_sync", v, (l & ~(w - 1)) | (src & (w - 1))); }
template <class T> T __shfl_xor_sync(unsigned m, T v, int x, int = 32) { return ebb::gpu::emulator::shfl(m, "__shfl_xor_sync", v, gpu_lane() ^ x); }
template <class T> T __shfl_down_sync(unsigned m, T v, unsigned d, int w = 32) { unsigned l = gpu_lane(); return ebb::gpu::emulator::shfl(m, "__shfl_down_sync", v, (l & (w - 1)) + d < (unsigned)w ? l + d : l); }
template <class T> T __shfl_up_sync(unsigned m, T v, unsigned d, int w = 32) { unsigned l = gpu_lane(); return ebb::gpu::emulator::shfl(m, "__shfl_up_sync", v, (l & (w - 1)) >= d ? l - d : l); }
inline unsigned __ballot_sync(unsigned m, int p) { unsigned r = 0; ebb::gpu::emulator::warp_collective(m, "__ballot_sync", p, [&](auto peer) { for (unsigned i = 0; i < 32; ++i) if (m >> i & 1 && peer(i)) r |= 1u << i; }); return r; }
template <class T> T atomicAdd(T* p, T v) { return std::atomic_ref<T>(*p).fetch_add(v, std::memory_order_relaxed); }
inline unsigned atomicMax(unsigned* p, unsigned v) { std::atomic_ref<unsigned> r(*p); unsigned o = r.load(); while (o < v && !r.compare_exchange_weak(o, v)) {} return o; }
inline void __threadfence() { std::atomic_thread_fence(std::memory_order_seq_cst); }
template <class T> T __ldg(const T* p) { return *p; }
inline float rsqrtf(float x) { return 1.0f / std::sqrt(x); }
inline float __expf(float x) { return std::exp(x); }
using std::max; using std::min;
template <class T> T atomicMin(T* p, T v) { std::atomic_ref<T> r(*p); T o = r.load(); while (v < o && !r.compare_exchange_weak(o, v)) {} return o; }
