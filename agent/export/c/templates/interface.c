/* ---- the interface; see the header */

size_t agent_bytes(void) { return AGENT_BYTES; }

//#if INITIAL
void agent_init(struct agent_memory *agent)
{
    size_t next = 0;
    memset(agent, 0, AGENT_BYTES);
    for (int32_t k = 0; k < THE_N_INTS; ++k) agent->ints[k] = table[k];
    agent->ints[AT_TICK] = INITIAL_TICK;
    agent->ints[AT_EPISODE] = INITIAL_EPISODE;
    agent->ints[AT_STALE] = INITIAL_STALE;
    memcpy(agent->ints + AT_RANDOM, initial_random, sizeof initial_random);
    for (size_t k = 0; k < sizeof real_spans / sizeof real_spans[0]; ++k)
        for (int32_t j = 0; j < real_spans[k][1]; ++j) agent->reals[real_spans[k][0] + j] = initial_reals[next++];
    next = 0;
    for (size_t k = 0; k < sizeof float_spans / sizeof float_spans[0]; ++k)
        for (int32_t j = 0; j < float_spans[k][1]; ++j)
            agent->floats[float_spans[k][0] + j] = initial_floats[next++];
}

//#endif
int agent_start(struct agent_memory *agent, const double *observation, int learn_)
{
    return tick(agent, 0.0, observation, START, learn_ != 0);
}

int agent_step(struct agent_memory *agent, double reward, const double *observation, int learn_)
{
    return tick(agent, reward, observation, STEP, learn_ != 0);
}

int agent_end(struct agent_memory *agent, double reward, const double *observation, int learn_)
{
    return tick(agent, reward, observation, observation ? TRUNCATE : TERMINATE, learn_ != 0);
}

//#if DISCRETE
int agent_action_index(const struct agent_memory *agent, int factor)
{
    return (int)agent->reals[THE_ACTION + factor];
}

//#endif
//#if CONTINUOUS
double agent_action_value(const struct agent_memory *agent, int control)
{
    const double value = agent->reals[THE_ACTION + THE_N_CHOICES + control];
    return clip(value, action_bounds[control][0], action_bounds[control][1]);
}

//#endif
double agent_value(const struct agent_memory *agent) { return agent->reals[AT_VALUE_TM1]; }
double agent_td_error(const struct agent_memory *agent) { return agent->reals[AT_DELTA]; }

/* CRC-32 of the bytes of a state, that of zlib. */
static uint32_t crc_of(const unsigned char *state)
{
    uint32_t crc = 0xFFFFFFFFu;
    for (size_t k = 0; k < AGENT_BYTES; ++k) {
        crc ^= state[k];
        for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ (0xEDB88320u & (0u - (crc & 1u)));
    }
    return ~crc;
}

void agent_save(const struct agent_memory *agent, unsigned char *out)
{
    memcpy(out, agent, AGENT_BYTES);
    const uint32_t crc = crc_of(out);
    for (int k = 0; k < 4; ++k) out[AGENT_BYTES + (size_t)k] = (unsigned char)(crc >> (8 * k));
}

/* FNV-1a over the bits of what the configuration fixes among the numbers of a state. */
static uint64_t digest_of(const unsigned char *reals, const unsigned char *floats)
{
    uint64_t digest = 14695981039346656037u;
    for (size_t k = 0; k < sizeof fixed_reals / sizeof fixed_reals[0]; ++k)
        for (int32_t j = 0; j < fixed_reals[k][1]; ++j) {
            uint64_t bits;
            memcpy(&bits, reals + sizeof bits * (size_t)(fixed_reals[k][0] + j), sizeof bits);
            digest = (digest ^ bits) * 1099511628211u;
        }
    for (size_t k = 0; k < sizeof fixed_floats / sizeof fixed_floats[0]; ++k)
        for (int32_t j = 0; j < fixed_floats[k][1]; ++j) {
            uint32_t bits;
            memcpy(&bits, floats + sizeof bits * (size_t)(fixed_floats[k][0] + j), sizeof bits);
            digest = (digest ^ bits) * 1099511628211u;
        }
    return digest;
}

int agent_load(struct agent_memory *agent, const unsigned char *in)
{
    const unsigned char *reals = in + sizeof agent->ints, *floats = reals + sizeof agent->reals;
    /* Before the sizes lie clock and random state, which move. */
    for (int32_t k = AT_SIZES; k < THE_N_INTS; ++k) {
        int64_t entry;
        memcpy(&entry, in + sizeof entry * (size_t)k, sizeof entry);
        if (entry != table[k]) return AGENT_OTHER_SHAPE;
    }
    if (digest_of(reals, floats) != FIXED_DIGEST) return AGENT_OTHER_SETTINGS;
    const uint32_t crc = crc_of(in);
    for (int k = 0; k < 4; ++k)
        if (in[AGENT_BYTES + (size_t)k] != (unsigned char)(crc >> (8 * k))) return AGENT_DAMAGED;
    memcpy(agent, in, AGENT_BYTES);
    return AGENT_OK;
}
