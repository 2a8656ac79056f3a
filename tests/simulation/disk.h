/* disk.h - what the simulated disk keeps, as seen from outside the daemon. */
#ifndef TESTS_SIMULATION_DISK_H
#define TESTS_SIMULATION_DISK_H

#include <stddef.h>

void disk_erase(void);
size_t disk_live_calls(void); /* calls kept that are not over */
size_t disk_bytes(void);      /* of heads and pages */

#endif
