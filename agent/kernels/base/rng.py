"""Random numbers whose whole state is four integers of the arena: xoshiro128++ (Blackman and Vigna, 2021).

The 32-bit generator is used, held in 64-bit integers and masked, so that the same lines give the same numbers compiled,
interpreted and in C without relying on overflow.
"""

from __future__ import annotations

import math

from numpy.typing import NDArray

from .jit import kernel

MASK = 0xFFFFFFFF
STATE_WORDS = 4


@kernel
def next_uint32(words: NDArray) -> int:
    """Advance the generator and return an integer in [0, 2^32).

    Parameters
    ----------
    words : (4,) int64 array, modified in place
        Each holds 32 bits; not all may be zero.
    """
    total = (words[0] + words[3]) & MASK
    result = (((total << 7) & MASK) | (total >> 25)) + words[0]
    shifted = (words[1] << 9) & MASK
    words[2] ^= words[0]
    words[3] ^= words[1]
    words[1] ^= words[2]
    words[0] ^= words[3]
    words[2] ^= shifted
    words[3] = ((words[3] << 11) & MASK) | (words[3] >> 21)
    return int(result & MASK)


@kernel
def uniform(words: NDArray) -> float:
    """Return a number in [0, 1) with 53 random bits; `words` (4,) int64 is advanced in place by two draws."""
    high = next_uint32(words) >> 5
    low = next_uint32(words) >> 6
    return (high * 67108864.0 + low) * (1.0 / 9007199254740992.0)


@kernel
def normal(words: NDArray) -> float:
    """Return a standard normal number (Marsaglia and Bray's polar method); `words` (4,) int64 is advanced in place.

    The second number of each pair is dropped, so that the four words stay the whole state.
    """
    while True:
        x = 2.0 * uniform(words) - 1.0
        square = x * x
        y = 2.0 * uniform(words) - 1.0
        square += y * y
        if 0.0 < square < 1.0:
            return x * math.sqrt(-2.0 * math.log(square) / square)
