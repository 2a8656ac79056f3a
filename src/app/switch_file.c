/* switch_file.c - see switch_file.h. */
#include "app/switch_file.h"

#include "base/json.h"
#include "base/lines.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILE_BYTES_MAX = 4096 };

static int read_switch(const struct json *root, const char *name, bool *on)
{
    const char *text = json_as_string(json_get(root, name), NULL);
    *on = text && strcmp(text, "on") == 0;
    return text && (*on || strcmp(text, "off") == 0) ? 0 : ERROR_FORMAT;
}

int switch_file_read(const char *path, struct switch_state *state, struct error *err)
{
    struct json_document *document = NULL;
    char *text = NULL;
    size_t size;
    *state = (struct switch_state){true, true};
    if (access(path, F_OK) != 0 && errno == ENOENT) {
        return 0;
    }
    *state = (struct switch_state){false, false};
    int result = lines_read_file(path, FILE_BYTES_MAX, &text, &size, err);
    if (!result && (result = json_parse(text, size, &document, err)) != 0) {
        error_wrap(err, "%s", path);
    }
    const struct json *root = json_root(document);
    struct switch_state found;
    if (!result && (read_switch(root, "attributes", &found.attributes) ||
                    read_switch(root, "suggestions", &found.suggestions))) {
        result =
            error_set(err, ERROR_FORMAT, "%s: 'attributes' and 'suggestions' are on or off", path);
    }
    if (!result) {
        *state = found;
    }
    json_free(document);
    free(text);
    return result;
}

static int write_durably(const char *path, const char *text, struct error *err)
{
    size_t size = strlen(text);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool good = fd >= 0 && write(fd, text, size) == (ssize_t)size && fsync(fd) == 0;
    int reason = errno;
    if (fd >= 0) {
        good = close(fd) == 0 && good;
    }
    return good ? 0 : error_set(err, ERROR_IO, "%s cannot be written: %s", path, strerror(reason));
}

/* A name is durable when its folder is. */
static void sync_folder(const char *path)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    int size = slash ? snprintf(folder, sizeof folder, "%.*s/", (int)(slash - path), path)
                     : snprintf(folder, sizeof folder, ".");
    int fd = size > 0 && (size_t)size < sizeof folder ? open(folder, O_RDONLY | O_CLOEXEC) : -1;
    if (fd >= 0) {
        (void)fsync(fd);
        (void)close(fd);
    }
}

int switch_file_write(const char *path, const struct switch_state *state, struct error *err)
{
    char text[80];
    char beside[PATH_MAX];
    (void)snprintf(text, sizeof text, "{\"attributes\":\"%s\",\"suggestions\":\"%s\"}\n",
                   state->attributes ? "on" : "off", state->suggestions ? "on" : "off");
    if (snprintf(beside, sizeof beside, "%s.new", path) >= (int)sizeof beside) {
        return error_set(err, ERROR_IO, "%s: the name is too long", path);
    }
    int result = write_durably(beside, text, err);
    if (!result && rename(beside, path) != 0) {
        result = error_set(err, ERROR_IO, "%s cannot be replaced: %s", path, strerror(errno));
    }
    if (!result) {
        sync_folder(path);
    }
    return result;
}
