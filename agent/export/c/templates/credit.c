
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
/* Change the weights of a layer by the credit of the tick before, then bring credit and traces up to date; returns
   the L1 norm of the credit. leak, slope: of the layers above, nearest first; top: of which the last counts on. */
static double learn_layer(float *floats, const int32_t *at, const float *leak, const float *slope, int32_t top,
                          float scale, float decay)
{
    const int32_t n = at[AT_LAYER_N], m = at[AT_LAYER_M], groups = at[AT_LAYER_GROUPS];
    float *w = floats + at[AT_LAYER_W], *credit = floats + at[AT_LAYER_CREDIT];
    const float *signals = floats + at[AT_LAYER_SIGNALS], *eps = floats + at[AT_LAYER_EPS];
    //#if CASCADE or FACTORED or TENSOR or RESET_PATH
    float *e = floats + THE_SCRATCH_E;
    //#endif
    //#if MORE_HOPS or FACTORED or TENSOR
    float *total = floats + THE_SCRATCH_TOTAL;
    //#endif
    //#if FACTORED
    float *factors = floats + THE_SCRATCH_FACTORS;
    const int factored = at[AT_LAYER_VECTORS] > 0;
    if (factored) fold_signals(floats, at, leak, slope, top);
    //#endif
    //#if CASCADE
    if (at[AT_LAYER_LEVELS] > 0) weigh_levels(floats, at, leak, slope, top);
    const float *share = floats + at[AT_LAYER_SHARE];
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
                    only_hop_row(row, fresh, trace, e, share[0], direct, hop, delayed, scale, decay, used);
                else
                    silent_hop_row(row, fresh, trace, share[0], hop, delayed, scale, decay, used);
            }
            //#endif
            //#if TWO_HOPS
            if (at[AT_LAYER_LEVELS] == 2) {
                const struct two_hops by = {direct, delayed, {hop, signals[4 * n + i]}, {share[0], share[1]}};
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
                first_hop_row(trace, e, share[0], direct, hop, delayed, total, used);
                for (int32_t level = 1; level < at[AT_LAYER_LEVELS]; ++level)
                    next_hop_row(trace + level * n * m, e, share[level], signals[(level + 3) * n + i], total, used);
                credit_row(row, fresh, scale, decay, 1.0f, total, used);
            }
            //#endif
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
                    credit_row(row, fresh, scale, decay, signals[i] * psi, inputs, used);
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
    (void)top;
    //#endif
    //#endif
    return norm;
}

//#endif

