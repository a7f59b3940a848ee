/* ---- learning signals, from the readout down through the layers */

//#if HOPS
/* out_hj += sum_{i in group h} B_{i, column + j} S_i psi_i scale, group h of i being i mod split. */
static void descend(const float *weights, int32_t m, int32_t from, const float *signal, const float *psi, int32_t n,
                    float scale, int32_t split, float *out, int32_t size)
{
    int32_t group = 0;
    for (int32_t i = 0; i < n; ++i) {
        const float push = signal[i] * psi[i] * scale;
        if (push != 0.0f) add_scaled(out + group * size, push, weights + i * m + from, size);
        group = group + 1 < split ? group + 1 : 0;
    }
}

//#endif
//#if LEARNING_LAYERS
/* Fill the signals of every layer that learns, top layer first. Slots of n, s the splits of a layer: 0 straight from
   the readout; 1 .. s one hop up; 1 + s .. 2 s one hop around; 2 s + q those of q hops. */
static void send_signals(float *floats, int net)
{
    const int32_t *head = net_at(net);
    const float *gradient = floats + head[AT_NET_GRADIENT], *readout = floats + head[AT_NET_FEEDBACK];
    const int last = THE_N_LAYERS - 1;
    for (int index = last; index >= THE_FROZEN_LAYERS; --index) {
        const int32_t *at = layer_at(net, index);
        const int32_t n = at[AT_LAYER_N], s = at[AT_LAYER_SPLIT], levels = at[AT_LAYER_LEVELS];
        float *signals = floats + at[AT_LAYER_SIGNALS];
        memset(signals, 0, sizeof(float) * (size_t)((1 + 2 * s + levels) * n));
        if (at[AT_LAYER_FIRST] >= 0)
            for (int32_t k = 0; k < head[AT_NET_N_OUTPUTS]; ++k)
                add_scaled(signals, gradient[k], readout + k * head[AT_NET_N_FEATURES] + at[AT_LAYER_FIRST], n);
        //#if HOPS
        if (levels == 0) continue;
        const int above = index < last ? index + 1 : last;
        const int32_t *up = layer_at(net, above);
        const int32_t n_up = up[AT_LAYER_N];
        const float *slope = floats + head[AT_NET_SLOPE];
        for (int32_t q = 1; q <= levels; ++q) {
            /* One hop: from slot 0, by psi of now, split by group. More: from those of one hop less, by mean psi. */
            const int once = q == 1;
            const int32_t groups = once ? s : 1, slot = 2 * s + q;
            if (index < last) {
                const float *source =
                    floats + up[AT_LAYER_SIGNALS] + (once ? 0 : 2 * up[AT_LAYER_SPLIT] + q - 1) * n_up;
                float *out = signals + (once ? 1 : slot) * n;
                const float *psi = floats + up[once ? AT_LAYER_PSI : AT_LAYER_PSI_MEAN];
                //#if MEMORY_HOPS
                if (up[AT_LAYER_THRESHOLD] >= 0)
                    descend_memory(floats, up, source, out, n);
                else
                //#endif
                    descend(floats + up[AT_LAYER_FEEDBACK], up[AT_LAYER_M], 0, source, psi, n_up, slope[above], groups,
                            out, n);
            }
            //#if RECURRENT_HOP
            if (at[AT_LAYER_RECURRENT] >= 0) {
                const float *source = signals + (once ? 0 : slot - 1) * n;
                const int32_t through = once ? index : index + q < last ? index + q : last;
                const float *psi = floats + at[once ? AT_LAYER_PSI : AT_LAYER_PSI_MEAN];
                descend(floats + at[AT_LAYER_FEEDBACK], at[AT_LAYER_M], at[AT_LAYER_RECURRENT], source, psi, n,
                        slope[through], groups, signals + (once ? 1 + s : slot) * n, n);
            }
            //#endif
            if (once)
                for (int32_t h = 0; h < 2 * s; ++h) add_scaled(signals + slot * n, 1.0f, signals + (1 + h) * n, n);
            scale_saturating(signals + slot * n, 1.0, n);
        }
        //#endif
    }
}

//#endif

