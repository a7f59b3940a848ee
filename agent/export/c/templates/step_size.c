/* ---- step sizes */

/* step = lr / max(1, lr kappa max(|delta| / td_error_scale, 1) |credit|_1) */
static double bounded_step(double lr, double kappa, double delta, double norm)
{
    return lr / larger(1.0, lr * kappa * larger(fabs(delta) / SET_TD_ERROR_SCALE, 1.0) * norm);
}

/* Step size of each layer, of the readout, and of the gates of memory neurons. */
static void choose_steps(struct agent_memory *self, int net, double delta)
{
    double *reals = self->reals;
    const double *norms = reals + THE_CREDIT_NORMS + net * N_BLOCKS;
    double *steps = reals + THE_STEP_SIZES + net * N_BLOCKS;
    const double lr = net == K_ACTOR ? SET_LR_POLICY : SET_LR_VALUE;
    double kappa = net == K_ACTOR ? SET_KAPPA_POLICY : SET_KAPPA_VALUE;
    const int parts = net == K_ACTOR ? THE_N_PARTS : 1;
    if (net == K_ACTOR) kappa /= action_scale(reals);
    const double in_readout = 1.0 / parts, in_layers = 1.0 / sqrt(parts);
    //#if SHARED_BOUND
    double total = 0.0;
    for (int block = 0; block < N_BLOCKS; ++block)
        total += (block == THE_N_LAYERS ? in_readout : in_layers) * norms[block];
    for (int block = 0; block < N_BLOCKS; ++block) steps[block] = bounded_step(lr, kappa, delta, total);
    //#else
    int able = THE_N_LAYERS - THE_FROZEN_LAYERS;
    //#if MEMORY_LEARNS
    able += THE_N_MEMORY - THE_FROZEN_LAYERS; /* of gates; at least 1 */
    //#endif
    const double share = (1.0 - SET_READOUT_SHARE) / (able > 1 ? able : 1);
    for (int block = 0; block < N_BLOCKS; ++block)
        steps[block] = bounded_step(lr, kappa / share, delta, in_layers * norms[block]);
    steps[THE_N_LAYERS] = bounded_step(lr, kappa / SET_READOUT_SHARE, delta, in_readout * norms[THE_N_LAYERS]);
    //#endif
}

