// OpenBLAS from the system, as a module. The linker flags come from `pkg-config openblas`.
#pragma once
#include <cblas.h>
