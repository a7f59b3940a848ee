//#if ADAPTIVE_FEEDBACK
/* Before the weights change: decay them, and leave in place of the feedback weights its decayed distance. */
static void begin_mirroring(float *floats, int net)
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
static void end_mirroring(float *floats, int net)
{
    for (int block = THE_FROZEN_LAYERS; block <= THE_N_LAYERS; ++block) {
        const struct synapses synapses = synapses_of(floats, net, block);
        add_scaled(synapses.feedback, 1.0f, synapses.w, synapses.size);
    }
}

//#endif

