/* daemon_wallboard.c - see daemon_wallboard.h.
 *
 * Each reader of /events is a stream and a revision. Once a second the board is refreshed and every
 * reader gets what changed since its revision, then the status. A reader whose buffer is full is
 * passed over: when it has caught up it gets the calls as they stand then. One that was away says
 * in Last-Event-ID where it stopped; the id begins with a random number of this run, because
 * revisions begin anew with each. The page takes the status as a sign of life, which is why there
 * are no comment lines for it.
 *
 * The page shows names of calls and is meant for one machine: a request that names another host
 * than a loopback one is refused while we listen on loopback only, so that no foreign page can
 * read it by pointing its own name here.
 */
#include "app/daemon_wallboard.h"

#include "app/assets.h"
#include "app/daemon_decisions.h"
#include "app/daemon_switch.h"
#include "app/wallboard_status.h"
#include "net/http_server_stream.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    READERS_MAX = 32,
    READER_BUFFER_BYTES = 256 * 1024,
    CHUNK_BYTES = 48 * 1024,       /* of items in one event */
    MESSAGE_BYTES_MAX = 64 * 1024, /* a chunk, one item more than it wanted, and the frame */
    SNAPSHOT_BYTES_MAX = 64 * 1024 * 1024,
    TICK_MS = 1000,
    CATCH_UP_MS = 20, /* while a reader still lacks part of the board */
    GONE_MAX = 4096,
};

struct reader {
    struct daemon_wallboard *wallboard;
    struct http_stream *stream; /* NULL: free */
    uint64_t revision;
    bool anew; /* what it holds is void: tell it so with the next items */
};

struct daemon_wallboard {
    struct daemon *daemon;
    struct wallboard *board;
    struct loop_timer *tick;
    struct loop_timer *catch_up;
    struct reader readers[READERS_MAX];
    struct buf message; /* scratch */
    uint32_t run;       /* tells the revisions of this run from those of others */
    bool loopback;
};

/* --- what readers are told ------------------------------------------------------------------- */

static void look_at_health(const struct daemon *daemon, struct wallboard_health *health)
{
    const struct config *config = daemon->config;
    struct switch_state writes = daemon_switch_effective(daemon);
    *health = (struct wallboard_health){
        .discovers = config->discover_mode != CONFIG_DISCOVER_FIXED,
        .discovery_pace = daemon_discovery_ms(daemon),
        .discovered = daemon->discovered,
        .discovered_ago = mono_ms_between(daemon->discovered_at, loop_now(daemon->loop)),
        .fixed_calls = config->interactions.count,
        .shadow = config->mode == CONFIG_MODE_SHADOW,
        .attributes_off = !writes.attributes,
        .suggestions_off = !writes.suggestions,
        .fuse_blown = pipeline_fuse(daemon->pipeline)->reason != FUSE_WHOLE,
        .scorer_behind = daemon->polls_held,
        .stopping = daemon->stopping,
        .takes_feedback = config->api_token[0] && daemon_decisions_is_on(daemon),
        .alert_below = config->alert_threshold,
    };
    cxone_status(daemon->cxone, &health->vendor);
}

static void append_status(struct daemon_wallboard *wallboard, struct buf *out)
{
    struct wallboard_health health;
    look_at_health(wallboard->daemon, &health);
    wallboard_status_write(wallboard->board, &health, daemon_now(wallboard->daemon), out);
}

/* Sends as much as the reader's buffer takes; true while it lacks something. */
static bool feed_items(struct reader *reader)
{
    struct daemon_wallboard *wallboard = reader->wallboard;
    struct buf *message = &wallboard->message;
    bool more = true;
    if (!wallboard_remembers(wallboard->board, reader->revision)) {
        reader->revision = 0;
        reader->anew = true;
    }
    while (more && (reader->anew || reader->revision < wallboard_revision(wallboard->board))) {
        uint64_t revision = reader->revision;
        buf_clear(message);
        buf_printf(message,
                   "event: items\ndata: {\"anew\":%s,\"items\":", reader->anew ? "true" : "false");
        more = wallboard_write_items(wallboard->board, &revision, CHUNK_BYTES, message);
        buf_printf(message, ",\"more\":%s}\nid: %08" PRIx32 "-%" PRIu64 "\n\n",
                   more ? "true" : "false", wallboard->run, revision);
        if (message->failed || !http_stream_write(reader->stream, message->bytes, message->size)) {
            return true;
        }
        reader->revision = revision;
        reader->anew = false;
    }
    return false;
}

/* A status that does not fit is left out: the next one is newer. */
static void feed_status(struct reader *reader, const struct buf *message)
{
    if (!message->failed) {
        (void)http_stream_write(reader->stream, message->bytes, message->size);
    }
}

static void feed_all(struct daemon_wallboard *wallboard)
{
    bool behind = false;
    for (size_t i = 0; i < READERS_MAX; i++) {
        if (wallboard->readers[i].stream) {
            behind |= feed_items(&wallboard->readers[i]);
        }
    }
    if (behind) {
        loop_timer_start(wallboard->catch_up, CATCH_UP_MS, 0);
    }
}

static void on_catch_up(void *user)
{
    feed_all(user);
}

static void refresh(struct daemon_wallboard *wallboard)
{
    struct call_now now = daemon_now(wallboard->daemon);
    struct session_view view;
    size_t position = 0;
    while (pipeline_next(wallboard->daemon->pipeline, &position, &view)) {
        wallboard_refresh(wallboard->board, now, &view);
    }
}

static void on_tick(void *user)
{
    struct daemon_wallboard *wallboard = user;
    struct buf *message = &wallboard->message;
    refresh(wallboard);
    feed_all(wallboard);
    buf_clear(message);
    buf_append_string(message, "event: status\ndata: ");
    append_status(wallboard, message);
    buf_append_string(message, "\n\n");
    for (size_t i = 0; i < READERS_MAX; i++) {
        if (wallboard->readers[i].stream) {
            feed_status(&wallboard->readers[i], message);
        }
    }
}

/* --- answering ------------------------------------------------------------------------------- */

static const struct http_header common_headers[] = {
    {"Content-Security-Policy", "default-src 'self'; base-uri 'none'; form-action 'none'; "
                                "frame-ancestors 'none'; object-src 'none'"},
    {"X-Content-Type-Options", "nosniff"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Cache-Control", "no-store"},
    {"Content-Type", ""}, /* the last: filled in */
};

enum { COMMON_HEADERS = sizeof common_headers / sizeof *common_headers };

static void fill_headers(struct http_header headers[COMMON_HEADERS], const char *type)
{
    memcpy(headers, common_headers, sizeof common_headers);
    headers[COMMON_HEADERS - 1].value = type;
}

static void reply(struct http_exchange *exchange, int status, const char *type, const void *body,
                  size_t body_bytes)
{
    struct http_header headers[COMMON_HEADERS];
    fill_headers(headers, type);
    http_exchange_reply(exchange, status, headers, COMMON_HEADERS, body, body_bytes);
}

static void reply_text(struct http_exchange *exchange, int status, const char *text)
{
    reply(exchange, status, "text/plain; charset=utf-8", text, strlen(text));
}

static void serve_calls(struct daemon_wallboard *wallboard, struct http_exchange *exchange)
{
    struct buf body;
    uint64_t revision = 0;
    buf_init(&body, SNAPSHOT_BYTES_MAX);
    refresh(wallboard);
    buf_append_string(&body, "{\"status\":");
    append_status(wallboard, &body);
    buf_append_string(&body, ",\"items\":");
    (void)wallboard_write_items(wallboard->board, &revision, SNAPSHOT_BYTES_MAX, &body);
    buf_append_string(&body, "}\n");
    if (body.failed) {
        reply_text(exchange, 500, "no memory for the list of calls\n");
    } else {
        reply(exchange, 200, "application/json", body.bytes, body.size);
    }
    buf_done(&body);
}

static void on_reader_gone(void *user)
{
    struct reader *reader = user;
    reader->stream = NULL;
}

/* Where the reader stopped, as far as it stopped in this run; otherwise it begins anew. */
static void place_reader(struct reader *reader, const char *last_id)
{
    uint32_t run = 0;
    uint64_t revision = 0;
    int end = 0;
    reader->revision = 0;
    reader->anew = true;
    if (last_id && sscanf(last_id, "%8" SCNx32 "-%20" SCNu64 "%n", &run, &revision, &end) == 2 &&
        last_id[end] == '\0' && run == reader->wallboard->run && revision > 0 &&
        wallboard_remembers(reader->wallboard->board, revision)) {
        reader->revision = revision;
        reader->anew = false;
    }
}

static void serve_events(struct daemon_wallboard *wallboard, struct http_exchange *exchange)
{
    static const char hello[] = "retry: 1000\n\n";
    struct http_header headers[COMMON_HEADERS];
    struct reader *reader = wallboard->readers;
    while (reader < wallboard->readers + READERS_MAX && reader->stream) {
        reader++;
    }
    if (reader == wallboard->readers + READERS_MAX) {
        reply_text(exchange, 503, "too many pages are open\n");
        return;
    }
    const char *last_id = http_exchange_header(exchange, "Last-Event-ID");
    reader->wallboard = wallboard;
    place_reader(reader, last_id ? last_id : http_exchange_query(exchange, "after"));
    fill_headers(headers, "text/event-stream");
    reader->stream = http_stream_begin(
        exchange, &(struct http_stream_options){.status = 200,
                                                .headers = headers,
                                                .header_count = COMMON_HEADERS,
                                                .buffer_bytes_max = READER_BUFFER_BYTES,
                                                .gone = on_reader_gone,
                                                .user = reader});
    if (!reader->stream) {
        return;
    }
    (void)http_stream_write(reader->stream, hello, sizeof hello - 1);
    loop_timer_start(wallboard->tick, 0, TICK_MS);
}

static bool serve_asset(struct http_exchange *exchange, const char *path)
{
    static const struct {
        const char *suffix;
        const char *type;
    } types[] = {
        {".html", "text/html; charset=utf-8"},
        {".css", "text/css; charset=utf-8"},
        {".js", "text/javascript; charset=utf-8"},
        {".svg", "image/svg+xml"},
    };
    const char *name = strcmp(path, "/") == 0 ? "index.html" : path + 1;
    const char *suffix = strrchr(name, '.');
    for (size_t i = 0; suffix && i < assets_count; i++) {
        if (strcmp(assets_all[i].name, name) != 0) {
            continue;
        }
        for (size_t j = 0; j < sizeof types / sizeof *types; j++) {
            if (strcmp(types[j].suffix, suffix) == 0) {
                reply(exchange, 200, types[j].type, assets_all[i].bytes, assets_all[i].size);
                return true;
            }
        }
    }
    return false;
}

static bool names_loopback(const char *host)
{
    static const char *const names[] = {"127.0.0.1", "localhost", "[::1]"};
    for (size_t i = 0; host && i < sizeof names / sizeof *names; i++) {
        size_t size = strlen(names[i]);
        if (strncmp(host, names[i], size) == 0 && (host[size] == '\0' || host[size] == ':')) {
            return true;
        }
    }
    return false;
}

bool daemon_wallboard_serve(struct daemon_wallboard *wallboard, struct http_exchange *exchange)
{
    const char *path = http_exchange_path(exchange);
    bool is_events = strcmp(path, "/events") == 0;
    if (wallboard->loopback && !names_loopback(http_exchange_header(exchange, "Host"))) {
        reply_text(exchange, 421, "ask for this page as http://127.0.0.1 or http://localhost\n");
    } else if (is_events && strcmp(http_exchange_method(exchange), "GET") == 0) {
        serve_events(wallboard, exchange);
    } else if (strcmp(path, "/api/calls") == 0) {
        serve_calls(wallboard, exchange);
    } else {
        return serve_asset(exchange, path);
    }
    return true;
}

/* --- life ------------------------------------------------------------------------------------ */

int daemon_wallboard_create(struct daemon_wallboard **wallboard, struct daemon *daemon,
                            struct error *err)
{
    struct daemon_wallboard *made = calloc(1, sizeof *made);
    *wallboard = made;
    if (!made) {
        return error_set(err, ERROR_MEMORY, "no memory for the wallboard");
    }
    made->daemon = daemon;
    made->loopback = names_loopback(daemon->config->http_listen);
    keyhash_random_bytes(&made->run, sizeof made->run);
    buf_init(&made->message, MESSAGE_BYTES_MAX);
    made->board = wallboard_create(
        (size_t)daemon->config->discover_max + daemon->config->interactions.count, GONE_MAX);
    if (!made->board) {
        return error_set(err, ERROR_MEMORY, "no memory for the wallboard");
    }
    int result = loop_timer_create(daemon->loop, on_catch_up, made, &made->catch_up, err);
    if (!result) {
        result = loop_timer_create(daemon->loop, on_tick, made, &made->tick, err);
    }
    if (!result) {
        loop_timer_start(made->tick, TICK_MS, TICK_MS);
    }
    return result;
}

void daemon_wallboard_destroy(struct daemon_wallboard *wallboard)
{
    if (!wallboard) {
        return;
    }
    for (size_t i = 0; i < READERS_MAX; i++) {
        http_stream_close(wallboard->readers[i].stream);
    }
    loop_timer_destroy(wallboard->tick);
    loop_timer_destroy(wallboard->catch_up);
    wallboard_destroy(wallboard->board);
    buf_done(&wallboard->message);
    free(wallboard);
}

static const char *find_words(void *user, const struct effect *note, const struct segment *said)
{
    const struct daemon_wallboard *wallboard = user;
    return pipeline_words(wallboard->daemon->pipeline, note->call, said);
}

void daemon_wallboard_note(struct daemon_wallboard *wallboard, const struct effect *note)
{
    if (wallboard) {
        bool wanted = wallboard->daemon->config->evidence_text == CONFIG_EVIDENCE_REDACTED;
        wallboard_show_words(wallboard->board, wanted ? find_words : NULL, wallboard);
        wallboard_note(wallboard->board, daemon_now(wallboard->daemon), note);
    }
}

void daemon_wallboard_answer(struct daemon_wallboard *wallboard, const struct score_answer *answer)
{
    if (wallboard && answer->scorable) {
        wallboard_scored(wallboard->board, daemon_now(wallboard->daemon),
                         answer->ticket.interaction_id, answer->ticket.end_ms);
    }
}

void daemon_wallboard_feedback(struct daemon_wallboard *wallboard, const char *interaction_id,
                               uint32_t alert, const char *word)
{
    if (wallboard) {
        wallboard_feedback(wallboard->board, interaction_id, alert, word);
    }
}
