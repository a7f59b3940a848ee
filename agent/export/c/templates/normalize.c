/* ---- online normalization of observations and rewards */

/* Share of all sums that is kept when a sample comes. */
static double kept(double count)
{
    return count < SET_STATISTICS_HORIZON - 0.5 ? 1.0 : 1.0 - 1.0 / SET_STATISTICS_HORIZON;
}

static double variance(double count, double m2) { return count < 2.0 ? 1.0 : m2 / (count - 1.0); }

static double std(double count, double mean, double m2)
{
    const double floor_ = K_RELATIVE_FLOOR * mean;
    return sqrt(variance(count, m2) + floor_ * floor_ + K_EPSILON);
}

/* Take an observation into the statistics if update, and write it, standardized where that is due, to the input. */
static void observe(struct agent_memory *self, const double *observation, int update)
{
    double *mean = self->reals + THE_OBSERVATION_MEAN, *m2 = self->reals + THE_OBSERVATION_M2;
    const double *standardized = self->reals + THE_STANDARDIZED;
    float *x = self->floats + THE_INPUT;
    double count = self->reals[AT_OBSERVATION_COUNT], keep = 1.0;
    if (update) {
        keep = kept(count);
        count = keep * count + 1.0;
        self->reals[AT_OBSERVATION_COUNT] = count;
    }
    for (int32_t j = 0; j < THE_N_INPUT; ++j) {
        const double raw = clip(observation[j], -K_HUGE, K_HUGE);
        if (update) {
            const double apart = raw - mean[j];
            mean[j] = flushed(mean[j] + apart / count, K_FAINT);
            m2[j] = flushed(keep * m2[j] + apart * (raw - mean[j]), K_FAINT);
        }
        if (standardized[j] == 0.0) {
            x[j] = (float)flushed(raw, K_TINY);
        } else {
            const double scaled = (raw - mean[j]) / std(count, mean[j], m2[j]);
            x[j] = (float)flushed(clip(scaled, -SET_OBSERVATION_CLIP, SET_OBSERVATION_CLIP), K_TINY);
        }
    }
}

/* Let the next reward begin an episode. */
static void forget_episode(double *returns) { returns[K_HELD] = returns[K_ONES] = returns[K_SQUARES] = 0.0; }

//#if NORMALIZE_REWARDS
/* Mean and, returned, sum of squared deviations of returns. */
static double moments(const double *returns, double *mean)
{
    *mean = returns[K_SUM] / returns[K_COUNT];
    return larger(returns[K_SUM_OF_SQUARES] - *mean * returns[K_SUM], 0.0);
}

/* 1 / std of returns. */
static double reward_scale(const double *returns)
{
    double mean;
    const double m2 = moments(returns, &mean);
    return 1.0 / std(returns[K_COUNT], mean, m2);
}

/* Whether returns so far differ by more than rounding. */
static int returns_differ(const double *returns)
{
    if (returns[K_COUNT] < 2.0) return 0;
    double mean;
    const double m2 = moments(returns, &mean), floor_ = K_RELATIVE_FLOOR * mean;
    return variance(returns[K_COUNT], m2) > floor_ * floor_ + K_EPSILON;
}

//#endif
/* The reward in units of the std of returns, which follows; factor: of values, std before / now if it grew. */
static double scale_reward(struct agent_memory *self, double reward, double *factor)
{
    reward = clip(reward, -K_HUGE, K_HUGE);
    *factor = 1.0;
    //#if NORMALIZE_REWARDS
    double *returns = self->reals + THE_RETURNS;
    const double before = returns_differ(returns) ? 1.0 / reward_scale(returns) : 0.0;
    const double keep = kept(returns[K_COUNT]);
    returns[K_ONES] = keep * SET_DISCOUNT * returns[K_ONES] + 1.0;
    returns[K_SQUARES] = keep * SET_DISCOUNT * SET_DISCOUNT * returns[K_SQUARES] + 1.0;
    const double held = keep * SET_DISCOUNT * returns[K_HELD], fresh = reward * returns[K_SQUARES];
    returns[K_COUNT] = keep * returns[K_COUNT] + 1.0;
    returns[K_SUM] = flushed(keep * returns[K_SUM] + reward * returns[K_ONES], K_FAINT);
    returns[K_SUM_OF_SQUARES] = flushed(keep * returns[K_SUM_OF_SQUARES] + reward * (2.0 * held + fresh), K_FAINT);
    returns[K_HELD] = flushed(held + fresh, K_FAINT);
    const double now = reward_scale(returns);
    if (before > 0.0) *factor = smaller(before * now, 1.0);
    return reward * now;
    //#else
    (void)self;
    return reward;
    //#endif
}

