/* ---- the neuron model, and the eligibility of its synapses, row by row: m numbers, a multiple of BLOCK */

/* v_i <- alpha_i v_i + I_i - reset_strength v_th z_i(t-1);  a_i <- rho_i a_i + z_i(t-1);  A_i = v_th + strength_i a_i
   z_i and psi_i are what emit makes of v_i - A_i, which psi has until then. */
#define FIRE(i) \
    do { \
        const float membrane = alpha[i] * v[i] + current[i] - (float)(SET_RESET_STRENGTH * SET_V_TH) * z[i]; \
        const float adaptation = rho[i] * a[i] + z[i]; \
        v[i] = flushed_trace(membrane); \
        a[i] = adaptation > (float)K_TINY ? adaptation : 0.0f; \
        psi[i] = membrane - ((float)SET_V_TH + strength[i] * adaptation); \
    } while (0)

APART void fire_rows(int32_t n, const float *restrict current, const float *restrict alpha, const float *restrict rho,
                     const float *restrict strength, float *restrict v, float *restrict a, const float *restrict z,
                     float *restrict psi)
{
    ALL(i, n, FIRE(i););
}

/* Advance all neurons of a layer; returns the number of spikes. */
static double fire(float *floats, const int32_t *at)
{
    const int32_t n = at[AT_LAYER_N];
    fire_rows(n, floats + at[AT_LAYER_CURRENT], floats + at[AT_LAYER_ALPHA], floats + at[AT_LAYER_RHO],
              floats + at[AT_LAYER_STRENGTH], floats + at[AT_LAYER_V], floats + at[AT_LAYER_A],
              floats + at[AT_LAYER_Z], floats + at[AT_LAYER_PSI]);
    return emit(n, SET_PAYLOAD_CAP, floats + at[AT_LAYER_Z], floats + at[AT_LAYER_PSI]);
}

/* eps_j <- alpha_g eps_j + slope u_j for each leak group g of a layer */
static void filter_inputs(float *floats, const int32_t *at, float slope)
{
    const int32_t m = at[AT_LAYER_M], used = used_columns(at[AT_LAYER_BIAS]);
    const float *inputs = floats + at[AT_LAYER_INPUTS];
    for (int32_t g = 0; g < at[AT_LAYER_GROUPS]; ++g)
        leaky_filter(floats + at[AT_LAYER_EPS] + g * m, floats[at[AT_LAYER_ALPHAS] + g], slope, inputs, used);
}

//#if LEARNING_LAYERS
//#if MOVES and RESET_PATH or MOVES and ADAPTIVE or ADAPTIVE and ONE_HOP or ADAPTIVE and TWO_HOPS
/* e = psi (eps - strength epsa);  epsa <- rho epsa + e, flushed */
APART void adaptive_row(float *restrict epsa, const float *restrict eps, float psi, float strength, float rho,
                         float *restrict e, int32_t m)
{
    EACH(j, m) {
        const float old = epsa[j], eligibility = psi * (eps[j] - strength * old);
        epsa[j] = flushed_trace(rho * old + eligibility);
        e[j] = eligibility;
    }
}

//#endif
//#if MOVES and ADAPTIVE or MOVES and RESET_PATH
/* What is left of epsa where psi is 0. */
APART void decay_row(float *restrict trace, float rho, int32_t m)
{
    EACH(j, m) trace[j] = flushed_trace(rho * trace[j]);
}

//#endif
//#if ADAPTIVE and RESET_PATH
/* e = psi (eps - fall epsr - strength epsa);  epsa and epsr follow */
APART void reset_row(float *restrict epsa, float *restrict epsr, const float *restrict eps, float psi,
                      float strength, float rho, float fall, float alpha, float *restrict e, int32_t m)
{
    EACH(j, m) {
        const float a = epsa[j], r = epsr[j], eligibility = psi * (eps[j] - fall * r - strength * a);
        epsa[j] = flushed_trace(rho * a + eligibility);
        epsr[j] = flushed_trace(alpha * r + eligibility);
        e[j] = eligibility;
    }
}

//#endif
//#if MOVES
/* Write e of neuron i to e and advance its traces; returns 0 if e is 0 throughout, and then leaves it alone. */
static int eligibility_row(float *floats, const int32_t *at, int32_t i, const float *eps, float *e)
{
    const int32_t m = used_columns(at[AT_LAYER_BIAS]);
    const float psi = floats[at[AT_LAYER_PSI] + i];
    //#if RESET_PATH
    const float fall = (float)(SET_RESET_STRENGTH * SET_V_TH), alpha = floats[at[AT_LAYER_ALPHA] + i];
    float *epsr = floats + at[AT_LAYER_EPSR] + i * at[AT_LAYER_M];
    //#if ADAPTIVE
    if (i < at[AT_LAYER_N_ADAPTIVE]) {
        const float strength = floats[at[AT_LAYER_STRENGTH] + i], rho = floats[at[AT_LAYER_RHO] + i];
        reset_row(floats + at[AT_LAYER_EPSA] + i * at[AT_LAYER_M], epsr, eps, psi, strength, rho, fall, alpha, e, m);
        return 1;
    }
    //#endif
    /* To its eligibility, the reset of a LIF neuron is an adaptation that decays as the membrane does. */
    if (psi == 0.0f) {
        decay_row(epsr, alpha, m);
        return 0;
    }
    adaptive_row(epsr, eps, psi, fall, alpha, e, m);
    return 1;
    //#else
    //#if ADAPTIVE
    if (i < at[AT_LAYER_N_ADAPTIVE]) {
        const float strength = floats[at[AT_LAYER_STRENGTH] + i], rho = floats[at[AT_LAYER_RHO] + i];
        float *epsa = floats + at[AT_LAYER_EPSA] + i * at[AT_LAYER_M];
        if (psi == 0.0f) {
            decay_row(epsa, rho, m);
            return 0;
        }
        adaptive_row(epsa, eps, psi, strength, rho, e, m);
        return 1;
    }
    //#endif
    if (psi == 0.0f) return 0;
    scale(eps, psi, e, m);
    return 1;
    //#endif
}
//#endif

//#endif
//#if RESTS and ADAPTIVE
/* adaptive_row and credit_row in one sweep */
APART void adaptive_credit_row(float *restrict w, float *restrict credit, float *restrict epsa,
                                const float *restrict eps, float psi, float strength, float rho, float signal,
                                float scale, float decay, int32_t m)
{
    EACH(j, m) {
        const float old = credit[j], a = epsa[j], eligibility = psi * (eps[j] - strength * a);
        epsa[j] = flushed_trace(rho * a + eligibility);
        w[j] += scale * old;
        credit[j] = flushed_trace(decay * old + signal * eligibility);
    }
}

//#endif
//#if LEARNING_LAYERS and FACTORED or LEARNING_LAYERS and RATES or TENSOR
/* out_j -= weight (strength_i epsa_ij + fall epsr_ij), as these were before this tick */
static void add_suppression(float *floats, const int32_t *at, int32_t i, float weight, float *out)
{
    const int32_t m = at[AT_LAYER_M];
    //#if ADAPTIVE
    if (i < at[AT_LAYER_N_ADAPTIVE])
        add_scaled(out, -weight * floats[at[AT_LAYER_STRENGTH] + i], floats + at[AT_LAYER_EPSA] + i * m, m);
    //#endif
    //#if RESET_PATH
    add_scaled(out, -weight * (float)(SET_RESET_STRENGTH * SET_V_TH), floats + at[AT_LAYER_EPSR] + i * m, m);
    //#endif
    //#if not ADAPTIVE and not RESET_PATH
    (void)floats;
    (void)i;
    (void)weight;
    (void)out;
    (void)m;
    //#endif
}

//#endif

