/* session_traits.c - whose a call is and what is spoken in it. See session.h.
 *
 * A call in a language that the model does not know is followed like any other, for the rules
 * beside the mood, but not judged: its words are answered here as unscorable instead of going to
 * the scorer, and of what had been judged before its language was known nothing more is told. The
 * judgement itself goes on unaware, so that a call whose language is corrected is judged from then
 * on, by the words that are new then.
 *
 * Who said it last is right, but a transcript knows better than a list. */
#include "flow/session_internal.h"

#include "base/utf8.h"

#include <string.h>

bool session_is_judged(const struct session *session)
{
    return !session->unjudged;
}

uint32_t session_episode_open(const struct session *session)
{
    return session->unjudged ? 0 : call_episode_open(session->call);
}

bool session_reading(const struct session *session, struct call_reading *reading)
{
    return !session->unjudged && call_reading(session->call, reading);
}

/* Whether it is judged or not any more. */
static bool weigh_language(struct session *session, struct session_context *context)
{
    bool knows = language_set_knows(&context->options->languages, session->language);
    session_weigh_words(session, context);
    if (session->unjudged == !knows) {
        return false;
    }
    session->unjudged = !knows;
    session->unsaved = true;
    if (session->unjudged) {
        if (session->alert.path != CALL_ALERT_RULE) {
            session_withdraw_suggestion(session, context, "the model does not know its language");
        }
        attribute_outbox_forget(&session->attributes);
    }
    return true;
}

/* At most SESSION_QUEUE_BYTES - 1 bytes, whole characters. */
static bool take_queue(struct session *session, const char *queue)
{
    char taken[SESSION_QUEUE_BYTES];
    size_t bytes = strnlen(queue, sizeof taken - 1);
    memcpy(taken, queue, bytes);
    while (bytes > 0 && !utf8_is_valid(taken, bytes)) {
        bytes--;
    }
    taken[bytes] = '\0';
    bool is_news = strcmp(taken, session->queue) != 0;
    memcpy(session->queue, taken, sizeof taken);
    return is_news;
}

static bool take_language(struct session *session, const char *text)
{
    char taken[LANGUAGE_BYTES];
    bool is_news = language_read(text, taken) && strcmp(taken, session->language) != 0;
    if (is_news) {
        memcpy(session->language, taken, sizeof taken);
    }
    return is_news;
}

static void tell_traits(struct session *session, struct session_context *context)
{
    struct effect *note = session_note(session, context, NOTE_CALL_DESCRIBED);
    if (note) {
        note->queue = session->queue;
        note->language = session->language;
        note->judged = !session->unjudged;
    }
}

void session_weigh_language(struct session *session, struct session_context *context)
{
    if (weigh_language(session, context)) {
        tell_traits(session, context);
    }
}

void session_on_traits(struct session *session, struct session_context *context,
                       const struct session_traits *traits)
{
    bool is_news = traits->queue && take_queue(session, traits->queue);
    if (traits->language && !session->heard_language) {
        is_news = take_language(session, traits->language) || is_news;
    }
    if (is_news) {
        (void)weigh_language(session, context);
        tell_traits(session, context);
    }
}

void session_hear_language(struct session *session, struct session_context *context,
                           const char *text)
{
    char taken[LANGUAGE_BYTES];
    if (text && language_read(text, taken)) {
        session->heard_language = false;
        session_on_traits(session, context, &(struct session_traits){.language = taken});
        session->heard_language = true;
    }
}
