/* model_path.c - see model_path.h. A folder counts as a model when it holds a config.json; whether
 * it is a usable one is the scorer's to say. */
#include "model/model_path.h"

#include "model/hub_cache.h"

#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PLACES_MAX = 5 };

static bool is_directory(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* The folder of the running program; "." where the system does not tell. */
static const char *program_folder(char out[PATH_MAX])
{
    ssize_t size = readlink("/proc/self/exe", out, PATH_MAX - 1);
    out[size > 0 ? size : 0] = '\0';
    char *slash = strrchr(out, '/');
    if (!slash) {
        return ".";
    }
    *slash = '\0';
    return out;
}

/* Whether ROOT/NAME is a model; leaves its path in `path`, and notes the place in `looked`. */
static bool try_place(const char *root, const char *tail, const char *name, struct buf *path,
                      struct buf *looked)
{
    struct stat status;
    buf_clear(path);
    buf_printf(path, "%s%s/%s", root, tail, name);
    size_t size = path->size;
    buf_printf(looked, "%s%s", looked->size > 0 ? ", " : "", buf_string(path));
    bool found = buf_append_string(path, "/config.json") && stat(buf_string(path), &status) == 0;
    if (found) {
        path->size = size;
        path->bytes[size] = '\0';
    }
    return found;
}

static bool look_around(const char *name, struct buf *path, struct buf *looked)
{
    char folder[PATH_MAX];
    const char *program = program_folder(folder);
    const char *variable = getenv("UNDERTONE_MODELS");
    const struct {
        const char *root;
        const char *tail;
    } places[PLACES_MAX] = {
        {variable && *variable ? variable : NULL, ""},
        {".", "/models"},
        {program, "/../../models"},
        {program, "/../share/undertone/models"},
        {"/usr/share/undertone", "/models"},
    };
    for (size_t i = 0; i < PLACES_MAX; i++) {
        if (places[i].root && try_place(places[i].root, places[i].tail, name, path, looked)) {
            return true;
        }
    }
    return false;
}

/* A path is meant by what cannot be a model's name, and by what begins like one. */
static bool is_path(const char *model)
{
    struct hub_cache_name name;
    return *model == '/' || *model == '.' || is_directory(model) ||
           !hub_cache_parse_name(model, &name);
}

int model_path_find(const char *model, struct buf *path, struct error *err)
{
    const char *text = model && *model ? model : MODEL_PATH_DEFAULT_NAME;
    struct hub_cache_name name;
    int result = 0;
    struct buf looked;
    if (text == model && is_path(text)) {
        buf_clear(path);
        buf_append_string(path, text);
        return path->failed ? error_set(err, ERROR_CONFIG, "the model's path is too long") : 0;
    }
    buf_init(&looked, (PLACES_MAX + 1) * PATH_MAX);
    bool is_hub_name = strchr(text, '/') || strchr(text, '@');
    bool found = !is_hub_name && look_around(text, path, &looked);
    found = found || (hub_cache_parse_name(text, &name) && hub_cache_find(&name, path));
    if (!found && is_hub_name) {
        result = error_set(err, ERROR_CONFIG,
                           "no folder '%s', and no such model in the cache (%s); fetch it with "
                           "'undertone model fetch %s'",
                           text, buf_string(path), text);
    } else if (!found) {
        result = error_set(err, ERROR_CONFIG,
                           "no model '%s': give its folder, or set UNDERTONE_MODELS; looked at %s, "
                           "%s",
                           text, buf_string(&looked), buf_string(path));
    }
    buf_done(&looked);
    return result;
}
