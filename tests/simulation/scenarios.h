/* scenarios.h - worlds with a name: each shows one promise, with figures. */
#ifndef TESTS_SIMULATION_SCENARIOS_H
#define TESTS_SIMULATION_SCENARIOS_H

/* Runs the scenario of this name, `all` of them, or lists them (`list`). The exit status. */
int scenarios_run(const char *name);

#endif
