// OpenBLAS from the system, as a module. The linker flags come from `pkg-config openblas`.
#pragma once
#include <cblas.h>
#include <stdbool.h>

#if defined(__x86_64__) && defined(__linux__)
// Builds with kernels for many processors (DYNAMIC_ARCH) choose among them when they are loaded. They export both
// functions and declare neither; other builds have none.
extern void gotoblas_dynamic_init(void) __attribute__((weak));
extern void gotoblas_dynamic_quit(void) __attribute__((weak));

/// Lets OpenBLAS choose its kernels again. No product may be under way. False if this build has but one kind.
static inline bool mtconv_blas_choose_kernels(void) {
  if (!gotoblas_dynamic_init || !gotoblas_dynamic_quit) return false;
  gotoblas_dynamic_quit();
  gotoblas_dynamic_init();
  return true;
}
#endif
