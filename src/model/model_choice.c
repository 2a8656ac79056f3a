/* model_choice.c - see model_choice.h. The lexicon is read at the start even if a model is used: it
 * is small, it takes what the model fails on later, and a missing list is found out now. */
#include "model/model_choice.h"

#include "model/model_cache.h"
#include "model/model_path.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

enum { SCRATCH_BYTES = 32 << 20, MIB = 1 << 20, PATHS_BYTES_MAX = 2 * PATH_MAX };

static bool ends_with(const char *name, const char *end)
{
    size_t size = strlen(name);
    return size >= strlen(end) && strcmp(name + size - strlen(end), end) == 0;
}

uint64_t model_choice_estimate_bytes(const char *directory)
{
    uint64_t safetensors = 0;
    uint64_t pickles = 0;
    DIR *folder = opendir(directory);
    if (!folder) {
        return 0;
    }
    for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
        struct stat status;
        bool is_tensors = ends_with(entry->d_name, ".safetensors");
        bool is_pickle =
            strncmp(entry->d_name, "pytorch_model", 13) == 0 && ends_with(entry->d_name, ".bin");
        if ((is_tensors || is_pickle) && fstatat(dirfd(folder), entry->d_name, &status, 0) == 0) {
            *(is_tensors ? &safetensors : &pickles) += (uint64_t)status.st_size;
        }
    }
    closedir(folder);
    uint64_t weights = safetensors > 0 ? safetensors : pickles; /* as the loader prefers */
    return weights > 0 ? weights + weights / 8 + SCRATCH_BYTES : 0;
}

static int check_memory(const char *directory, uint64_t room_bytes, struct error *err)
{
    uint64_t need_bytes = model_choice_estimate_bytes(directory);
    if (need_bytes <= room_bytes) {
        return 0;
    }
    return error_set(err, ERROR_MEMORY,
                     "%s: needs about %llu MiB and %llu MiB are available; give the process more "
                     "memory, use a smaller model, or name one in model.fallback",
                     directory, (unsigned long long)(need_bytes / MIB),
                     (unsigned long long)(room_bytes / MIB));
}

/* Whether the next of the list is to be tried after this. */
enum attempt { ATTEMPT_USED, ATTEMPT_NEXT, ATTEMPT_STOP };

static enum attempt try_model(struct model_choice *choice, const char *model,
                              const struct model_choice_options *options, struct error *err)
{
    if (model_path_find(model, &choice->directory, err)) {
        return ATTEMPT_STOP;
    }
    const char *directory = buf_string(&choice->directory);
    struct scorer_options with = options->scorer;
    model_cache_path(options->cache, directory, with.precision, &choice->packed);
    with.packed = choice->packed.size > 0 ? buf_string(&choice->packed) : NULL;
    int result = check_memory(directory, options->memory_bytes, err);
    result = result ? result : scorer_open(&choice->scorer, directory, &with, err);
    if (result) {
        return result == ERROR_MEMORY ? ATTEMPT_NEXT : ATTEMPT_STOP;
    }
    if (scorer_self_test(choice->scorer, err) == 0) {
        return ATTEMPT_USED;
    }
    scorer_close(choice->scorer);
    choice->scorer = NULL;
    return ATTEMPT_NEXT;
}

/* The lists lie beside the default model. */
static int open_lexicon(struct model_choice *choice, struct error *err)
{
    struct buf path;
    buf_init(&path, PATHS_BYTES_MAX);
    int result = model_path_find(NULL, &path, err);
    if (!result) {
        buf_append_string(&path, "/../lexicon");
        result = lexicon_open(&choice->lexicon, buf_string(&path), err);
    }
    buf_done(&path);
    return result ? error_wrap(err, "model: lexicon") : 0;
}

int model_choice_make(struct model_choice *choice, const struct model_choice_options *options,
                      struct error *err)
{
    size_t models = options->fallback_count;
    struct error reason = {0};
    *choice = (struct model_choice){0};
    buf_init(&choice->directory, PATHS_BYTES_MAX);
    buf_init(&choice->packed, PATHS_BYTES_MAX);
    if (models > 0 && strcmp(options->fallback[models - 1], MODEL_CHOICE_LEXICON) == 0) {
        models--;
        int result = open_lexicon(choice, err);
        if (result) {
            return result;
        }
    }
    if (options->model && strcmp(options->model, MODEL_CHOICE_LEXICON) == 0) {
        return choice->lexicon ? 0 : open_lexicon(choice, err);
    }
    enum attempt attempt = try_model(choice, options->model, options, &reason);
    for (size_t i = 0; i < models && attempt == ATTEMPT_NEXT; i++) {
        choice->degraded = true;
        choice->reason = reason;
        attempt = try_model(choice, options->fallback[i], options, &reason);
    }
    if (attempt == ATTEMPT_USED) {
        return 0;
    }
    if (attempt == ATTEMPT_NEXT && choice->lexicon) {
        choice->degraded = true;
        choice->reason = reason;
        return 0;
    }
    return error_set(err, reason.code, "model: %s", reason.message);
}

void model_choice_free(struct model_choice *choice)
{
    scorer_close(choice->scorer);
    lexicon_close(choice->lexicon);
    buf_done(&choice->directory);
    buf_done(&choice->packed);
    *choice = (struct model_choice){0};
}
