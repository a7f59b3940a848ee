/* Reads calls from a file, makes them, checks that actions are in range, and writes the last state: for sanitizers.

   driver CALLS STATE. A call: kind and learn as int32, reward and AGENT_INPUTS numbers as double. Kinds as in tick.py.
   The state lies in a block of its own of exactly AGENT_BYTES, and a copy of exactly AGENT_SAVED_BYTES, so that a step beyond it is noticed. */

#include "agent.h"

#include <stdio.h>
#include <stdlib.h>

int main(int count, char **arguments)
{
    struct agent_memory *agent = malloc(AGENT_BYTES);
    unsigned char *copy = malloc(AGENT_SAVED_BYTES);
    double observation[AGENT_INPUTS], reward;
    int32_t head[2];
    FILE *calls, *out;
    if (count != 3 || agent == NULL || copy == NULL) return 2;
    calls = fopen(arguments[1], "rb");
    out = fopen(arguments[2], "wb");
    if (calls == NULL || out == NULL) return 2;
    agent_init(agent);
    while (fread(head, sizeof head, 1, calls) == 1) {
        int result;
        if (fread(&reward, sizeof reward, 1, calls) != 1) return 2;
        if (fread(observation, sizeof observation, 1, calls) != 1) return 2;
        if (head[0] == 0)
            result = agent_start(agent, observation, head[1]);
        else if (head[0] == 1)
            result = agent_step(agent, reward, observation, head[1]);
        else
            result = agent_end(agent, reward, head[0] == 2 ? NULL : observation, head[1]);
        if (result != AGENT_OK) return 3;
        /* Out and in again, as often as there are calls. */
        agent_save(agent, copy);
        if (agent_load(agent, copy) != AGENT_OK) return 4;
    }
    if (fwrite(copy, 1, AGENT_BYTES, out) != AGENT_BYTES) return 2;
    fclose(calls);
    fclose(out);
    free(agent);
    free(copy);
    return 0;
}
