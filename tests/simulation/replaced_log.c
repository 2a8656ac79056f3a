/* replaced_log.c - base/log.h into the ledger instead of a descriptor. */
#include "base/log.h"

#include "ledger.h"
#include "world.h"

#include <stdio.h>
#include <string.h>

static void trace_line(const char *event, const struct log_field *fields, size_t count)
{
    char line[400];
    size_t used = 0;
    line[0] = '\0';
    for (size_t i = 0; i < count && used < sizeof line; i++) {
        const struct log_field *field = &fields[i];
        int size = 0;
        if (strcmp(field->key, "pid") == 0) {
            continue; /* the one thing that no seed gives */
        }
        if (field->kind == LOG_KIND_TEXT) {
            size = snprintf(line + used, sizeof line - used, " %s=%.90s", field->key,
                            field->text ? field->text : "null");
        } else if (field->kind == LOG_KIND_INT) {
            size = snprintf(line + used, sizeof line - used, " %s=%lld", field->key,
                            (long long)field->integer);
        } else {
            size = snprintf(line + used, sizeof line - used, " %s=%.4g", field->key, field->number);
        }
        used += size > 0 ? (size_t)size : 0;
    }
    world_trace("log %s%s", event, line);
}

void log_write_fields(const struct log *log, enum log_level level, const char *event,
                      const char *msg, const struct log_field *fields, size_t field_count)
{
    (void)log;
    (void)level;
    (void)msg;
    if (world_act()) {
        trace_line(event, fields, field_count);
        ledger_note_line(event, fields, field_count);
    }
}

uint64_t log_dropped(void)
{
    return 0;
}
