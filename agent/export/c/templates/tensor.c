//#if TENSOR
/* ---- the influence of each synapse on each neuron above it, carried as it is */

/* V_p,ij += slope B_pi e_ij for the layer above, before this tick's e moves epsa and epsr on */
static void add_eligibility(float *floats, const int32_t *at, const int32_t *up, float slope, float *influence)
{
    const int32_t n = at[AT_LAYER_N], m = at[AT_LAYER_M];
    const float *psi = floats + at[AT_LAYER_PSI], *feedback = floats + up[AT_LAYER_FEEDBACK];
    float *e = floats + THE_SCRATCH_E;
    for (int32_t i = 0; i < n; ++i) {
        if (psi[i] == 0.0f) continue;
        scale(floats + at[AT_LAYER_EPS] + i % at[AT_LAYER_GROUPS] * m, psi[i], e, m);
        add_suppression(floats, at, i, psi[i], e);
        for (int32_t p = 0; p < up[AT_LAYER_N]; ++p) {
            const float push = slope * feedback[p * up[AT_LAYER_M] + i];
            if (push != 0.0f) add_scaled(influence + (p * n + i) * m, push, e, m);
        }
    }
}

/* V_p += slope sum_r B_pr psi_r V_r for two layers, one on the other; rows of size */
static void add_influence(float *floats, const int32_t *low, const int32_t *up, float slope, int32_t size,
                          const float *below, float *influence)
{
    const float *psi = floats + low[AT_LAYER_PSI], *feedback = floats + up[AT_LAYER_FEEDBACK];
    for (int32_t p = 0; p < up[AT_LAYER_N]; ++p)
        for (int32_t r = 0; r < low[AT_LAYER_N]; ++r) {
            const float push = slope * feedback[p * up[AT_LAYER_M] + r] * psi[r];
            if (push != 0.0f) add_scaled(influence + p * size, push, below + r * size, size);
        }
}

/* Take this tick's spikes into V of all layers that learn. */
static void advance_tensors(float *floats, int net)
{
    const float *slope = floats + net_at(net)[AT_NET_SLOPE];
    for (int index = THE_FROZEN_LAYERS; index < THE_N_LAYERS - 1; ++index) {
        const int32_t *at = layer_at(net, index);
        //#if MEMORY_LEARNS
        if (at[AT_LAYER_THRESHOLD] >= 0) continue;
        //#endif
        const int32_t size = at[AT_LAYER_N] * at[AT_LAYER_M];
        float *influence = floats + at[AT_LAYER_TENSOR], *below = influence;
        for (int above = index + 1; above < THE_N_LAYERS; ++above) {
            const int32_t *up = layer_at(net, above);
            const int32_t n = up[AT_LAYER_N];
            const float *alphas = floats + up[AT_LAYER_ALPHAS];
            for (int32_t p = 0; p < n; ++p) {
                const float keep = alphas[p % up[AT_LAYER_GROUPS]];
                EACH(k, size) influence[p * size + k] *= keep;
            }
            if (above == index + 1)
                add_eligibility(floats, at, up, slope[above], influence);
            else
                add_influence(floats, layer_at(net, above - 1), up, slope[above], size, below, influence);
            for (int32_t k = 0; k < n * size; ++k)
                influence[k] = flushed_trace((float)clip(influence[k], -K_SATURATION, K_SATURATION));
            below = influence;
            influence += n * size;
        }
    }
}

/* (S_0 psi)_p of all neurons p above a layer, nearest layer first */
static void weigh_tensor(const float *floats, int net, int index, float *factors)
{
    for (int above = index + 1; above < THE_N_LAYERS; ++above) {
        const int32_t *up = layer_at(net, above);
        const float *signals = floats + up[AT_LAYER_SIGNALS], *psi = floats + up[AT_LAYER_PSI];
        for (int32_t p = 0; p < up[AT_LAYER_N]; ++p) *factors++ = signals[p] * psi[p];
    }
}

/* total_j += sum_p factors_p V_p,ij for neuron i */
static void add_tensor(const float *floats, const int32_t *at, int32_t i, const float *factors, float *total)
{
    const int32_t m = at[AT_LAYER_M], size = at[AT_LAYER_N] * m;
    const float *first = floats + at[AT_LAYER_TENSOR] + i * m;
    for (int32_t p = 0; p < at[AT_LAYER_N_ABOVE]; ++p)
        if (factors[p] != 0.0f) add_scaled(total, factors[p], first + p * size, m);
}

//#endif

