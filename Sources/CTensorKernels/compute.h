// Trampolines for the kernels of Sources/ModelCompute/Kernels; see kernels.h for how they work.
#pragma once
#include "kernels.h"

// A kernel over `n` values at `x` and as many at `g`, with its result at `y`.
#define MTCONV_BINARY_KERNEL(name) \
  extern void name(ptrdiff_t n, const void *_Nonnull x, const void *_Nonnull g, void *_Nonnull y); \
  MTCONV_VARIANTS(name, (ptrdiff_t n, const void *_Nonnull x, const void *_Nonnull g, void *_Nonnull y), (n, x, g, y))

// A kernel that changes `n` values at `x` and puts what it found about them at `facts`.
#define MTCONV_CHANGING_KERNEL(name) \
  extern void name(ptrdiff_t n, void *_Nonnull x, void *_Nonnull facts); \
  MTCONV_VARIANTS(name, (ptrdiff_t n, void *_Nonnull x, void *_Nonnull facts), (n, x, facts))

MTCONV_KERNEL(mtconv_compute_silu)
MTCONV_BINARY_KERNEL(mtconv_compute_silu_gradient)
MTCONV_KERNEL(mtconv_compute_gelu_tanh)
MTCONV_BINARY_KERNEL(mtconv_compute_gelu_tanh_gradient)
MTCONV_SCALED_KERNEL(mtconv_compute_softcap)
MTCONV_CHANGING_KERNEL(mtconv_compute_exponentiate)
MTCONV_CHANGING_KERNEL(mtconv_compute_softmax)
MTCONV_BINARY_KERNEL(mtconv_compute_channel_sums)
