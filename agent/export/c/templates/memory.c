//#if MEMORY
/* ---- memory neurons, whose leak is set by what they see; their weights are C, then G, (2 n, m) column by column: half
   column k = 2 j + part has the n weights of column j in C or in G */

/* Columns of earlier observations, of which each neuron sees its own. */
static inline int32_t delayed_columns(const int32_t *at) { return at[AT_LAYER_DELAYED] >= 0 ? THE_N_INPUT : 0; }

/* Assemble what all neurons see, and sum it up with what each sees of earlier observations. */
static void see(float *floats, const int32_t *at, const float *below, const float *x)
{
    const int32_t n = at[AT_LAYER_N], rows = 2 * n, bias = at[AT_LAYER_BIAS];
    float *current = floats + at[AT_LAYER_CURRENT], *inputs = floats + at[AT_LAYER_INPUTS];
    const float *past = floats + at[AT_LAYER_PAST], *w = floats + at[AT_LAYER_W];
    memcpy(inputs, below, sizeof(float) * (size_t)at[AT_LAYER_N_BELOW]);
    memcpy(inputs + at[AT_LAYER_OBSERVED], x, sizeof(float) * THE_N_INPUT);
    inputs[bias] = 1.0f;
    memset(current, 0, sizeof(float) * (size_t)rows);
    for (int32_t j = 0; j <= bias; ++j)
        if (inputs[j] != 0.0f) add_scaled(current, inputs[j], w + j * rows, rows);
    for (int32_t k = 0; k < delayed_columns(at); ++k) {
        const float *column = w + (at[AT_LAYER_DELAYED] + k) * rows;
        add_product(past + k * n, column, current, n);
        add_product(past + k * n, column + n, current + n, n);
    }
}

/* Pass what each neuron saw on to its neighbor, which sees it a tick later, or to none; x to the first of them. */
static void keep_observation(float *floats, const int32_t *at, const float *x)
{
    const int32_t n = at[AT_LAYER_N];
    for (int32_t k = 0; k < delayed_columns(at); ++k) {
        float *seen = floats + at[AT_LAYER_PAST] + k * n;
        memmove(seen + 1, seen, sizeof(float) * (size_t)(n - 1));
        for (int32_t i = 0; i < n; i += at[AT_LAYER_DELAYS]) seen[i] = x[k];
    }
}

/* c <- (1 - g) c + a h, a = g of a holder, max(g, 0.1) of an integrator; a and b, and 1 - g in the place of g; psi is
   how far c is above its threshold */
APART void advance_cells(const float *restrict h, float *restrict gate, const float *restrict threshold,
                         int32_t holders, float *restrict v, float *restrict psi, float *restrict take,
                         float *restrict move, int32_t n)
{
    ALL(i, n, const float g = gate[i]; const float old = v[i];
        const int gated = i < holders || g > (float)K_INTEGRATOR_GAIN;
        const float a = gated ? g : (float)K_INTEGRATOR_GAIN; const float slope = g * (1.0f - g);
        const float cell = (1.0f - g) * old + a * h[i]; gate[i] = 1.0f - g; take[i] = a;
        move[i] = slope * ((gated ? h[i] : 0.0f) - old); psi[i] = cell - threshold[i]; v[i] = flushed_trace(cell););
}

/* g = sigmoid(G u); z and psi are what emit makes of c - A, which psi has until then. Advance the neurons of a layer,
   and write 1 - g and what their traces take of u; returns the number of spikes. */
static double hold(float *floats, const int32_t *at)
{
    const int32_t n = at[AT_LAYER_N];
    const float *current = floats + at[AT_LAYER_CURRENT];
    float *psi = floats + at[AT_LAYER_PSI], *keep = floats + at[AT_LAYER_KEEP], *push = floats + at[AT_LAYER_PUSH];
    logistic(current + n, K_GATE_CLIP, keep, n);
    advance_cells(current, keep, floats + at[AT_LAYER_W] + at[AT_LAYER_THRESHOLD] * 2 * n, at[AT_LAYER_HOLDERS],
                  floats + at[AT_LAYER_V], psi, push, push + n, n);
    return emit(n, SET_MEMORY_PAYLOAD_CAP, floats + at[AT_LAYER_Z], psi);
}

/* eps_i <- keep_i eps_i + push_i u; keep is 0 without temporal_trace */
APART void filter_column(float *restrict eps, const float *restrict keep, const float *restrict push, float u,
                         int32_t n)
{
    ALL(i, n, eps[i] = flushed_trace((float)SET_TEMPORAL_TRACE * keep[i] * eps[i] + push[i] * u););
}

/* The same where each neuron sees another u_i. */
APART void filter_seen(float *restrict eps, const float *restrict keep, const float *restrict push,
                       const float *restrict u, int32_t n)
{
    ALL(i, n, eps[i] = flushed_trace((float)SET_TEMPORAL_TRACE * keep[i] * eps[i] + push[i] * u[i]););
}

/* eC <- (1 - g) eC + a u;  eG <- (1 - g) eG + b u;  eA = -1 */
static void filter_memory(float *floats, const int32_t *at)
{
    const int32_t n = at[AT_LAYER_N], delayed = at[AT_LAYER_DELAYED];
    const float *keep = floats + at[AT_LAYER_KEEP], *inputs = floats + at[AT_LAYER_INPUTS];
    const float *past = floats + at[AT_LAYER_PAST];
    float *eps = floats + at[AT_LAYER_EPS];
    for (int32_t k = 0; k < 2 * (at[AT_LAYER_BIAS] + 1); ++k) {
        const int32_t j = k / 2;
        const float *push = floats + at[AT_LAYER_PUSH] + k % 2 * n;
        if (delayed <= j && j < delayed + delayed_columns(at))
            filter_seen(eps + k * n, keep, push, past + (j - delayed) * n, n);
        else
            filter_column(eps + k * n, keep, push, inputs[j], n);
    }
    for (int32_t i = 0; i < n; ++i) eps[2 * n * at[AT_LAYER_THRESHOLD] + i] = -1.0f;
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
/* out_i += sum_p S_p psi_p (a_p C_pi + b_p G_pi), p of a layer of memory neurons */
static void descend_memory(const float *floats, const int32_t *up, const float *source, float *out, int32_t size)
{
    const int32_t n = up[AT_LAYER_N];
    const float *psi = floats + up[AT_LAYER_PSI], *take = floats + up[AT_LAYER_PUSH];
    const float *w = floats + up[AT_LAYER_FEEDBACK];
    for (int32_t i = 0; i < size; ++i, w += 2 * n) {
        float total = 0.0f;
        for (int32_t p = 0; p < n; ++p) total += source[p] * psi[p] * (take[p] * w[p] + take[n + p] * w[n + p]);
        out[i] += total;
    }
}

//#endif
//#if MEMORY_CARRIED
/* V_i <- keep V_i + push_i eps_i */
APART void carry_column(float *restrict trace, float keep, const float *restrict push, const float *restrict eps,
                        int32_t n)
{
    ALL(i, n, trace[i] = flushed_trace(keep * trace[i] + push[i] * eps[i]););
}

/* V_p,r <- (1 - g_p) V_p,r + (a_p C_pi + b_p G_pi) psi_i eps_r, p of the layer above */
static void carry_memory(float *floats, const int32_t *at, const int32_t *up)
{
    const int32_t n = at[AT_LAYER_N], m = at[AT_LAYER_M], above = up[AT_LAYER_N];
    const float filtered = SET_DEPTH_FILTER == K_NONE ? 0.0f : (float)SET_TEMPORAL_TRACE;
    const float *take = floats + up[AT_LAYER_PUSH], *keep = floats + up[AT_LAYER_KEEP];
    const float *psi = floats + at[AT_LAYER_PSI], *eps = floats + at[AT_LAYER_EPS];
    float *push = floats + THE_SCRATCH_E;
    for (int32_t p = 0; p < above; ++p) {
        const float *w = floats + up[AT_LAYER_FEEDBACK] + p;
        float *trace = floats + at[AT_LAYER_TENSOR] + p * 2 * n * m;
        for (int32_t i = 0; i < n; ++i, w += 2 * above)
            push[i] = (take[p] * w[0] + take[above + p] * w[above]) * psi[i];
        for (int32_t k = 0; k < 2 * m; ++k) carry_column(trace + k * n, filtered * keep[p], push, eps + k * n, n);
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
//#if MEMORY_HOPS
/* total = S_0 e + U R + D R(t-1);  R <- R + share (e - R), which is written to source too */
APART void first_hop_column(float *restrict trace, const float *restrict eps, const float *restrict psi, float share,
                            const float *restrict direct, const float *restrict up, const float *restrict around,
                            float *restrict source, float *restrict total, int32_t n)
{
    ALL(i, n, const float e = psi[i] * eps[i]; const float old = trace[i];
        const float filtered = flushed_trace(old + share * (e - old)); trace[i] = filtered; source[i] = filtered;
        total[i] = direct[i] * e + (up[i] * filtered + around[i] * old););
}

/* R_q <- R_q + share (R_{q-1} - R_q);  total += T_q R_q; source: R_{q-1}, then R_q */
APART void next_hop_column(float *restrict trace, float *restrict source, float share, const float *restrict signal,
                           float *restrict total, int32_t n)
{
    ALL(i, n, const float old = trace[i]; const float filtered = flushed_trace(old + share * (source[i] - old));
        trace[i] = filtered; source[i] = filtered; total[i] += signal[i] * filtered;);
}

//#endif
/* total_i = S_i psi_i eps_i */
APART void weigh_column(const float *restrict eps, const float *restrict psi, const float *restrict signal,
                        float *restrict total, int32_t n)
{
    ALL(i, n, total[i] = signal[i] * (psi[i] * eps[i]););
}

/* Write signals times eligibility of half column k to total, and advance its cascade. */
static void fresh_credit(float *floats, const int32_t *at, int32_t k, float *total)
{
    const int32_t n = at[AT_LAYER_N];
    const float *signals = floats + at[AT_LAYER_SIGNALS], *psi = floats + at[AT_LAYER_PSI];
    const float *eps = floats + at[AT_LAYER_EPS] + k * n;
    //#if MEMORY_HOPS
    if (at[AT_LAYER_LEVELS] > 0) {
        const float *share = floats + at[AT_LAYER_SHARE];
        float *trace = floats + at[AT_LAYER_CASCADE] + k * n, *source = floats + THE_SCRATCH_E;
        first_hop_column(trace, eps, psi, share[0], signals, signals + n, signals + 2 * n, source, total, n);
        for (int32_t level = 1; level < at[AT_LAYER_LEVELS]; ++level)
            next_hop_column(trace + level * 2 * n * at[AT_LAYER_M], source, share[level], signals + (level + 3) * n,
                            total, n);
        return;
    }
    //#endif
    weigh_column(eps, psi, signals, total, n);
    //#if MEMORY_CARRIED
    const float *factors = floats + THE_SCRATCH_FACTORS, *trace = floats + at[AT_LAYER_TENSOR] + k * n;
    for (int32_t p = 0; p < at[AT_LAYER_N_ABOVE]; ++p)
        if (factors[p] != 0.0f) add_scaled(total, factors[p], trace + p * 2 * n * at[AT_LAYER_M], n);
    //#endif
}

/* Change the weights of a layer by the credit of the tick before, then bring credit and traces up to date. change and
   norms: of C and of G; leak, slope and top as those of learn_layer. */
static void learn_memory(float *floats, const int32_t *at, const float *leak, const float *slope, int32_t top,
                         const float *change, float decay, double *norms)
{
    const int32_t n = at[AT_LAYER_N], columns = at[AT_LAYER_M];
    float *total = floats + THE_SCRATCH_TOTAL, *w = floats + at[AT_LAYER_W], *credit = floats + at[AT_LAYER_CREDIT];
    //#if MEMORY_HOPS
    if (at[AT_LAYER_LEVELS] > 0) weigh_levels(floats, at, leak, slope, top);
    //#else
    (void)leak;
    (void)slope;
    (void)top;
    //#endif
    for (int part = 0; part < 2; ++part) {
        const float *due[SUMMED];
        float sums[SUMMED];
        int32_t count = 0;
        norms[part] = 0.0;
        for (int32_t j = 0; j < columns; ++j) {
            const int32_t k = 2 * j + part;
            fresh_credit(floats, at, k, total);
            credit_row(w + k * n, credit + k * n, change[part], decay, 1.0f, total, n);
            due[count++] = credit + k * n;
            if (count == SUMMED || j == columns - 1) {
                absolute_sums(due, count, n, sums);
                for (int32_t i = 0; i < count; ++i) norms[part] += sums[i];
                count = 0;
            }
        }
    }
}

/* W <- W + step credit, with a step for C and one for G */
static void change_memory(float *floats, const int32_t *at, float of_cells, float of_gates)
{
    const int32_t n = at[AT_LAYER_N];
    float *w = floats + at[AT_LAYER_W], *credit = floats + at[AT_LAYER_CREDIT];
    for (int32_t k = 0; k < 2 * at[AT_LAYER_M]; ++k)
        add_scaled(w + k * n, k % 2 == 0 ? of_cells : of_gates, credit + k * n, n);
}

//#if RATES
/* regularize_rates for memory neurons */
static void regularize_memory(float *floats, const int32_t *at)
{
    const int32_t n = at[AT_LAYER_N];
    const float *rate = floats + at[AT_LAYER_RATE], *psi = floats + at[AT_LAYER_PSI];
    for (int32_t k = 0; k < 2 * at[AT_LAYER_M]; ++k) {
        float *w = floats + at[AT_LAYER_W] + k * n;
        const float *eps = floats + at[AT_LAYER_EPS] + k * n;
        for (int32_t i = 0; i < n; ++i)
            w[i] += (float)(-SET_RATE_REGULARIZATION * (rate[i] - SET_TARGET_RATE)) * psi[i] * eps[i];
    }
}

//#endif
//#endif
