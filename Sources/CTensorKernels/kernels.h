// How pure-Swift kernels get AVX2 and AVX-512 at run time.
//
// The arithmetic is in Swift (Sources/TensorFormats/Kernels). A trampoline here does nothing but call the Swift function of
// its name, and `flatten` makes the compiler inline that function into it, so that the same Swift body is compiled once more
// with the wider instruction set. Nothing in this header is compiled by itself: no C source, no compiler flag.
//
// The Swift body and the code that calls its trampoline must be in one file; see Sources/CTensorKernels/README.md.
#pragma once
#include <stddef.h>

// A kernel over `n` elements (or blocks) at `x`, with its result at `y`.
#define MTCONV_KERNEL(name) \
  extern void name(ptrdiff_t n, const void *_Nonnull x, void *_Nonnull y); \
  MTCONV_VARIANTS(name, (ptrdiff_t n, const void *_Nonnull x, void *_Nonnull y), (n, x, y))

// The same with one more number.
#define MTCONV_SCALED_KERNEL(name) \
  extern void name(ptrdiff_t n, const void *_Nonnull x, void *_Nonnull y, float a); \
  MTCONV_VARIANTS(name, (ptrdiff_t n, const void *_Nonnull x, void *_Nonnull y, float a), (n, x, y, a))

// The same with measurements at `s`.
#define MTCONV_MEASURED_KERNEL(name) \
  extern void name(ptrdiff_t n, const void *_Nonnull x, void *_Nonnull y, float a, void *_Nonnull s); \
  MTCONV_VARIANTS(name, (ptrdiff_t n, const void *_Nonnull x, void *_Nonnull y, float a, void *_Nonnull s), \
                  (n, x, y, a, s))

// A kernel over `n` elements at `x` for each of `m` numbers at `s`, adding to `m` results at `y`.
#define MTCONV_SEARCH_KERNEL(name) \
  extern void name(ptrdiff_t n, const void *_Nonnull x, const void *_Nonnull s, void *_Nonnull y, ptrdiff_t m); \
  MTCONV_VARIANTS(name, (ptrdiff_t n, const void *_Nonnull x, const void *_Nonnull s, void *_Nonnull y, ptrdiff_t m), \
                  (n, x, s, y, m))

// The same with `n` weights at `w`.
#define MTCONV_WEIGHTED_SEARCH_KERNEL(name) \
  extern void name(ptrdiff_t n, const void *_Nonnull x, const void *_Nonnull w, const void *_Nonnull s, \
                   void *_Nonnull y, ptrdiff_t m); \
  MTCONV_VARIANTS(name, (ptrdiff_t n, const void *_Nonnull x, const void *_Nonnull w, const void *_Nonnull s, \
                         void *_Nonnull y, ptrdiff_t m), (n, x, w, s, y, m))

#if defined(__x86_64__)

// The feature levels x86-64-v3 and x86-64-v4 of the psABI.
#define MTCONV_FEATURES_V3 "avx2,fma,f16c,bmi,bmi2,lzcnt,popcnt,movbe"
#define MTCONV_FEATURES_V4 MTCONV_FEATURES_V3 ",avx512f,avx512bw,avx512dq,avx512vl,avx512cd"

#define MTCONV_VARIANTS(name, parameters, arguments) \
  __attribute__((target(MTCONV_FEATURES_V3), noinline, flatten)) static inline void name##_v3 parameters { \
    name arguments; \
  } \
  __attribute__((target(MTCONV_FEATURES_V4), noinline, flatten)) static inline void name##_v4 parameters { \
    name arguments; \
  }

/// The highest level whose kernels this processor (and its operating system) runs: 1, 3 or 4.
static inline int mtconv_cpu_level(void) {
  __builtin_cpu_init();
  if (!(__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c") &&
        __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2"))) {
    return 1;
  }
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512cd")) {
    return 4;
  }
  return 3;
}

#else
#define MTCONV_VARIANTS(name, parameters, arguments)
#endif

/// Tells the processor that a loop only waits.
static inline void mtconv_pause(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("isb");
#endif
}

MTCONV_KERNEL(mtconv_bf16_to_f32)
MTCONV_KERNEL(mtconv_f32_to_bf16)
MTCONV_KERNEL(mtconv_f16_to_f32)
MTCONV_KERNEL(mtconv_f32_to_f16)
MTCONV_KERNEL(mtconv_e4m3_to_f32)
MTCONV_SCALED_KERNEL(mtconv_f32_to_e4m3)
MTCONV_SCALED_KERNEL(mtconv_round_e4m3)
MTCONV_MEASURED_KERNEL(mtconv_quantize_e4m3)
MTCONV_MEASURED_KERNEL(mtconv_quantize_e4m3_compat)
MTCONV_SEARCH_KERNEL(mtconv_e4m3_errors)
MTCONV_WEIGHTED_SEARCH_KERNEL(mtconv_e4m3_weighted_errors)
MTCONV_KERNEL(mtconv_q8_0_to_f32)
MTCONV_KERNEL(mtconv_q4_0_to_f32)
MTCONV_KERNEL(mtconv_q4_1_to_f32)
MTCONV_KERNEL(mtconv_f32_to_q8_0)
MTCONV_KERNEL(mtconv_absolute_maximum)
