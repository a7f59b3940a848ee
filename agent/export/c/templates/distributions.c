/* ---- distributions of actions */

//#if CONTINUOUS
struct control {
    double mean, std, low, high;
};

/* 2 (1 - Phi(|b|)) exp(b^2 / 2), Abramowitz and Stegun 7.1.26 */
static double tail_series(double b)
{
    const double t = 1.0 / (1.0 + 0.3275911 * K_INVERSE_SQRT_2 * fabs(b));
    return t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
}

/* phi(b) / (1 - Phi(b)) */
static double tail_hazard(double b)
{
    if (b > K_FAR_TAIL) {
        double fraction = b;
        for (int k = 24; k > 0; --k) fraction = b + k / fraction;
        return fraction;
    }
    if (b >= 0.0) return 2.0 * K_INVERSE_SQRT_2PI / tail_series(b);
    const double falling = exp(-0.5 * b * b);
    return K_INVERSE_SQRT_2PI * falling / (1.0 - 0.5 * tail_series(b) * falling);
}

/* log(1 - Phi(b)) */
static double log_tail(double b)
{
    if (b >= 0.0) return -0.5 * b * b - K_HALF_LOG_2PI - log(tail_hazard(b));
    return log(1.0 - 0.5 * tail_series(b) * exp(-0.5 * b * b));
}

/* 1 for a draw above its range, -1 for one below, 0 for one that is not clipped. */
static double side_beyond(const struct control *c, double noise)
{
    const double drawn = c->mean + c->std * noise;
    if (drawn > c->high) return 1.0;
    return drawn < c->low ? -1.0 : 0.0;
}

/* Stds from the mean out to the bound on that side. */
static double distance_beyond(const struct control *c, double side)
{
    return side > 0.0 ? (c->high - c->mean) / c->std : (c->mean - c->low) / c->std;
}

static double control_log_probability(const struct control *c, double noise)
{
    const double side = side_beyond(c, noise);
    if (side == 0.0) return -0.5 * noise * noise - K_HALF_LOG_2PI - log(c->std);
    return log_tail(distance_beyond(c, side));
}

//#endif
//#if DISCRETE
/* pi_k = exp(p_k - max p) / sum exp(p - max p) */
static void softmax(const float *preferences, int32_t size, double *probabilities)
{
    float largest = preferences[0];
    double total = 0.0;
    for (int32_t k = 0; k < size; ++k) largest = preferences[k] > largest ? preferences[k] : largest;
    for (int32_t k = 0; k < size; ++k) {
        probabilities[k] = expf(preferences[k] - largest);
        total += probabilities[k];
    }
    for (int32_t k = 0; k < size; ++k) probabilities[k] /= total;
}

static int32_t sample(const double *probabilities, int32_t size, int64_t *words)
{
    const double threshold = uniform(words);
    double total = 0.0;
    int32_t last = 0;
    for (int32_t k = 0; k < size; ++k) {
        total += probabilities[k];
        if (probabilities[k] > 0.0) {
            last = k;
            if (threshold < total) return k;
        }
    }
    return last;
}

//#endif

