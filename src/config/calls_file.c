/* calls_file.c - see calls_file.h. */
#include "config/calls_file.h"

#include "base/lines.h"
#include "cxone/profile.h"
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

/* The id on this line, in place; "" if there is none. */
static const char *trim(char *line)
{
    size_t size = strlen(line);
    while (size > 0 && strchr(" \t\r", line[size - 1])) {
        line[--size] = '\0';
    }
    line += strspn(line, " \t");
    return *line == '#' ? "" : line;
}

static int take_line(struct calls_file *list, const char *line, size_t bytes, size_t count_max,
                     struct error *err)
{
    char copy[LINE_BYTES_MAX + 1];
    if (memchr(line, '\0', bytes)) {
        return error_set(err, ERROR_FORMAT, "a NUL byte: this is not a list of ids");
    }
    memcpy(copy, line, bytes + 1);
    const char *id = trim(copy);
    if (!*id) {
        return 0;
    }
    if (list->count == count_max) {
        return error_set(err, ERROR_LIMIT, "more than %zu calls (discover.max)", count_max);
    }
    int result = calls_file_check_id(id, err);
    if (!result && !buf_append(&list->text, id, strlen(id) + 1)) {
        result = error_set(err, ERROR_MEMORY, "no memory for the list of calls");
    }
    list->count += result ? 0 : 1;
    return result;
}

int calls_file_read(struct calls_file *list, const char *path, size_t count_max, struct error *err)
{
    struct lines *lines;
    const char *line;
    size_t bytes;
    *list = (struct calls_file){0};
    buf_init(&list->text, (count_max + 1) * STORE_ID_BYTES);
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

const char *calls_file_next(const struct calls_file *list, const char *id)
{
    const char *next = id ? id + strlen(id) + 1 : list->text.bytes;
    return list->count > 0 && next < list->text.bytes + list->text.size ? next : NULL;
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
