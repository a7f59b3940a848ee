/* An agent that balances a pole, in plain C, and goes on learning. No Python, no allocation, no threads.

   Learn in Python, write the agent as C, compile, run:

       synaptick run CartPole-v1 --steps 50000 --out runs/pole
       synaptick export c runs/pole --out build
       cc -std=c99 -O2 -Ibuild docs/examples/embed_in_c/main.c build/agent.c -lm -o build/pole
       build/pole 20000 build/pole.state

   It prints the mean length of the episodes of every 5000 steps and writes what has been learned to the file, from
   which the next call goes on. The same bytes can go back into Python: Agent.load("...").restore(open(...).read()).

   In your own loop, sensors take the place of plant_step: read them into `observation`, in the order that the top of
   agent.h gives, call agent_step with the reward of the last period, and write agent_action_index (or
   agent_action_value) to the actuators. */

#include "agent.h"
#include "pole.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- the loop */

static struct agent_memory agent; /* all the memory there is */
static unsigned char file_copy[AGENT_SAVED_BYTES]; /* only to read and write the file */

static int read_state(const char *path)
{
    FILE *file = fopen(path, "rb");
    size_t found;
    if (file == NULL) return 0; /* the first call */
    found = fread(file_copy, 1, sizeof file_copy, file);
    fclose(file);
    if (found != sizeof file_copy || agent_load(&agent, file_copy) != AGENT_OK) {
        fprintf(stderr, "%s is not a state of this agent, or damaged: remove it, or give another file\n", path);
        return -1;
    }
    return 0;
}

static int write_state(const char *path)
{
    FILE *file = fopen(path, "wb");
    size_t written;
    if (file == NULL) {
        perror(path);
        return -1;
    }
    agent_save(&agent, file_copy);
    written = fwrite(file_copy, 1, sizeof file_copy, file);
    return fclose(file) == 0 && written == sizeof file_copy ? 0 : -1;
}

int main(int count, char **arguments)
{
    const long steps = count > 1 ? atol(arguments[1]) : 20000;
    struct plant plant = {0.0, 0.0, 0.0, 0.0, 1u};
    double observation[AGENT_INPUTS];
    long step, length = 0, episodes = 0;

    agent_init(&agent);
    if (count > 2 && read_state(arguments[2]) != 0) return 1;
    plant_reset(&plant);
    plant_observe(&plant, observation);
    if (agent_start(&agent, observation, 1) != AGENT_OK) return 1;

    for (step = 1; step <= steps; ++step) {
        int result;
        plant_step(&plant, agent_action_index(&agent, 0) == 1 ? 10.0 : -10.0);
        plant_observe(&plant, observation);
        result = plant_teach(&agent, &plant, observation, &length, &episodes);
        if (result != AGENT_OK) {
            fprintf(stderr, "step %ld was refused with code %d\n", step, result);
            return 1;
        }
        if (step % 5000 == 0 || step == steps) {
            const long among = (step - 1) % 5000 + 1;
            printf("step %ld: mean length %.1f\n", step, (double)among / (double)(episodes > 0 ? episodes : 1));
            episodes = 0;
        }
    }
    return count > 2 && write_state(arguments[2]) != 0 ? 1 : 0;
}
