
/* ---- credit: what each synapse had to do with what was done and is valued now */

/* Change the readout's weights, then add g_k z_j to its credit; returns the L1 norm of the credit. */
static double learn_readout(float *floats, int net, float scale, float decay)
{
    const int32_t *head = net_at(net);
    const int32_t outputs = head[AT_NET_N_OUTPUTS], features = head[AT_NET_N_FEATURES];
    const float *seen = floats + head[AT_NET_FEATURES], *gradient = floats + head[AT_NET_GRADIENT];
    double norm = 0.0;
    for (int32_t k = 0; k < outputs; ++k) {
        float *w = floats + head[AT_NET_W] + k * features, *credit = floats + head[AT_NET_CREDIT] + k * features;
        const float *fresh = credit;
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
        absolute_sums(&fresh, 1, head[AT_NET_BIAS] + 1, &total);
        norm += total;
    }
    return norm;
}

//#if RESTS
/* learn_layer where rows may rest */
static double learn_rows(float *floats, const int32_t *at, float scale, float decay)
{
    const int32_t n = at[AT_LAYER_N], m = at[AT_LAYER_M], groups = at[AT_LAYER_GROUPS];
    const float *eps = floats + at[AT_LAYER_EPS], *psi = floats + at[AT_LAYER_PSI];
    const float *due[SUMMED];
    int32_t whose[SUMMED], count = 0;
    //#if ONE_HOP or TWO_HOPS
    const int32_t apart = WIDEST;
    float spare[SUMMED * WIDEST];
    //#else
    const int32_t apart = 0;
    float spare[1];
    //#endif
    double norm = 0.0;
    for (int32_t i = 0; i < n; ++i) {
        const float *fresh = psi[i] == 0.0f ? resting_row(floats, at, i, scale, decay, spare + count * apart)
                                            : awake_row(floats, at, i, eps + i % groups * m, scale, decay);
        if (fresh) {
            due[count] = fresh;
            whose[count++] = i;
        }
        if (count == SUMMED || (i == n - 1 && count > 0)) {
            float sums[SUMMED];
            absolute_sums(due, count, at[AT_LAYER_BIAS] + 1, sums);
            for (int32_t k = 0; k < count; ++k) *factor_of(floats, at, K_NORM, whose[k]) = sums[k];
            count = 0;
        }
    }
    for (int32_t i = 0; i < n; ++i) {
        const float left = *factor_of(floats, at, K_HELD_CREDIT, i), found = *factor_of(floats, at, K_NORM, i);
        norm += at[AT_LAYER_LEVELS] == 0 ? left * found : found;
    }
    return norm;
}

//#endif
//#if MOVES
/* learn_layer where every row is brought up to date in every tick */
static double learn_all_rows(float *floats, const int32_t *at, float scale, float decay)
{
    const int32_t n = at[AT_LAYER_N], m = at[AT_LAYER_M], used = used_columns(at[AT_LAYER_BIAS]);
    const float *signals = floats + at[AT_LAYER_SIGNALS];
    float *e = floats + THE_SCRATCH_E;
    //#if MORE_HOPS or FACTORED or TENSOR
    float *total = floats + THE_SCRATCH_TOTAL;
    //#endif
    //#if MORE_HOPS
    const float *share = floats + at[AT_LAYER_SHARE];
    //#endif
    const float *due[SUMMED];
    float sums[SUMMED];
    int32_t count = 0;
    double norm = 0.0;
    for (int32_t i = 0; i < n; ++i) {
        const int32_t group = i % at[AT_LAYER_GROUPS];
        const float *inputs = floats + at[AT_LAYER_EPS] + group * m;
        float *row = floats + at[AT_LAYER_W] + i * m, *fresh = floats + at[AT_LAYER_CREDIT] + i * m;
        //#if FACTORED
        if (at[AT_LAYER_VECTORS] > 0) {
            float *factors = floats + THE_SCRATCH_FACTORS;
            weigh_vectors(floats, at, i, factors, total);
            if (eligibility_row(floats, at, i, inputs, e)) add_scaled(total, signals[i], e, m);
            add_vectors(floats, at, group, factors, total);
            credit_row(row, fresh, scale, decay, 1.0f, total, used);
        } else
        //#endif
        //#if MORE_HOPS
        if (at[AT_LAYER_LEVELS] > 0) {
            float *trace = floats + at[AT_LAYER_CASCADE] + i * m;
            if (!eligibility_row(floats, at, i, inputs, e)) memset(e, 0, sizeof(float) * (size_t)used);
            first_hop_row(trace, e, share[0], signals[i], signals[n + i], signals[2 * n + i], total, used);
            for (int32_t level = 1; level < at[AT_LAYER_LEVELS]; ++level)
                next_hop_row(trace + level * n * m, e, share[level], signals[(level + 3) * n + i], total, used);
            credit_row(row, fresh, scale, decay, 1.0f, total, used);
        } else
        //#endif
        //#if TENSOR
        if (at[AT_LAYER_N_ABOVE] > 0) {
            if (!eligibility_row(floats, at, i, inputs, e)) memset(e, 0, sizeof(float) * (size_t)m);
            EACH(j, m) total[j] = signals[i] * e[j];
            add_tensor(floats, at, i, floats + THE_SCRATCH_FACTORS, total);
            credit_row(row, fresh, scale, decay, 1.0f, total, used);
        } else
        //#endif
        if (eligibility_row(floats, at, i, inputs, e)) {
            credit_row(row, fresh, scale, decay, signals[i], e, used);
        } else {
            fading_row(row, fresh, scale, decay, used);
        }
        due[count++] = fresh;
        if (count == SUMMED || i == n - 1) {
            absolute_sums(due, count, at[AT_LAYER_BIAS] + 1, sums);
            for (int32_t k = 0; k < count; ++k) norm += sums[k];
            count = 0;
        }
    }
    return norm;
}

//#endif
//#if LEARNING_LAYERS
/* Change the weights of a layer by the credit of the tick before, then bring credit and traces up to date; returns
   the L1 norm of the credit. leak, slope: of the layers above, nearest first; top: of which the last counts on. */
static double learn_layer(float *floats, const int32_t *at, const float *leak, const float *slope, int32_t top,
                          float scale, float decay)
{
    //#if FACTORED
    if (at[AT_LAYER_VECTORS] > 0) {
        fold_signals(floats, at, leak, slope, top);
        const double norm = learn_all_rows(floats, at, scale, decay);
        advance_filters(floats, at, leak, slope, top);
        return norm;
    }
    //#endif
    //#if CASCADE
    if (at[AT_LAYER_LEVELS] > 0) weigh_levels(floats, at, leak, slope, top);
    //#else
    (void)leak;
    (void)slope;
    (void)top;
    //#endif
    //#if RESTS and MOVES
    return at[AT_LAYER_RESTS] ? learn_rows(floats, at, scale, decay) : learn_all_rows(floats, at, scale, decay);
    //#else
    //#if RESTS
    return learn_rows(floats, at, scale, decay);
    //#else
    return learn_all_rows(floats, at, scale, decay);
    //#endif
    //#endif
}

//#endif
