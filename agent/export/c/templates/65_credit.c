//#if FACTORED
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
        for (int32_t h = 0; h < s; ++h) filter_inputs(block + h * m, filter_leak[h], slope[0], source, m);
        for (int32_t v = s; v < count; ++v) {
            filter_inputs(block + v * m, leak[0], slope[v - s < top ? v - s : top], source, m);
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
    //#if ADAPTIVE
    if (i < at[AT_LAYER_N_ADAPTIVE])
        add_scaled(total, -floats[at[AT_LAYER_STRENGTH] + i] * weight, floats + at[AT_LAYER_EPSA] + i * m, m);
    //#endif
    //#if RESET_PATH
    add_scaled(total, -(float)(SET_RESET_STRENGTH * SET_V_TH) * weight, floats + at[AT_LAYER_EPSR] + i * m, m);
    //#endif
    (void)weight;
}

static void add_vectors(const float *floats, const int32_t *at, int32_t group, const float *factors, float *total)
{
    const int32_t m = at[AT_LAYER_M], count = at[AT_LAYER_VECTORS], whole = count / 4 * 4;
    const float *block = floats + at[AT_LAYER_FILTERED] + group * count * m;
    for (int32_t v = 0; v < whole; v += 4) add_four_rows(total, factors + v, block + v * m, m);
    for (int32_t v = whole; v < count; ++v) add_scaled(total, factors[v], block + v * m, m);
}

//#endif
//#if LEARNING_LAYERS
/* Change the weights of a layer by the credit of the tick before, then bring credit and traces up to date; returns
   the L1 norm of the credit. leak, slope: of the layers above, nearest first; top: of which the last counts on. */
static double learn_layer(float *floats, const int32_t *at, const float *leak, const float *slope, int32_t top,
                          float scale, float decay)
{
    const int32_t n = at[AT_LAYER_N], m = at[AT_LAYER_M], groups = at[AT_LAYER_GROUPS];
    float *w = floats + at[AT_LAYER_W], *credit = floats + at[AT_LAYER_CREDIT];
    const float *signals = floats + at[AT_LAYER_SIGNALS], *eps = floats + at[AT_LAYER_EPS];
    //#if CASCADE or FACTORED or RESET_PATH
    float *e = floats + THE_SCRATCH_E;
    //#endif
    //#if MORE_HOPS or FACTORED
    float *total = floats + THE_SCRATCH_TOTAL;
    //#endif
    //#if FACTORED
    float *factors = floats + THE_SCRATCH_FACTORS;
    const int factored = at[AT_LAYER_VECTORS] > 0;
    if (factored) fold_signals(floats, at, leak, slope, top);
    //#endif
    const int32_t used = used_columns(at[AT_LAYER_BIAS]);
    float sums[16];
    double norm = 0.0;
    for (int32_t i = 0; i < n; ++i) {
        const int32_t group = i % groups;
        const float *inputs = eps + group * m;
        float *row = w + i * m, *fresh = credit + i * m;
        //#if FACTORED
        if (factored) {
            weigh_vectors(floats, at, i, factors, total);
            if (eligibility_row(floats, at, i, inputs, e)) add_scaled(total, signals[i], e, m);
            add_vectors(floats, at, group, factors, total);
            credit_row(row, fresh, scale, decay, 1.0f, total, used);
        } else
        //#endif
        //#if CASCADE
        if (at[AT_LAYER_LEVELS] > 0) {
            const int active = eligibility_row(floats, at, i, inputs, e);
            const float direct = signals[i], hop = signals[n + i], delayed = signals[2 * n + i];
            float *trace = floats + at[AT_LAYER_CASCADE] + i * m;
            //#if ONE_HOP
            if (at[AT_LAYER_LEVELS] == 1) {
                if (active)
                    only_hop_row(row, fresh, trace, e, leak[0], slope[0], direct, hop, delayed, scale, decay, used);
                else
                    silent_hop_row(row, fresh, trace, leak[0], hop, delayed, scale, decay, used);
            }
            //#endif
            //#if TWO_HOPS
            if (at[AT_LAYER_LEVELS] == 2) {
                const int32_t from = 1 < top ? 1 : top;
                const struct two_hops by = {direct, delayed, {hop, signals[4 * n + i]}, {leak[0], leak[from]},
                                            {slope[0], slope[from]}};
                float *second = trace + n * m;
                if (active)
                    two_hops_row(row, fresh, trace, second, e, by, scale, decay, used);
                else
                    silent_two_hops_row(row, fresh, trace, second, by, scale, decay, used);
            }
            //#endif
            //#if MORE_HOPS
            if (at[AT_LAYER_LEVELS] > 2) {
                if (!active) memset(e, 0, sizeof(float) * (size_t)used);
                first_hop_row(trace, e, leak[0], slope[0], direct, hop, delayed, total, used);
                for (int32_t level = 1; level < at[AT_LAYER_LEVELS]; ++level) {
                    const int32_t from = level < top ? level : top;
                    next_hop_row(trace + level * n * m, e, leak[from], slope[from], signals[(level + 3) * n + i],
                                 total, used);
                }
                credit_row(row, fresh, scale, decay, 1.0f, total, used);
            }
            //#endif
        } else
        //#endif
        {
            //#if RESET_PATH
            if (eligibility_row(floats, at, i, inputs, e))
                credit_row(row, fresh, scale, decay, signals[i], e, used);
            else
                fading_row(row, fresh, scale, decay, used);
            //#else
            const float psi = floats[at[AT_LAYER_PSI] + i];
            //#if ADAPTIVE
            float *epsa = floats + at[AT_LAYER_EPSA] + i * m;
            const float strength = floats[at[AT_LAYER_STRENGTH] + i], rho = floats[at[AT_LAYER_RHO] + i];
            if (i < at[AT_LAYER_N_ADAPTIVE] && psi != 0.0f) {
                adaptive_credit_row(row, fresh, epsa, inputs, psi, strength, rho, signals[i], scale, decay, used);
            } else {
                if (i < at[AT_LAYER_N_ADAPTIVE]) decay_row(epsa, rho, used);
                //#else
            {
                //#endif
                if (psi != 0.0f)
                    plain_credit_row(row, fresh, inputs, psi, signals[i], scale, decay, used);
                else
                    fading_row(row, fresh, scale, decay, used);
            }
            //#endif
        }
        if (i % 16 == 15 || i == n - 1) {
            const int32_t some = i % 16 + 1;
            absolute_sums(credit + (i + 1 - some) * m, some, m, at[AT_LAYER_BIAS] + 1, sums);
            for (int32_t k = 0; k < some; ++k) norm += sums[k];
        }
    }
    //#if FACTORED
    if (factored) advance_filters(floats, at, leak, slope, top);
    //#else
    //#if not CASCADE
    (void)leak;
    (void)slope;
    //#endif
    //#if not TWO_HOPS and not MORE_HOPS
    (void)top;
    //#endif
    //#endif
    return norm;
}

//#endif
