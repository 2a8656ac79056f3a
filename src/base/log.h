/* log.h - one JSON object per line: ts, level, event, msg, then the fields given.
 *
 *     log_write(log, LOG_WARN, "poll_failed", "the transcript could not be fetched",
 *               LOG_TEXT("interaction", hash), LOG_INT("status", 503));
 *
 * `event` is a stable snake_case identifier that people grep and alert on. Only programs (app/,
 * sim/) log; lower rooms return errors and outcomes. Never pass transcript text, tokens or names:
 * interactions and utterances appear as keyed hashes (keyhash.h). Each line is one write(2), so
 * lines of several threads never mix.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stddef.h>
#include <stdint.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

struct log {
    int fd;
    enum log_level level; /* lines below it are dropped */
};

enum log_kind { LOG_KIND_INT, LOG_KIND_NUMBER, LOG_KIND_TEXT };

struct log_field {
    const char *key;
    enum log_kind kind;
    int64_t integer;
    double number;
    const char *text; /* NULL writes null */
};

#define LOG_INT(k, v) \
    ((struct log_field){.key = (k), .kind = LOG_KIND_INT, .integer = (int64_t)(v)})
#define LOG_NUMBER(k, v) ((struct log_field){.key = (k), .kind = LOG_KIND_NUMBER, .number = (v)})
#define LOG_TEXT(k, v)   ((struct log_field){.key = (k), .kind = LOG_KIND_TEXT, .text = (v)})

#define log_write(log, level, event, msg, ...)                                                \
    log_write_fields((log), (level), (event), (msg), (const struct log_field[]){__VA_ARGS__}, \
                     sizeof((const struct log_field[]){__VA_ARGS__}) / sizeof(struct log_field))

/* Thread-safe. A line that cannot be written is dropped and counted; log_dropped tells. */
void log_write_fields(const struct log *log, enum log_level level, const char *event,
                      const char *msg, const struct log_field *fields, size_t field_count);

uint64_t log_dropped(void);

/* "debug", "info", "warn", "error" to a level; -1 for anything else. */
int log_level_parse(const char *name);

#endif
