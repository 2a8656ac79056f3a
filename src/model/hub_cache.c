/* hub_cache.c - see hub_cache.h. Only looks; what writes into the cache is fetch.c. */
#include "model/hub_cache.h"

#include "base/lines.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char WORD_CHARACTERS[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

/* The hub's own rule for names: such a word is a safe file name. */
static bool is_word(const char *text, size_t size)
{
    return size > 0 && strspn(text, WORD_CHARACTERS) >= size && *text != '.' && *text != '-' &&
           !memchr(text, '\0', size);
}

static bool has_dots(const char *text)
{
    return strstr(text, "..") != NULL;
}

bool hub_cache_parse_name(const char *text, struct hub_cache_name *name)
{
    size_t size = strcspn(text, "@");
    const char *revision = text[size] == '@' ? text + size + 1 : "main";
    const char *slash = memchr(text, '/', size);
    size_t first = slash ? (size_t)(slash - text) : size;
    bool is_name = size < sizeof name->repository && is_word(text, first) &&
                   (!slash || is_word(slash + 1, size - first - 1)) &&
                   strlen(revision) < sizeof name->revision &&
                   is_word(revision, strlen(revision)) && !has_dots(revision);
    if (!is_name) {
        return false;
    }
    (void)snprintf(name->repository, sizeof name->repository, "%.*s", (int)size, text);
    (void)snprintf(name->revision, sizeof name->revision, "%s", revision);
    return !has_dots(name->repository);
}

int hub_cache_root(struct buf *path, struct error *err)
{
    static const struct {
        const char *variable;
        const char *tail;
    } places[] = {
        {"HF_HUB_CACHE", ""},
        {"HF_HOME", "/hub"},
        {"XDG_CACHE_HOME", "/huggingface/hub"},
        {"HOME", "/.cache/huggingface/hub"},
    };
    buf_clear(path);
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        const char *value = getenv(places[i].variable);
        if (value && *value) {
            return buf_printf(path, "%s%s", value, places[i].tail)
                       ? 0
                       : error_set(err, ERROR_CONFIG, "the path in %s is too long",
                                   places[i].variable);
        }
    }
    return error_set(err, ERROR_CONFIG, "there is no HOME for a model cache; set HF_HUB_CACHE");
}

int hub_cache_repository(const struct hub_cache_name *name, struct buf *path, struct error *err)
{
    int code = hub_cache_root(path, err);
    if (code != 0) {
        return code;
    }
    const char *slash = strchr(name->repository, '/');
    bool ok = slash ? buf_printf(path, "/models--%.*s--%s", (int)(slash - name->repository),
                                 name->repository, slash + 1)
                    : buf_printf(path, "/models--%s", name->repository);
    return ok ? 0 : error_set(err, ERROR_CONFIG, "the path of the model cache is too long");
}

static bool has_config(const struct buf *folder)
{
    char path[PATH_MAX];
    struct stat status;
    int size = snprintf(path, sizeof path, "%s/config.json", buf_string(folder));
    return size > 0 && size < (int)sizeof path && stat(path, &status) == 0;
}

/* The commit that refs/REVISION names; the revision itself when there is no such file. */
static void read_commit(const char *repository, struct hub_cache_name *name)
{
    char path[PATH_MAX];
    char *text = NULL;
    size_t size;
    struct error ignored;
    int wrote = snprintf(path, sizeof path, "%s/refs/%s", repository, name->revision);
    if (wrote < 0 || wrote >= (int)sizeof path ||
        lines_read_file(path, sizeof name->revision - 1, &text, &size, &ignored)) {
        return;
    }
    size_t commit = strcspn(text, "\r\n");
    if (is_word(text, commit)) {
        (void)snprintf(name->revision, sizeof name->revision, "%.*s", (int)commit, text);
    }
    free(text);
}

bool hub_cache_find(const struct hub_cache_name *name, struct buf *path)
{
    struct error ignored;
    struct hub_cache_name resolved = *name;
    if (hub_cache_repository(name, path, &ignored)) {
        return false;
    }
    read_commit(buf_string(path), &resolved);
    return buf_printf(path, "/snapshots/%s", resolved.revision) && has_config(path);
}
