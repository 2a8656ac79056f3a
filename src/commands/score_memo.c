/* score_memo.c - see score_memo.h. */
#include "commands/score_memo.h"

#include <stdlib.h>

enum { KNOWN_MAX = 1 << 20 };

void score_memo_init(struct score_memo *memo, replay_score_fn *score, void *user)
{
    *memo = (struct score_memo){.score = score, .user = user};
    map_init(&memo->known, KNOWN_MAX);
}

void score_memo_done(struct score_memo *memo)
{
    size_t position = 0;
    for (void *known = map_next(&memo->known, &position); known;
         known = map_next(&memo->known, &position)) {
        free(known);
    }
    map_done(&memo->known);
}

int score_memo_run(void *user, const char *text, size_t size, struct scorer_result *result,
                   struct error *err)
{
    struct score_memo *memo = user;
    const struct scorer_result *known = map_get(&memo->known, text, size);
    if (known) {
        *result = *known;
        return 0;
    }
    int failed = memo->score(memo->user, text, size, result, err);
    struct scorer_result *copy = failed ? NULL : malloc(sizeof *copy);
    if (copy) {
        *copy = *result;
        if (!map_put(&memo->known, text, size, copy)) {
            free(copy); /* it is asked again, that is all */
        }
    }
    return failed;
}
