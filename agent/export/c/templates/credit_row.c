/* ---- credit, row by row: m numbers of each, of layers a multiple of BLOCK */

/* W <- W + scale credit;  credit <- decay credit + factor source, flushed */
APART void credit_row(float *restrict w, float *restrict credit, float scale, float decay, float factor,
                       const float *restrict source, int32_t m)
{
    ALL(j, m, const float old = credit[j]; w[j] += scale * old;
        credit[j] = flushed_trace(decay * old + factor * source[j]););
}

#if defined(AGENT_FAST)
/* out_i = sum_j |credit_ij| of n rows, in partial sums: not the bits of the Python agent. */
APART void absolute_sums(const float *credit, int32_t n, int32_t m, int32_t used, float *out)
{
    for (int32_t i = 0; i < n; ++i) {
        const float *row = credit + (size_t)i * (size_t)m;
        float a[4] = {0.0f, 0.0f, 0.0f, 0.0f}, b[4] = {0.0f, 0.0f, 0.0f, 0.0f};
        int32_t j = 0;
        for (; j + BLOCK <= used; j += BLOCK) {
            for (int32_t k = 0; k < 4; ++k) a[k] += fabsf(row[j + k]);
            for (int32_t k = 0; k < 4; ++k) b[k] += fabsf(row[j + 4 + k]);
        }
        for (int32_t k = 0; k < 4; ++k) a[k] += b[k];
        out[i] = (a[0] + a[1]) + (a[2] + a[3]);
        for (; j < used; ++j) out[i] += fabsf(row[j]);
    }
}
#else
#ifdef __SSE2__
/* Four columns of four rows, turned over, and added column by column. */
#define ADD_FOUR(sums, a, m) \
    do { \
        __m128 p = _mm_and_ps(sign, _mm_loadu_ps(a)), q = _mm_and_ps(sign, _mm_loadu_ps((a) + (m))); \
        __m128 r = _mm_and_ps(sign, _mm_loadu_ps((a) + 2 * (m))), s = _mm_and_ps(sign, _mm_loadu_ps((a) + 3 * (m))); \
        _MM_TRANSPOSE4_PS(p, q, r, s); \
        sums = _mm_add_ps(_mm_add_ps(_mm_add_ps(_mm_add_ps(sums, p), q), r), s); \
    } while (0)
#endif

/* out_i = sum_j |credit_ij| of n rows, each sum in the order of j, several at a time. */
APART void absolute_sums(const float *credit, int32_t n, int32_t m, int32_t used, float *out)
{
    int32_t i = 0;
#ifdef __SSE2__
    const __m128 sign = _mm_castsi128_ps(_mm_set1_epi32(0x7fffffff));
    for (; i + 16 <= n; i += 16) {
        const float *a = credit + (size_t)i * (size_t)m;
        const size_t stride = (size_t)m;
        __m128 first = _mm_setzero_ps(), second = first, third = first, fourth = first;
        for (int32_t j = 0; j + 4 <= used; j += 4, a += 4) {
            ADD_FOUR(first, a, stride);
            ADD_FOUR(second, a + 4 * stride, stride);
            ADD_FOUR(third, a + 8 * stride, stride);
            ADD_FOUR(fourth, a + 12 * stride, stride);
        }
        _mm_storeu_ps(out + i, first);
        _mm_storeu_ps(out + i + 4, second);
        _mm_storeu_ps(out + i + 8, third);
        _mm_storeu_ps(out + i + 12, fourth);
        for (int32_t k = 0; k < 16; ++k, a += stride)
            for (int32_t j = 0; j < used % 4; ++j) out[i + k] += fabsf(a[j]);
    }
#endif
    for (; i + 4 <= n; i += 4) {
        const float *a = credit + (size_t)i * (size_t)m, *b = a + m, *c = b + m, *d = c + m;
        float p = 0.0f, q = 0.0f, r = 0.0f, s = 0.0f;
        for (int32_t j = 0; j < used; ++j) {
            p += fabsf(a[j]);
            q += fabsf(b[j]);
            r += fabsf(c[j]);
            s += fabsf(d[j]);
        }
        out[i] = p;
        out[i + 1] = q;
        out[i + 2] = r;
        out[i + 3] = s;
    }
    for (; i < n; ++i) {
        const float *a = credit + (size_t)i * (size_t)m;
        float p = 0.0f;
        for (int32_t j = 0; j < used; ++j) p += fabsf(a[j]);
        out[i] = p;
    }
}
#endif

//#if LEARNING_LAYERS
/* credit_row where the source is 0. */
APART void fading_row(float *restrict w, float *restrict credit, float scale, float decay, int32_t m)
{
    EACH(j, m) {
        const float old = credit[j];
        w[j] += scale * old;
        credit[j] = flushed_trace(decay * old);
    }
}

//#endif
