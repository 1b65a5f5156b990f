// For a function that works on many values side by side: one of it for processors with AVX2, and one
// for all, where the compiler can make both.

#pragma once

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define SIDE_BY_SIDE __attribute__((target_clones("avx2", "default")))
#else
#define SIDE_BY_SIDE
#endif
