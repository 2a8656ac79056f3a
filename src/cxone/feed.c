/* feed.c - see feed.h.
 *
 * The paces are those of the vendor's own client: a heartbeat every 20 s, three without an answer
 * are the end, a new try after 2 s doubling to 60 s, all topics anew after each log-in. A call that
 * nobody asked about for two minutes is forgotten. */
#include "cxone/feed.h"

#include "base/language.h"

#include "base/keyhash.h"
#include "base/map.h"
#include "base/rand.h"
#include "cxone/feed_message.h"
#include "net/ws_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    HEARTBEAT_MS = 20000,
    HEARTBEATS_MISSED_MAX = 3,
    RETRY_MS = 2000,
    RETRY_MS_MAX = 60000,
    FORGET_MS = 120000,
    KEEP_MS = 300000,
    KEEP_MAX = 1000,
    KEEP_BYTES_MAX = 1024 * 1024, /* of text, per call */
    TOPICS_MAX = 20000,
    MESSAGE_BYTES_MAX = 256 * 1024,
    QUEUE_BYTES_MAX = 4 * 1024 * 1024,
};

struct topic {
    char id[CXONE_ID_BYTES_MAX + 1];
    struct segment *segments; /* in the order they came; their texts are owned */
    size_t count;
    size_t capacity;
    size_t bytes;
    struct mono asked;
    struct mono subscribed_at;
    char language[LANGUAGE_BYTES]; /* of the customer's newest segment that said one, or "" */
    bool requested;                /* on this connection, as is the next */
    bool subscribed;
    bool caught_up; /* a poll that left after that was answered */
};

struct feed {
    struct loop *loop;
    struct feed_options options;
    struct ws_client *socket; /* NULL while there is none */
    struct loop_timer *heartbeat;
    struct map topics;
    struct segment *reply; /* of the last feed_read */
    struct rand rand;
    struct mono next_try;
    unsigned failures;
    unsigned unanswered; /* heartbeats */
    bool logged_in;
};

static void feed_emit(const struct feed *feed, int64_t value, const char *text)
{
    const struct cxone_event event = {CXONE_EVENT_SOCKET, CXONE_TRANSCRIPTS, 0, value, text};
    if (feed->options.on_event) {
        feed->options.on_event(feed->options.event_user, &event);
    }
}

/* ---- topics ---- */

static void topic_drop_text(struct topic *topic, struct segment *segment)
{
    topic->bytes -= segment->text_bytes;
    free((char *)(uintptr_t)segment->text);
}

static void topic_drop_oldest(struct topic *topic, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        topic_drop_text(topic, &topic->segments[i]);
    }
    memmove(topic->segments, topic->segments + count,
            (topic->count - count) * sizeof *topic->segments);
    topic->count -= count;
}

static void topic_free(struct topic *topic)
{
    topic_drop_oldest(topic, topic->count);
    free(topic->segments);
    free(topic);
}

/* False where something had to go before its time: whoever did not read it must poll for it. */
static bool topic_forget_old(struct topic *topic, int64_t newest_end_ms)
{
    size_t old = 0;
    while (old < topic->count && topic->segments[old].end_ms < newest_end_ms - KEEP_MS) {
        old++;
    }
    if (old > 0) {
        topic_drop_oldest(topic, old);
    }
    bool whole = true;
    while (topic->count > 1 && (topic->count > KEEP_MAX || topic->bytes > KEEP_BYTES_MAX)) {
        topic_drop_oldest(topic, 1);
        whole = false;
    }
    return whole;
}

/* The place of a partial that this one replaces, or a new one at the end; NULL without memory. */
static struct segment *topic_place(struct topic *topic, const struct segment *segment)
{
    for (size_t i = topic->count; i > 0; i--) {
        struct segment *known = &topic->segments[i - 1];
        if (!known->is_final && known->speaker == segment->speaker &&
            known->start_ms == segment->start_ms) {
            topic_drop_text(topic, known);
            return known;
        }
    }
    if (topic->count == topic->capacity) {
        size_t capacity = topic->capacity == 0 ? 16 : topic->capacity * 2;
        struct segment *segments = realloc(topic->segments, capacity * sizeof *segments);
        if (!segments) {
            return NULL;
        }
        topic->segments = segments;
        topic->capacity = capacity;
    }
    return &topic->segments[topic->count++];
}

/* False where a segment was lost: this one for want of memory, or an old one for want of room. */
static bool topic_add(struct topic *topic, const struct segment *segment)
{
    char *text = malloc(segment->text_bytes + 1);
    struct segment *place = text ? topic_place(topic, segment) : NULL;
    if (!place) {
        free(text);
        return false;
    }
    memcpy(text, segment->text, segment->text_bytes);
    text[segment->text_bytes] = '\0';
    *place = *segment;
    place->text = text;
    place->id = NULL; /* of what a poll would say of it, only speaker and start are the same */
    place->id_bytes = 0;
    topic->bytes += segment->text_bytes;
    return topic_forget_old(topic, segment->end_ms);
}

static struct topic *feed_topic(struct feed *feed, const char *id)
{
    return map_get(&feed->topics, id, strlen(id));
}

static struct topic *feed_add_topic(struct feed *feed, const char *id)
{
    struct topic *topic = calloc(1, sizeof *topic);
    if (!topic || !cxone_profile_id_is_usable(id) ||
        !map_put(&feed->topics, id, strlen(id), topic)) {
        free(topic);
        return NULL;
    }
    memcpy(topic->id, id, strlen(id) + 1);
    return topic;
}

/* ---- the connection ---- */

static bool feed_send(struct feed *feed, const char *command, const char *contact_id)
{
    struct buf frame;
    const char *token = feed->options.token(feed->options.user);
    buf_init(&frame, MESSAGE_BYTES_MAX);
    bool sent = token && buf_reserve(&frame, strlen(token) + 512) &&
                feed_message_write(&frame, command, token, contact_id) &&
                ws_client_send(feed->socket, frame.bytes, frame.size);
    if (frame.bytes) {
        keyhash_wipe(frame.bytes, frame.capacity);
    }
    buf_done(&frame);
    return sent;
}

static void feed_lose(struct feed *feed, const char *why)
{
    char text[320];
    int64_t wait_ms = RETRY_MS;
    size_t position = 0;
    struct topic *topic;
    for (unsigned i = 0; i < feed->failures && wait_ms < RETRY_MS_MAX; i++) {
        wait_ms *= 2;
    }
    wait_ms = wait_ms < RETRY_MS_MAX ? wait_ms : RETRY_MS_MAX;
    wait_ms += (int64_t)rand_below(&feed->rand, (uint64_t)wait_ms / 4 + 1);
    feed->failures++;
    feed->logged_in = false;
    feed->next_try = mono_after_ms(loop_now(feed->loop), wait_ms);
    ws_client_destroy(feed->socket);
    feed->socket = NULL;
    loop_timer_stop(feed->heartbeat);
    while ((topic = map_next(&feed->topics, &position)) != NULL) {
        topic->requested = false;
        topic->subscribed = false;
        topic->caught_up = false;
    }
    (void)snprintf(
        text, sizeof text, "the transcript socket is not open: %s; next try in %lld ms%s", why,
        (long long)wait_ms, feed->options.socket->fallback ? ", until then calls are polled" : "");
    feed_emit(feed, 0, text);
}

static void on_open(void *user)
{
    struct feed *feed = user;
    feed->unanswered = 0;
    loop_timer_start(feed->heartbeat, HEARTBEAT_MS, HEARTBEAT_MS); /* the log-in's deadline, too */
    if (!feed_send(feed, "CONNECT", NULL)) {
        feed_lose(feed, "there is no token to log in with");
    }
}

static void on_closed(void *user, const char *why)
{
    feed_lose(user, why);
}

static void subscribe_all(struct feed *feed)
{
    size_t position = 0;
    struct topic *topic;
    while ((topic = map_next(&feed->topics, &position)) != NULL) {
        topic->requested = feed_send(feed, "SUBSCRIBE", topic->id);
    }
}

static void topic_note_subscribed(struct topic *topic, struct mono now)
{
    if (topic && topic->requested && !topic->subscribed) {
        topic->subscribed = true;
        topic->subscribed_at = now;
    }
}

/* Some servers do not say what was subscribed to: then it is everything asked for so far. */
static void note_subscribed(struct feed *feed, const char *contact_id)
{
    struct mono now = loop_now(feed->loop);
    size_t position = 0;
    struct topic *topic;
    if (contact_id[0]) {
        topic_note_subscribed(feed_topic(feed, contact_id), now);
        return;
    }
    while ((topic = map_next(&feed->topics, &position)) != NULL) {
        topic_note_subscribed(topic, now);
    }
}

static void note_language(struct topic *topic, const struct feed_message *message)
{
    if (topic && message->language && message->segment.speaker == SPEAKER_CUSTOMER) {
        (void)language_read(message->language, topic->language);
    }
}

static void take_message(struct feed *feed, const struct feed_message *message)
{
    struct topic *topic;
    switch (message->kind) {
    case FEED_MESSAGE_CONNECTED:
        feed->logged_in = true;
        feed->failures = 0;
        feed->unanswered = 0;
        loop_timer_start(feed->heartbeat, HEARTBEAT_MS, HEARTBEAT_MS);
        feed_emit(feed, 1, "the transcript socket is open");
        subscribe_all(feed);
        break;
    case FEED_MESSAGE_SUBSCRIBED:
        note_subscribed(feed, message->contact_id);
        break;
    case FEED_MESSAGE_HEARTBEAT_ACK:
        feed->unanswered = 0;
        break;
    case FEED_MESSAGE_SEGMENT:
        topic = feed_topic(feed, message->contact_id);
        note_language(topic, message);
        if (topic && !topic_add(topic, &message->segment)) {
            topic->caught_up = false; /* a poll finds it again */
            topic->subscribed_at = loop_now(feed->loop);
        }
        break;
    case FEED_MESSAGE_ERROR:
        feed_lose(feed, "the server answers with an error");
        break;
    case FEED_MESSAGE_OTHER:
        break;
    }
}

static void on_message(void *user, const char *bytes, size_t size)
{
    struct feed *feed = user;
    struct feed_message message;
    struct error err = {0};
    if (feed_message_parse(bytes, size, &message, &err)) {
        feed_lose(feed, err.message);
        return;
    }
    take_message(feed, &message);
    feed_message_done(&message);
}

static void forget_unasked(struct feed *feed)
{
    size_t position = 0;
    struct topic *topic;
    while ((topic = map_next(&feed->topics, &position)) != NULL) {
        if (mono_ms_between(topic->asked, loop_now(feed->loop)) > FORGET_MS) {
            (void)feed_send(feed, "UNSUBSCRIBE", topic->id);
            (void)map_remove(&feed->topics, topic->id, strlen(topic->id));
            topic_free(topic);
            position--; /* what follows has moved up */
        }
    }
}

static void on_heartbeat(void *user)
{
    struct feed *feed = user;
    if (!feed->logged_in) {
        feed_lose(feed, "the log-in was not answered");
        return;
    }
    if (feed->unanswered >= HEARTBEATS_MISSED_MAX) {
        feed_lose(feed, "three heartbeats were not answered");
        return;
    }
    feed->unanswered++;
    (void)feed_send(feed, "HEARTBEAT", NULL);
    forget_unasked(feed);
}

/* There is something to ask for and it is time. */
static void feed_connect(struct feed *feed)
{
    const struct cxone_socket *socket = feed->options.socket;
    struct error err = {0};
    if (feed->socket || !mono_reached(loop_now(feed->loop), feed->next_try) ||
        !feed->options.token(feed->options.user)) {
        return;
    }
    const struct ws_client_options options = {
        .url = socket->url,
        .ca_file = socket->ca_file,
        .proxy = socket->proxy,
        .connect_ms = feed->options.connect_ms,
        .message_bytes_max = MESSAGE_BYTES_MAX,
        .queue_bytes_max = QUEUE_BYTES_MAX,
        .on_open = on_open,
        .on_message = on_message,
        .on_closed = on_closed,
        .user = feed,
    };
    if (ws_client_create(&feed->socket, feed->loop, &options, &err)) {
        feed_lose(feed, err.message);
    }
}

/* ---- what the gateway asks ---- */

enum feed_answer feed_ask(struct feed *feed, const char *interaction_id)
{
    struct topic *topic = feed_topic(feed, interaction_id);
    feed_connect(feed);
    if (!topic) {
        topic = feed_add_topic(feed, interaction_id);
    }
    if (!topic) {
        return FEED_WAITS;
    }
    if (feed->logged_in && !topic->requested) {
        topic->requested = feed_send(feed, "SUBSCRIBE", topic->id);
    }
    topic->asked = loop_now(feed->loop);
    if (!feed->logged_in || !topic->subscribed) {
        return FEED_WAITS;
    }
    return topic->caught_up || !feed->options.socket->fallback ? FEED_ANSWERS : FEED_MISSES;
}

void feed_read(struct feed *feed, const char *interaction_id, int64_t start_ms,
               struct cxone_result *result)
{
    const struct topic *topic = feed_topic(feed, interaction_id);
    size_t count = topic ? topic->count : 0;
    struct segment *reply = realloc(feed->reply, (count + 1) * sizeof *reply);
    *result = (struct cxone_result){.outcome = CXONE_EMPTY, .retry_after_ms = -1, .reason = ""};
    if (!reply) {
        result->outcome = CXONE_FAILED;
        result->reason = "no memory for a transcript";
        return;
    }
    feed->reply = reply;
    for (size_t i = 0; i < count; i++) {
        if (topic->segments[i].end_ms >= start_ms) {
            reply[result->segment_count++] = topic->segments[i];
        }
    }
    result->segments = reply;
    result->language = topic && topic->language[0] ? topic->language : NULL;
    result->outcome = result->segment_count > 0 ? CXONE_OK : CXONE_EMPTY;
}

void feed_polled(struct feed *feed, const char *interaction_id, struct mono sent)
{
    struct topic *topic = feed_topic(feed, interaction_id);
    if (topic && topic->subscribed && mono_reached(sent, topic->subscribed_at)) {
        topic->caught_up = true;
    }
}

/* ---- life ---- */

int feed_create(struct feed **feed, struct loop *loop, const struct feed_options *options,
                struct error *err)
{
    *feed = NULL;
    struct feed *created = calloc(1, sizeof *created);
    if (!created) {
        return error_set(err, ERROR_MEMORY, "no memory for the transcript socket");
    }
    created->loop = loop;
    created->options = *options;
    created->next_try = loop_now(loop);
    rand_seed(&created->rand, options->seed);
    map_init(&created->topics, TOPICS_MAX);
    int result = loop_timer_create(loop, on_heartbeat, created, &created->heartbeat, err);
    if (result) {
        feed_destroy(created);
        return result;
    }
    *feed = created;
    return 0;
}

void feed_destroy(struct feed *feed)
{
    size_t position = 0;
    struct topic *topic;
    if (!feed) {
        return;
    }
    ws_client_destroy(feed->socket);
    loop_timer_destroy(feed->heartbeat);
    while ((topic = map_next(&feed->topics, &position)) != NULL) {
        topic_free(topic);
    }
    map_done(&feed->topics);
    free(feed->reply);
    free(feed);
}
