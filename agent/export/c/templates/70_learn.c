/* ---- step sizes, and the order of learning in a network */

//#if PEAKS
/* peak <- max(decay peak, |delta credit|), flushed;  W <- W + lr delta credit / (peak + 1e-8) */
static void apply_coordinate(float *floats, int net, double delta)
{
    const float rate = (float)(net == K_ACTOR ? SET_LR_POLICY : SET_LR_VALUE), error = (float)delta;
    for (int block = THE_FROZEN_LAYERS; block <= THE_N_LAYERS; ++block) {
        const struct synapses synapses = synapses_of(floats, net, block);
        float *restrict w = synapses.w, *restrict peak = synapses.peak;
        const float *restrict credit = synapses.credit;
        EACH(k, synapses.size) {
            const float change = error * credit[k], kept_ = (float)SET_PEAK_DECAY * peak[k], size = fabsf(change);
            float largest = size > kept_ ? size : kept_;
            largest = largest > (float)K_TINY ? largest : 0.0f;
            peak[k] = largest;
            w[k] += rate * change / (largest + (float)K_COORDINATE_FLOOR);
        }
    }
}

//#else
/* step = lr / max(1, lr kappa max(|delta| / error_bound, 1) |credit|_1) */
static double bounded_step(double lr, double kappa, double delta, double norm)
{
    return lr / larger(1.0, lr * kappa * larger(fabs(delta) / SET_ERROR_BOUND, 1.0) * norm);
}

/* Step size of each layer and, last, of the readout. */
static void choose_steps(double *reals, int net, double delta)
{
    const double *norms = reals + THE_CREDIT_NORMS + net * (THE_N_LAYERS + 1);
    double *steps = reals + THE_STEP_SIZES + net * (THE_N_LAYERS + 1);
    const double lr = net == K_ACTOR ? SET_LR_POLICY : SET_LR_VALUE;
    double kappa = net == K_ACTOR ? SET_KAPPA_POLICY : SET_KAPPA_VALUE;
    const int parts = net == K_ACTOR ? THE_N_PARTS : 1;
    if (net == K_ACTOR) kappa /= spread(reals);
    const double in_readout = 1.0 / parts, in_layers = 1.0 / sqrt(parts);
    //#if SHARED_BOUND
    double total = 0.0;
    for (int block = 0; block < THE_N_LAYERS; ++block) total += in_layers * norms[block];
    total += in_readout * norms[THE_N_LAYERS];
    for (int block = 0; block <= THE_N_LAYERS; ++block) steps[block] = bounded_step(lr, kappa, delta, total);
    //#else
    const int able = THE_N_LAYERS - THE_FROZEN_LAYERS;
    const double share = (1.0 - SET_READOUT_SHARE) / (able > 1 ? able : 1);
    for (int block = 0; block < THE_N_LAYERS; ++block)
        steps[block] = bounded_step(lr, kappa / share, delta, in_layers * norms[block]);
    steps[THE_N_LAYERS] = bounded_step(lr, kappa / SET_READOUT_SHARE, delta, in_readout * norms[THE_N_LAYERS]);
    //#endif
}

//#endif
//#if ADAPTIVE_FEEDBACK
/* Before the weights change: decay them, and leave in place of the feedback weights its decayed distance. */
static void loosen_feedback(float *floats, int net)
{
    const float keep = (float)(1.0 - SET_FEEDBACK_DECAY);
    for (int block = THE_FROZEN_LAYERS; block <= THE_N_LAYERS; ++block) {
        const struct synapses synapses = synapses_of(floats, net, block);
        float *restrict w = synapses.w, *restrict feedback = synapses.feedback;
        EACH(k, synapses.size) {
            feedback[k] = flushed_trace(keep * (feedback[k] - w[k]));
            w[k] = flushed_trace(keep * w[k]);
        }
    }
}

/* After it: B <- B + W */
static void tie_feedback(float *floats, int net)
{
    for (int block = THE_FROZEN_LAYERS; block <= THE_N_LAYERS; ++block) {
        const struct synapses synapses = synapses_of(floats, net, block);
        add_scaled(synapses.feedback, 1.0f, synapses.w, synapses.size);
    }
}

//#endif
//#if RATES and LEARNING_LAYERS
/* W_ij <- W_ij - rate_regularization (f_i - target_rate) e_ij, f the mean rate of neuron i */
static void regularize_rates(float *floats, const int32_t *at)
{
    const int32_t m = at[AT_LAYER_M];
    for (int32_t i = 0; i < at[AT_LAYER_N]; ++i) {
        const double apart = floats[at[AT_LAYER_RATE] + i] - SET_TARGET_RATE;
        const float push = (float)(-SET_RATE_REGULARIZATION * apart) * floats[at[AT_LAYER_PSI] + i];
        float *w = floats + at[AT_LAYER_W] + i * m;
        add_scaled(w, push, floats + at[AT_LAYER_EPS] + i % at[AT_LAYER_GROUPS] * m, m);
        //#if ADAPTIVE
        if (i < at[AT_LAYER_N_ADAPTIVE])
            add_scaled(w, -push * floats[at[AT_LAYER_STRENGTH] + i], floats + at[AT_LAYER_EPSA] + i * m, m);
        //#endif
        //#if RESET_PATH
        add_scaled(w, -push * (float)(SET_RESET_STRENGTH * SET_V_TH), floats + at[AT_LAYER_EPSR] + i * m, m);
        //#endif
    }
}

//#endif
/* Apply delta to the credit of the tick before, then form this tick's. Signals come first, so that they and the
   spikes belong to the same weights. Without traces_follow, at the end of an episode, credit and traces stay. */
static void learn(struct agent_memory *self, int net, double delta, double decay, int traces_follow)
{
    float *floats = self->floats;
    double *norms = self->reals + THE_CREDIT_NORMS + net * (THE_N_LAYERS + 1);
    double *steps = self->reals + THE_STEP_SIZES + net * (THE_N_LAYERS + 1);
    const int32_t *head = net_at(net);
    //#if LEARNING_LAYERS
    if (traces_follow) send_signals(floats, net);
    //#endif
    //#if ADAPTIVE_FEEDBACK
    loosen_feedback(floats, net);
    //#endif
    //#if PEAKS
    for (int block = 0; block <= THE_N_LAYERS; ++block) steps[block] = 0.0;
    apply_coordinate(floats, net, delta);
    //#else
    choose_steps(self->reals, net, delta);
    //#endif
    if (traces_follow) {
        //#if LEARNING_LAYERS
        for (int index = THE_FROZEN_LAYERS; index < THE_N_LAYERS; ++index) {
            const int32_t *at = layer_at(net, index);
            const int first = index + 1 < THE_N_LAYERS ? index + 1 : THE_N_LAYERS - 1;
            //#if RATES
            regularize_rates(floats, at);
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
            add_scaled(floats + at[AT_LAYER_W], (float)(steps[index] * delta), floats + at[AT_LAYER_CREDIT],
                       at[AT_LAYER_N] * at[AT_LAYER_M]);
        }
        add_scaled(floats + head[AT_NET_W], (float)(steps[THE_N_LAYERS] * delta), floats + head[AT_NET_CREDIT],
                   head[AT_NET_N_OUTPUTS] * head[AT_NET_N_FEATURES]);
    }
    //#if ADAPTIVE_FEEDBACK
    tie_feedback(floats, net);
    //#endif
}

