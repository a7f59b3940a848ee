/* ---- what a neuron sends that is x above its threshold, and the pseudo-derivative of that */

//#if GRADED
/* P = cap v_th;  z = min(max(x, 0) / P, 1)
   psi = 1/P for 0 < x < P, 0 from P on, 1/P max(0, 1 + x / v_th) up to 0 */
#define EMIT(i) \
    do { \
        const float excess = psi[i], sent = excess * rise; \
        /* Multiplied before it is cut off at 0, or a compiler makes a branch of it and no vectors. */ \
        const float below = rise * (1.0f + excess * (float)(1.0 / SET_V_TH)); \
        const float line = below > 0.0f ? below : 0.0f; \
        const float slope = excess > 0.0f ? rise : line; \
        const float positive = sent > 0.0f ? sent : 0.0f; \
        z[i] = positive < 1.0f ? positive : 1.0f; \
        psi[i] = excess < high ? slope : 0.0f; \
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
APART double emit(int32_t n, double cap, float *restrict z, float *restrict psi)
{
//#if GRADED
    const float high = (float)(cap * SET_V_TH), rise = (float)(1.0 / (cap * SET_V_TH));
//#else
    (void)cap;
//#endif
    int32_t spikes = 0;
    EACH(i, n) EMIT(i);
    for (int32_t i = n & -BLOCK; i < n; ++i) EMIT(i);
    for (int32_t i = 0; i < n; ++i) spikes += z[i] != 0.0f;
    return spikes;
}
