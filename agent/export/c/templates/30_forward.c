/* ---- one tick of a network */

/* Columns in which x is not 0, in order; what is 0 adds nothing to a sum. Returns their number. */
static int32_t list_active(const float *x, int32_t m, column *active)
{
    int32_t count = 0;
    for (int32_t j = 0; j < m; ++j) {
        active[count] = (column)j;
        count += x[j] != 0.0f;
    }
    return count;
}

/* out_i = sum_j w_ij x_j over the columns used of m, each sum in the order of j; eight at a time, since one addition
   has to wait for the last. */
APART void weighted_sum(const float *w, const float *x, int32_t n, int32_t m, int32_t used, float *out)
{
    column active[WIDEST];
    const int32_t count = list_active(x, used, active);
    int32_t i = 0;
    for (; i + 8 <= n; i += 8) {
        const float *a = w + (size_t)i * (size_t)m, *b = a + m, *c = b + m, *d = c + m;
        const float *e = d + m, *f = e + m, *g = f + m, *h = g + m;
        float p = 0.0f, q = 0.0f, r = 0.0f, s = 0.0f, t = 0.0f, u = 0.0f, v = 0.0f, y = 0.0f;
        for (int32_t k = 0; k < count; ++k) {
            const size_t j = active[k];
            const float z = x[j];
            p += a[j] * z;
            q += b[j] * z;
            r += c[j] * z;
            s += d[j] * z;
            t += e[j] * z;
            u += f[j] * z;
            v += g[j] * z;
            y += h[j] * z;
        }
        out[i] = p;
        out[i + 1] = q;
        out[i + 2] = r;
        out[i + 3] = s;
        out[i + 4] = t;
        out[i + 5] = u;
        out[i + 6] = v;
        out[i + 7] = y;
    }
    for (; i < n; ++i) {
        const float *a = w + (size_t)i * (size_t)m;
        float p = 0.0f;
        for (int32_t k = 0; k < count; ++k) p += a[active[k]] * x[active[k]];
        out[i] = p;
    }
}

/* s = 1 / sqrt(var(I) + 1e-5);  I_i <- gain s (I_i - mean(I)). Returns gain s. */
static double normalize_current(float *current, int32_t n)
{
    double mean = 0.0, var = 0.0;
    for (int32_t i = 0; i < n; ++i) mean += current[i];
    mean /= n;
    for (int32_t i = 0; i < n; ++i) var += (current[i] - mean) * (current[i] - mean);
    const double slope = SET_GAIN / sqrt(var / n + K_VARIANCE_FLOOR);
    const float factor = (float)slope, center = (float)mean;
    for (int32_t i = 0; i < n; ++i) current[i] = factor * (current[i] - center);
    return slope;
}

/* v_i <- alpha_i v_i + I_i - reset_strength v_th z_i(t-1);  a_i <- rho_i a_i + z_i(t-1);  A_i = v_th + strength_i a_i
   z_i = 1[v_i > A_i];  psi_i = dampening / v_th max(0, 1 - |v_i - A_i| / v_th) */
#define FIRE(i) \
    do { \
        const float membrane = alpha[i] * v[i] + current[i] - (float)(SET_RESET_STRENGTH * SET_V_TH) * z[i]; \
        const float adaptation = rho[i] * a[i] + z[i]; \
        const float excess = membrane - ((float)SET_V_TH + strength[i] * adaptation); \
        /* Multiplied before it is cut off at 0, or a compiler makes a branch of it and no vectors. */ \
        const float slope = (float)(SET_DAMPENING / SET_V_TH) * (1.0f - fabsf(excess) * (float)(1.0 / SET_V_TH)); \
        v[i] = flushed_trace(membrane); \
        a[i] = adaptation > (float)K_TINY ? adaptation : 0.0f; \
        z[i] = excess > 0.0f ? 1.0f : 0.0f; \
        psi[i] = slope > 0.0f ? slope : 0.0f; \
    } while (0)

APART void fire_rows(int32_t n, const float *restrict current, const float *restrict alpha, const float *restrict rho,
                     const float *restrict strength, float *restrict v, float *restrict a, float *restrict z,
                     float *restrict psi)
{
    EACH(i, n) FIRE(i);
    for (int32_t i = n & -BLOCK; i < n; ++i) FIRE(i);
}

/* Advance all neurons of a layer; returns the number of spikes. */
static double fire(float *floats, const int32_t *at)
{
    const int32_t n = at[AT_LAYER_N];
    const float *z = floats + at[AT_LAYER_Z];
    int32_t spikes = 0;
    fire_rows(n, floats + at[AT_LAYER_CURRENT], floats + at[AT_LAYER_ALPHA], floats + at[AT_LAYER_RHO],
              floats + at[AT_LAYER_STRENGTH], floats + at[AT_LAYER_V], floats + at[AT_LAYER_A],
              floats + at[AT_LAYER_Z], floats + at[AT_LAYER_PSI]);
    for (int32_t i = 0; i < n; ++i) spikes += z[i] != 0.0f;
    return spikes;
}

/* mean <- mean + rate (sample - mean), flushed */
APART void running_mean(float rate, const float *restrict sample, float *restrict mean, float floor_, int32_t n)
{
    EACH(i, n) {
        const float moved = mean[i] + rate * (sample[i] - mean[i]);
        mean[i] = fabsf(moved) > floor_ ? moved : 0.0f;
    }
    for (int32_t i = n & -BLOCK; i < n; ++i) {
        const float moved = mean[i] + rate * (sample[i] - mean[i]);
        mean[i] = fabsf(moved) > floor_ ? moved : 0.0f;
    }
}

//#if TRACES
/* eps_j <- alpha eps_j + slope u_j, flushed */
APART void filter_inputs(float *restrict eps, float alpha, float slope, const float *restrict inputs, int32_t m)
{
    EACH(j, m) eps[j] = flushed_trace(alpha * eps[j] + slope * inputs[j]);
}

//#endif
/* Advance a network: u = [z of the layer below; x; z of the last tick; 1], spikes, outputs; with learn the traces of
   the inputs follow. */
static void forward(struct agent_memory *self, int net, int learn)
{
    float *floats = self->floats;
    const int32_t *head = net_at(net);
    const float *x = floats + THE_INPUT, *below = x;
    float *features = floats + head[AT_NET_FEATURES];
    for (int index = 0; index < THE_N_LAYERS; ++index) {
        const int32_t *at = layer_at(net, index);
        const int32_t n = at[AT_LAYER_N], m = at[AT_LAYER_M];
        float *inputs = floats + at[AT_LAYER_INPUTS], *current = floats + at[AT_LAYER_CURRENT];
        float *z = floats + at[AT_LAYER_Z], *output = floats + at[AT_LAYER_OUTPUT];
        memcpy(inputs, below, sizeof(float) * (size_t)at[AT_LAYER_N_BELOW]);
        if (at[AT_LAYER_OBSERVED] >= 0) memcpy(inputs + at[AT_LAYER_OBSERVED], x, sizeof(float) * THE_N_INPUT);
        if (at[AT_LAYER_RECURRENT] >= 0) memcpy(inputs + at[AT_LAYER_RECURRENT], z, sizeof(float) * (size_t)n);
        inputs[at[AT_LAYER_BIAS]] = 1.0f;
        weighted_sum(floats + at[AT_LAYER_W], inputs, n, m, at[AT_LAYER_BIAS] + 1, current);
        const double slope = normalize_current(current, n), spikes = fire(floats, at);
        if (learn) {
            floats[head[AT_NET_SLOPE] + index] = (float)slope;
            //#if TRACES
            for (int32_t g = 0; g < at[AT_LAYER_LEARNS] * at[AT_LAYER_GROUPS]; ++g)
                filter_inputs(floats + at[AT_LAYER_EPS] + g * m, floats[at[AT_LAYER_ALPHAS] + g], (float)slope,
                              inputs, used_columns(at[AT_LAYER_BIAS]));
            //#endif
            const float *psi = floats + at[AT_LAYER_PSI];
            running_mean((float)K_PSI_MEAN_RATE, psi, floats + at[AT_LAYER_PSI_MEAN], (float)K_TINY, n);
            running_mean((float)K_RATE_RATE, z, floats + at[AT_LAYER_RATE], (float)K_TINY, n);
            double *rate = self->reals + THE_SPIKE_RATES + net * THE_N_LAYERS + index;
            *rate = flushed(*rate + K_SPIKE_RATE_RATE * (spikes / n - *rate), K_FAINT);
        }
        //#if RESERVOIR
        if (!at[AT_LAYER_LEARNS]) {
            double *mean = self->reals + THE_RESERVOIR_MEAN + net * n;
            const double count = self->reals[AT_OBSERVATION_COUNT];
            for (int32_t i = 0; i < n; ++i) {
                if (learn) mean[i] = flushed(mean[i] + (z[i] - mean[i]) / count, K_TINY);
                output[i] = (float)(z[i] - mean[i]);
            }
        }
        //#endif
        if (at[AT_LAYER_FIRST] >= 0) memcpy(features + at[AT_LAYER_FIRST], output, sizeof(float) * (size_t)n);
        below = output;
    }
    features[head[AT_NET_BIAS]] = 1.0f;
    weighted_sum(floats + head[AT_NET_W], features, head[AT_NET_N_OUTPUTS], head[AT_NET_N_FEATURES], head[AT_NET_BIAS] + 1,
                 floats + head[AT_NET_OUTPUT]);
}

