/* ---- one tick of a network */

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

/* Advance a network: u = [z of the layer below; x; z of the last tick; 1], spikes, outputs; with learn the traces of
   the inputs follow. */
static void forward(struct agent_memory *self, int net, int learn)
{
    float *floats = self->floats;
    const int32_t *head = net_at(net);
    const float *x = floats + THE_INPUT, *below = x;
    float *features = floats + head[AT_NET_FEATURES];
    //#if MEMORY
    double *mean = self->reals + THE_OUTPUT_MEAN + net * (SIZE_OUTPUT_MEAN / K_N_NETS);
    const double count = self->reals[AT_OBSERVATION_COUNT];
    //#endif
    for (int index = 0; index < THE_N_LAYERS; ++index) {
        const int32_t *at = layer_at(net, index);
        const int32_t n = at[AT_LAYER_N];
        float *z = floats + at[AT_LAYER_Z], *output = floats + at[AT_LAYER_OUTPUT];
        double spikes;
        //#if MEMORY
        if (at[AT_LAYER_THRESHOLD] >= 0) {
            see(floats, at, below, x);
            spikes = hold(floats, at);
            if (learn) {
                filter_memory(floats, at);
                floats[head[AT_NET_SLOPE] + index] = 1.0f;
                floats[head[AT_NET_LEAK] + index] = (float)mean_keep(floats, at);
            }
            keep_observation(floats, at, x);
            for (int32_t i = 0; i < n; ++i) {
                if (learn) mean[i] = flushed(mean[i] + (z[i] - mean[i]) / count, K_TINY);
                output[i] = (float)(z[i] - mean[i]);
            }
            mean += n;
        } else
        //#endif
        {
            float *inputs = floats + at[AT_LAYER_INPUTS], *current = floats + at[AT_LAYER_CURRENT];
            memcpy(inputs, below, sizeof(float) * (size_t)at[AT_LAYER_N_BELOW]);
            if (at[AT_LAYER_OBSERVED] >= 0) memcpy(inputs + at[AT_LAYER_OBSERVED], x, sizeof(float) * THE_N_INPUT);
            if (at[AT_LAYER_RECURRENT] >= 0) memcpy(inputs + at[AT_LAYER_RECURRENT], z, sizeof(float) * (size_t)n);
            inputs[at[AT_LAYER_BIAS]] = 1.0f;
            weighted_sum(floats + at[AT_LAYER_W], inputs, n, at[AT_LAYER_M], at[AT_LAYER_BIAS] + 1, current);
            const double slope = normalize_current(current, n);
            spikes = fire(floats, at);
            if (learn) {
                floats[head[AT_NET_SLOPE] + index] = (float)slope;
                filter_inputs(floats, at, (float)slope);
            }
        }
        if (learn) {
            const float *psi = floats + at[AT_LAYER_PSI];
            running_mean((float)K_PSI_MEAN_RATE, psi, floats + at[AT_LAYER_PSI_MEAN], (float)K_TINY, n);
            running_mean((float)K_RATE_RATE, z, floats + at[AT_LAYER_RATE], (float)K_TINY, n);
            double *rate = self->reals + THE_SPIKE_RATES + net * THE_N_LAYERS + index;
            *rate = flushed(*rate + K_SPIKE_RATE_RATE * (spikes / n - *rate), K_FAINT);
        }
        if (at[AT_LAYER_FIRST] >= 0) memcpy(features + at[AT_LAYER_FIRST], output, sizeof(float) * (size_t)n);
        below = output;
    }
    features[head[AT_NET_BIAS]] = 1.0f;
    weighted_sum(floats + head[AT_NET_W], features, head[AT_NET_N_OUTPUTS], head[AT_NET_N_FEATURES], head[AT_NET_BIAS] + 1,
                 floats + head[AT_NET_OUTPUT]);
}

