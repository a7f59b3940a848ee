/* ---- credit, row by row: m numbers of each, of layers a multiple of BLOCK */

/* W <- W + scale credit;  credit <- decay credit + factor source, flushed */
APART void credit_row(float *restrict w, float *restrict credit, float scale, float decay, float factor,
                       const float *restrict source, int32_t m)
{
    ALL(j, m, const float old = credit[j]; w[j] += scale * old;
        credit[j] = flushed_trace(decay * old + factor * source[j]););
}

/* How many rows are summed up at a time. */
#define SUMMED 8

#if defined(AGENT_FAST)
/* out_i = sum_j |row_ij| of n rows, in partial sums: not the bits of the Python agent. */
APART void absolute_sums(const float *const *rows, int32_t n, int32_t size, float *out)
{
    for (int32_t i = 0; i < n; ++i) {
        const float *row = rows[i];
        float a[4] = {0.0f, 0.0f, 0.0f, 0.0f}, b[4] = {0.0f, 0.0f, 0.0f, 0.0f};
        int32_t j = 0;
        for (; j + BLOCK <= size; j += BLOCK) {
            for (int32_t k = 0; k < 4; ++k) a[k] += fabsf(row[j + k]);
            for (int32_t k = 0; k < 4; ++k) b[k] += fabsf(row[j + 4 + k]);
        }
        for (int32_t k = 0; k < 4; ++k) a[k] += b[k];
        out[i] = (a[0] + a[1]) + (a[2] + a[3]);
        for (; j < size; ++j) out[i] += fabsf(row[j]);
    }
}
#else
#ifdef __SSE2__
/* Four columns of four rows, turned over, and added column by column. */
#define ADD_FOUR(sums, rows, j) \
    do { \
        __m128 p = _mm_and_ps(sign, _mm_loadu_ps((rows)[0] + (j))), q = _mm_and_ps(sign, _mm_loadu_ps((rows)[1] + (j))); \
        __m128 r = _mm_and_ps(sign, _mm_loadu_ps((rows)[2] + (j))), s = _mm_and_ps(sign, _mm_loadu_ps((rows)[3] + (j))); \
        _MM_TRANSPOSE4_PS(p, q, r, s); \
        sums = _mm_add_ps(_mm_add_ps(_mm_add_ps(_mm_add_ps(sums, p), q), r), s); \
    } while (0)
#endif

/* out_i = sum_j |row_ij| of n rows, each sum in the order of j, several at a time. */
APART void absolute_sums(const float *const *rows, int32_t n, int32_t size, float *out)
{
    int32_t i = 0;
#ifdef __SSE2__
    const __m128 sign = _mm_castsi128_ps(_mm_set1_epi32(0x7fffffff));
    for (; i + 8 <= n; i += 8) {
        __m128 first = _mm_setzero_ps(), second = first;
        for (int32_t j = 0; j + 4 <= size; j += 4) {
            ADD_FOUR(first, rows + i, j);
            ADD_FOUR(second, rows + i + 4, j);
        }
        _mm_storeu_ps(out + i, first);
        _mm_storeu_ps(out + i + 4, second);
        for (int32_t k = i; k < i + 8; ++k)
            for (int32_t j = size & -4; j < size; ++j) out[k] += fabsf(rows[k][j]);
    }
#endif
    for (; i + 4 <= n; i += 4) {
        const float *a = rows[i], *b = rows[i + 1], *c = rows[i + 2], *d = rows[i + 3];
        float p = 0.0f, q = 0.0f, r = 0.0f, s = 0.0f;
        for (int32_t j = 0; j < size; ++j) {
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
        float p = 0.0f;
        for (int32_t j = 0; j < size; ++j) p += fabsf(rows[i][j]);
        out[i] = p;
    }
}
#endif

//#if MOVES
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
