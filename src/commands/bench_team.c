/* bench_team.c - see bench_team.h. Work is announced by a growing number rather than a flag, so
 * that a member can never take the same work twice. */
#include "commands/bench_team.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct member {
    struct bench_team *team;
    unsigned index;
    pthread_t thread;
};

struct bench_team {
    pthread_mutex_t mutex;
    pthread_cond_t work;
    pthread_cond_t idle;
    bench_team_fn *fn;
    void *user;
    unsigned long round;
    unsigned busy;
    bool stopping;
    unsigned started;
    struct member members[BENCH_TEAM_MAX];
};

static void *member_main(void *argument)
{
    struct member *member = argument;
    struct bench_team *team = member->team;
    unsigned long seen = 0;
    pthread_mutex_lock(&team->mutex);
    for (;;) {
        while (team->round == seen && !team->stopping) {
            pthread_cond_wait(&team->work, &team->mutex);
        }
        if (team->stopping) {
            break;
        }
        seen = team->round;
        pthread_mutex_unlock(&team->mutex);
        team->fn(team->user, member->index);
        pthread_mutex_lock(&team->mutex);
        if (--team->busy == 0) {
            pthread_cond_signal(&team->idle);
        }
    }
    pthread_mutex_unlock(&team->mutex);
    return NULL;
}

int bench_team_create(struct bench_team **team, unsigned count, struct error *err)
{
    *team = NULL;
    struct bench_team *created = calloc(1, sizeof *created);
    if (!created) {
        return error_set(err, ERROR_MEMORY, "no memory for the threads");
    }
    pthread_mutex_init(&created->mutex, NULL);
    pthread_cond_init(&created->work, NULL);
    pthread_cond_init(&created->idle, NULL);
    for (unsigned i = 0; i + 1 < count && i < BENCH_TEAM_MAX; i++) {
        struct member *member = &created->members[i];
        *member = (struct member){.team = created, .index = i + 1};
        int failure = pthread_create(&member->thread, NULL, member_main, member);
        if (failure) {
            bench_team_destroy(created);
            return error_set(err, ERROR_MEMORY, "cannot start a thread: %s", strerror(failure));
        }
        created->started++;
    }
    *team = created;
    return 0;
}

void bench_team_run(struct bench_team *team, bench_team_fn *fn, void *user)
{
    pthread_mutex_lock(&team->mutex);
    team->fn = fn;
    team->user = user;
    team->busy = team->started;
    team->round++;
    pthread_cond_broadcast(&team->work);
    pthread_mutex_unlock(&team->mutex);
    fn(user, 0);
    pthread_mutex_lock(&team->mutex);
    while (team->busy > 0) {
        pthread_cond_wait(&team->idle, &team->mutex);
    }
    pthread_mutex_unlock(&team->mutex);
}

void bench_team_destroy(struct bench_team *team)
{
    if (!team) {
        return;
    }
    pthread_mutex_lock(&team->mutex);
    team->stopping = true;
    pthread_cond_broadcast(&team->work);
    pthread_mutex_unlock(&team->mutex);
    for (unsigned i = 0; i < team->started; i++) {
        pthread_join(team->members[i].thread, NULL);
    }
    pthread_cond_destroy(&team->work);
    pthread_cond_destroy(&team->idle);
    pthread_mutex_destroy(&team->mutex);
    free(team);
}
