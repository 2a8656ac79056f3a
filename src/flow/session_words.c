/* session_words.c - the redacted words that one session holds, from the reply that brought them to
 * the mask, language or policy that takes them away. See words.h. What goes out with an alert is
 * looked up when it is told, not when it arose: what was masked meanwhile is not told. */
#include "flow/session_internal.h"

/* Redaction of what is spoken knows English only (docs/REDACTION.md). */
static bool may_hold(const struct session *session, const struct session_context *context)
{
    static const struct language_set english = {.tags = {"en"}, .count = 1};
    return context->options->keep_words && language_set_knows(&english, session->language);
}

void session_weigh_words(struct session *session, struct session_context *context)
{
    if (session->words && !may_hold(session, context)) {
        words_destroy(session->words);
        session->words = NULL;
        (void)session_note(session, context, NOTE_WORDS_DROPPED);
    }
}

void session_keep_words(struct session *session, struct session_context *context,
                        const struct segment *segments, size_t count)
{
    const struct mood_policy *mood = &context->options->mood;
    if (!may_hold(session, context)) {
        return;
    }
    if (!session->words) {
        session->words =
            words_create(mood->identity_key, mood->window_widest_ms + mood->lateness_ms);
    }
    bool good = session->words && words_take(session->words, session->call, segments, count);
    context->effects->failed = context->effects->failed || !good;
}

void session_mask_words(struct session *session, struct session_context *context, int64_t from_ms)
{
    if (!session->words) {
        return;
    }
    words_wipe(session->words, from_ms, INT64_MAX);
    struct effect *note = session_note(session, context, NOTE_WORDS_DROPPED);
    if (note) {
        note->start_ms = from_ms;
    }
}

const char *session_words(const struct session *session, const struct segment *said)
{
    return words_find(session->words, said->speaker, said->start_ms, said->end_ms);
}

size_t session_words_bytes(const struct session *session)
{
    return words_bytes(session->words);
}
