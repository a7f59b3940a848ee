//#if MEMORY
/* ---- memory neurons, whose leak is set by what they see; rows 0 .. n - 1 of their weights are C, then G */

/* Assemble u = [z below; x; x of some ticks ago; 1], a row for each delay, sum it up, and keep the observation. */
static void see(float *floats, const int32_t *at, const float *below, const float *x)
{
    const int32_t n = at[AT_LAYER_N], m = at[AT_LAYER_M], delays = at[AT_LAYER_DELAYS];
    const size_t size = sizeof(float) * THE_N_INPUT;
    float *current = floats + at[AT_LAYER_CURRENT], *past = floats + at[AT_LAYER_PAST];
    float *sums = floats + at[AT_LAYER_PUSH]; /* a work row: hold fills it anew */
    for (int32_t d = 0; d < delays; ++d) {
        float *inputs = floats + at[AT_LAYER_INPUTS] + d * m;
        memcpy(inputs, below, sizeof(float) * (size_t)at[AT_LAYER_N_BELOW]);
        memcpy(inputs + at[AT_LAYER_OBSERVED], x, size);
        if (at[AT_LAYER_DELAYED] >= 0) memcpy(inputs + at[AT_LAYER_DELAYED], past + d * THE_N_INPUT, size);
        inputs[at[AT_LAYER_BIAS]] = 1.0f;
        /* Neurons d, d + delays, ..; first their rows of C, then those of G. */
        const int32_t count = (n - d + delays - 1) / delays;
        for (int32_t first = d; first < 2 * n; first += n) {
            weighted_sum(floats + at[AT_LAYER_W] + first * m, inputs, count, delays * m, at[AT_LAYER_BIAS] + 1, sums);
            for (int32_t k = 0; k < count; ++k) current[first + k * delays] = sums[k];
        }
    }
    if (at[AT_LAYER_DELAYED] < 0) return;
    for (int32_t d = delays - 1; d > 0; --d) memcpy(past + d * THE_N_INPUT, past + (d - 1) * THE_N_INPUT, size);
    memcpy(past, x, size);
}

/* g = sigmoid(G u);  c <- (1 - g) c + a C u, a = g of a holder, max(g, 0.1) of an integrator
   z and psi are what emit makes of c - A, which psi has until then.
   Advance the neurons of a layer, and write 1 - g and what their traces take of u; returns the number of spikes. */
static double hold(float *floats, const int32_t *at)
{
    const int32_t n = at[AT_LAYER_N];
    const float *current = floats + at[AT_LAYER_CURRENT];
    const float *threshold = floats + at[AT_LAYER_W] + at[AT_LAYER_THRESHOLD];
    float *v = floats + at[AT_LAYER_V], *psi = floats + at[AT_LAYER_PSI];
    float *keep = floats + at[AT_LAYER_KEEP], *push = floats + at[AT_LAYER_PUSH];
    for (int32_t i = 0; i < n; ++i) {
        const float h = current[i], old = v[i];
        const float gate = (float)(1.0 / (1.0 + exp(-clip(current[n + i], -K_GATE_CLIP, K_GATE_CLIP))));
        const float slope = gate * (1.0f - gate);
        const int own = i < at[AT_LAYER_HOLDERS] || gate > (float)K_INTEGRATOR_GAIN;
        const float a = own ? gate : (float)K_INTEGRATOR_GAIN;
        const float cell = (1.0f - gate) * old + a * h;
        keep[i] = 1.0f - gate;
        push[i] = a;
        push[n + i] = own ? slope * (h - old) : -slope * old;
        v[i] = flushed_trace(cell);
        psi[i] = cell - threshold[i * at[AT_LAYER_M]];
    }
    return emit(n, SET_MEMORY_PAYLOAD_CAP, floats + at[AT_LAYER_Z], psi);
}

/* eC <- (1 - g) eC + a u;  eG <- (1 - g) eG + b u;  eA = -1 */
static void filter_memory(float *floats, const int32_t *at)
{
    const int32_t n = at[AT_LAYER_N], m = at[AT_LAYER_M], used = used_columns(at[AT_LAYER_THRESHOLD]);
    const float *keep = floats + at[AT_LAYER_KEEP], *push = floats + at[AT_LAYER_PUSH];
    for (int32_t r = 0; r < 2 * n; ++r) {
        const int32_t i = r < n ? r : r - n;
        float *eps = floats + at[AT_LAYER_EPS] + r * m;
        leaky_filter(eps, (float)SET_TEMPORAL_TRACE * keep[i], push[r],
                     floats + at[AT_LAYER_INPUTS] + i % at[AT_LAYER_DELAYS] * m, used);
        if (r < n) eps[at[AT_LAYER_THRESHOLD]] = -1.0f;
    }
}

/* Mean of what is left of the cells, the leak of traces of layers below: 0 without temporal_trace. */
static double mean_keep(const float *floats, const int32_t *at)
{
    if (SET_TEMPORAL_TRACE == 0.0) return 0.0;
    double total = 0.0;
    for (int32_t i = 0; i < at[AT_LAYER_N]; ++i) total += floats[at[AT_LAYER_KEEP] + i];
    return total / at[AT_LAYER_N];
}

//#endif
//#if MEMORY_HOPS
/* out += sum_p S_p psi_p (a_p C_pi + b_p G_pi), p of a layer of memory neurons */
static void descend_memory(const float *floats, const int32_t *up, const float *source, float *out, int32_t size)
{
    const int32_t n = up[AT_LAYER_N], m = up[AT_LAYER_M];
    const float *psi = floats + up[AT_LAYER_PSI], *take = floats + up[AT_LAYER_PUSH];
    const float *feedback = floats + up[AT_LAYER_FEEDBACK];
    for (int32_t p = 0; p < n; ++p) {
        const float push = source[p] * psi[p];
        if (push == 0.0f) continue;
        add_scaled(out, push * take[p], feedback + p * m, size);
        add_scaled(out, push * take[n + p], feedback + (n + p) * m, size);
    }
}

//#endif
//#if MEMORY_CARRIED
/* new = keep V + push e, flushed */
APART void carry_row(float *restrict trace, float keep, float push, const float *restrict e, int32_t m)
{
    EACH(j, m) trace[j] = flushed_trace(keep * trace[j] + push * e[j]);
}

/* V_p,r <- (1 - g_p) V_p,r + (a_p C_pi + b_p G_pi) psi_i eps_r, p of the layer above */
static void carry_memory(float *floats, const int32_t *at, const int32_t *up)
{
    const int32_t n = at[AT_LAYER_N], m = at[AT_LAYER_M], rows = at[AT_LAYER_ROWS], above = up[AT_LAYER_N];
    const int32_t used = used_columns(at[AT_LAYER_THRESHOLD]);
    const float filtered = SET_DEPTH_FILTER == K_NONE ? 0.0f : (float)SET_TEMPORAL_TRACE;
    const float *take = floats + up[AT_LAYER_PUSH], *keep = floats + up[AT_LAYER_KEEP];
    float *e = floats + THE_SCRATCH_E;
    for (int32_t r = 0; r < rows; ++r) {
        const int32_t i = r < n ? r : r - n;
        const float *feedback = floats + up[AT_LAYER_FEEDBACK] + i;
        scale(floats + at[AT_LAYER_EPS] + r * m, floats[at[AT_LAYER_PSI] + i], e, used);
        for (int32_t p = 0; p < above; ++p) {
            float push = take[p] * feedback[p * up[AT_LAYER_M]];
            push += take[above + p] * feedback[(above + p) * up[AT_LAYER_M]];
            carry_row(floats + at[AT_LAYER_TENSOR] + (p * rows + r) * m, filtered * keep[p], push, e, used);
        }
    }
}

/* The whole signal to each memory neuron of the layer above times its psi. */
static void weigh_memory(const float *floats, const int32_t *up, float *factors)
{
    const int32_t n = up[AT_LAYER_N];
    const float *signals = floats + up[AT_LAYER_SIGNALS];
    for (int32_t p = 0; p < n; ++p) {
        float total = signals[p];
        for (int32_t q = 1; q <= up[AT_LAYER_LEVELS]; ++q) total += signals[(2 * up[AT_LAYER_SPLIT] + q) * n + p];
        factors[p] = total * floats[up[AT_LAYER_PSI] + p];
    }
}

//#endif
//#if MEMORY_LEARNS
/* Change the weights of a layer by the credit of the tick before, then bring credit and traces up to date. change and
   norms: of C and of G; leak, slope and top as those of learn_layer. */
static void learn_memory(float *floats, const int32_t *at, const float *leak, const float *slope, int32_t top,
                         const float *change, float decay, double *norms)
{
    const int32_t n = at[AT_LAYER_N], m = at[AT_LAYER_M], used = used_columns(at[AT_LAYER_THRESHOLD]);
    const float *signals = floats + at[AT_LAYER_SIGNALS], *psi = floats + at[AT_LAYER_PSI];
    //#if MEMORY_HOPS or MEMORY_CARRIED
    float *total = floats + THE_SCRATCH_TOTAL;
    //#endif
    //#if MEMORY_HOPS
    float *e = floats + THE_SCRATCH_E;
    const float *share = floats + at[AT_LAYER_SHARE];
    if (at[AT_LAYER_LEVELS] > 0) weigh_levels(floats, at, leak, slope, top);
    //#else
    (void)leak;
    (void)slope;
    (void)top;
    //#endif
    //#if MEMORY_CARRIED
    const float *factors = floats + THE_SCRATCH_FACTORS;
    //#endif
    for (int part = 0; part < 2; ++part) {
        float *credit = floats + at[AT_LAYER_CREDIT] + part * n * m, sums[16];
        norms[part] = 0.0;
        for (int32_t i = 0; i < n; ++i) {
            const int32_t r = part * n + i;
            const float *eps = floats + at[AT_LAYER_EPS] + r * m;
            float *row = floats + at[AT_LAYER_W] + r * m, *fresh = credit + i * m;
            //#if MEMORY_HOPS
            if (at[AT_LAYER_LEVELS] > 0) {
                float *trace = floats + at[AT_LAYER_CASCADE] + r * m;
                scale(eps, psi[i], e, used);
                first_hop_row(trace, e, share[0], signals[i], signals[n + i], signals[2 * n + i], total, used);
                for (int32_t level = 1; level < at[AT_LAYER_LEVELS]; ++level)
                    next_hop_row(trace + level * at[AT_LAYER_ROWS] * m, e, share[level], signals[(level + 3) * n + i],
                                 total, used);
                credit_row(row, fresh, change[part], decay, 1.0f, total, used);
            } else
            //#endif
            //#if MEMORY_CARRIED
            if (at[AT_LAYER_N_ABOVE] > 0) {
                scale(eps, signals[i] * psi[i], total, used);
                add_tensor(floats, at, r, factors, total, used);
                credit_row(row, fresh, change[part], decay, 1.0f, total, used);
            } else
            //#endif
            {
                credit_row(row, fresh, change[part], decay, signals[i] * psi[i], eps, used);
            }
            if (i % 16 == 15 || i == n - 1) {
                const int32_t some = i % 16 + 1;
                absolute_sums(credit + (i + 1 - some) * m, some, m, at[AT_LAYER_THRESHOLD] + 1, sums);
                for (int32_t k = 0; k < some; ++k) norms[part] += sums[k];
            }
        }
    }
}

//#endif
