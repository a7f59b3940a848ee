#include "@NAME@.h"

#include <float.h>
#include <math.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* The memory that the header declares is laid out as that of the Python agent. */
#if FLT_MANT_DIG != 24 || DBL_MANT_DIG != 53
#error "float has to have 32 bits and double 64: ask the compiler for such a double, or take another machine"
#endif
typedef char agent_layout[sizeof(struct agent_memory) == @NBYTES@ ? 1 : -1];

/* The same bits as in Python need arithmetic in the order and the types that are written here. Define
   AGENT_ANY_ROUNDING if you can do without. */
#ifdef __FAST_MATH__
#error "-ffast-math takes the checks for numbers that are not finite away: compile without it"
#endif
#ifndef AGENT_ANY_ROUNDING
#if FLT_EVAL_METHOD != 0
#error "float and double are computed with more digits here: use -msse2 -mfpmath=sse, or define AGENT_ANY_ROUNDING"
#endif
#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#elif defined(__GNUC__) && !defined(__STRICT_ANSI__) && (defined(__FP_FAST_FMA) || defined(__FP_FAST_FMAF))
#error "products may be fused with sums here: compile with -std=c99, or define AGENT_ANY_ROUNDING"
#endif
#endif

