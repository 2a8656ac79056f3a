/* daemon_calls.c - see daemon_calls.h.
 *
 * The file is looked at every discover.interval and read when it has changed; a file that cannot be
 * read or is wrong changes nothing and is told once. What there was no room for is tried again at
 * the same pace. */
#include "app/daemon_calls.h"

#include "config/calls_file.h"

#include <stdlib.h>
#include <string.h>

enum source { SOURCE_CONFIG = 1, SOURCE_FILE = 2, SOURCE_REQUEST = 4, SOURCE_WEBHOOK = 8 };

/* What ends with the call, while the configuration and its file go on naming it. */
enum { SOURCES_OF_ONE_CALL = SOURCE_REQUEST | SOURCE_WEBHOOK };

struct named {
    unsigned sources;
    bool told; /* the pipeline has been told of it */
    uint64_t round;
    char id[STORE_ID_BYTES];
    char queue[SESSION_QUEUE_BYTES]; /* as last said here, or "" */
    char language[LANGUAGE_BYTES];
};

struct daemon_calls {
    struct daemon *daemon;
    struct map by_id; /* struct named */
    struct loop_timer *timer;
    struct calls_file_stamp stamp; /* of the file as last read */
    bool file_failing;
    uint64_t round;
};

static struct named *find(const struct daemon_calls *calls, const char *id)
{
    return map_get(&calls->by_id, id, strlen(id));
}

static void forget(struct daemon_calls *calls, struct named *named)
{
    free(map_remove(&calls->by_id, named->id, strlen(named->id)));
}

static struct session_traits traits_of(const struct named *named)
{
    return (struct session_traits){named->queue[0] ? named->queue : NULL,
                                   named->language[0] ? named->language : NULL};
}

/* False if both are as they were. Texts have been checked to fit. */
static bool take_traits(struct named *named, const char *queue, const char *language)
{
    bool is_news = (queue && strcmp(queue, named->queue) != 0) ||
                   (language && strcmp(language, named->language) != 0);
    if (queue) {
        memcpy(named->queue, queue, strlen(queue) + 1);
    }
    if (language) {
        memcpy(named->language, language, strlen(language) + 1);
    }
    return is_news;
}

/* To a call that is followed already. */
static void tell_traits(struct daemon_calls *calls, const struct named *named)
{
    struct pipeline_event event = {
        .kind = PIPELINE_CALL_LISTED, .interaction_id = named->id, .traits = traits_of(named)};
    if (event.traits.queue || event.traits.language) {
        daemon_step(calls->daemon, &event);
    }
}

static enum daemon_calls_answer follow(struct daemon_calls *calls, struct named *named,
                                       const char *master_id)
{
    struct daemon *daemon = calls->daemon;
    struct session_view view;
    struct pipeline_event event = {.kind = PIPELINE_CALL_LISTED,
                                   .interaction_id = named->id,
                                   .traits = traits_of(named),
                                   .master_id = master_id};
    if (pipeline_look(daemon->pipeline, named->id, &view)) {
        named->told = view.live;
        tell_traits(calls, named);
        return view.live ? DAEMON_CALLS_ALREADY : DAEMON_CALLS_BUSY;
    }
    if (!daemon_list_call(daemon, &event)) {
        return DAEMON_CALLS_BUSY;
    }
    named->told = pipeline_follows(daemon->pipeline, named->id);
    return named->told ? DAEMON_CALLS_DONE : DAEMON_CALLS_FULL;
}

/* NULL without memory or room. */
static struct named *name(struct daemon_calls *calls, const char *id, enum source source)
{
    struct named *named = find(calls, id);
    size_t bytes = strlen(id);
    if (!named) {
        named = bytes < sizeof named->id ? calloc(1, sizeof *named) : NULL;
        if (!named || !map_put(&calls->by_id, id, bytes, named)) {
            free(named);
            return NULL;
        }
        memcpy(named->id, id, bytes + 1);
    }
    named->sources |= source;
    named->round = calls->round;
    return named;
}

/* One source less; a call that none is left for is over. */
static void drop(struct daemon_calls *calls, struct named *named, enum source source)
{
    struct session_view view;
    struct daemon *daemon = calls->daemon;
    named->sources &= ~(unsigned)source;
    if (named->sources) {
        return;
    }
    bool over = named->told && pipeline_look(daemon->pipeline, named->id, &view) && !view.listed;
    forget(calls, named);
    if (over) {
        struct pipeline_event event = {.kind = PIPELINE_CALL_GONE,
                                       .interaction_id = view.interaction_id,
                                       .end_reason = END_REASON_REMOVED};
        daemon_step(daemon, &event);
    }
}

/* Those of this source that the round just ended did not name. */
static void drop_unnamed(struct daemon_calls *calls, enum source source)
{
    size_t position = 0;
    size_t count = 0;
    struct named **gone = calloc(calls->by_id.count + 1, sizeof(struct named *));
    struct named *named;
    while (gone && (named = map_next(&calls->by_id, &position))) {
        if ((named->sources & source) && named->round != calls->round) {
            gone[count++] = named;
        }
    }
    for (size_t i = 0; i < count; i++) {
        drop(calls, gone[i], source);
    }
    free(gone);
}

static void take_name(struct daemon_calls *calls, const struct calls_file_entry *entry,
                      enum source source)
{
    struct named *named = name(calls, entry->id, source);
    bool is_news = named && take_traits(named, entry->queue, entry->language);
    if (named && !named->told) {
        (void)follow(calls, named, NULL);
    } else if (is_news) {
        tell_traits(calls, named);
    }
}

static void take_configured(struct daemon_calls *calls)
{
    const struct config_list *list = &calls->daemon->config->interactions;
    calls->round++;
    for (size_t i = 0; i < list->count; i++) {
        take_name(calls, &(struct calls_file_entry){.id = list->items[i]}, SOURCE_CONFIG);
    }
    drop_unnamed(calls, SOURCE_CONFIG);
}

static void report_file(struct daemon_calls *calls, const struct error *err)
{
    if (!calls->file_failing) {
        log_write(calls->daemon->log, LOG_WARN, "calls_file_failed",
                  "the file of calls cannot be used; the calls it named before stay",
                  LOG_TEXT("err", err->message));
    }
    calls->file_failing = true;
}

static void take_file(struct daemon_calls *calls, const char *path)
{
    struct daemon *daemon = calls->daemon;
    struct calls_file list;
    struct error err;
    if (calls_file_read(&list, path, (size_t)daemon->config->discover_max, &err)) {
        report_file(calls, &err);
        return;
    }
    calls->file_failing = false;
    calls->round++;
    size_t position = 0;
    struct calls_file_entry entry;
    while (calls_file_next(&list, &position, &entry)) {
        take_name(calls, &entry, SOURCE_FILE);
    }
    drop_unnamed(calls, SOURCE_FILE);
    log_write(daemon->log, LOG_INFO, "calls_file_read", "the file of calls was taken over",
              LOG_INT("calls", list.count));
    calls_file_done(&list);
}

static void look_at_file(struct daemon_calls *calls)
{
    const char *path = calls->daemon->config->discover_file;
    struct calls_file_stamp stamp;
    struct error err;
    if (!path[0]) {
        calls->round++;
        drop_unnamed(calls, SOURCE_FILE);
        calls->stamp = (struct calls_file_stamp){0};
    } else if (!calls_file_look(path, &stamp)) {
        error_set(&err, ERROR_IO, "%s is not there or may not be read", path);
        report_file(calls, &err);
    } else if (memcmp(&stamp, &calls->stamp, sizeof stamp) != 0) {
        calls->stamp = stamp;
        take_file(calls, path);
    }
}

static void retry_untold(struct daemon_calls *calls)
{
    size_t position = 0;
    struct named *named;
    while ((named = map_next(&calls->by_id, &position))) {
        if (!named->told && follow(calls, named, NULL) == DAEMON_CALLS_FULL) {
            return;
        }
    }
}

static void on_timer(void *user)
{
    struct daemon_calls *calls = user;
    if (!calls->daemon->stopping) {
        look_at_file(calls);
        retry_untold(calls);
    }
}

void daemon_calls_refresh(struct daemon *daemon)
{
    struct daemon_calls *calls = daemon->calls;
    take_configured(calls);
    if (daemon->config->discover_mode == CONFIG_DISCOVER_FIXED) {
        calls->round++;
        drop_unnamed(calls, SOURCE_WEBHOOK);
    }
    calls->stamp = (struct calls_file_stamp){0};
    look_at_file(calls);
    loop_timer_start(calls->timer, daemon->config->discover_interval_ms,
                     daemon->config->discover_interval_ms);
}

bool daemon_calls_names(const struct daemon *daemon, const char *interaction_id)
{
    return find(daemon->calls, interaction_id) != NULL;
}

/* --- requests -------------------------------------------------------------------------------- */

enum daemon_calls_answer daemon_calls_add(struct daemon *daemon, const char *interaction_id,
                                          const char *master_id,
                                          const struct session_traits *traits)
{
    struct daemon_calls *calls = daemon->calls;
    struct named *named = name(calls, interaction_id, SOURCE_REQUEST);
    if (!named) {
        return DAEMON_CALLS_FULL;
    }
    (void)take_traits(named, traits->queue, traits->language);
    enum daemon_calls_answer answer = follow(calls, named, master_id);
    if (answer == DAEMON_CALLS_FULL || answer == DAEMON_CALLS_BUSY) {
        drop(calls, named, SOURCE_REQUEST); /* whoever asked is told, and asks again */
    }
    return answer;
}

enum daemon_calls_answer daemon_calls_remove(struct daemon *daemon, const char *interaction_id)
{
    struct daemon_calls *calls = daemon->calls;
    struct named *named = find(calls, interaction_id);
    struct session_view view;
    if (!pipeline_look(daemon->pipeline, interaction_id, &view) || !view.live) {
        return DAEMON_CALLS_UNKNOWN;
    }
    if (view.listed || (named && (named->sources & ~(unsigned)SOURCE_REQUEST))) {
        return DAEMON_CALLS_LISTED;
    }
    /* One that an earlier run was asked to follow is known to the pipeline only. */
    named = named ? named : name(calls, interaction_id, SOURCE_REQUEST);
    if (!named) {
        return DAEMON_CALLS_FULL;
    }
    named->told = true;
    drop(calls, named, SOURCE_REQUEST);
    return DAEMON_CALLS_DONE;
}

void daemon_calls_closed(struct daemon *daemon, const char *interaction_id)
{
    struct named *named = find(daemon->calls, interaction_id);
    bool over = named && named->told; /* else it was named anew, and waits to be followed again */
    if (over && (named->sources &= ~(unsigned)SOURCES_OF_ONE_CALL) == 0) {
        forget(daemon->calls, named);
    }
}

/* --- the vendor's webhook -------------------------------------------------------------------- */

enum daemon_calls_answer daemon_calls_announce(struct daemon *daemon, const char *interaction_id,
                                               const char *master_id,
                                               const struct session_traits *traits)
{
    struct daemon_calls *calls = daemon->calls;
    struct named *named = name(calls, interaction_id, SOURCE_WEBHOOK);
    if (!named) {
        return DAEMON_CALLS_FULL;
    }
    (void)take_traits(named, calls_file_check_queue(traits->queue, NULL) ? NULL : traits->queue,
                      calls_file_check_language(traits->language, NULL) ? NULL : traits->language);
    enum daemon_calls_answer answer = follow(calls, named, master_id);
    if (answer == DAEMON_CALLS_FULL) {
        drop(calls, named, SOURCE_WEBHOOK); /* the sender is told, and posts again */
    }
    return answer;
}

bool daemon_calls_end(struct daemon *daemon, const char *interaction_id)
{
    struct named *named = find(daemon->calls, interaction_id);
    struct session_view view;
    bool live = pipeline_look(daemon->pipeline, interaction_id, &view) && view.live;
    (void)roster_ended(&daemon->roster, interaction_id);
    if (named && !named->told) {
        drop(daemon->calls, named, SOURCE_WEBHOOK);
    }
    if (live) {
        struct pipeline_event event = {.kind = PIPELINE_CALL_GONE,
                                       .interaction_id = interaction_id,
                                       .end_reason = END_REASON_DISCOVERY};
        daemon_step(daemon, &event);
    }
    return live;
}

/* --- life ------------------------------------------------------------------------------------ */

int daemon_calls_create(struct daemon *daemon, struct error *err)
{
    struct daemon_calls *calls = calloc(1, sizeof *calls);
    daemon->calls = calls;
    if (!calls) {
        return error_set(err, ERROR_MEMORY, "no memory for the list of calls");
    }
    calls->daemon = daemon;
    map_init(&calls->by_id, (size_t)daemon->config->discover_max * 2 + 1024);
    return loop_timer_create(daemon->loop, on_timer, calls, &calls->timer, err);
}

void daemon_calls_destroy(struct daemon_calls *calls)
{
    if (!calls) {
        return;
    }
    size_t position = 0;
    struct named *named;
    while ((named = map_next(&calls->by_id, &position))) {
        free(named);
    }
    map_done(&calls->by_id);
    loop_timer_destroy(calls->timer);
    free(calls);
}
