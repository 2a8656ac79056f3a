/* daemon_pack.c - keeps the packed model for the next start (model_cache.h). By a thread of its
 * own, so that the first answers do not wait for the disk: a scorer is immutable, and the thread
 * only reads it, writes one file, logs how it went and ends. */
#include "app/daemon_internal.h"

#include "base/clock.h"
#include "model/model_cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>

struct daemon_packer {
    pthread_t thread;
    const struct model_choice *model; /* outlives the thread */
    struct log log;
};

static void report_failure(const struct log *log, const char *reason)
{
    log_write(log, LOG_WARN, "model_pack_failed",
              "the packed model cannot be kept; starts go on packing anew (see model.cache)",
              LOG_TEXT("err", reason));
}

static void *pack(void *user)
{
    const struct daemon_packer *packer = user;
    const char *path = buf_string(&packer->model->packed);
    struct error err = {0};
    struct stat status;
    struct mono begun = clock_mono();
    if (model_cache_write(packer->model->scorer, buf_string(&packer->model->directory), path,
                          &err)) {
        report_failure(&packer->log, err.message);
        return NULL;
    }
    off_t bytes = stat(path, &status) == 0 ? status.st_size : 0;
    log_write(&packer->log, LOG_INFO, "model_packed", "the next start maps the packed model",
              LOG_TEXT("path", path), LOG_INT("bytes", bytes),
              LOG_NUMBER("dur_s", (double)mono_ms_between(begun, clock_mono()) / 1e3));
    return NULL;
}

void daemon_pack_start(struct daemon *daemon)
{
    const struct model_choice *model = &daemon->model;
    if (!model->scorer || scorer_is_packed(model->scorer) || model->packed.size == 0) {
        return;
    }
    const struct error *fault = scorer_packed_fault(model->scorer);
    if (fault && fault->code != ERROR_IO) {
        log_write(daemon->log, LOG_WARN, "packed_model_ignored",
                  "the packed model cannot be used and is made anew",
                  LOG_TEXT("err", fault->message));
    }
    struct daemon_packer *packer = calloc(1, sizeof *packer);
    if (packer) {
        packer->model = model;
        packer->log = *daemon->log;
    }
    if (!packer || pthread_create(&packer->thread, NULL, pack, packer) != 0) {
        report_failure(daemon->log, "no memory, or no thread to be had");
        free(packer);
        return;
    }
    daemon->packer = packer;
}

void daemon_pack_finish(struct daemon *daemon)
{
    if (daemon->packer) {
        (void)pthread_join(daemon->packer->thread, NULL);
        free(daemon->packer);
        daemon->packer = NULL;
    }
}
