/* ---- what a neuron sends that is x above its threshold, and the pseudo-derivative of that */

//#if GRADED
/* P = payload_cap v_th;  z = min(max(x, 0) / P, 1)
   psi = 1/P for 0 < x < P, 0 from P on, 1/P max(0, 1 + x / v_th) up to 0 */
#define RISE ((float)(1.0 / (SET_PAYLOAD_CAP * SET_V_TH)))
#define EMIT(i) \
    do { \
        const float excess = psi[i], sent = excess * RISE; \
        /* Multiplied before it is cut off at 0, or a compiler makes a branch of it and no vectors. */ \
        const float below = RISE * (1.0f + excess * (float)(1.0 / SET_V_TH)); \
        const float line = below > 0.0f ? below : 0.0f; \
        const float slope = excess > 0.0f ? RISE : line; \
        const float positive = sent > 0.0f ? sent : 0.0f; \
        z[i] = positive < 1.0f ? positive : 1.0f; \
        psi[i] = excess < (float)(SET_PAYLOAD_CAP * SET_V_TH) ? slope : 0.0f; \
    } while (0)

//#else
/* z = 1[x > 0];  psi = dampening / v_th max(0, 1 - |x| / v_th) */
#define EMIT(i) \
    do { \
        const float excess = psi[i]; \
        /* Multiplied before it is cut off at 0, or a compiler makes a branch of it and no vectors. */ \
        const float slope = (float)(SET_DAMPENING / SET_V_TH) * (1.0f - fabsf(excess) * (float)(1.0 / SET_V_TH)); \
        z[i] = excess > 0.0f ? 1.0f : 0.0f; \
        psi[i] = slope > 0.0f ? slope : 0.0f; \
    } while (0)

//#endif
/* Emit the spikes of n neurons; psi is x on entry, then the pseudo-derivative. Returns the number of spikes. */
APART double emit(int32_t n, float *restrict z, float *restrict psi)
{
    int32_t spikes = 0;
    EACH(i, n) EMIT(i);
    for (int32_t i = n & -BLOCK; i < n; ++i) EMIT(i);
    for (int32_t i = 0; i < n; ++i) spikes += z[i] != 0.0f;
    return spikes;
}
