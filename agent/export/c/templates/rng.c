/* ---- random numbers: xoshiro128++ (Blackman and Vigna 2021), 32 bits in each of four words */

static uint32_t next_uint32(int64_t *words)
{
    uint32_t a = (uint32_t)words[0], b = (uint32_t)words[1], c = (uint32_t)words[2], d = (uint32_t)words[3];
    const uint32_t total = a + d, result = (total << 7 | total >> 25) + a, shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = d << 11 | d >> 21;
    words[0] = a;
    words[1] = b;
    words[2] = c;
    words[3] = d;
    return result;
}

/* In [0, 1), 53 bits. */
static double uniform(int64_t *words)
{
    const double high = next_uint32(words) >> 5, low = next_uint32(words) >> 6;
    return (high * 67108864.0 + low) * (1.0 / 9007199254740992.0);
}

//#if CONTINUOUS
/* Standard normal, by the polar method; the second number of a pair is dropped. */
static double normal(int64_t *words)
{
    for (;;) {
        const double x = 2.0 * uniform(words) - 1.0;
        double square = x * x;
        const double y = 2.0 * uniform(words) - 1.0;
        square += y * y;
        if (0.0 < square && square < 1.0) return x * sqrt(-2.0 * log(square) / square);
    }
}

//#endif

