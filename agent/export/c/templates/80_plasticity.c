//#if PLASTIC
/* ---- what keeps a network able to learn: one unit of it is looked at each tick */

/* The whole number in x, brought within 0 to size - 1 whatever a state that was loaded may hold. */
static int32_t within(double x, int32_t size)
{
    if (!(x > 0.0)) return 0;
    return x < size ? (int32_t)x : size - 1;
}

//#if REPLACEMENT
/* Sum of absolute values in a column of n rows of m. */
static double column_size(const float *matrix, int32_t n, int32_t m, int32_t j)
{
    double total = 0.0;
    for (int32_t k = 0; k < n; ++k) total += fabsf(matrix[k * m + j]);
    return total;
}

static void clear_column(float *matrix, int32_t n, int32_t m, int32_t j)
{
    for (int32_t k = 0; k < n; ++k) matrix[k * m + j] = 0.0f;
}

/* Move what an input contributes on average to the bias, and cut it off. */
static void mean_to_bias(float *w, int32_t n, int32_t m, int32_t j, int32_t bias, float activity)
{
    for (int32_t k = 0; k < n; ++k) {
        w[k * m + bias] += activity * w[k * m + j];
        w[k * m + j] = 0.0f;
    }
}

/* 2 p_i (1 - p_i) sum_k |w_ki|; k: outputs, the layer above, the layer itself. */
static double utility(const float *floats, int net, int index, int32_t i)
{
    const int32_t *at = layer_at(net, index), *head = net_at(net);
    double total = 0.0;
    if (at[AT_LAYER_FIRST] >= 0)
        total += column_size(
            floats + head[AT_NET_W], head[AT_NET_OUT], head[AT_NET_FEATURES], at[AT_LAYER_FIRST] + i);
    if (index + 1 < THE_N_LAYERS) {
        const int32_t *up = layer_at(net, index + 1);
        total += column_size(floats + up[AT_LAYER_W], up[AT_LAYER_N], up[AT_LAYER_M], i);
    }
    if (at[AT_LAYER_RECURRENT] >= 0)
        total += column_size(
            floats + at[AT_LAYER_W], at[AT_LAYER_N], at[AT_LAYER_M], at[AT_LAYER_RECURRENT] + i);
    const double activity = floats[at[AT_LAYER_ACTIVITY] + i];
    return 2.0 * activity * (1.0 - activity) * total;
}

/* Cut a layer off from an input and forget every trace of it; returns the credit that goes with it. */
static double lose_input(float *floats, const int32_t *at, int32_t j, float activity)
{
    const int32_t n = at[AT_LAYER_N], m = at[AT_LAYER_M], groups = at[AT_LAYER_GROUPS];
    const double lost = column_size(floats + at[AT_LAYER_CREDIT], n, m, j);
    mean_to_bias(floats + at[AT_LAYER_W], n, m, j, at[AT_LAYER_BIAS], activity);
    //#if PEAKS
    clear_column(floats + at[AT_LAYER_PEAK], n, m, j);
    //#endif
    //#if PULL
    clear_column(floats + at[AT_LAYER_INITIAL], n, m, j);
    //#endif
    clear_column(floats + at[AT_LAYER_CREDIT], n, m, j);
    clear_column(floats + at[AT_LAYER_EPSA], at[AT_LAYER_ADAPTIVE], m, j);
    //#if RESET_PATH
    clear_column(floats + at[AT_LAYER_EPSR], n, m, j);
    //#endif
    //#if CASCADE
    clear_column(floats + at[AT_LAYER_CASCADE], at[AT_LAYER_LEVELS] * n, m, j);
    //#endif
    clear_column(floats + at[AT_LAYER_EPS], groups, m, j);
    clear_column(floats + at[AT_LAYER_FILTERED], groups * at[AT_LAYER_VECTORS], m, j);
    return lost;
}

/* The nearest whole number, of two the even one; x at least 0 and far below 2^31. */
static double nearest(double x)
{
    const int32_t below = (int32_t)x;
    const double rest = x - below;
    return below + (rest > 0.5 || (rest == 0.5 && below % 2 != 0));
}

/* Fill a row of weights as those of a new network are; columns before first with 0. Of f columns left with c
   connections still to be made, each gets one with probability c/f. */
static void draw_inputs(int64_t *words, const int32_t *at, int32_t first, float *w)
{
    const int32_t bias = at[AT_LAYER_BIAS], end = at[AT_LAYER_RECURRENT] >= 0 ? at[AT_LAYER_RECURRENT] : bias;
    const double bound = 1.0 / sqrt(bias - first + 1);
    double due = larger(1.0, nearest(SET_CONNECTIVITY * (end - first)));
    memset(w, 0, sizeof(float) * (size_t)at[AT_LAYER_M]);
    for (int32_t j = first; j < end; ++j) {
        if (uniform(words) * (end - j) < due) {
            w[j] = (float)(bound * (2.0 * uniform(words) - 1.0));
            due -= 1.0;
        }
    }
    for (int32_t j = end; j < bias; ++j)
        w[j] = (float)(SET_RECURRENT_SCALE * bound * (2.0 * uniform(words) - 1.0));
    w[bias] = (float)(bound * (2.0 * uniform(words) - 1.0));
}

/* w_b + sum_j p_j w_j for a row of weights; j all inputs that spike but neuron i of the layer itself, p_j the activity
   of input j. below: that of the layer below, size numbers of it. */
static double mean_current(const float *floats, const int32_t *at, const float *below, int32_t size, const float *w,
                           int32_t i)
{
    double current = 0.0;
    for (int32_t j = 0; j < size; ++j) current += below[j] * w[j];
    if (at[AT_LAYER_RECURRENT] >= 0) {
        const float *activity = floats + at[AT_LAYER_ACTIVITY], *own = w + at[AT_LAYER_RECURRENT];
        for (int32_t j = 0; j < at[AT_LAYER_N]; ++j)
            if (j != i) current += activity[j] * own[j];
    }
    return current + w[at[AT_LAYER_BIAS]];
}

/* Make the new weights of neuron i as large as those of the others, and its mean current that of the others:
   w_j <- w_j max(1, mean_k |w_k| / |w|), norms of inputs without the bias, then
   w_b <- mean_k (w_kb + sum_j p_j w_kj) - sum_j p_j w_j; k all other neurons, b the bias, p_j the activity of input j. */
static void fit_in(float *floats, const int32_t *at, const float *below, int32_t size, int32_t i)
{
    const int32_t n = at[AT_LAYER_N], m = at[AT_LAYER_M], inputs = at[AT_LAYER_BIAS];
    float *w = floats + at[AT_LAYER_W] + i * m;
    double others = 0.0, own = 0.0, current = 0.0;
    for (int32_t k = 0; k < n; ++k) {
        const float *other = floats + at[AT_LAYER_W] + k * m;
        double square = 0.0;
        if (k == i) continue;
        for (int32_t j = 0; j < inputs; ++j) square += other[j] * other[j];
        others += sqrt(square);
        current += mean_current(floats, at, below, size, other, i);
    }
    for (int32_t j = 0; j < inputs; ++j) own += w[j] * w[j];
    const double factor = larger(others / (n - 1) / sqrt(larger(own, K_TINY)), 1.0);
    for (int32_t j = 0; j < inputs; ++j) w[j] = (float)(w[j] * factor);
    w[inputs] = 0.0f;
    w[inputs] = (float)(current / (n - 1) - mean_current(floats, at, below, size, w, i));
}

/* Put a new neuron in the place of neuron i of a layer. */
static void replace(struct agent_memory *self, int net, int index, int32_t i)
{
    float *floats = self->floats;
    const int32_t *at = layer_at(net, index), *head = net_at(net);
    const int32_t m = at[AT_LAYER_M], features = head[AT_NET_FEATURES];
    const size_t row = sizeof(float) * (size_t)m;
    const float activity = floats[at[AT_LAYER_ACTIVITY] + i];
    double *norms = self->reals + THE_CREDIT_NORMS + net * (THE_N_LAYERS + 1);
    /* Out: the readout, the layer above, the layer itself. */
    if (at[AT_LAYER_FIRST] >= 0) {
        const int32_t j = at[AT_LAYER_FIRST] + i, outputs = head[AT_NET_OUT];
        norms[THE_N_LAYERS] -= column_size(floats + head[AT_NET_CREDIT], outputs, features, j);
        mean_to_bias(floats + head[AT_NET_W], outputs, features, j, head[AT_NET_BIAS], activity);
        clear_column(floats + head[AT_NET_CREDIT], outputs, features, j);
        //#if PEAKS
        clear_column(floats + head[AT_NET_PEAK], outputs, features, j);
        //#endif
        //#if PULL
        clear_column(floats + head[AT_NET_INITIAL], outputs, features, j);
        //#endif
    }
    if (index + 1 < THE_N_LAYERS) norms[index + 1] -= lose_input(floats, layer_at(net, index + 1), i, activity);
    if (at[AT_LAYER_RECURRENT] >= 0)
        norms[index] -= lose_input(floats, at, at[AT_LAYER_RECURRENT] + i, activity);
    /* In. */
    float *credit = floats + at[AT_LAYER_CREDIT] + i * m;
    for (int32_t j = 0; j < m; ++j) norms[index] -= fabsf(credit[j]);
    memset(credit, 0, row);
    //#if PEAKS
    memset(floats + at[AT_LAYER_PEAK] + i * m, 0, row);
    //#endif
    if (i < at[AT_LAYER_ADAPTIVE]) memset(floats + at[AT_LAYER_EPSA] + i * m, 0, row);
    //#if RESET_PATH
    memset(floats + at[AT_LAYER_EPSR] + i * m, 0, row);
    //#endif
    //#if CASCADE
    for (int32_t level = 0; level < at[AT_LAYER_LEVELS]; ++level)
        memset(floats + at[AT_LAYER_CASCADE] + (level * at[AT_LAYER_N] + i) * m, 0, row);
    //#endif
    //#if FACTORED
    if (at[AT_LAYER_VECTORS] > 0)
        for (int32_t k = 0; k <= at[AT_LAYER_SPLIT]; ++k)
            floats[at[AT_LAYER_PSI_PAST] + k * at[AT_LAYER_N] + i] = 0.0f;
    //#endif
    const int32_t *down = index > 0 ? layer_at(net, index - 1) : at;
    const int hears = index > 0 && down[AT_LAYER_LEARNS]; /* not a reservoir below, nor the observation alone */
    float *w = floats + at[AT_LAYER_W] + i * m;
    draw_inputs(self->ints + AT_RANDOM, at, index > 0 && !hears ? at[AT_LAYER_BELOW] : 0, w);
    /* Nobody looks at the neurons of frozen layers. */
    const int32_t below = down[index - 1 < THE_FROZEN_LAYERS ? AT_LAYER_RATE : AT_LAYER_ACTIVITY];
    fit_in(floats, at, floats + below, hears ? down[AT_LAYER_N] : 0, i);
    //#if PULL
    memcpy(floats + at[AT_LAYER_INITIAL] + i * m, w, row);
    //#endif
    /* The neuron. */
    floats[at[AT_LAYER_V] + i] = 0.0f;
    floats[at[AT_LAYER_A] + i] = 0.0f;
    floats[at[AT_LAYER_Z] + i] = 0.0f;
    floats[at[AT_LAYER_PSI] + i] = 0.0f;
    floats[at[AT_LAYER_PSI_MEAN] + i] = 0.0f;
    floats[at[AT_LAYER_RATE] + i] = 0.0f;
    floats[at[AT_LAYER_ACTIVITY] + i] = 0.0f;
    floats[at[AT_LAYER_AGE] + i] = 0.0f;
    /* What rounding leaves must not make a norm negative. */
    for (int block = 0; block <= THE_N_LAYERS; ++block) norms[block] = larger(norms[block], 0.0);
}

/* p_i <- p_i + max(sweep / age_i, 0.01) (rate_i - p_i), flushed, with the age as it then is */
static void grow_older(float *floats, const int32_t *at, int32_t i)
{
    float *age = floats + at[AT_LAYER_AGE] + i, *activity = floats + at[AT_LAYER_ACTIVITY] + i;
    *age = (float)smaller((double)*age + UNITS, K_OLDEST);
    const double share = larger(UNITS / (double)*age, K_ACTIVITY_RATE);
    *activity = (float)flushed(*activity + share * (floats[at[AT_LAYER_RATE] + i] - *activity), K_TINY);
}

/* Take neuron i into account; at the last of its layer, replace the least useful one if that is due. */
static void judge(struct agent_memory *self, int net, int index, int32_t i)
{
    float *floats = self->floats;
    const int32_t *at = layer_at(net, index);
    const int32_t n = at[AT_LAYER_N];
    double *sweep = self->reals + THE_SWEEP;
    if (i == 0) memset(sweep, 0, sizeof(double) * K_NEXT);
    if (floats[at[AT_LAYER_AGE] + i] >= SET_MATURITY) {
        const double here = utility(floats, net, index, i);
        if (sweep[K_MATURE] == 0.0 || here < sweep[K_LEAST]) {
            sweep[K_LEAST] = here;
            sweep[K_WORST] = i;
        }
        sweep[K_UTILITIES] += here;
        sweep[K_MATURE] += 1.0;
    }
    if (i < n - 1) return;
    double *due = self->reals + THE_DUE + net * THE_N_LAYERS + index;
    double *replaced = self->reals + THE_REPLACED + net * THE_N_LAYERS + index;
    const double mean = sweep[K_UTILITIES] / larger(sweep[K_MATURE], 1.0);
    double some = *due + SET_REPLACEMENT_RATE * n * UNITS;
    if (some >= 1.0 && sweep[K_MATURE] > 0.0 && sweep[K_LEAST] <= SET_LEAST_UTILITY * mean) {
        replace(self, net, index, within(sweep[K_WORST], n));
        *replaced += 1.0;
        some -= 1.0;
    }
    *due = smaller(some, 1.0);
}

//#endif
/* Look at the unit whose turn it is: age it, pull its weights, and replace a neuron if that is due. */
static void stay_plastic(struct agent_memory *self)
{
    double *sweep = self->reals + THE_SWEEP;
    int32_t unit = within(sweep[K_NEXT], UNITS);
    sweep[K_NEXT] = (unit + 1) % UNITS;
    for (int net = 0; net < AT_N_NETS; ++net) {
        for (int block = THE_FROZEN_LAYERS; block <= THE_N_LAYERS; ++block) {
            const int32_t rows = block < THE_N_LAYERS ? layer_at(net, block)[AT_LAYER_N] : net_at(net)[AT_NET_OUT];
            if (0 <= unit && unit < rows && (net == AT_ACTOR ? SET_LR_POLICY : SET_LR_VALUE) > 0.0) {
                //#if PULL
                const struct synapses synapses = synapses_of(self->floats, net, block);
                const int32_t m = synapses.size / rows;
                float *restrict w = synapses.w + unit * m;
                const float *restrict initial = synapses.initial + unit * m;
                EACH(j, m) w[j] = flushed_trace(w[j] + PULL_SHARE * (initial[j] - w[j]));
                //#endif
                //#if REPLACEMENT
                if (block < THE_N_LAYERS) {
                    grow_older(self->floats, layer_at(net, block), unit);
                    judge(self, net, block, unit);
                }
                //#endif
            }
            unit -= rows;
        }
    }
}

//#endif
