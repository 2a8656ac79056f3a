/* simulator.h - the whole simulator from options to exit. */
#ifndef SIM_SIMULATOR_H
#define SIM_SIMULATOR_H

#include "base/error.h"
#include "net/loop.h"
#include "sim/options.h"

#include <stdint.h>
#include <stdio.h>

struct simulator;

/* Loads the conversations, opens ledger and port, starts the first calls; all on the loop's
 * thread. Nothing is served before loop_run. On success the caller must simulator_destroy, after
 * which `options` is no longer used. */
int simulator_create(struct simulator **simulator, struct loop *loop, const struct options *options,
                     struct error *err);

uint16_t simulator_port(const struct simulator *simulator);

/* "listening on URL", and with --print-env what a client must export. */
void simulator_announce(const struct simulator *simulator, FILE *out);

/* Writes the last ledger lines and frees; reports why the simulator stopped if that, or writing
 * the ledger, was a failure. Accepts NULL. */
int simulator_destroy(struct simulator *simulator, struct error *err);

#endif
