/* Rows are padded, so that a compiler can vectorise a loop over whole blocks without a remainder. */
#define BLOCK 8
#if defined(__GNUC__) && !defined(__clang__)
#define UNROLLED _Pragma("GCC unroll 2")
#else
#define UNROLLED
#endif
#define EACH(j, size) \
    UNROLLED \
    for (int32_t j = 0, j##_end = (size) & -BLOCK; j < j##_end; ++j)

/* As Python has them: the first of two equal ones, and the first if the second is not a number. */
static inline double larger(double a, double b) { return b > a ? b : a; }
static inline double smaller(double a, double b) { return b < a ? b : a; }
static inline double clip(double x, double low, double high) { return smaller(larger(x, low), high); }

/* A loop over a row as a function of its own is vectorised; inlined, a compiler may no longer see that rows do not
   overlap. */
#ifdef __GNUC__
#define APART static __attribute__((noinline))
#else
#define APART static
#endif

/* x, or 0 if it is not above floor in magnitude: denormal numbers are slow. */
static inline double flushed(double x, double floor_) { return fabs(x) > floor_ ? x : 0.0; }
static inline float flushed_trace(float x) { return fabsf(x) > (float)K_TINY ? x : 0.0f; }

static inline int is_finite(double x) { return x - x == 0.0; }

/* Row of the table that describes a layer, or the readout of a network. */
static inline const int32_t *layer_at(int net, int index)
{
    return table + AT_LAYER_TABLE + (net * THE_N_LAYERS + index) * AT_LAYER_STRIDE;
}

static inline const int32_t *net_at(int net) { return table + AT_NET_TABLE + net * AT_NET_STRIDE; }

/* Columns of a row, from the one of the constant 1 down, as whole blocks; what is beyond is always 0. */
static inline int32_t used_columns(int32_t bias) { return (bias + BLOCK) & -BLOCK; }

/* out += factor source */
APART void add_scaled(float *restrict out, float factor, const float *restrict source, int32_t size)
{
    EACH(j, size) out[j] += factor * source[j];
    for (int32_t j = size & -BLOCK; j < size; ++j) out[j] += factor * source[j];
}

//#if PEAKS or ADAPTIVE_FEEDBACK
/* Weights of a layer, bottom first, or, of block N_LAYERS, of the readout, with what changes them; size numbers. */
struct synapses {
    int32_t size;
    float *w, *credit;
    //#if PEAKS
    float *peak;
    //#endif
    //#if ADAPTIVE_FEEDBACK
    float *feedback;
    //#endif
};

static struct synapses synapses_of(float *floats, int net, int block)
{
    const int inner = block < THE_N_LAYERS;
    const int32_t *at = inner ? layer_at(net, block) : net_at(net);
    struct synapses found;
    found.size = inner ? at[AT_LAYER_N] * at[AT_LAYER_M] : at[AT_NET_OUT] * at[AT_NET_FEATURES];
    found.w = floats + at[inner ? AT_LAYER_W : AT_NET_W];
    found.credit = floats + at[inner ? AT_LAYER_CREDIT : AT_NET_CREDIT];
    //#if PEAKS
    found.peak = floats + at[inner ? AT_LAYER_PEAK : AT_NET_PEAK];
    //#endif
    //#if ADAPTIVE_FEEDBACK
    found.feedback = floats + at[inner ? AT_LAYER_FEEDBACK : AT_NET_FEEDBACK];
    //#endif
    return found;
}

//#endif
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
