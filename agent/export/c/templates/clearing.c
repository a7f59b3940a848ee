/* Forget the credit and all traces, */
static void clear_traces(struct agent_memory *self)
{
    memset(self->floats + THE_TRACES, 0, sizeof(float) * SIZE_TRACES);
    for (int k = 0; k < K_N_NETS * N_BLOCKS; ++k) self->reals[THE_CREDIT_NORMS + k] = 0.0;
    forget_episode(self->reals + THE_RETURNS);
    self->ints[AT_STALE] = 0;
}

//#if not KEEP_STATE
/* and, before an episode begins, what neurons hold. */
static void clear_episode(struct agent_memory *self)
{
    clear_traces(self);
    memset(self->floats + THE_NEURONS, 0, sizeof(float) * SIZE_NEURONS);
}

//#endif

