/* model/memory_room.h - how much memory this process may still take before something is killed. */
#ifndef MODEL_MEMORY_ROOM_H
#define MODEL_MEMORY_ROOM_H

#include <stdbool.h>
#include <stdint.h>

/* The least of what the kernel calls available and what each enclosing control group (version 2, or
 * 1 for the memory controller) leaves up to its limit, page cache that can be dropped counted as
 * room. `root` stands before /proc and /sys: "" but in tests. False where the system tells
 * nothing. */
bool memory_room_read(const char *root, uint64_t *bytes);

#endif
