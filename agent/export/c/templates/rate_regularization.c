//#if RATES and LEARNING_LAYERS
/* W_ij <- W_ij - rate_regularization (f_i - target_rate) e_ij, f the mean rate of neuron i */
static void regularize_rates(float *floats, const int32_t *at)
{
    const int32_t m = at[AT_LAYER_M];
    //#if MEMORY_LEARNS
    if (at[AT_LAYER_THRESHOLD] >= 0) {
        regularize_memory(floats, at);
        return;
    }
    //#endif
    for (int32_t i = 0; i < at[AT_LAYER_N]; ++i) {
        const double apart = floats[at[AT_LAYER_RATE] + i] - SET_TARGET_RATE;
        const float push = (float)(-SET_RATE_REGULARIZATION * apart) * floats[at[AT_LAYER_PSI] + i];
        float *w = floats + at[AT_LAYER_W] + i * m;
        add_scaled(w, push, floats + at[AT_LAYER_EPS] + i % at[AT_LAYER_GROUPS] * m, m);
        add_suppression(floats, at, i, push, w);
    }
}

//#endif

