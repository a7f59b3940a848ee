/* ---- loops over vectors */

/* Rows are padded, so that a compiler can vectorize a loop over whole blocks without a remainder. */
#define BLOCK 8
#if defined(__GNUC__) && !defined(__clang__)
#define UNROLLED _Pragma("GCC unroll 2")
#else
#define UNROLLED
#endif
#define EACH(j, size) \
    UNROLLED \
    for (int32_t j = 0, j##_end = (size) & -BLOCK; j < j##_end; ++j)
/* The same and what is left, for rows that are not padded. */
#define ALL(j, size, ...) \
    do { \
        EACH(j, size) { __VA_ARGS__ } \
        for (int32_t j = (size) & -BLOCK; j < (size); ++j) { __VA_ARGS__ } \
    } while (0)

/* As Python has them: the first of two equal ones, and the first if the second is not a number. */
static inline double larger(double a, double b) { return b > a ? b : a; }
static inline double smaller(double a, double b) { return b < a ? b : a; }
static inline double clip(double x, double low, double high) { return smaller(larger(x, low), high); }

/* A loop over a row as a function of its own is vectorized; inlined, a compiler may no longer see that rows do not
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

/* out += factor source */
APART void add_scaled(float *restrict out, float factor, const float *restrict source, int32_t size)
{
    ALL(j, size, out[j] += factor * source[j];);
}

//#if MEMORY
/* out_i += a_i b_i */
APART void add_product(const float *restrict a, const float *restrict b, float *restrict out, int32_t n)
{
    ALL(i, n, out[i] += a[i] * b[i];);
}

//#endif
//#if MEMORY
/* out_i = 1 / (1 + exp(-x)), for x cut off at +-bound: Taylor's polynomial of exp(y), y = -x / 128, seven times squared */
APART void logistic(const float *restrict x, double bound, float *restrict out, int32_t n)
{
    ALL(i, n, const double y = clip(x[i], -bound, bound) * (-1.0 / 128.0);
        double p = 1.0 + y * (1.0 / 11.0);
        p = 1.0 + y * (1.0 / 10.0) * p;
        p = 1.0 + y * (1.0 / 9.0) * p;
        p = 1.0 + y * (1.0 / 8.0) * p;
        p = 1.0 + y * (1.0 / 7.0) * p;
        p = 1.0 + y * (1.0 / 6.0) * p;
        p = 1.0 + y * (1.0 / 5.0) * p;
        p = 1.0 + y * (1.0 / 4.0) * p;
        p = 1.0 + y * (1.0 / 3.0) * p;
        p = 1.0 + y * (1.0 / 2.0) * p;
        p = 1.0 + y * p;
        p *= p; p *= p; p *= p; p *= p; p *= p; p *= p; p *= p;
        out[i] = (float)(1.0 / (1.0 + p)););
}

//#endif
/* Columns in which x is not 0, in order; what is 0 adds nothing to a sum. Returns their number. */
static int32_t list_active(const float *x, int32_t m, column *active)
{
    int32_t count = 0;
    for (int32_t j = 0; j < m; ++j) {
        active[count] = (column)j;
        count += x[j] != 0.0f;
    }
    return count;
}

/* out_i = sum_j w_ij x_j over the columns used of m, each sum in the order of j; eight at a time, since one addition
   has to wait for the last. */
APART void weighted_sum(const float *w, const float *x, int32_t n, int32_t m, int32_t used, float *out)
{
    column active[WIDEST];
    const int32_t count = list_active(x, used, active);
    int32_t i = 0;
    for (; i + 8 <= n; i += 8) {
        const float *a = w + (size_t)i * (size_t)m, *b = a + m, *c = b + m, *d = c + m;
        const float *e = d + m, *f = e + m, *g = f + m, *h = g + m;
        float p = 0.0f, q = 0.0f, r = 0.0f, s = 0.0f, t = 0.0f, u = 0.0f, v = 0.0f, y = 0.0f;
        for (int32_t k = 0; k < count; ++k) {
            const size_t j = active[k];
            const float z = x[j];
            p += a[j] * z;
            q += b[j] * z;
            r += c[j] * z;
            s += d[j] * z;
            t += e[j] * z;
            u += f[j] * z;
            v += g[j] * z;
            y += h[j] * z;
        }
        out[i] = p;
        out[i + 1] = q;
        out[i + 2] = r;
        out[i + 3] = s;
        out[i + 4] = t;
        out[i + 5] = u;
        out[i + 6] = v;
        out[i + 7] = y;
    }
    for (; i < n; ++i) {
        const float *a = w + (size_t)i * (size_t)m;
        float p = 0.0f;
        for (int32_t k = 0; k < count; ++k) p += a[active[k]] * x[active[k]];
        out[i] = p;
    }
}

/* mean <- mean + rate (sample - mean), flushed */
APART void running_mean(float rate, const float *restrict sample, float *restrict mean, float floor_, int32_t n)
{
    ALL(i, n, const float moved = mean[i] + rate * (sample[i] - mean[i]);
        mean[i] = fabsf(moved) > floor_ ? moved : 0.0f;);
}

//#if HOPS or NORMALIZE_REWARDS
/* x <- factor x, cut off at +-SATURATION */
static void scale_saturating(float *x, double factor, int32_t n)
{
    for (int32_t i = 0; i < n; ++i) x[i] = (float)clip(x[i] * factor, -K_SATURATION, K_SATURATION);
}

//#endif
/* trace <- keep trace + gain source, flushed */
APART void leaky_filter(float *restrict trace, float keep, float gain, const float *restrict source, int32_t m)
{
    EACH(j, m) trace[j] = flushed_trace(keep * trace[j] + gain * source[j]);
}

//#if MOVES and not RESET_PATH or TENSOR or ONE_HOP or TWO_HOPS
/* out = factor source */
APART void scale(const float *restrict source, float factor, float *restrict out, int32_t m)
{
    EACH(j, m) out[j] = factor * source[j];
}

//#endif

