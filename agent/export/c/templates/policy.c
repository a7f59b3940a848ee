/* ---- an action drawn from the actor's outputs, and the gradient of its log-probability */

//#if CONTINUOUS
/* std = initial exp(clip(output, -4, 1));  mean = clip(output, low - 3 std, high + 3 std) */
static struct control control_of(const double *reals, const float *output, int32_t k)
{
    struct control found;
    found.low = reals[THE_CONTROL_LOW + k];
    found.high = reals[THE_CONTROL_HIGH + k];
    const double exponent =
        clip(output[THE_N_PREFERENCES + THE_N_CONTROLS + k], K_LOG_STD_LOW, K_LOG_STD_HIGH);
    found.std = SET_INITIAL_STD * exp(exponent);
    found.mean = clip(
        output[THE_N_PREFERENCES + k], found.low - K_REACH * found.std, found.high + K_REACH * found.std);
    return found;
}

//#endif
/* Draw an action, write it to its place, and return its log-probability. */
static double sample_action(struct agent_memory *self, double correlation)
{
    const float *output = self->floats + net_at(K_ACTOR)[AT_NET_OUTPUT];
    int64_t *words = self->ints + AT_RANDOM;
    double *action = self->reals + THE_ACTION, log_probability = 0.0;
    //#if DISCRETE
    int32_t first = 0;
    for (int32_t factor = 0; factor < THE_N_CHOICES; ++factor) {
        const int32_t size = table[THE_CATEGORIES + factor];
        double *probabilities = self->reals + THE_PROBABILITIES + first;
        softmax(output + first, size, probabilities);
        const int32_t index = sample(probabilities, size, words);
        action[factor] = index;
        log_probability += log(probabilities[index]);
        first += size;
    }
    //#endif
    //#if CONTINUOUS
    double *noises = self->reals + THE_NOISE, *slow = self->reals + THE_SLOW_NOISE;
    const double fresh = sqrt(1.0 - correlation * correlation);
    const double lasting = sqrt(SET_CORRELATED_NOISE_FRACTION), passing = sqrt(1.0 - SET_CORRELATED_NOISE_FRACTION);
    for (int32_t k = 0; k < THE_N_CONTROLS; ++k) {
        const struct control c = control_of(self->reals, output, k);
        slow[k] = correlation * slow[k] + fresh * normal(words);
        noises[k] = lasting * slow[k] + passing * normal(words);
        const double drawn = clip(c.mean + c.std * noises[k], c.low, c.high);
        action[THE_N_CHOICES + k] =
            self->reals[THE_CONTROL_CENTER + k] + self->reals[THE_CONTROL_SCALE + k] * drawn;
        self->reals[THE_STDS + k] = c.std;
        log_probability += control_log_probability(&c, noises[k]);
    }
    //#else
    (void)correlation;
    //#endif
    return log_probability;
}

/* Write the gradient of the last draw's log-probability to the actor's output gradient. */
static void score(struct agent_memory *self)
{
    const int32_t *head = net_at(K_ACTOR);
    float *gradient = self->floats + head[AT_NET_GRADIENT];
    int32_t first = 0;
    //#if DISCRETE
    for (int32_t factor = 0; factor < THE_N_CHOICES; ++factor) {
        const int32_t size = table[THE_CATEGORIES + factor];
        const double *probabilities = self->reals + THE_PROBABILITIES + first;
        float *out = gradient + first;
        for (int32_t k = 0; k < size; ++k) out[k] = (float)-probabilities[k];
        float *chosen = out + (int32_t)self->reals[THE_ACTION + factor];
        *chosen = (float)(*chosen + 1.0);
        first += size;
    }
    //#endif
    //#if CONTINUOUS
    const float *output = self->floats + head[AT_NET_OUTPUT];
    for (int32_t k = 0; k < THE_N_CONTROLS; ++k) {
        const struct control c = control_of(self->reals, output, k);
        const double noise = self->reals[THE_NOISE + k], side = side_beyond(&c, noise);
        double of_mean = noise, of_std = noise * noise - 1.0;
        if (side != 0.0) {
            const double b = distance_beyond(&c, side), hazard = tail_hazard(b);
            of_mean = side * hazard;
            of_std = b * hazard;
        }
        /* Python keeps the pair here, and the state is to be the same. */
        self->reals[THE_SCRATCH_PAIR] = of_mean;
        self->reals[THE_SCRATCH_PAIR + 1] = of_std;
        gradient[first + k] = (float)of_mean;
        gradient[first + THE_N_CONTROLS + k] = (float)(SET_STD_LR_SCALE * of_std);
    }
    //#endif
    (void)first;
}

//#if RESTRAINS
/* W_k <- W_k + change z / |z|^2 for output k of the actor. */
static void move_output(struct agent_memory *self, int32_t k, double change)
{
    const int32_t *head = net_at(K_ACTOR);
    const int32_t features = head[AT_NET_N_FEATURES];
    const int32_t begin = k >= head[AT_NET_N_OUTPUTS] - head[AT_NET_N_FREE] ? head[AT_NET_BIAS] : 0;
    const float *seen = self->floats + head[AT_NET_FEATURES];
    double total = 0.0;
    for (int32_t j = begin; j < features; ++j) total += seen[j] * seen[j]; /* the bias is always 1 */
    float *w = self->floats + head[AT_NET_W] + k * features;
    add_scaled(w + begin, (float)(change / total), seen + begin, features - begin);
}

//#if FADES
/* Move readout weights of outputs that are beyond their range back towards it, and preferences towards the mean of
   their factor. */
//#else
/* Move readout weights of outputs that are beyond their range back towards it. */
//#endif
static void restrain_outputs(struct agent_memory *self)
{
    const float *output = self->floats + net_at(K_ACTOR)[AT_NET_OUTPUT];
    int32_t first = 0;
    //#if DISCRETE
    for (int32_t factor = 0; factor < THE_N_CHOICES; ++factor) {
        const int32_t size = table[THE_CATEGORIES + factor];
        double least = output[first];
        for (int32_t k = first; k < first + size; ++k) least = larger(least, output[k]);
        least += SET_LOG_MIN_PROBABILITY_RATIO;
        //#if FADES
        double mean = 0.0;
        for (int32_t k = first; k < first + size; ++k) mean += (double)output[k] / size;
        //#endif
        for (int32_t k = first; k < first + size; ++k) {
            if (output[k] < least) move_output(self, k, K_RESTRAIN_RATE * (least - output[k]));
            //#if FADES
            move_output(self, k, SET_PREFERENCE_DECAY * (mean - output[k]));
            //#endif
        }
        first += size;
    }
    //#endif
    //#if CONTINUOUS
    for (int32_t k = 0; k < THE_N_CONTROLS; ++k) {
        const double mean = control_of(self->reals, output, k).mean;
        for (int which = 0; which < 2; ++which) {
            const int32_t index = first + which * THE_N_CONTROLS + k;
            const double value = output[index];
            const double held = which == 0 ? mean : clip(value, K_LOG_STD_LOW, K_LOG_STD_HIGH);
            if (value != held) move_output(self, index, K_RESTRAIN_RATE * (held - value));
        }
    }
    //#endif
    (void)first;
}

//#endif
/* Mean std of the last draw over all parts of the action; a discrete factor counts as 1. */
static double action_scale(const double *reals)
{
    double total = THE_N_CHOICES;
    for (int32_t k = 0; k < THE_N_CONTROLS; ++k) total += reals[THE_STDS + k];
    return total / (THE_N_CHOICES + THE_N_CONTROLS);
}

