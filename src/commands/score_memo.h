/* commands/score_memo.h - answers of one model to texts it was asked before, so that a recording
 * can be judged many times and scored once. */
#ifndef COMMANDS_SCORE_MEMO_H
#define COMMANDS_SCORE_MEMO_H

#include "base/map.h"
#include "commands/replay.h"

struct score_memo {
    replay_score_fn *score; /* who is asked what is not known yet */
    void *user;
    struct map known; /* text -> struct scorer_result, owned */
};

void score_memo_init(struct score_memo *memo, replay_score_fn *score, void *user);
void score_memo_done(struct score_memo *memo); /* accepts an initialised one */

/* A replay_score_fn; user is the memo. */
int score_memo_run(void *user, const char *text, size_t size, struct scorer_result *result,
                   struct error *err);

#endif
