// SHA-256 with the processor's own instructions.
//
// Unlike the kernels of kernels.h its body is here: no Swift code makes the compiler choose these instructions. Like those it is
// compiled with its caller, needs no flag, and may be called only where the processor has what its target attribute names.
#pragma once
#include <stddef.h>
#include <stdint.h>

#if defined(__x86_64__)

typedef int32_t mtconv_words4 __attribute__((vector_size(16)));
typedef int32_t mtconv_words4_anywhere __attribute__((vector_size(16), aligned(4)));
typedef int8_t mtconv_bytes16 __attribute__((vector_size(16)));
typedef int8_t mtconv_bytes16_anywhere __attribute__((vector_size(16), aligned(1)));

/// Whether this processor has the SHA extensions, and SSE4.1 with them: CPUID leaf 7, EBX bit 29; leaf 1, ECX bits 9 and 19.
static inline int mtconv_cpu_has_sha(void) {
  uint32_t a = 0, b, c, d;
  __asm__("cpuid" : "+a"(a), "=b"(b), "=c"(c), "=d"(d));
  if (a < 7) return 0;
  a = 1;
  __asm__("cpuid" : "+a"(a), "=b"(b), "=c"(c), "=d"(d));
  if (!(c >> 9 & 1) || !(c >> 19 & 1)) return 0;
  a = 7;
  c = 0;
  __asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
  return b >> 29 & 1;
}

// A chain of blocks: its state in the order that the instructions want, and the sixteen words of a block.
#define MTCONV_SHA256_CHAIN(n) \
  const char *block##n = (const char *)blocks##n; \
  int32_t *s##n = (int32_t *)state##n; \
  mtconv_words4 abef##n = {s##n[5], s##n[4], s##n[1], s##n[0]}, cdgh##n = {s##n[7], s##n[6], s##n[3], s##n[2]}; \
  mtconv_words4 w##n, x##n, y##n, z##n, abef_before##n, cdgh_before##n;

// The words of a block are big-endian.
#define MTCONV_SHA256_WORDS(from) (mtconv_words4)__builtin_shufflevector( \
  *(const mtconv_bytes16_anywhere *)(from), (mtconv_bytes16){}, 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12)

#define MTCONV_SHA256_BEGIN(n) \
  w##n = MTCONV_SHA256_WORDS(block##n), x##n = MTCONV_SHA256_WORDS(block##n + 16); \
  y##n = MTCONV_SHA256_WORDS(block##n + 32), z##n = MTCONV_SHA256_WORDS(block##n + 48); \
  abef_before##n = abef##n, cdgh_before##n = cdgh##n;

// Four rounds with the words in `w`; each instruction does two, with the words in its lower half.
#define MTCONV_SHA256_ROUNDS(n, w, k) { \
  mtconv_words4 sum = w##n + *(const mtconv_words4_anywhere *)(k); \
  cdgh##n = __builtin_ia32_sha256rnds2(cdgh##n, abef##n, sum); \
  abef##n = __builtin_ia32_sha256rnds2(abef##n, cdgh##n, __builtin_shufflevector(sum, sum, 2, 3, 2, 3)); \
}

// Puts the four words that follow from the last sixteen, `w` to `z`, into `w`.
#define MTCONV_SHA256_NEXT(n, w, x, y, z) { \
  mtconv_words4 sum = __builtin_ia32_sha256msg1(w##n, x##n) + __builtin_shufflevector(y##n, z##n, 1, 2, 3, 4); \
  w##n = __builtin_ia32_sha256msg2(sum, z##n); \
}

#define MTCONV_SHA256_END(n) abef##n += abef_before##n, cdgh##n += cdgh_before##n, block##n += 64;

#define MTCONV_SHA256_STORE(n) \
  s##n[0] = abef##n[3], s##n[1] = abef##n[2], s##n[4] = abef##n[1], s##n[5] = abef##n[0]; \
  s##n[2] = cdgh##n[3], s##n[3] = cdgh##n[2], s##n[6] = cdgh##n[1], s##n[7] = cdgh##n[0];

// `EACH(STEP, …)` does a step of every chain.
#define MTCONV_SHA256_BLOCKS(EACH) \
  for (; count > 0; count--) { \
    EACH(BEGIN) \
    const uint32_t *k = constants; \
    for (int turn = 0;; turn++, k += 16) { \
      EACH(ROUNDS, w, k) EACH(ROUNDS, x, k + 4) EACH(ROUNDS, y, k + 8) EACH(ROUNDS, z, k + 12) \
      if (turn == 3) break; \
      EACH(NEXT, w, x, y, z) EACH(NEXT, x, y, z, w) EACH(NEXT, y, z, w, x) EACH(NEXT, z, w, x, y) \
    } \
    EACH(END) \
  } \
  EACH(STORE)

#define MTCONV_SHA256_ONE(STEP, ...) MTCONV_SHA256_##STEP(0, ##__VA_ARGS__)
#define MTCONV_SHA256_BOTH(STEP, ...) MTCONV_SHA256_##STEP(0, ##__VA_ARGS__) MTCONV_SHA256_##STEP(1, ##__VA_ARGS__)

#define MTCONV_SHA256_FEATURES __attribute__((target("sha,sse4.1,ssse3"), noinline))

/// The compression function of SHA-256 over `count` blocks of 64 bytes; `state` is the chaining value, eight UInt32, and `constants`
/// the 64 of the rounds.
MTCONV_SHA256_FEATURES static inline void mtconv_sha256_compress(
    ptrdiff_t count, const void *_Nonnull blocks0, void *_Nonnull state0, const uint32_t *_Nonnull constants) {
  MTCONV_SHA256_CHAIN(0)
  MTCONV_SHA256_BLOCKS(MTCONV_SHA256_ONE)
}

/// The same over two chains of as many blocks, which takes hardly longer than one: each round waits for the one before.
MTCONV_SHA256_FEATURES static inline void mtconv_sha256_compress_both(
    ptrdiff_t count, const void *_Nonnull blocks0, void *_Nonnull state0, const void *_Nonnull blocks1,
    void *_Nonnull state1, const uint32_t *_Nonnull constants) {
  MTCONV_SHA256_CHAIN(0)
  MTCONV_SHA256_CHAIN(1)
  MTCONV_SHA256_BLOCKS(MTCONV_SHA256_BOTH)
}

#endif
