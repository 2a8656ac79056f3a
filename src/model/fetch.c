/* fetch.c - see fetch.h. The order makes every moment safe: a blob gets its name only when it is
 * whole and checked, a link only when its blob is there, refs/REVISION only when all links are.
 * Whoever reads the cache meanwhile sees the old model or the new one.
 *
 * Large files bear their SHA-256 as their tag; small ones git's own hash, which serves as a name
 * only: of those the size is checked.
 */
#include "model/fetch.h"

#include "base/json.h"
#include "base/sha256.h"
#include "model/hub_client.h"
#include "model/progress.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    LIST_BYTES_MAX = 16 << 20,
    FILES_MAX = 600,
    FILE_NAME_BYTES = 128,
    COMMIT_BYTES = 64,
    TRIES_MAX = 5,
};

struct fetch {
    const struct fetch_options *options;
    struct hub_client *client;
    struct buf repository; /* the model's folder in the cache */
    char commit[COMMIT_BYTES + 1];
    char files[FILES_MAX][FILE_NAME_BYTES];
    size_t file_count;
    struct error *err;
};

static int fail_path(const struct fetch *f, const char *path, const char *what)
{
    return error_set(f->err, ERROR_IO, "%s: %s: %s", path, what, strerror(errno));
}

/* A path below the model's folder in the cache. */
static int cache_path(const struct fetch *f, char out[PATH_MAX], const char *folder,
                      const char *name)
{
    int size = snprintf(out, PATH_MAX, "%s/%s%s%s", buf_string(&f->repository), folder,
                        *name ? "/" : "", name);
    return size > 0 && size < PATH_MAX
               ? 0
               : error_set(f->err, ERROR_CONFIG, "the path of the model cache is too long");
}

/* Makes the folder and those above it. */
static int make_folders(const struct fetch *f, const char *path)
{
    char part[PATH_MAX];
    (void)snprintf(part, sizeof part, "%s", path);
    for (char *at = part + 1;; at++) {
        char was = *at;
        if (was == '/' || was == '\0') {
            *at = '\0';
            if (mkdir(part, 0777) != 0 && errno != EEXIST) {
                return fail_path(f, part, "cannot be made");
            }
            *at = was;
        }
        if (was == '\0') {
            return 0;
        }
    }
}

/* ---- what to fetch ---- */

static bool starts_and_ends(const char *name, const char *start, const char *end)
{
    size_t size = strlen(name);
    size_t start_bytes = strlen(start);
    size_t end_bytes = strlen(end);
    return size >= start_bytes + end_bytes && memcmp(name, start, start_bytes) == 0 &&
           strcmp(name + size - end_bytes, end) == 0;
}

static bool list_holds(const struct json *files, const char *wanted)
{
    for (size_t i = 0; i < json_size(files); i++) {
        const char *name = json_as_string(json_get(json_at(files, i), "rfilename"), NULL);
        if (name && strcmp(name, wanted) == 0) {
            return true;
        }
    }
    return false;
}

static void want(struct fetch *f, const char *name)
{
    if (f->file_count < FILES_MAX && strlen(name) < FILE_NAME_BYTES && !strchr(name, '/') &&
        !strstr(name, "..")) {
        (void)snprintf(f->files[f->file_count++], FILE_NAME_BYTES, "%s", name);
    }
}

/* Weights in the first form there is, in the order in which nlp/weights.h looks for them. */
static int want_weights(struct fetch *f, const struct json *files)
{
    static const struct {
        const char *name;
        const char *shard_start; /* NULL: a single file */
        const char *shard_end;
    } forms[] = {
        {"model.safetensors", NULL, NULL},
        {"model.safetensors.index.json", "model-", ".safetensors"},
        {"pytorch_model.bin", NULL, NULL},
        {"pytorch_model.bin.index.json", "pytorch_model-", ".bin"},
    };
    for (size_t form = 0; form < sizeof forms / sizeof forms[0]; form++) {
        if (!list_holds(files, forms[form].name)) {
            continue;
        }
        want(f, forms[form].name);
        for (size_t i = 0; forms[form].shard_start && i < json_size(files); i++) {
            const char *name = json_as_string(json_get(json_at(files, i), "rfilename"), NULL);
            if (name && starts_and_ends(name, forms[form].shard_start, forms[form].shard_end)) {
                want(f, name);
            }
        }
        return 0;
    }
    return error_set(f->err, ERROR_UNSUPPORTED,
                     "%s has no weights this program reads: neither safetensors nor "
                     "pytorch_model.bin",
                     f->options->name.repository);
}

static int choose_files(struct fetch *f, const struct json *root)
{
    static const char *const small[] = {"config.json",
                                        "tokenizer.json",
                                        "tokenizer_config.json",
                                        "special_tokens_map.json",
                                        "added_tokens.json",
                                        "vocab.txt",
                                        "vocab.json",
                                        "merges.txt",
                                        "sentencepiece.bpe.model",
                                        "model.yaml"};
    const struct json *files = json_get(root, "siblings");
    const char *commit = json_as_string(json_get(root, "sha"), NULL);
    if (!commit || strlen(commit) > COMMIT_BYTES || *commit == '\0' ||
        strspn(commit, "0123456789abcdef") != strlen(commit)) {
        return error_set(f->err, ERROR_FORMAT,
                         "the hub's answer names no commit; is HF_ENDPOINT "
                         "a model hub?");
    }
    (void)snprintf(f->commit, sizeof f->commit, "%s", commit);
    if (!list_holds(files, "config.json")) {
        return error_set(f->err, ERROR_UNSUPPORTED, "%s has no config.json: it is no checkpoint",
                         f->options->name.repository);
    }
    for (size_t i = 0; i < sizeof small / sizeof small[0]; i++) {
        if (list_holds(files, small[i])) {
            want(f, small[i]);
        }
    }
    return want_weights(f, files);
}

static int ask_files(struct fetch *f)
{
    char path[PATH_MAX];
    struct buf body;
    struct json_document *document = NULL;
    buf_init(&body, LIST_BYTES_MAX);
    (void)snprintf(path, sizeof path, "/api/models/%s/revision/%s", f->options->name.repository,
                   f->options->name.revision);
    int code = hub_client_get(f->client, path, &body, f->err);
    code = code ? code : json_parse(buf_string(&body), body.size, &document, f->err);
    code = code ? code : choose_files(f, json_root(document));
    json_free(document);
    buf_done(&body);
    return code;
}

/* ---- one file ---- */

struct download {
    int fd;
    int64_t offset; /* where the next byte goes */
    int64_t total;
    int write_errno;
    bool asked_anew; /* the server answers a range with the whole file */
    struct progress progress;
};

static bool take_bytes(void *user, int status, const char *bytes, size_t size)
{
    struct download *d = user;
    if (status == 200 && d->asked_anew) {
        d->asked_anew = false;
        d->offset = 0;
        if (ftruncate(d->fd, 0) != 0) {
            d->write_errno = errno;
            return false;
        }
    }
    if (d->total >= 0 && d->offset + (int64_t)size > d->total) {
        return false; /* more than was announced: not what was announced */
    }
    while (size > 0) {
        ssize_t wrote = pwrite(d->fd, bytes, size, d->offset);
        if (wrote < 0 && errno != EINTR) {
            d->write_errno = errno;
            return false;
        }
        if (wrote > 0) {
            bytes += wrote;
            size -= (size_t)wrote;
            d->offset += wrote;
        }
    }
    progress_show(&d->progress, d->offset);
    return true;
}

static void wait_before(int attempt)
{
    const struct timespec pause = {.tv_sec = 1 << attempt};
    (void)nanosleep(&pause, NULL);
}

/* Until the file is whole. A try that brought something makes the count of tries begin anew. */
static int download_all(const struct fetch *f, const char *url, struct download *d)
{
    for (int attempt = 0;; attempt++) {
        int64_t before = d->offset;
        d->asked_anew = before > 0;
        if (d->total >= 0 && d->offset == d->total) {
            return 0;
        }
        int code = hub_client_download(f->client, url, before, take_bytes, d, f->err);
        if (d->write_errno) {
            errno = d->write_errno;
            return error_set(f->err, ERROR_IO, "the model cache %s cannot be written: %s",
                             buf_string(&f->repository), strerror(errno));
        }
        if (code == 0) {
            return 0;
        }
        attempt = d->offset > before ? -1 : attempt;
        if (!f->err->retriable || attempt + 1 >= TRIES_MAX) {
            return code;
        }
        if (attempt >= 0) {
            wait_before(attempt);
        }
    }
}

static bool is_sha256(const char *etag)
{
    return strlen(etag) == SHA256_TEXT_BYTES - 1 &&
           strspn(etag, "0123456789abcdef") == SHA256_TEXT_BYTES - 1;
}

static int check_blob(const struct fetch *f, const char *name, const char *path,
                      const struct hub_client_reply *told, int64_t size)
{
    char hash[SHA256_TEXT_BYTES];
    int code = 0;
    if (told->size >= 0 && size != told->size) {
        code = error_set(f->err, ERROR_FORMAT,
                         "%s: %lld bytes came, but the hub announced %lld; try again", name,
                         (long long)size, (long long)told->size);
    } else if (is_sha256(told->etag)) {
        code = sha256_file(path, hash, f->err);
        if (code == 0 && strcmp(hash, told->etag) != 0) {
            code =
                error_set(f->err, ERROR_FORMAT,
                          "%s: its SHA-256 is %.16s..., but the hub announced %.16s...; what came "
                          "was thrown away, try again",
                          name, hash, told->etag);
        }
    }
    if (code == ERROR_FORMAT) {
        (void)unlink(path);
    }
    return code;
}

static int fetch_blob(const struct fetch *f, const char *name, const char *url,
                      const struct hub_client_reply *told, const char *blob)
{
    char part[PATH_MAX];
    int size = snprintf(part, sizeof part, "%s.incomplete", blob);
    if (size < 0 || size >= (int)sizeof part) {
        return error_set(f->err, ERROR_CONFIG, "the path of the model cache is too long");
    }
    struct download d = {.total = told->size};
    d.fd = open(part, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (d.fd < 0) {
        return fail_path(f, part, "cannot be made");
    }
    int code = 0;
    if (flock(d.fd, LOCK_EX | LOCK_NB) != 0) {
        code = error_set(f->err, ERROR_IO, "%s: another program is fetching this file", part);
        goto out;
    }
    d.offset = lseek(d.fd, 0, SEEK_END);
    if (d.offset < 0 || (d.total >= 0 && d.offset > d.total) || d.total < 0) {
        d.offset = 0;
        if (ftruncate(d.fd, 0) != 0) {
            code = fail_path(f, part, "cannot be emptied");
            goto out;
        }
    }
    d.progress.on = false;
    if (!f->options->quiet) {
        progress_begin(&d.progress, name, d.offset, d.total);
    }
    code = download_all(f, url, &d);
    progress_end(&d.progress, d.offset);
    code = code ? code : check_blob(f, name, part, told, d.offset);
    if (code == 0 && (fsync(d.fd) != 0 || rename(part, blob) != 0)) {
        code = fail_path(f, blob, "cannot be written");
    }
out:
    (void)close(d.fd);
    return code;
}

/* A relative link, so that the cache can be moved. */
static int link_file(const struct fetch *f, const char *name, const char *etag)
{
    char link[PATH_MAX];
    char target[PATH_MAX];
    char folder[COMMIT_BYTES + 16];
    (void)snprintf(folder, sizeof folder, "snapshots/%s", f->commit);
    (void)snprintf(target, sizeof target, "../../blobs/%s", etag);
    int code = cache_path(f, link, folder, name);
    if (code != 0) {
        return code;
    }
    (void)unlink(link);
    return symlink(target, link) == 0 ? 0 : fail_path(f, link, "cannot be made");
}

static int fetch_file(const struct fetch *f, const char *name)
{
    char url[PATH_MAX];
    char blob[PATH_MAX];
    struct hub_client_reply told;
    struct stat status;
    (void)snprintf(url, sizeof url, "/%s/resolve/%s/%s", f->options->name.repository, f->commit,
                   name);
    int code = hub_client_look(f->client, url, &told, f->err);
    if (code != 0) {
        return code;
    }
    if (!told.etag[0]) {
        return error_set(f->err, ERROR_FORMAT, "%s: the hub states no hash (ETag) for it", name);
    }
    code = cache_path(f, blob, "blobs", told.etag);
    if (code != 0) {
        return code;
    }
    bool is_there = stat(blob, &status) == 0 && (told.size < 0 || status.st_size == told.size);
    code = is_there ? 0 : fetch_blob(f, name, url, &told, blob);
    if (code == 0 && !f->options->quiet) {
        (void)fprintf(stderr, "%s  %s\n", is_there ? "kept   " : "fetched", name);
    }
    return code ? code : link_file(f, name, told.etag);
}

/* ---- the model ---- */

/* By renaming, so that a reader finds the old commit or the new one. */
static int write_ref(const struct fetch *f)
{
    char path[PATH_MAX];
    char fresh[PATH_MAX];
    int code = cache_path(f, path, "refs", f->options->name.revision);
    code = code ? code : cache_path(f, fresh, "refs", ".undertone");
    if (code != 0 || strcmp(f->commit, f->options->name.revision) == 0) {
        return code;
    }
    FILE *file = fopen(fresh, "we");
    if (!file) {
        return fail_path(f, fresh, "cannot be made");
    }
    bool ok = fputs(f->commit, file) >= 0;
    ok = fclose(file) == 0 && ok;
    return ok && rename(fresh, path) == 0 ? 0 : fail_path(f, path, "cannot be written");
}

static int fetch_all(struct fetch *f, struct buf *folder)
{
    static const char *const kinds[] = {"blobs", "refs"};
    char path[PATH_MAX];
    int code = hub_cache_repository(&f->options->name, &f->repository, f->err);
    code = code ? code : ask_files(f);
    for (size_t i = 0; i < 2 && code == 0; i++) {
        code = cache_path(f, path, kinds[i], "");
        code = code ? code : make_folders(f, path);
    }
    code = code ? code : cache_path(f, path, "snapshots", f->commit);
    code = code ? code : make_folders(f, path);
    for (size_t i = 0; i < f->file_count && code == 0; i++) {
        code = fetch_file(f, f->files[i]);
    }
    code = code ? code : write_ref(f);
    if (code == 0) {
        buf_clear(folder);
        buf_append_string(folder, path);
    }
    return code;
}

int fetch_model(const struct fetch_options *options, struct buf *folder, struct error *err)
{
    const struct hub_client_options hub = {options->endpoint, options->token};
    struct error ignored;
    struct fetch *f = calloc(1, sizeof *f);
    if (!f) {
        return error_set(err, ERROR_MEMORY, "no memory to fetch a model");
    }
    f->options = options;
    f->err = err ? err : &ignored;
    buf_init(&f->repository, PATH_MAX);
    int code = hub_client_create(&f->client, &hub, f->err);
    code = code ? code : fetch_all(f, folder);
    hub_client_destroy(f->client);
    buf_done(&f->repository);
    free(f);
    return code;
}
