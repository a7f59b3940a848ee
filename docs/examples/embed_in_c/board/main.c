/* The loop of ../main.c on a microcontroller: no file, no allocation, no stdio. README.md says how to build and run it.

   For every step it writes the action and how many instructions the agent took to learn and to choose it; at the end
   the mean length of the last episodes, the stack, and a checksum of the whole state. */

#include "agent.h"
#include "board.h"
#include "../pole.h"

#ifndef STEPS
#define STEPS 1000
#endif

static struct agent_memory agent; /* all the memory there is */

static void write_number(const char *before, uint32_t number)
{
    char digits[12], *at = digits + sizeof digits;
    *--at = '\0';
    do *--at = (char)('0' + number % 10u);
    while ((number /= 10u) != 0u);
    board_write(before);
    board_write(at);
}

/* FNV-1a of the state. */
static uint32_t checksum(void)
{
    const unsigned char *byte = (const unsigned char *)&agent, *end = byte + AGENT_BYTES;
    uint32_t sum = 2166136261u;
    for (; byte < end; ++byte) sum = (sum ^ *byte) * 16777619u;
    return sum;
}

int main(void)
{
    struct plant plant = {0.0, 0.0, 0.0, 0.0, 1u};
    double observation[AGENT_INPUTS];
    uint32_t step;
    long length = 0, episodes = 0, half = 0;

    agent_init(&agent);
    plant_reset(&plant);
    plant_observe(&plant, observation);
    if (agent_start(&agent, observation, 1) != AGENT_OK) board_end(1);
    board_start();

    for (step = 1; step <= STEPS; ++step) {
        const int action = agent_action_index(&agent, 0);
        uint32_t instructions;
        int result;
        plant_step(&plant, action == 1 ? 10.0 : -10.0);
        plant_observe(&plant, observation);
        board_instructions();
        result = plant_teach(&agent, &plant, observation, &length, &episodes);
        instructions = board_instructions();
        if (result != AGENT_OK) board_end(1);
        write_number("", (uint32_t)action);
        write_number(" ", instructions);
        board_write("\n");
        if (step == STEPS / 2) half = episodes;
    }
    write_number("episodes in the first half ", (uint32_t)half);
    write_number(", in the second ", (uint32_t)(episodes - half));
    write_number("\nbytes of state ", (uint32_t)AGENT_BYTES);
    write_number("\nbytes of stack ", board_stack_bytes());
    write_number("\nchecksum ", checksum());
    board_write("\n");
    board_end(0);
    return 0;
}
