//#if CASCADE or FACTORED
/* ---- eligibility, filtered by the membranes on the way of a signal */

//#endif
//#if MORE_HOPS
/* total = direct e;  total += delayed R;  R <- leak R + slope e;  total += signal R.  e becomes R, for the next level. */
APART void first_hop_row(float *restrict trace, float *restrict e, float leak, float slope, float direct,
                          float signal, float delayed, float *restrict total, int32_t m)
{
    EACH(j, m) {
        const float old = trace[j], from = e[j], filtered = flushed_trace(leak * old + slope * from);
        trace[j] = filtered;
        e[j] = filtered;
        total[j] = direct * from + (signal * filtered + delayed * old);
    }
}

/* The same for the levels above, whose source is the level below. */
APART void next_hop_row(float *restrict trace, float *restrict source, float leak, float slope, float signal,
                         float *restrict total, int32_t m)
{
    EACH(j, m) {
        const float filtered = flushed_trace(leak * trace[j] + slope * source[j]);
        trace[j] = filtered;
        source[j] = filtered;
        total[j] += signal * filtered;
    }
}

//#endif
//#if ONE_HOP
/* What one level adds to the credit, and credit_row, in one sweep:
   total = direct e + delayed R;  R <- leak R + slope e;  total += signal R */
APART void only_hop_row(float *restrict w, float *restrict credit, float *restrict trace, const float *restrict e,
                         float leak, float slope, float direct, float signal, float delayed, float scale,
                         float decay, int32_t m)
{
    EACH(j, m) {
        const float old = trace[j], was = credit[j], filtered = flushed_trace(leak * old + slope * e[j]);
        const float total = direct * e[j] + (signal * filtered + delayed * old);
        trace[j] = filtered;
        w[j] += scale * was;
        credit[j] = flushed_trace(decay * was + total);
    }
}

/* only_hop_row where e is 0 */
APART void silent_hop_row(float *restrict w, float *restrict credit, float *restrict trace, float leak,
                           float signal, float delayed, float scale, float decay, int32_t m)
{
    EACH(j, m) {
        const float old = trace[j], was = credit[j], filtered = flushed_trace(leak * old);
        trace[j] = filtered;
        w[j] += scale * was;
        credit[j] = flushed_trace(decay * was + (signal * filtered + delayed * old));
    }
}

//#endif
//#if TWO_HOPS
/* Factors of e and of the two levels R and Q above it. */
struct two_hops {
    float direct, delayed, signal[2], leak[2], slope[2];
};

/* What two levels add to the credit, and credit_row, in one sweep:
   total = direct e + delayed R;  R <- leak_0 R + slope_0 e;  Q <- leak_1 Q + slope_1 R
   total += signal_0 R + signal_1 Q */
APART void two_hops_row(float *restrict w, float *restrict credit, float *restrict first, float *restrict second,
                         const float *restrict e, struct two_hops by, float scale, float decay, int32_t m)
{
    EACH(j, m) {
        const float old = first[j], was = credit[j];
        const float once = flushed_trace(by.leak[0] * old + by.slope[0] * e[j]);
        const float twice = flushed_trace(by.leak[1] * second[j] + by.slope[1] * once);
        const float total = by.direct * e[j] + (by.signal[0] * once + by.delayed * old) + by.signal[1] * twice;
        first[j] = once;
        second[j] = twice;
        w[j] += scale * was;
        credit[j] = flushed_trace(decay * was + total);
    }
}

/* two_hops_row where e is 0 */
APART void silent_two_hops_row(float *restrict w, float *restrict credit, float *restrict first,
                                float *restrict second, struct two_hops by, float scale, float decay, int32_t m)
{
    EACH(j, m) {
        const float old = first[j], was = credit[j], once = flushed_trace(by.leak[0] * old);
        const float twice = flushed_trace(by.leak[1] * second[j] + by.slope[1] * once);
        const float total = by.signal[0] * once + by.delayed * old + by.signal[1] * twice;
        first[j] = once;
        second[j] = twice;
        w[j] += scale * was;
        credit[j] = flushed_trace(decay * was + total);
    }
}

//#endif
//#if FACTORED
/* total += sum of four rows, each with its factor */
APART void add_four_rows(float *restrict total, const float *factors, const float *rows, int32_t m)
{
    const float *restrict a = rows, *restrict b = rows + m, *restrict c = rows + 2 * m, *restrict d = rows + 3 * m;
    const float p = factors[0], q = factors[1], r = factors[2], s = factors[3];
    EACH(j, m) total[j] += p * a[j] + q * b[j] + r * c[j] + s * d[j];
}

//#endif
