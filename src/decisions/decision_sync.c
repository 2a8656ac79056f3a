/* decision_sync.c - see decision_sync.h. */
#include "decisions/decision_sync.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { GATHER_MS = 500 };

struct decision_sync {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int fds[DECISION_SYNC_FILES]; /* to be synced, ours; or -1 */
    bool ending;
};

static struct timespec soon(void)
{
    struct timespec when;
    (void)clock_gettime(CLOCK_REALTIME, &when);
    when.tv_nsec += GATHER_MS * 1000000L;
    if (when.tv_nsec >= 1000000000L) {
        when.tv_nsec -= 1000000000L;
        when.tv_sec++;
    }
    return when;
}

static bool is_asked(const struct decision_sync *sync)
{
    return sync->fds[DECISION_SYNC_CURRENT] >= 0 || sync->fds[DECISION_SYNC_FULL] >= 0;
}

static void bring(int fd)
{
    if (fd >= 0) {
        (void)fdatasync(fd);
        (void)close(fd);
    }
}

static void *run(void *user)
{
    struct decision_sync *sync = user;
    (void)pthread_mutex_lock(&sync->lock);
    for (;;) {
        while (!is_asked(sync) && !sync->ending) {
            (void)pthread_cond_wait(&sync->changed, &sync->lock);
        }
        if (!is_asked(sync)) {
            break;
        }
        struct timespec until = soon();
        while (!sync->ending && pthread_cond_timedwait(&sync->changed, &sync->lock, &until) == 0) {
        }
        int full = sync->fds[DECISION_SYNC_FULL];
        int current = sync->fds[DECISION_SYNC_CURRENT];
        sync->fds[DECISION_SYNC_FULL] = sync->fds[DECISION_SYNC_CURRENT] = -1;
        (void)pthread_mutex_unlock(&sync->lock);
        bring(full);
        bring(current);
        (void)pthread_mutex_lock(&sync->lock);
    }
    (void)pthread_mutex_unlock(&sync->lock);
    return NULL;
}

struct decision_sync *decision_sync_create(void)
{
    struct decision_sync *sync = calloc(1, sizeof *sync);
    if (!sync) {
        return NULL;
    }
    sync->fds[DECISION_SYNC_FULL] = sync->fds[DECISION_SYNC_CURRENT] = -1;
    (void)pthread_mutex_init(&sync->lock, NULL);
    (void)pthread_cond_init(&sync->changed, NULL);
    if (pthread_create(&sync->thread, NULL, run, sync) != 0) {
        (void)pthread_mutex_destroy(&sync->lock);
        (void)pthread_cond_destroy(&sync->changed);
        free(sync);
        return NULL;
    }
    return sync;
}

void decision_sync_ask(struct decision_sync *sync, enum decision_sync_file which, int fd)
{
    (void)pthread_mutex_lock(&sync->lock);
    if (which == DECISION_SYNC_FULL && sync->fds[DECISION_SYNC_CURRENT] >= 0) {
        (void)close(sync->fds[DECISION_SYNC_CURRENT]); /* the same file, before it was full */
        sync->fds[DECISION_SYNC_CURRENT] = -1;
    }
    if (sync->fds[which] < 0) {
        sync->fds[which] = dup(fd);
        (void)pthread_cond_signal(&sync->changed);
    }
    (void)pthread_mutex_unlock(&sync->lock);
}

void decision_sync_destroy(struct decision_sync *sync)
{
    if (!sync) {
        return;
    }
    (void)pthread_mutex_lock(&sync->lock);
    sync->ending = true;
    (void)pthread_cond_signal(&sync->changed);
    (void)pthread_mutex_unlock(&sync->lock);
    (void)pthread_join(sync->thread, NULL);
    (void)pthread_mutex_destroy(&sync->lock);
    (void)pthread_cond_destroy(&sync->changed);
    free(sync);
}
