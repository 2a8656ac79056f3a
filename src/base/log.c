/* log.c - see log.h. A line is built on the stack-owned buffer and written in one call. */
#include "base/log.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/json_write.h"

#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

enum { LOG_LINE_BYTES_MAX = 16 * 1024 };

static const char *const level_names[] = {"debug", "info", "warn", "error"};

static atomic_uint_fast64_t dropped_lines;

static void write_field(struct json_writer *writer, const struct log_field *field)
{
    json_write_key(writer, field->key);
    switch (field->kind) {
    case LOG_KIND_INT:
        json_write_integer(writer, field->integer);
        break;
    case LOG_KIND_NUMBER:
        json_write_number(writer, field->number, 9);
        break;
    case LOG_KIND_TEXT:
        json_write_cstring(writer, field->text);
        break;
    }
}

void log_write_fields(const struct log *log, enum log_level level, const char *event,
                      const char *msg, const struct log_field *fields, size_t field_count)
{
    if (!log || level < log->level) {
        return;
    }
    struct buf line;
    struct json_writer writer;
    char when[WALL_TEXT_BYTES];
    buf_init(&line, LOG_LINE_BYTES_MAX);
    json_writer_init(&writer, &line);
    json_write_object_begin(&writer);
    json_write_member_text(&writer, "ts", wall_format(clock_wall(), when));
    json_write_member_text(&writer, "level", level_names[level]);
    json_write_member_text(&writer, "event", event);
    json_write_member_text(&writer, "msg", msg);
    for (size_t i = 0; i < field_count; i++) {
        write_field(&writer, &fields[i]);
    }
    json_write_object_end(&writer);
    buf_append_char(&line, '\n');
    if (line.failed || write(log->fd, line.bytes, line.size) != (ssize_t)line.size) {
        atomic_fetch_add(&dropped_lines, 1);
    }
    buf_done(&line);
}

uint64_t log_dropped(void)
{
    return atomic_load(&dropped_lines);
}

int log_level_parse(const char *name)
{
    for (int i = 0; i < (int)(sizeof level_names / sizeof level_names[0]); i++) {
        if (strcmp(name, level_names[i]) == 0) {
            return i;
        }
    }
    return -1;
}
