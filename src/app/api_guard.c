/* api_guard.c - see api_guard.h. Hashes under a random key are compared, not tokens: neither how
 * much of a guess is right nor how long the token is shows in the time it takes. A wrong token
 * never locks out whoever has the right one. */
#include "app/api_guard.h"

#include <string.h>
#include <strings.h>

void api_guard_init(struct api_guard *guard, struct mono now)
{
    *guard = (struct api_guard){0};
    keyhash_random(&guard->key);
    limiter_init(&guard->requests, 50, 100, now);
    limiter_init(&guard->failures, 1, 10, now);
}

void api_guard_set_token(struct api_guard *guard, const char *token)
{
    guard->is_on = *token != '\0';
    keyhash_text(&guard->key, token, strlen(token), guard->expected);
}

static bool is_right(const struct api_guard *guard, const char *authorization)
{
    static const char scheme[] = "Bearer ";
    char given[KEYHASH_TEXT_BYTES];
    if (!authorization || strncasecmp(authorization, scheme, sizeof scheme - 1) != 0) {
        return false;
    }
    const char *token = authorization + sizeof scheme - 1;
    token += strspn(token, " ");
    keyhash_text(&guard->key, token, strlen(token), given);
    return keyhash_equal(given, guard->expected, sizeof given);
}

enum api_guard_verdict api_guard_check(struct api_guard *guard, const char *authorization,
                                       struct mono now)
{
    if (!guard->is_on) {
        return API_GUARD_OFF;
    }
    if (!is_right(guard, authorization)) {
        return limiter_take(&guard->failures, 0, now) ? API_GUARD_DENIED : API_GUARD_SLOW;
    }
    return limiter_take(&guard->requests, 0, now) ? API_GUARD_PASS : API_GUARD_SLOW;
}
