/* nlp/packed_partial.h - a packed file until it is complete: it lies beside its path under that
 * name and six letters more, and whoever writes it holds a lock on it. Those that a killed process
 * left behind hold none, and the next to write in that folder removes them. For packed.c.
 */
#ifndef NLP_PACKED_PARTIAL_H
#define NLP_PACKED_PARTIAL_H

#include "base/error.h"

/* Removes what was left behind in the folder of path, of other models too: regular files of this
 * user that are named NAME.packed.XXXXXX and that nobody has locked. Then makes one for path,
 * locked until fd is closed. *name is the caller's to free; on failure it is NULL and fd -1. */
int packed_partial_create(const char *path, char **name, int *fd, struct error *err);

#endif
