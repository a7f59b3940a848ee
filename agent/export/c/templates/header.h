#ifndef AGENT_H
#define AGENT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define AGENT_INPUTS @N_INPUT@ /* numbers of an observation, in the order above */
#define AGENT_CHOICES @N_CHOICES@ /* discrete factors of an action */
#define AGENT_CONTROLS @N_CONTROLS@ /* continuous ones */

/* What start, step, end and load return. After anything but AGENT_OK the agent is as it was before the call. */
enum {
    AGENT_OK = 0,
    AGENT_NOT_STARTED = -1, /* no episode is running: call agent_start first */
    AGENT_BAD_OBSERVATION = -2, /* a number of the observation is not finite */
    AGENT_BAD_REWARD = -3, /* the reward is not finite */
    AGENT_OTHER_SHAPE = -4, /* load: the state is that of another network or version of synaptick */
    AGENT_OTHER_SETTINGS = -5, /* load: the state is that of an agent with other settings */
    AGENT_DAMAGED = -6 /* load: a bit of the state has changed since it was saved */
};

/* The whole state of one agent, @NBYTES@ bytes; supply one for each. It holds no pointers: between two calls, copy it
   as you like, to put it back when what came after has turned out badly. */
struct agent_memory {
    int64_t ints[@N_INTS@]; /* clock, random state, sizes and offsets */
    double reals[@N_REALS@]; /* settings, statistics, the last action */
    float floats[@N_FLOATS@]; /* weights, traces, neurons */
};

#define AGENT_BYTES (sizeof(struct agent_memory))
#define AGENT_SAVED_BYTES (AGENT_BYTES + 4) /* with its CRC-32, low byte first */

/* Bytes of the state, as AGENT_BYTES. */
size_t agent_bytes(void);

//#if INITIAL
/* Make the agent what it was when it was exported, between two episodes. */
void agent_init(struct agent_memory *agent);

//#endif
/* Begin an episode and choose its first action; observation: AGENT_INPUTS numbers. An episode that is still running is
   abandoned. learn 0, here and below: only act, weights and statistics stay; what led up to it is not learned from any
   more. */
int agent_start(struct agent_memory *agent, const double *observation, int learn);

/* Learn from the reward of the last action and the observation it led to, then choose the next action. */
int agent_step(struct agent_memory *agent, double reward, const double *observation, int learn);

/* Learn from the reward of the last action and the end of an episode; no action is chosen, agent_start is next.
   observation: NULL if it has terminated, so that nothing is to come; the last observation if it was only cut off, so
   that its value is bootstrapped from. A loop that never ends needs no call of it. */
int agent_end(struct agent_memory *agent, double reward, const double *observation, int learn);

//#if DISCRETE
/* The last action: index, from 0, of what factor 0 .. AGENT_CHOICES - 1 has chosen. The factor is not checked. */
int agent_action_index(const struct agent_memory *agent, int factor);

//#endif
//#if CONTINUOUS
/* The last action: control 0 .. AGENT_CONTROLS - 1, in units of the action space and within its bounds. The
   control is not checked. */
double agent_action_value(const struct agent_memory *agent, int control);

//#endif
/* Value of the last observation and the last TD error, in units of the normalized reward. */
double agent_value(const struct agent_memory *agent);
double agent_td_error(const struct agent_memory *agent);

/* Write the state and its CRC-32, AGENT_SAVED_BYTES bytes, to out, also in an episode: what Agent.restore takes on a
   machine of the same byte order. */
void agent_save(const struct agent_memory *agent, unsigned char *out);

/* Take over a state, AGENT_SAVED_BYTES bytes, that agent_save or synaptick.export.saved_state wrote, and go on from
   there; refuse one of another network or other settings, and one that is damaged. */
int agent_load(struct agent_memory *agent, const unsigned char *in);

#ifdef __cplusplus
}
#endif

#endif
