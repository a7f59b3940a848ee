/* ---- one step */

enum { START, STEP, TERMINATE, TRUNCATE };

static int tick(struct agent_memory *self, double reward, const double *observation, int mode, int learning)
{
    int64_t *ints = self->ints;
    double *reals = self->reals;
    float *floats = self->floats;
    if (mode != START && ints[AT_PHASE] == 0) return AGENT_NOT_STARTED;
    if (mode != START && !is_finite(reward)) return AGENT_BAD_REWARD;
    if (mode != TERMINATE)
        for (int32_t j = 0; j < THE_N_INPUT; ++j)
            if (!is_finite(observation[j])) return AGENT_BAD_OBSERVATION;

    if (mode == START) {
        //#if not KEEP_STATE
        clear_episode(self);
        //#endif
        ints[AT_EPISODE] += 1;
        ints[AT_PHASE] = 1;
    } else {
        ints[AT_TICK] += 1;
        reals[AT_REWARD_SUM] += clip(reward, -K_HUGE, K_HUGE);
    }
    if (learning && ints[AT_STALE] != 0) clear_traces(self);

    double value = 0.0;
    if (mode != TERMINATE) {
        observe(self, observation, learning);
        for (int net = 0; net < K_N_NETS; ++net) forward(self, net, learning);
        value = floats[net_at(K_CRITIC)[AT_NET_OUTPUT]];
    }

    double delta = 0.0;
    if (mode != START && learning) {
        double factor;
        double scaled = scale_reward(self, reward, &factor);
        //#if NORMALIZE_REWARDS
        if (factor != 1.0) {
            const int32_t *head = net_at(K_CRITIC);
            value *= factor;
            reals[AT_VALUE_TM1] *= factor;
            scale_saturating(floats + head[AT_NET_W], factor, head[AT_NET_N_FEATURES]);
        }
        //#endif
        scaled -= SET_ENTROPY_BONUS * reals[AT_LOG_PROBABILITY_TM1];
        delta = flushed(scaled + SET_DISCOUNT * value - reals[AT_VALUE_TM1], K_TINY);
        reals[AT_ERROR_SUM] += fabs(delta);
        reals[AT_ERROR_SQUARES] += delta * delta;
        reals[AT_ERROR_PRODUCTS] += delta * reals[AT_DELTA];
        reals[AT_DELTA] = delta;
    }

    const int ended = mode == TERMINATE || mode == TRUNCATE;
    if (!ended) {
        reals[AT_LOG_PROBABILITY_TM1] = sample_action(self, mode == START ? 0.0 : SET_NOISE_CORRELATION);
        reals[AT_VALUE_TM1] = value;
    }
    if (!learning) {
        ints[AT_STALE] = 1;
    } else {
        if (!ended) {
            score(self);
            floats[net_at(K_CRITIC)[AT_NET_GRADIENT]] = 1.0f;
        } else {
            for (int net = 0; net < K_N_NETS; ++net)
                memset(floats + net_at(net)[AT_NET_GRADIENT], 0, sizeof(float) * (size_t)net_at(net)[AT_NET_N_OUTPUTS]);
        }
        /* Neurons that live on have seen the last observation, so the traces follow, though no new credit is due. */
        //#if KEEP_STATE
        const int traces_follow = mode != TERMINATE;
        //#else
        const int traces_follow = !ended;
        //#endif
        for (int net = 0; net < K_N_NETS; ++net)
            learn(self, net, delta, SET_DISCOUNT * (net == K_ACTOR ? SET_LAMBDA_POLICY : SET_LAMBDA_VALUE), traces_follow);
        //#if RESTRAINS
        if (!ended) restrain_outputs(self);
        //#endif
    }
    if (ended) {
        forget_episode(reals + THE_RETURNS);
        ints[AT_PHASE] = 0;
    }
    return AGENT_OK;
}

