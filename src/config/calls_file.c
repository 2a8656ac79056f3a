/* calls_file.c - see calls_file.h. */
#include "config/calls_file.h"

#include "base/lines.h"
#include "cxone/profile.h"
#include "flow/session.h"
#include "store/store.h"

#include <string.h>
#include <sys/stat.h>

enum { LINE_BYTES_MAX = 4096 };

int calls_file_check_id(const char *id, struct error *err)
{
    struct buf url;
    int result = 0;
    for (const char *at = id; *at; at++) {
        if ((unsigned char)*at < 0x20 || *at == 0x7F) {
            return error_set(err, ERROR_FORMAT, "an interaction id holds no control characters");
        }
    }
    if (strlen(id) >= STORE_ID_BYTES) {
        return error_set(err, ERROR_FORMAT, "an interaction id has at most %d bytes",
                         STORE_ID_BYTES - 1);
    }
    buf_init(&url, 4 * STORE_ID_BYTES);
    if (cxone_profile_url("{id}", "", id, 0, &url, err)) {
        result = ERROR_FORMAT;
        if (err) {
            err->code = ERROR_FORMAT;
        }
    }
    buf_done(&url);
    return result;
}

int calls_file_check_queue(const char *queue, struct error *err)
{
    size_t bytes = strlen(queue);
    for (const char *at = queue; *at; at++) {
        if ((unsigned char)*at < 0x20 || *at == 0x7F) {
            return error_set(err, ERROR_FORMAT, "a queue's name holds no control characters");
        }
    }
    return bytes > 0 && bytes < SESSION_QUEUE_BYTES
               ? 0
               : error_set(err, ERROR_FORMAT, "a queue's name has 1 to %d bytes",
                           SESSION_QUEUE_BYTES - 1);
}

int calls_file_check_language(const char *language, struct error *err)
{
    char tag[LANGUAGE_BYTES];
    return language_read(language, tag)
               ? 0
               : error_set(err, ERROR_FORMAT, "a language is a tag such as en or de-AT");
}

/* What is on this line, in place; "" if nothing. */
static char *trim(char *line)
{
    size_t size = strlen(line);
    while (size > 0 && strchr(" \t\r", line[size - 1])) {
        line[--size] = '\0';
    }
    line += strspn(line, " \t");
    return *line == '#' ? line + size : line;
}

/* One of "queue=..." and "language=...". */
static int take_trait(struct calls_file_entry *entry, char *text, struct error *err)
{
    static const char queue[] = "queue=";
    static const char language[] = "language=";
    text = trim(text);
    if (strncmp(text, queue, sizeof queue - 1) == 0) {
        entry->queue = text + sizeof queue - 1;
        return calls_file_check_queue(entry->queue, err);
    }
    if (strncmp(text, language, sizeof language - 1) == 0) {
        entry->language = text + sizeof language - 1;
        return calls_file_check_language(entry->language, err);
    }
    return error_set(err, ERROR_FORMAT,
                     "behind a tab stands queue=NAME or language=TAG, nothing else");
}

static bool keep(struct buf *text, const char *value)
{
    return buf_append(text, value ? value : "", value ? strlen(value) + 1 : 1);
}

static int keep_entry(struct calls_file *list, const struct calls_file_entry *entry,
                      struct error *err)
{
    struct buf *text = &list->text;
    if (!keep(text, entry->id) || !keep(text, entry->queue) || !keep(text, entry->language)) {
        return error_set(err, ERROR_MEMORY, "no memory for the list of calls");
    }
    list->count++;
    return 0;
}

static int take_line(struct calls_file *list, const char *line, size_t bytes, size_t count_max,
                     struct error *err)
{
    char copy[LINE_BYTES_MAX + 1];
    if (memchr(line, '\0', bytes)) {
        return error_set(err, ERROR_FORMAT, "a NUL byte: this is not a list of ids");
    }
    memcpy(copy, line, bytes + 1);
    char *id = trim(copy);
    if (!*id) {
        return 0;
    }
    if (list->count == count_max) {
        return error_set(err, ERROR_LIMIT, "more than %zu calls (discover.max)", count_max);
    }
    struct calls_file_entry entry = {.id = id};
    int result = 0;
    for (char *tab = strchr(id, '\t'); tab && !result;) {
        char *next = strchr(tab + 1, '\t');
        *tab = '\0';
        if (next) {
            *next = '\0';
        }
        result = take_trait(&entry, tab + 1, err);
        tab = next;
    }
    (void)trim(id);
    result = result ? result : calls_file_check_id(id, err);
    return result ? result : keep_entry(list, &entry, err);
}

int calls_file_read(struct calls_file *list, const char *path, size_t count_max, struct error *err)
{
    struct lines *lines;
    const char *line;
    size_t bytes;
    *list = (struct calls_file){0};
    buf_init(&list->text,
             (count_max + 1) * (STORE_ID_BYTES + SESSION_QUEUE_BYTES + LANGUAGE_BYTES));
    int result = lines_open(&lines, path, LINE_BYTES_MAX, err);
    if (result) {
        return result;
    }
    int more;
    while (!result && (more = lines_next(lines, &line, &bytes, err)) != 0) {
        if (more < 0) {
            result = ERROR_FORMAT;
        } else if ((result = take_line(list, line, bytes, count_max, err)) != 0) {
            error_wrap(err, "%s:%zu", path, lines_number(lines));
        }
    }
    lines_close(lines);
    if (result) {
        calls_file_done(list);
    }
    return result;
}

void calls_file_done(struct calls_file *list)
{
    buf_done(&list->text);
    list->count = 0;
}

/* The text at *position, which moves behind it; NULL for an empty one. */
static const char *next_text(const struct calls_file *list, size_t *position)
{
    const char *text = list->text.bytes + *position;
    *position += strlen(text) + 1;
    return *text ? text : NULL;
}

bool calls_file_next(const struct calls_file *list, size_t *position,
                     struct calls_file_entry *entry)
{
    if (list->count == 0 || *position >= list->text.size) {
        return false;
    }
    entry->id = next_text(list, position);
    entry->queue = next_text(list, position);
    entry->language = next_text(list, position);
    return true;
}

bool calls_file_look(const char *path, struct calls_file_stamp *stamp)
{
    struct stat status;
    *stamp = (struct calls_file_stamp){0};
    if (stat(path, &status) != 0) {
        return false;
    }
    stamp->modified_ns =
        (int64_t)status.st_mtim.tv_sec * 1000000000 + (int64_t)status.st_mtim.tv_nsec;
    stamp->size = status.st_size;
    stamp->inode = (uint64_t)status.st_ino;
    return true;
}
