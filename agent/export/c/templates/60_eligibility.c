/* ---- eligibility and credit, row by row: m numbers of each, a multiple of BLOCK */

/* W <- W + scale credit;  credit <- decay credit + factor source, flushed */
APART void credit_row(float *restrict w, float *restrict credit, float scale, float decay, float factor,
                       const float *restrict source, int32_t m)
{
    EACH(j, m) {
        const float old = credit[j];
        w[j] += scale * old;
        credit[j] = flushed_trace(decay * old + factor * source[j]);
    }
}

#if defined(AGENT_FAST)
/* out_i = sum_j |credit_ij| of n rows, in partial sums: not the bits of the Python agent. */
APART void absolute_sums(const float *credit, int32_t n, int32_t m, int32_t used, float *out)
{
    for (int32_t i = 0; i < n; ++i) {
        const float *row = credit + (size_t)i * (size_t)m;
        float a[4] = {0.0f, 0.0f, 0.0f, 0.0f}, b[4] = {0.0f, 0.0f, 0.0f, 0.0f};
        for (int32_t j = 0; j < used; j += BLOCK) {
            for (int32_t k = 0; k < 4; ++k) a[k] += fabsf(row[j + k]);
            for (int32_t k = 0; k < 4; ++k) b[k] += fabsf(row[j + 4 + k]);
        }
        for (int32_t k = 0; k < 4; ++k) a[k] += b[k];
        out[i] = (a[0] + a[1]) + (a[2] + a[3]);
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
        for (int32_t j = 0; j < used; j += 4, a += 4) {
            ADD_FOUR(first, a, stride);
            ADD_FOUR(second, a + 4 * stride, stride);
            ADD_FOUR(third, a + 8 * stride, stride);
            ADD_FOUR(fourth, a + 12 * stride, stride);
        }
        _mm_storeu_ps(out + i, first);
        _mm_storeu_ps(out + i + 4, second);
        _mm_storeu_ps(out + i + 8, third);
        _mm_storeu_ps(out + i + 12, fourth);
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

/* Change the readout's weights, then add g_k z_j to its credit; returns the L1 norm of the credit. */
static double learn_readout(float *floats, int net, float scale, float decay)
{
    const int32_t *head = net_at(net);
    const int32_t outputs = head[AT_NET_N_OUTPUTS], features = head[AT_NET_N_FEATURES];
    const float *seen = floats + head[AT_NET_FEATURES], *gradient = floats + head[AT_NET_GRADIENT];
    double norm = 0.0;
    for (int32_t k = 0; k < outputs; ++k) {
        float *w = floats + head[AT_NET_W] + k * features, *credit = floats + head[AT_NET_CREDIT] + k * features;
        float total;
        if (k < outputs - head[AT_NET_N_FREE]) {
            credit_row(w, credit, scale, decay, gradient[k], seen, used_columns(head[AT_NET_BIAS]));
        } else {
            /* What depends on nothing learns its bias alone. */
            for (int32_t j = head[AT_NET_BIAS]; j < features; ++j) {
                const float old = credit[j];
                w[j] += scale * old;
                credit[j] = flushed_trace(decay * old + gradient[k] * seen[j]);
            }
        }
        absolute_sums(credit, 1, features, head[AT_NET_BIAS] + 1, &total);
        norm += total;
    }
    return norm;
}

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

//#if CASCADE and not RESET_PATH or FACTORED and not RESET_PATH
/* e = psi eps, of a LIF neuron */
APART void plain_row(const float *restrict eps, float psi, float *restrict e, int32_t m)
{
    EACH(j, m) e[j] = psi * eps[j];
}

//#endif
//#if RESET_PATH or ADAPTIVE and CASCADE or ADAPTIVE and FACTORED
/* e = psi (eps - strength epsa);  epsa <- rho epsa + e, flushed */
APART void adaptive_row(float *restrict epsa, const float *restrict eps, float psi, float strength, float rho,
                         float *restrict e, int32_t m)
{
    EACH(j, m) {
        const float old = epsa[j], eligibility = psi * (eps[j] - strength * old);
        epsa[j] = flushed_trace(rho * old + eligibility);
        e[j] = eligibility;
    }
}

//#endif
//#if ADAPTIVE or RESET_PATH
/* What is left of epsa where psi is 0. */
APART void decay_row(float *restrict trace, float rho, int32_t m)
{
    EACH(j, m) trace[j] = flushed_trace(rho * trace[j]);
}

//#endif
//#if ADAPTIVE and RESET_PATH
/* e = psi (eps - fall epsr - strength epsa);  epsa and epsr follow */
APART void reset_row(float *restrict epsa, float *restrict epsr, const float *restrict eps, float psi,
                      float strength, float rho, float fall, float alpha, float *restrict e, int32_t m)
{
    EACH(j, m) {
        const float a = epsa[j], r = epsr[j], eligibility = psi * (eps[j] - fall * r - strength * a);
        epsa[j] = flushed_trace(rho * a + eligibility);
        epsr[j] = flushed_trace(alpha * r + eligibility);
        e[j] = eligibility;
    }
}

//#endif
//#if not RESET_PATH
/* credit_row with the e of a LIF neuron, psi eps */
APART void plain_credit_row(float *restrict w, float *restrict credit, const float *restrict eps, float psi,
                             float signal, float scale, float decay, int32_t m)
{
    EACH(j, m) {
        const float old = credit[j], eligibility = psi * eps[j];
        w[j] += scale * old;
        credit[j] = flushed_trace(decay * old + signal * eligibility);
    }
}

//#if ADAPTIVE
/* adaptive_row and credit_row in one sweep */
APART void adaptive_credit_row(float *restrict w, float *restrict credit, float *restrict epsa,
                                const float *restrict eps, float psi, float strength, float rho, float signal,
                                float scale, float decay, int32_t m)
{
    EACH(j, m) {
        const float old = credit[j], a = epsa[j], eligibility = psi * (eps[j] - strength * a);
        epsa[j] = flushed_trace(rho * a + eligibility);
        w[j] += scale * old;
        credit[j] = flushed_trace(decay * old + signal * eligibility);
    }
}

//#endif
//#endif
//#if CASCADE or FACTORED or RESET_PATH
/* Write e of neuron i to e and advance its traces; returns 0 if e is 0 throughout, and then leaves it alone. */
static int eligibility_row(float *floats, const int32_t *at, int32_t i, const float *eps, float *e)
{
    const int32_t m = used_columns(at[AT_LAYER_BIAS]);
    const float psi = floats[at[AT_LAYER_PSI] + i];
    //#if RESET_PATH
    const float fall = (float)(SET_RESET_STRENGTH * SET_V_TH), alpha = floats[at[AT_LAYER_ALPHA] + i];
    float *epsr = floats + at[AT_LAYER_EPSR] + i * at[AT_LAYER_M];
    //#if ADAPTIVE
    if (i < at[AT_LAYER_N_ADAPTIVE]) {
        const float strength = floats[at[AT_LAYER_STRENGTH] + i], rho = floats[at[AT_LAYER_RHO] + i];
        reset_row(floats + at[AT_LAYER_EPSA] + i * at[AT_LAYER_M], epsr, eps, psi, strength, rho, fall, alpha, e, m);
        return 1;
    }
    //#endif
    /* To its eligibility, the reset of a LIF neuron is an adaptation that decays as the membrane does. */
    if (psi == 0.0f) {
        decay_row(epsr, alpha, m);
        return 0;
    }
    adaptive_row(epsr, eps, psi, fall, alpha, e, m);
    return 1;
    //#else
    //#if ADAPTIVE
    if (i < at[AT_LAYER_N_ADAPTIVE]) {
        const float strength = floats[at[AT_LAYER_STRENGTH] + i], rho = floats[at[AT_LAYER_RHO] + i];
        float *epsa = floats + at[AT_LAYER_EPSA] + i * at[AT_LAYER_M];
        if (psi == 0.0f) {
            decay_row(epsa, rho, m);
            return 0;
        }
        adaptive_row(epsa, eps, psi, strength, rho, e, m);
        return 1;
    }
    //#endif
    if (psi == 0.0f) return 0;
    plain_row(eps, psi, e, m);
    return 1;
    //#endif
}

//#endif
//#endif
