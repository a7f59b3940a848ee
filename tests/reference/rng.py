"""Twin of `kernels/base/rng.py`."""

from __future__ import annotations

import math


def next_uint32(words: list[int]) -> int:
    """xoshiro128++: result = rotl(s0 + s3, 7) + s0 mod 2^32; the four words are advanced in place."""
    s0, s1, s2, s3 = words
    total, last = (s0 + s3) % 2**32, s1 ^ s3
    words[:] = s0 ^ s1 ^ s3, s0 ^ s1 ^ s2, s0 ^ s2 ^ ((s1 << 9) % 2**32), ((last << 11) | (last >> 21)) % 2**32
    return (((total << 7) | (total >> 25)) + s0) % 2**32


def uniform(words: list[int]) -> float:
    """(a 2^26 + b) / 2^53, a the upper 27 bits of one draw, b the upper 26 bits of the next."""
    a, b = next_uint32(words) >> 5, next_uint32(words) >> 6
    return (a * 2**26 + b) / 2**53


def normal(words: list[int]) -> float:
    """Polar method: a point of the unit disc, at (x, y), s = x^2 + y^2, gives x sqrt(-2 ln(s)/s)."""
    x, y = (2 * uniform(words) - 1 for _ in range(2))
    s = x**2 + y**2
    return x * math.sqrt(-2 * math.log(s) / s) if 0 < s < 1 else normal(words)
