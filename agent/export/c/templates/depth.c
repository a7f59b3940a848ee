//#if CASCADE or FACTORED
/* ---- eligibility, filtered by the membranes on the way of a signal */

//#endif
//#if MORE_HOPS
/* total = direct e;  total += delayed R;  R <- leak R + slope e;  total += signal R.  e becomes R, for the next level. */
APART void first_hop_row(float *restrict trace, float *restrict e, float leak, float slope, float direct,
                          float signal, float delayed, float *restrict total, int32_t m)
{
    EACH(j, m) {
        const float old = trace[j], from = e[j], filtered = flushed_trace(leak * old + slope * from);
        trace[j] = filtered;
        e[j] = filtered;
        total[j] = direct * from + (signal * filtered + delayed * old);
    }
}

/* The same for the levels above, whose source is the level below. */
APART void next_hop_row(float *restrict trace, float *restrict source, float leak, float slope, float signal,
                         float *restrict total, int32_t m)
{
    EACH(j, m) {
        const float filtered = flushed_trace(leak * trace[j] + slope * source[j]);
        trace[j] = filtered;
        source[j] = filtered;
        total[j] += signal * filtered;
    }
}

//#endif
//#if ONE_HOP
/* What one level adds to the credit, and credit_row, in one sweep:
   total = direct e + delayed R;  R <- leak R + slope e;  total += signal R */
APART void only_hop_row(float *restrict w, float *restrict credit, float *restrict trace, const float *restrict e,
                         float leak, float slope, float direct, float signal, float delayed, float scale,
                         float decay, int32_t m)
{
    EACH(j, m) {
        const float old = trace[j], was = credit[j], filtered = flushed_trace(leak * old + slope * e[j]);
        const float total = direct * e[j] + (signal * filtered + delayed * old);
        trace[j] = filtered;
        w[j] += scale * was;
        credit[j] = flushed_trace(decay * was + total);
    }
}

/* only_hop_row where e is 0 */
APART void silent_hop_row(float *restrict w, float *restrict credit, float *restrict trace, float leak,
                           float signal, float delayed, float scale, float decay, int32_t m)
{
    EACH(j, m) {
        const float old = trace[j], was = credit[j], filtered = flushed_trace(leak * old);
        trace[j] = filtered;
        w[j] += scale * was;
        credit[j] = flushed_trace(decay * was + (signal * filtered + delayed * old));
    }
}

//#endif
//#if TWO_HOPS
/* Factors of e and of the two levels R and Q above it. */
struct two_hops {
    float direct, delayed, signal[2], leak[2], slope[2];
};

/* What two levels add to the credit, and credit_row, in one sweep:
   total = direct e + delayed R;  R <- leak_0 R + slope_0 e;  Q <- leak_1 Q + slope_1 R
   total += signal_0 R + signal_1 Q */
APART void two_hops_row(float *restrict w, float *restrict credit, float *restrict first, float *restrict second,
                         const float *restrict e, struct two_hops by, float scale, float decay, int32_t m)
{
    EACH(j, m) {
        const float old = first[j], was = credit[j];
        const float once = flushed_trace(by.leak[0] * old + by.slope[0] * e[j]);
        const float twice = flushed_trace(by.leak[1] * second[j] + by.slope[1] * once);
        const float total = by.direct * e[j] + (by.signal[0] * once + by.delayed * old) + by.signal[1] * twice;
        first[j] = once;
        second[j] = twice;
        w[j] += scale * was;
        credit[j] = flushed_trace(decay * was + total);
    }
}

/* two_hops_row where e is 0 */
APART void silent_two_hops_row(float *restrict w, float *restrict credit, float *restrict first,
                                float *restrict second, struct two_hops by, float scale, float decay, int32_t m)
{
    EACH(j, m) {
        const float old = first[j], was = credit[j], once = flushed_trace(by.leak[0] * old);
        const float twice = flushed_trace(by.leak[1] * second[j] + by.slope[1] * once);
        const float total = by.signal[0] * once + by.delayed * old + by.signal[1] * twice;
        first[j] = once;
        second[j] = twice;
        w[j] += scale * was;
        credit[j] = flushed_trace(decay * was + total);
    }
}

//#endif
//#if FACTORED
/* total += sum of four rows, each with its factor */
APART void add_four_rows(float *restrict total, const float *factors, const float *rows, int32_t m)
{
    const float *restrict a = rows, *restrict b = rows + m, *restrict c = rows + 2 * m, *restrict d = rows + 3 * m;
    const float p = factors[0], q = factors[1], r = factors[2], s = factors[3];
    EACH(j, m) total[j] += p * a[j] + q * b[j] + r * c[j] + s * d[j];
}

/* Turn the signals of a layer into the factors of its filtered vectors: slot 0 becomes that of e. */
static void fold_signals(float *floats, const int32_t *at, const float *leak, const float *slope, int32_t top)
{
    const int32_t n = at[AT_LAYER_N], s = at[AT_LAYER_SPLIT], levels = at[AT_LAYER_LEVELS];
    float *signals = floats + at[AT_LAYER_SIGNALS];
    const float *past = floats + at[AT_LAYER_PSI_PAST];
    for (int32_t h = 0; h < s; ++h) {
        const float keep = floats[at[AT_LAYER_FILTER_LEAK] + h];
        for (int32_t i = 0; i < n; ++i) {
            const float up = signals[(1 + h) * n + i];
            signals[i] += slope[0] * up;
            signals[(1 + h) * n + i] = past[h * n + i] * (keep * up + signals[(1 + s + h) * n + i]);
        }
    }
    if (levels < 2) return;
    for (int32_t i = 0; i < n; ++i) {
        /* From the last level down: what has passed the slopes of all levels above q. */
        float rest = 0.0f;
        const float weight = leak[0] * past[s * n + i];
        for (int32_t q = levels; q > 0; --q) {
            if (q > 1) rest += signals[(2 * s + q) * n + i];
            signals[(2 * s + q) * n + i] = weight * rest;
            rest *= slope[q - 1 < top ? q - 1 : top];
        }
        signals[i] += rest;
    }
}

/* Take this tick's eps and psi into the filtered vectors, for the ticks to come. */
static void advance_filters(float *floats, const int32_t *at, const float *leak, const float *slope, int32_t top)
{
    const int32_t n = at[AT_LAYER_N], m = at[AT_LAYER_M], s = at[AT_LAYER_SPLIT], count = at[AT_LAYER_VECTORS];
    const float *filter_leak = floats + at[AT_LAYER_FILTER_LEAK];
    float *mass = floats + at[AT_LAYER_MASS];
    for (int32_t g = 0; g < at[AT_LAYER_GROUPS]; ++g) {
        float *block = floats + at[AT_LAYER_FILTERED] + g * count * m;
        const float *source = floats + at[AT_LAYER_EPS] + g * m;
        for (int32_t h = 0; h < s; ++h) leaky_filter(block + h * m, filter_leak[h], slope[0], source, m);
        for (int32_t v = s; v < count; ++v) {
            leaky_filter(block + v * m, leak[0], slope[v - s < top ? v - s : top], source, m);
            source = block + v * m;
        }
    }
    float drive = 1.0f;
    for (int32_t v = 0; v < count; ++v) {
        const float push = v < s ? slope[0] : slope[v - s < top ? v - s : top] * drive;
        mass[v] = (v < s ? filter_leak[v] : leak[0]) * mass[v] + push;
        if (v >= s) drive = mass[v];
        if (v <= s)
            running_mean(push / mass[v], floats + at[AT_LAYER_PSI], floats + at[AT_LAYER_PSI_PAST] + v * n,
                         (float)K_PSI_FLOOR, n);
    }
}

/* Write the factors of the filtered vectors of neuron i, and to total what its own traces, as they were before this
   tick, take off. */
static void weigh_vectors(float *floats, const int32_t *at, int32_t i, float *factors, float *total)
{
    const int32_t n = at[AT_LAYER_N], m = at[AT_LAYER_M], s = at[AT_LAYER_SPLIT];
    const float *signals = floats + at[AT_LAYER_SIGNALS], *mass = floats + at[AT_LAYER_MASS];
    float weight = 0.0f;
    for (int32_t v = 0; v < at[AT_LAYER_VECTORS]; ++v) {
        factors[v] = signals[(v < s ? 1 + v : 1 + v + s) * n + i];
        weight += factors[v] * mass[v];
    }
    memset(total, 0, sizeof(float) * (size_t)m);
    add_suppression(floats, at, i, weight, total);
}

static void add_vectors(const float *floats, const int32_t *at, int32_t group, const float *factors, float *total)
{
    const int32_t m = at[AT_LAYER_M], count = at[AT_LAYER_VECTORS], whole = count / 4 * 4;
    const float *block = floats + at[AT_LAYER_FILTERED] + group * count * m;
    for (int32_t v = 0; v < whole; v += 4) add_four_rows(total, factors + v, block + v * m, m);
    for (int32_t v = whole; v < count; ++v) add_scaled(total, factors[v], block + v * m, m);
}

//#endif

