/* wallboard_status.c - see wallboard_status.h. Each trouble is said once, with what it means for
 * the numbers on the page and where to look; what follows from another trouble is left out. */
#include "app/wallboard_status.h"

#include "base/json_write.h"
#include "net/breaker.h"

#include <stdio.h>

enum { DISCOVERY_LATE_MS = 30000 };

static void say(struct json_writer *writer, const char *level, const char *code, const char *text)
{
    json_write_object_begin(writer);
    json_write_member_text(writer, "level", level);
    json_write_member_text(writer, "code", code);
    json_write_member_text(writer, "text", text);
    json_write_object_end(writer);
}

/* What stops working with each endpoint. */
static const char *consequence(enum cxone_operation operation)
{
    switch (operation) {
    case CXONE_TRANSCRIPTS:
        return "Calls are not followed; numbers get old.";
    case CXONE_ATTRIBUTES:
        return "Score and trend are not written to the calls.";
    case CXONE_SUGGESTIONS:
        return "Agents are not told of alerts; tell them yourself.";
    case CXONE_DISCOVERY:
        return "New calls are not seen.";
    case CXONE_TOKEN:
    case CXONE_OPERATIONS:
        break;
    }
    return "Nothing can be asked of the vendor.";
}

static void say_of_endpoint(struct json_writer *writer, const struct cxone_status *vendor,
                            enum cxone_operation operation)
{
    char code[48];
    char text[200];
    bool suspended = vendor->suspended[operation];
    if (!suspended && vendor->breaker[operation] == BREAKER_CLOSED) {
        return;
    }
    (void)snprintf(code, sizeof code, "%s_%s", cxone_operation_name(operation),
                   suspended ? "denied" : "failing");
    (void)snprintf(text, sizeof text, "%s %s (%s)",
                   suspended ? "The vendor denies us an endpoint: check the scope of our access."
                             : "The vendor fails again and again; we try less often.",
                   consequence(operation), cxone_operation_name(operation));
    say(writer, "error", code, text);
}

static void say_of_access(struct json_writer *writer, const struct cxone_status *vendor)
{
    if (vendor->credentials_rejected) {
        say(writer, "error", "credentials_rejected",
            "The vendor rejects our client id or secret. Nothing is read or written until that is "
            "mended.");
    } else if (!vendor->token_held) {
        say(writer, "error", "token_missing",
            "No access token is held. Numbers below do not change until the vendor gives one.");
    }
}

static void say_of_writes(struct json_writer *writer, const struct wallboard_health *health)
{
    if (health->shadow) {
        say(writer, "info", "shadow",
            "Shadow mode: calls are judged, but nothing is written to them and no agent is told.");
        return;
    }
    if (health->fuse_blown) {
        say(writer, "error", "fuse_blown",
            "Far too many alerts at once: no agent is told of any until the fuse is reset. Is the "
            "judgement right?");
    }
    if (health->attributes_off) {
        say(writer, "warn", "attributes_off",
            "Switched off: score and trend are not written to the calls.");
    }
    if (health->suggestions_off) {
        say(writer, "warn", "suggestions_off",
            "Switched off: agents are not told of alerts; tell them yourself.");
    }
}

static void write_troubles(struct json_writer *writer, const struct wallboard_health *health)
{
    json_write_array_begin(writer);
    if (health->stopping) {
        say(writer, "error", "stopping", "undertone is being stopped; calls are no longer read.");
    }
    say_of_access(writer, &health->vendor);
    for (int i = 0; i < CXONE_TOKEN; i++) {
        say_of_endpoint(writer, &health->vendor, (enum cxone_operation)i);
    }
    if (health->discovered &&
        health->discovered_ago >= DISCOVERY_LATE_MS + health->discovery_pace &&
        health->vendor.token_held && health->vendor.breaker[CXONE_DISCOVERY] == BREAKER_CLOSED &&
        !health->vendor.suspended[CXONE_DISCOVERY]) {
        say(writer, "warn", "discovery_late",
            "The list of live calls was not read when it should have been. New calls are not "
            "seen.");
    }
    if (health->scorer_behind) {
        say(writer, "warn", "scorer_behind",
            "The model cannot keep up with so many calls: scores come late, none is dropped.");
    }
    say_of_writes(writer, health);
    json_write_array_end(writer);
}

static void write_counts(struct json_writer *writer, const struct wallboard_counts *counts)
{
    const struct {
        const char *key;
        int64_t value;
    } members[] = {
        {"calls_live", (int64_t)counts->calls_live},
        {"alerts_open", (int64_t)counts->alerts_open},
        {"alerts_recent", (int64_t)counts->alerts},
        {"scored_recent", (int64_t)counts->scored},
        {"scored_prompt", (int64_t)counts->scored_prompt},
        {"oldest_data_ms", counts->oldest_data_ms},
    };
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        json_write_member_integer(writer, members[i].key, members[i].value);
    }
}

/* What an empty page tells its reader to check. */
static void write_checks(struct json_writer *writer, const struct wallboard_health *health)
{
    json_write_member_boolean(writer, "token_held", health->vendor.token_held);
    json_write_member_boolean(writer, "discovers", health->discovers);
    json_write_member_boolean(writer, "discovered", health->discovered);
    json_write_member_integer(writer, "discovered_ago_ms",
                              health->discovered ? health->discovered_ago : 0);
    json_write_member_integer(writer, "fixed_calls", (int64_t)health->fixed_calls);
}

void wallboard_status_write(const struct wallboard *board, const struct wallboard_health *health,
                            struct call_now now, struct buf *out)
{
    struct json_writer writer;
    struct wallboard_counts counts;
    wallboard_count(board, now, &counts);
    json_writer_init(&writer, out);
    json_write_object_begin(&writer);
    json_write_member_integer(&writer, "now_ms", now.vendor_ms);
    json_write_member_boolean(&writer, "takes_feedback", health->takes_feedback);
    json_write_member_number(&writer, "alert_below", health->alert_below, 4);
    write_counts(&writer, &counts);
    write_checks(&writer, health);
    json_write_key(&writer, "troubles");
    write_troubles(&writer, health);
    json_write_object_end(&writer);
}
