/* A cart of 1 kg with a pole of 0.1 kg and 1 m (Barto, Sutton and Anderson 1983), and what an agent learns from it. */

#ifndef POLE_H
#define POLE_H

#include "agent.h"

#if AGENT_INPUTS != 4 || AGENT_CHOICES != 1
#error "this plant is a cart with a pole: export the agent of a run of CartPole-v1"
#endif

#include <math.h>
#include <stdint.h>

#define PERIOD 0.02 /* s */
#define LIMIT 500 /* steps of an episode */

struct plant {
    double x, speed, angle, turning; /* m, m/s, rad, rad/s */
    uint32_t noise;
};

static double small_number(struct plant *plant)
{
    plant->noise = plant->noise * 1664525u + 1013904223u;
    return (plant->noise / 4294967296.0 - 0.5) * 0.1;
}

static void plant_reset(struct plant *plant)
{
    plant->x = small_number(plant);
    plant->speed = small_number(plant);
    plant->angle = small_number(plant);
    plant->turning = small_number(plant);
}

static void plant_step(struct plant *plant, double force)
{
    const double half = 0.5, pole = 0.1, all = 1.1, gravity = 9.8;
    const double c = cos(plant->angle), s = sin(plant->angle);
    const double push = (force + pole * half * plant->turning * plant->turning * s) / all;
    const double spin = (gravity * s - c * push) / (half * (4.0 / 3.0 - pole * c * c / all));
    const double thrust = push - pole * half * spin * c / all;
    plant->x += PERIOD * plant->speed;
    plant->speed += PERIOD * thrust;
    plant->angle += PERIOD * plant->turning;
    plant->turning += PERIOD * spin;
}

static int plant_fell(const struct plant *plant)
{
    return fabs(plant->x) > 2.4 || fabs(plant->angle) > 12.0 * 3.14159265358979 / 180.0;
}

static void plant_observe(const struct plant *plant, double *observation)
{
    observation[0] = plant->x;
    observation[1] = plant->speed;
    observation[2] = plant->angle;
    observation[3] = plant->turning;
}

/* Let the agent learn from what its last action led to and choose the next, where an episode has ended in another one;
   return AGENT_OK or the code of what was refused. */
static int plant_teach(struct agent_memory *agent, struct plant *plant, double *observation, long *length,
                       long *episodes)
{
    int result;
    ++*length;
    if (!plant_fell(plant) && *length < LIMIT) return agent_step(agent, 1.0, observation, 1);
    /* Fallen: nothing is to come. Cut off: the last observation tells what would have. */
    result = agent_end(agent, 1.0, plant_fell(plant) ? NULL : observation, 1);
    *length = 0;
    ++*episodes;
    plant_reset(plant);
    plant_observe(plant, observation);
    return result == AGENT_OK ? agent_start(agent, observation, 1) : result;
}

#endif
