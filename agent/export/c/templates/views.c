/* ---- the table of sizes and places */

/* Row of the table that describes a layer, or the readout of a network. */
static inline const int32_t *layer_at(int net, int index)
{
    return table + AT_LAYERS + (net * THE_N_LAYERS + index) * K_LAYER_WORDS;
}

static inline const int32_t *net_at(int net) { return table + AT_NETS + net * K_NET_WORDS; }

/* What steps and norms are counted in: layers, the readout, and the gates of memory neurons. */
#define N_BLOCKS (THE_N_LAYERS + 1 + THE_N_MEMORY)

/* Columns of a row, from the one of the constant 1 down, as whole blocks; what is beyond is always 0. */
static inline int32_t used_columns(int32_t bias) { return (bias + BLOCK) & -BLOCK; }

//#if ADAPTIVE_FEEDBACK
/* Weights of a layer, bottom first, or, of block N_LAYERS, of the readout, with their feedback; size numbers. */
struct synapses {
    int32_t size;
    float *w, *feedback;
};

static struct synapses synapses_of(float *floats, int net, int block)
{
    const int inner = block < THE_N_LAYERS;
    const int32_t *at = inner ? layer_at(net, block) : net_at(net);
    struct synapses found;
    found.size = inner ? at[AT_LAYER_ROWS] * at[AT_LAYER_M] : at[AT_NET_N_OUTPUTS] * at[AT_NET_N_FEATURES];
    found.w = floats + at[inner ? AT_LAYER_W : AT_NET_W];
    found.feedback = floats + at[inner ? AT_LAYER_FEEDBACK : AT_NET_FEEDBACK];
    return found;
}

//#endif

