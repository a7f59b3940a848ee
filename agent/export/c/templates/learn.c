/* ---- the order of learning in a network */

/* Apply delta to the credit of the tick before, then form this tick's. Signals come first, so that they and the
   spikes belong to the same weights. Without traces_follow, at the end of an episode, credit and traces stay. */
static void learn(struct agent_memory *self, int net, double delta, double decay, int traces_follow)
{
    float *floats = self->floats;
    double *norms = self->reals + THE_CREDIT_NORMS + net * N_BLOCKS;
    double *steps = self->reals + THE_STEP_SIZES + net * N_BLOCKS;
    const int32_t *head = net_at(net);
    //#if LEARNING_LAYERS
    if (traces_follow) send_signals(floats, net);
    //#if TENSOR
    if (traces_follow) advance_tensors(floats, net);
    //#endif
    //#if MEMORY_CARRIED
    for (int index = 0; traces_follow && index < THE_N_MEMORY - 1; ++index)
        if (layer_at(net, index)[AT_LAYER_N_ABOVE] > 0)
            carry_memory(floats, layer_at(net, index), layer_at(net, index + 1));
    //#endif
    //#endif
    //#if ADAPTIVE_FEEDBACK
    begin_mirroring(floats, net);
    //#endif
    choose_steps(self, net, delta);
    if (traces_follow) {
        //#if LEARNING_LAYERS
        for (int index = THE_FROZEN_LAYERS; index < THE_N_LAYERS; ++index) {
            const int32_t *at = layer_at(net, index);
            const int first = index + 1 < THE_N_LAYERS ? index + 1 : THE_N_LAYERS - 1;
            //#if RATES
            regularize_rates(floats, at);
            //#endif
            //#if MEMORY_LEARNS
            if (at[AT_LAYER_THRESHOLD] >= 0) {
                const int gates = THE_N_LAYERS + 1 + index;
                const float change[2] = {(float)(steps[index] * delta), (float)(steps[gates] * delta)};
                double norm[2];
                //#if MEMORY_CARRIED
                if (at[AT_LAYER_N_ABOVE] > 0)
                    weigh_memory(floats, layer_at(net, index + 1), floats + THE_SCRATCH_FACTORS);
                //#endif
                learn_memory(floats, at, floats + head[AT_NET_LEAK] + first, floats + head[AT_NET_SLOPE] + first,
                             THE_N_LAYERS - 1 - first, change, (float)decay, norm);
                norms[index] = norm[0];
                norms[gates] = norm[1];
                continue;
            }
            //#endif
            //#if TENSOR
            weigh_tensor(floats, net, index, floats + THE_SCRATCH_FACTORS);
            //#endif
            norms[index] =
                learn_layer(floats, at, floats + head[AT_NET_LEAK] + first, floats + head[AT_NET_SLOPE] + first,
                            THE_N_LAYERS - 1 - first, (float)(steps[index] * delta), (float)decay);
        }
        //#endif
        norms[THE_N_LAYERS] = learn_readout(floats, net, (float)(steps[THE_N_LAYERS] * delta), (float)decay);
    } else {
        for (int index = THE_FROZEN_LAYERS; index < THE_N_LAYERS; ++index) {
            const int32_t *at = layer_at(net, index);
            //#if MEMORY_LEARNS
            if (at[AT_LAYER_THRESHOLD] >= 0) {
                const double gates = steps[THE_N_LAYERS + 1 + index];
                change_memory(floats, at, (float)(steps[index] * delta), (float)(gates * delta));
                continue;
            }
            //#endif
            //#if RESTS
            if (at[AT_LAYER_RESTS]) {
                change_rows(floats, at, (float)(steps[index] * delta));
                continue;
            }
            //#endif
            add_scaled(floats + at[AT_LAYER_W], (float)(steps[index] * delta), floats + at[AT_LAYER_CREDIT],
                       at[AT_LAYER_N] * at[AT_LAYER_M]);
        }
        add_scaled(floats + head[AT_NET_W], (float)(steps[THE_N_LAYERS] * delta), floats + head[AT_NET_CREDIT],
                   head[AT_NET_N_OUTPUTS] * head[AT_NET_N_FEATURES]);
    }
    //#if ADAPTIVE_FEEDBACK
    end_mirroring(floats, net);
    //#endif
}

