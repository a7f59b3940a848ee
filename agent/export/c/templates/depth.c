//#if CASCADE or FACTORED or MEMORY_HOPS
/* ---- eligibility, filtered by the membranes on the way of a signal */

//#endif
//#if CASCADE or FACTORED or MEMORY_HOPS
/* Take this tick's slopes into the masses M_h and N_q / N_{q-1}, and write the shares of this tick. */
static void advance_mass(float *floats, const int32_t *at, const float *leak, const float *slope, int32_t top)
{
    const int32_t fans = at[AT_LAYER_VECTORS] > 0 ? at[AT_LAYER_SPLIT] : 0;
    const int32_t count = fans > 0 ? at[AT_LAYER_VECTORS] : at[AT_LAYER_LEVELS];
    const float *filter_leak = floats + at[AT_LAYER_FILTER_LEAK];
    float *mass = floats + at[AT_LAYER_MASS], *share = floats + at[AT_LAYER_SHARE];
    const float most = (float)K_SATURATION;
    float kept = 1.0f;
    for (int32_t v = 0; v < count; ++v) {
        const int32_t level = v < fans ? 0 : v - fans, from = level < top ? level : top;
        const float old = mass[v], push = slope[from];
        if (v < fans) {
            mass[v] = (float)smaller(filter_leak[v] * old + push, most);
        } else {
            mass[v] = (float)smaller(leak[fans > 0 ? 0 : from] * (old * kept) + push, most);
            kept = (float)smaller(kept * old / mass[v], most);
        }
        share[v] = push / mass[v];
    }
}

//#endif
//#if CASCADE or MEMORY_HOPS
/* Advance the masses of the cascade and turn the signals into the factors of its traces. */
static void weigh_levels(float *floats, const int32_t *at, const float *leak, const float *slope, int32_t top)
{
    const int32_t n = at[AT_LAYER_N];
    const float *share = floats + at[AT_LAYER_SHARE];
    float *signals = floats + at[AT_LAYER_SIGNALS];
    /* What comes around meets the trace of the tick before. */
    scale_saturating(signals + 2 * n, (double)floats[at[AT_LAYER_MASS]] / (double)slope[0], n);
    advance_mass(floats, at, leak, slope, top);
    double held = 1.0;
    for (int32_t level = 0; level < at[AT_LAYER_LEVELS]; ++level) {
        held = smaller(held / share[level], K_WEIGHT_CAP);
        scale_saturating(signals + (level == 0 ? 1 : level + 3) * n, held, n);
    }
}

//#endif
//#if MORE_HOPS
/* total = direct e;  total += delayed R;  R <- R + share (e - R);  total += signal R.  e becomes R, for the next level. */
APART void first_hop_row(float *restrict trace, float *restrict e, float share, float direct, float signal,
                          float delayed, float *restrict total, int32_t m)
{
    EACH(j, m) {
        const float old = trace[j], from = e[j], filtered = flushed_trace(old + share * (from - old));
        trace[j] = filtered;
        e[j] = filtered;
        total[j] = direct * from + (signal * filtered + delayed * old);
    }
}

/* The same for the levels above, whose source is the level below. */
APART void next_hop_row(float *restrict trace, float *restrict source, float share, float signal,
                         float *restrict total, int32_t m)
{
    EACH(j, m) {
        const float old = trace[j], filtered = flushed_trace(old + share * (source[j] - old));
        trace[j] = filtered;
        source[j] = filtered;
        total[j] += signal * filtered;
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
    float *signals = floats + at[AT_LAYER_SIGNALS], *hops = signals + (2 * s + 1) * n;
    const float *psi_past = floats + at[AT_LAYER_PSI_PAST], *mass = floats + at[AT_LAYER_MASS];
    for (int32_t h = 0; h < s; ++h) {
        const float keep = floats[at[AT_LAYER_FILTER_LEAK] + h], weight = mass[h] / slope[0];
        for (int32_t i = 0; i < n; ++i) {
            const float up = signals[(1 + h) * n + i], past = psi_past[h * n + i] * weight;
            signals[i] += up;
            signals[(1 + h) * n + i] = past * (keep * up + signals[(1 + s + h) * n + i]);
        }
    }
    if (levels < 2) return;
    /* From the last level down: what passes the filters of all levels up to q. */
    memset(hops, 0, sizeof(float) * (size_t)n);
    for (int32_t q = levels - 1; q > 0; --q) add_scaled(hops + (q - 1) * n, 1.0f, hops + q * n, n);
    add_scaled(signals, 1.0f, hops, n);
    double held = 1.0;
    for (int32_t q = 0; q < levels; ++q) {
        held = smaller(held * mass[s + q] / slope[q < top ? q : top], K_WEIGHT_CAP);
        scale_saturating(hops + q * n, held, n);
        for (int32_t i = 0; i < n; ++i) hops[q * n + i] *= leak[0] * psi_past[s * n + i];
    }
}

/* Take this tick's eps and psi into the filtered vectors, for the ticks to come. */
static void advance_filters(float *floats, const int32_t *at, const float *leak, const float *slope, int32_t top)
{
    const int32_t n = at[AT_LAYER_N], m = at[AT_LAYER_M], s = at[AT_LAYER_SPLIT], count = at[AT_LAYER_VECTORS];
    const float *share = floats + at[AT_LAYER_SHARE];
    advance_mass(floats, at, leak, slope, top);
    for (int32_t g = 0; g < at[AT_LAYER_GROUPS]; ++g) {
        float *block = floats + at[AT_LAYER_FILTERED] + g * count * m;
        const float *eps = floats + at[AT_LAYER_EPS] + g * m;
        for (int32_t v = 0; v < count; ++v)
            running_mean(share[v], v <= s ? eps : block + (v - 1) * m, block + v * m, (float)K_TINY, m);
    }
    for (int32_t v = 0; v <= s && v < count; ++v)
        running_mean(share[v], floats + at[AT_LAYER_PSI], floats + at[AT_LAYER_PSI_PAST] + v * n, (float)K_PSI_FLOOR,
                     n);
}

/* Write the factors of the filtered vectors of neuron i, and to total what its own traces, as they were before this
   tick, take off. */
static void weigh_vectors(float *floats, const int32_t *at, int32_t i, float *factors, float *total)
{
    const int32_t n = at[AT_LAYER_N], m = at[AT_LAYER_M], s = at[AT_LAYER_SPLIT];
    const float *signals = floats + at[AT_LAYER_SIGNALS];
    float weight = 0.0f;
    for (int32_t v = 0; v < at[AT_LAYER_VECTORS]; ++v) {
        factors[v] = signals[(v < s ? 1 + v : 1 + v + s) * n + i];
        weight += factors[v];
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

