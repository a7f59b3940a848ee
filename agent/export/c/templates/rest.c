//#if RESTS
/* ---- rows at rest: what is stored of a row whose psi is 0 stays as it is, and is multiplied by factors

   epsa = a epsa';  R = r R';  Q = q R' + s Q';  credit = c credit' + b R' + g Q' */

/* a, c, and without levels the norm of credit', with one b and r, with two g, q and s: rows of n each. */
static inline float *factor_of(float *floats, const int32_t *at, int32_t slot, int32_t i)
{
    return floats + at[AT_LAYER_REST] + slot * at[AT_LAYER_N] + i;
}

static inline float remembered(float factor) { return fabsf(factor) > (float)K_FORGOTTEN ? factor : 0.0f; }

/* W += x credit, flushed: what is left of credit would make denormal numbers of weights that are 0 */
APART void add_flushed(float *restrict w, float x, const float *restrict credit, int32_t m)
{
    EACH(j, m) w[j] += flushed_trace(x * credit[j]);
}

//#if ONE_HOP
/* W += x credit + y R, and fresh = c credit + b R, of which the norm is due */
APART void one_trace(float *restrict w, const float *restrict credit, const float *restrict first, float x, float y,
                     float c, float b, float *restrict fresh, int32_t m)
{
    EACH(j, m) {
        w[j] += flushed_trace(x * credit[j] + y * first[j]);
        fresh[j] = c * credit[j] + b * first[j];
    }
}

//#endif
//#if TWO_HOPS
/* The same with two levels. */
struct three {
    float credit, first, second;
};
APART void two_traces(float *restrict w, const float *restrict credit, const float *restrict first,
                      const float *restrict second, struct three now, struct three then, float *restrict fresh,
                      int32_t m)
{
    EACH(j, m) {
        w[j] += flushed_trace(now.credit * credit[j] + now.first * first[j] + now.second * second[j]);
        fresh[j] = then.credit * credit[j] + then.first * first[j] + then.second * second[j];
    }
}

//#endif
/* Change the weights of neuron i, whose psi is 0, by its credit, and its factors. Returns what the norm of is due,
   formed in spare, or 0 if it is known. */
static const float *resting_row(float *floats, const int32_t *at, int32_t i, float step, float decay, float *spare)
{
    const int32_t m = at[AT_LAYER_M], used = used_columns(at[AT_LAYER_BIAS]);
    float *w = floats + at[AT_LAYER_W] + i * m, *credit = floats + at[AT_LAYER_CREDIT] + i * m;
    float *a = factor_of(floats, at, K_HELD_EPSA, i), *left = factor_of(floats, at, K_HELD_CREDIT, i);
    const float held = *left, c = remembered(decay * held);
    *a = remembered(floats[at[AT_LAYER_RHO] + i] * *a);
    *left = c;
    if (at[AT_LAYER_LEVELS] == 0) {
        if (step * held != 0.0f) add_flushed(w, step * held, credit, used);
        return 0;
    }
    //#if ONE_HOP or TWO_HOPS
    const int32_t n = at[AT_LAYER_N];
    const float *signals = floats + at[AT_LAYER_SIGNALS], *share = floats + at[AT_LAYER_SHARE];
    const float up = signals[n + i], around = signals[2 * n + i];
    float *first = floats + at[AT_LAYER_CASCADE] + i * m;
    float *of_first = factor_of(floats, at, K_OF_FIRST, i), *of_itself = factor_of(floats, at, K_FIRST, i);
    const float was = *of_itself, r = remembered((1.0f - share[0]) * was), old = *of_first;
    float b = flushed_trace(decay * old + (up * r + around * was));
    *of_itself = r;
    //#if ONE_HOP
    if (at[AT_LAYER_LEVELS] == 1) {
        *of_first = b;
        *factor_of(floats, at, K_NORM, i) = 0.0f;
        if (step * held == 0.0f && step * old == 0.0f && c == 0.0f && b == 0.0f) return 0;
        one_trace(w, credit, first, step * held, step * old, c, b, spare, used);
        return spare;
    }
    //#endif
    //#if TWO_HOPS
    const float deep = signals[4 * n + i], rest = 1.0f - share[1];
    float *of_second = factor_of(floats, at, K_OF_SECOND, i), *mixed = factor_of(floats, at, K_FIRST_IN_SECOND, i);
    float *second = factor_of(floats, at, K_SECOND, i);
    const float q = remembered(rest * *mixed + share[1] * r), s = remembered(rest * *second), older = *of_second;
    b = flushed_trace(b + deep * q);
    const float g = flushed_trace(decay * older + deep * s);
    *of_first = b;
    *of_second = g;
    *mixed = q;
    *second = s;
    const struct three now = {step * held, step * old, step * older}, then = {c, b, g};
    *factor_of(floats, at, K_NORM, i) = 0.0f;
    if (now.credit == 0.0f && now.first == 0.0f && now.second == 0.0f && c == 0.0f && b == 0.0f && g == 0.0f) return 0;
    two_traces(w, credit, first, first + n * m, now, then, spare, used);
    return spare;
    //#else
    return 0;
    //#endif
    //#else
    (void)spare;
    return 0;
    //#endif
}

//#if ONE_HOP
/* W += x credit + y R;  R <- left R + share e;  credit <- c credit + b R(t-1) + direct e + up R */
APART void one_hop_row(float *restrict w, float *restrict credit, float *restrict first, const float *restrict e,
                       float x, float y, float c, float b, float left, float share, float direct, float up, int32_t m)
{
    EACH(j, m) {
        const float was = credit[j], old = first[j], once = flushed_trace(left * old + share * e[j]);
        first[j] = once;
        w[j] += x * was + y * old;
        credit[j] = flushed_trace(c * was + b * old + (direct * e[j] + up * once));
    }
}

//#endif
//#if TWO_HOPS
/* The same with two levels: Q <- mixed R(t-1) + kept Q + share R;  credit += deep Q */
struct hops {
    float left, share, mixed, kept, other_share, direct, up, deep;
};
APART void two_hops_row(float *restrict w, float *restrict credit, float *restrict first, float *restrict second,
                        const float *restrict e, struct three now, struct three then, struct hops by, int32_t m)
{
    EACH(j, m) {
        const float was = credit[j], old = first[j], older = second[j];
        const float once = flushed_trace(by.left * old + by.share * e[j]);
        const float twice = flushed_trace((by.mixed * old + by.kept * older) + by.other_share * once);
        first[j] = once;
        second[j] = twice;
        w[j] += now.credit * was + now.first * old + now.second * older;
        credit[j] = flushed_trace((then.credit * was + then.first * old + then.second * older) +
                                  (by.direct * e[j] + by.up * once + by.deep * twice));
    }
}

//#endif
/* Change the weights of neuron i by its credit, and bring credit and traces up to date. Returns its credit. */
static const float *awake_row(float *floats, const int32_t *at, int32_t i, const float *eps, float step, float decay)
{
    const int32_t m = at[AT_LAYER_M], used = used_columns(at[AT_LAYER_BIAS]);
    const float psi = floats[at[AT_LAYER_PSI] + i], *signals = floats + at[AT_LAYER_SIGNALS], direct = signals[i];
    float *w = floats + at[AT_LAYER_W] + i * m, *credit = floats + at[AT_LAYER_CREDIT] + i * m;
    float *a = factor_of(floats, at, K_HELD_EPSA, i), *left = factor_of(floats, at, K_HELD_CREDIT, i);
    const float x = step * *left, c = decay * *left;
    //#if ADAPTIVE
    const int adaptive = i < at[AT_LAYER_N_ADAPTIVE];
    float *epsa = floats + at[AT_LAYER_EPSA] + i * m;
    const float strength = floats[at[AT_LAYER_STRENGTH] + i] * *a, rho = floats[at[AT_LAYER_RHO] + i] * *a;
    //#endif
    *a = *left = 1.0f;
    if (at[AT_LAYER_LEVELS] == 0) {
        //#if ADAPTIVE
        if (adaptive)
            adaptive_credit_row(w, credit, epsa, eps, psi, strength, rho, direct, x, c, used);
        else
        //#endif
            credit_row(w, credit, x, c, direct * psi, eps, used);
        return credit;
    }
    //#if ONE_HOP or TWO_HOPS
    const int32_t n = at[AT_LAYER_N];
    float *e = floats + THE_SCRATCH_E, *first = floats + at[AT_LAYER_CASCADE] + i * m;
    //#if ADAPTIVE
    if (adaptive)
        adaptive_row(epsa, eps, psi, strength, rho, e, used);
    else
    //#endif
        scale(eps, psi, e, used);
    const float up = signals[n + i], around = signals[2 * n + i], *share = floats + at[AT_LAYER_SHARE];
    float *of_first = factor_of(floats, at, K_OF_FIRST, i), *of_itself = factor_of(floats, at, K_FIRST, i);
    const float kept_first = (1.0f - share[0]) * *of_itself, y = step * *of_first;
    const float b = decay * *of_first + around * *of_itself;
    *of_first = 0.0f;
    *of_itself = 1.0f;
    //#if ONE_HOP
    if (at[AT_LAYER_LEVELS] == 1)
        one_hop_row(w, credit, first, e, x, y, c, b, kept_first, share[0], direct, up, used);
    //#endif
    //#if TWO_HOPS
    if (at[AT_LAYER_LEVELS] == 2) {
        float *of_second = factor_of(floats, at, K_OF_SECOND, i), *mixed = factor_of(floats, at, K_FIRST_IN_SECOND, i);
        float *second = factor_of(floats, at, K_SECOND, i);
        const float rest = 1.0f - share[1];
        const struct three now = {x, y, step * *of_second}, then = {c, b, decay * *of_second};
        const struct hops by = {kept_first, share[0], rest * *mixed, rest * *second,
                                share[1],   direct,   up,            signals[4 * n + i]};
        *of_second = *mixed = 0.0f;
        *second = 1.0f;
        two_hops_row(w, credit, first, first + n * m, e, now, then, by, used);
    }
    //#endif
    //#endif
    return credit;
}

/* W <- W + step credit for all rows */
static void change_rows(float *floats, const int32_t *at, float step)
{
    const int32_t m = at[AT_LAYER_M];
    for (int32_t i = 0; i < at[AT_LAYER_N]; ++i) {
        float *w = floats + at[AT_LAYER_W] + i * m;
        add_scaled(w, step * *factor_of(floats, at, K_HELD_CREDIT, i), floats + at[AT_LAYER_CREDIT] + i * m, m);
        //#if ONE_HOP or TWO_HOPS
        const float *first = floats + at[AT_LAYER_CASCADE] + i * m;
        if (at[AT_LAYER_LEVELS] > 0) add_scaled(w, step * *factor_of(floats, at, K_OF_FIRST, i), first, m);
        //#endif
        //#if TWO_HOPS
        const float *second = first + at[AT_LAYER_N] * m;
        if (at[AT_LAYER_LEVELS] > 1) add_scaled(w, step * *factor_of(floats, at, K_OF_SECOND, i), second, m);
        //#endif
    }
}

//#endif
