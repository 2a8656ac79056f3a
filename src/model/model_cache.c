/* model_cache.c - see model_cache.h. */
#include "model/model_cache.h"

#include "base/keyhash.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PATHS_BYTES_MAX = 2 * PATH_MAX, FOLDER_MODE = 0700 };

/* ---- where ---- */

static bool append_folder(const char *setting, struct buf *path)
{
    static const struct {
        const char *variable;
        const char *tail;
    } places[] = {
        {"CACHE_DIRECTORY", ""},
        {"XDG_CACHE_HOME", "/undertone"},
        {"HOME", "/.cache/undertone"},
    };
    if (strcmp(setting, MODEL_CACHE_OFF) == 0) {
        return false;
    }
    if (strcmp(setting, MODEL_CACHE_AUTO) != 0) {
        return *setting != '\0' && buf_append_string(path, setting);
    }
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        const char *value = getenv(places[i].variable);
        if (value && *value == '/') { /* systemd lists several with ':' between */
            return buf_append(path, value, strcspn(value, ":")) &&
                   buf_append_string(path, places[i].tail);
        }
    }
    return false;
}

void model_cache_path(const char *setting, const char *directory, enum scorer_precision precision,
                      struct buf *path)
{
    static const unsigned char key[KEYHASH_SHORT_KEY_BYTES] = "undertone models";
    char real[PATH_MAX];
    const char *variable = getenv("UNDERTONE_MODEL_CACHE");
    if (!setting) {
        setting = variable && *variable ? variable : MODEL_CACHE_AUTO;
    }
    buf_clear(path);
    if (!realpath(directory, real) || !append_folder(setting, path)) {
        buf_clear(path);
        return;
    }
    const char *name = strrchr(real, '/') + 1;
    buf_printf(path, "/%.64s-%s-%016llx.packed", name, scorer_precision_word(precision),
               (unsigned long long)keyhash_short(key, real, strlen(real)));
    if (path->failed) {
        buf_clear(path);
    }
}

int model_cache_open(struct scorer **scorer, const char *setting, const char *directory,
                     const struct scorer_options *options, struct error *err)
{
    struct scorer_options with = options ? *options : (struct scorer_options){0};
    struct buf path;
    buf_init(&path, PATHS_BYTES_MAX);
    model_cache_path(setting, directory, with.precision, &path);
    with.packed = path.size > 0 ? buf_string(&path) : NULL;
    int result = scorer_open(scorer, directory, &with, err);
    buf_done(&path);
    return result;
}

/* ---- writing ---- */

/* Makes the folders above a file that are missing. */
static int make_folders(const char *path, struct error *err)
{
    char folder[PATH_MAX];
    size_t size = strlen(path);
    if (size >= sizeof folder) {
        return error_set(err, ERROR_LIMIT, "the path of the packed model is too long");
    }
    memcpy(folder, path, size + 1);
    for (char *slash = strchr(folder + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(folder, FOLDER_MODE) != 0 && errno != EEXIST) {
            struct stat status;
            if (stat(folder, &status) != 0) { /* what is there may be read-only */
                return error_set(err, errno == EACCES ? ERROR_PERMISSION : ERROR_IO,
                                 "%s: cannot be made: %s", folder, strerror(errno));
            }
        }
        *slash = '/';
    }
    return 0;
}

int model_cache_write(const struct scorer *scorer, const char *directory, const char *path,
                      struct error *err)
{
    int result = make_folders(path, err);
    return result ? result : scorer_pack(scorer, directory, path, err);
}
