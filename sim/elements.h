/* elements.h - a reply's elements as JSON, and as the ledger counts them. */
#ifndef SIM_ELEMENTS_H
#define SIM_ELEMENTS_H

#include "base/json_write.h"
#include "sim/timeline.h"

/* The array that a reader gets, flaws and all. The language is said with each, unless it is "". */
void elements_write(const struct timeline *timeline, const struct timeline_reply *reply,
                    const char *language, struct json_writer *writer);

/* The members finals, flawed and partials of a ledger line. */
void elements_record(const struct timeline_reply *reply, struct json_writer *writer);

#endif
