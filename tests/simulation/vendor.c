/* vendor.c - see vendor.h. Answers requests as the tutorial's contract says, with the faults that
 * are in force, and writes down what it did. */
#include "vendor.h"

#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN_AFTER_END_MS = 12000, REPLY_BYTES_MAX = 16 * 1024 * 1024 };

struct vendor *the_vendor;

/* --- calls ----------------------------------------------------------------------------------- */

struct vendor_call *vendor_call_named(struct vendor *vendor, const char *id)
{
    unsigned number;
    char rest;
    if (sscanf(id, "call-%u%c", &number, &rest) != 1 || number >= vendor->count) {
        return NULL;
    }
    return &vendor->calls[number];
}

bool vendor_is_live(const struct vendor_call *call)
{
    int64_t now_ms = world_vendor_ms();
    return call->begins_ms <= now_ms && now_ms < call->ends_ms;
}

const struct call_span *vendor_span_at(const struct vendor_call *call, int64_t at_ms)
{
    uint32_t i = call->span_count - 1;
    while (i > 0 && call->spans[i].from_ms > at_ms) {
        i--;
    }
    return &call->spans[i];
}

struct form *vendor_form_at(struct utterance *utterance, int64_t at_ms)
{
    for (unsigned i = utterance->form_count; i > 0; i--) {
        if (utterance->forms[i - 1].visible_ms <= at_ms) {
            return &utterance->forms[i - 1];
        }
    }
    return NULL;
}

bool vendor_parse_text(const char *text, uint32_t *call, uint32_t *number, uint32_t *form,
                       int32_t *score)
{
    return sscanf(text, "u %u %u %u %d", call, number, form, score) == 4;
}

/* --- transcripts ----------------------------------------------------------------------------- */

struct part {
    const struct utterance *utterance;
    const struct form *form; /* NULL: still a partial */
};

static void write_part(const struct vendor *vendor, const struct vendor_call *call,
                       const struct part *part, struct buf *out)
{
    const struct utterance *utterance = part->utterance;
    const struct form *form = part->form;
    int64_t end_ms = form ? form->end_ms : utterance->start_ms + 500;
    (void)buf_printf(out, "%s{\"text\":\"", out->size > 1 ? "," : "");
    if (form) {
        (void)buf_printf(out, "u %u %u %u %d", (unsigned)(call - vendor->calls),
                         (unsigned)(utterance - call->utterances),
                         (unsigned)(form - utterance->forms), (int)form->score);
    } else {
        (void)buf_append_string(out, "partial");
    }
    (void)buf_printf(out,
                     "\",\"startTime\":%lld,\"endTime\":%lld,\"direction\":\"%s\","
                     "\"isFinal\":%s}",
                     (long long)utterance->start_ms, (long long)end_ms,
                     utterance->customer ? "customer" : "agent", form ? "true" : "false");
}

/* The first utterance that starts at a time or later. */
static uint32_t first_from(const struct vendor_call *call, int64_t start_ms)
{
    uint32_t low = 0;
    uint32_t high = call->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (call->utterances[middle].start_ms < start_ms) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

enum { PARTS_MAX = 4096 };

static size_t collect_parts(const struct vendor *vendor, struct vendor_call *call, int64_t start_ms,
                            struct part *parts)
{
    int64_t now_ms = world_vendor_ms();
    size_t count = 0;
    for (uint32_t i = first_from(call, start_ms); i < call->count; i++) {
        struct utterance *utterance = &call->utterances[i];
        const struct form *form = vendor_form_at(utterance, now_ms);
        if (utterance->start_ms > now_ms || count + 2 > PARTS_MAX) {
            break;
        }
        if (form || (utterance->partial && utterance->start_ms + 500 <= now_ms)) {
            parts[count++] = (struct part){utterance, form};
            if (world_chance(vendor->plan->duplicate_share)) {
                parts[count] = parts[count - 1];
                count++;
            }
        }
    }
    return count;
}

static void serve_transcript(struct vendor *vendor, const struct vendor_request *request,
                             struct vendor_call *call, struct vendor_reply *reply)
{
    static struct part parts[PARTS_MAX];
    const char *start = strstr(request->url, "startTime=");
    if (!start) {
        reply->status = 400;
        return;
    }
    size_t count = collect_parts(vendor, call, strtoll(start + 10, NULL, 10), parts);
    if (count > 1 && world_chance(vendor->plan->shuffle_share)) {
        for (size_t i = count - 1; i > 0; i--) {
            size_t other = world_below(i + 1);
            struct part moved = parts[i];
            parts[i] = parts[other];
            parts[other] = moved;
        }
    }
    (void)buf_append_char(&reply->body, '[');
    for (size_t i = 0; i < count; i++) {
        write_part(vendor, call, &parts[i], &reply->body);
    }
    (void)buf_append_char(&reply->body, ']');
}

/* --- the list -------------------------------------------------------------------------------- */

static void write_listed(const struct vendor *vendor, const struct vendor_call *call,
                         struct buf *out)
{
    static const char *const names[] = {"active", "held", "masked"};
    int64_t now_ms = world_vendor_ms();
    bool over = now_ms >= call->ends_ms;
    if (now_ms < call->begins_ms || now_ms >= call->ends_ms + SHOWN_AFTER_END_MS ||
        plan_strike(vendor->plan, FAULT_CHURN, OPERATION_LIST)) {
        return;
    }
    /* Half of the calls are named as ended for a while, the others are just left out. */
    if (over && (call - vendor->calls) % 2 == 0) {
        return;
    }
    const struct call_span *span = vendor_span_at(call, now_ms);
    (void)buf_printf(out, "%s{\"interactionId\":\"%s\",\"state\":\"%s\",\"stateSince\":%lld",
                     out->size > 1 ? "," : "", call->id, over ? "ended" : names[span->state],
                     (long long)(over ? call->ends_ms : span->from_ms));
    if (call->master_id[0]) {
        (void)buf_printf(out, ",\"masterInteractionId\":\"%s\"", call->master_id);
    }
    (void)buf_append_char(out, '}');
}

static void serve_list(const struct vendor *vendor, struct vendor_reply *reply)
{
    (void)buf_append_char(&reply->body, '[');
    for (uint32_t i = 0; i < vendor->count; i++) {
        write_listed(vendor, &vendor->calls[i], &reply->body);
    }
    (void)buf_append_char(&reply->body, ']');
}

/* --- what is written ------------------------------------------------------------------------- */

/* The text member of this name in a flat piece of JSON; "" if it is not there. */
static void read_member(const char *body, const char *name, char *out, size_t out_bytes)
{
    char quoted[48];
    (void)snprintf(quoted, sizeof quoted, "\"%s\":\"", name);
    const char *at = body ? strstr(body, quoted) : NULL;
    size_t size = at ? strcspn(at + strlen(quoted), "\"") : 0;
    size = size < out_bytes ? size : out_bytes - 1;
    if (at) {
        memcpy(out, at + strlen(quoted), size);
    }
    out[size] = '\0';
}

/* When the utterance that ended then was served; a revision may have moved the end. */
static int64_t served_ms(const struct vendor_call *call, int64_t end_ms)
{
    for (uint32_t i = call->count; i > 0; i--) {
        const struct form *form = &call->utterances[i - 1].forms[0];
        if (form->end_ms == end_ms && form->served) {
            return form->served_ms;
        }
    }
    return world_vendor_ms();
}

static void note_age(struct vendor *vendor, struct vendor_call *call, int64_t as_of_ms)
{
    if (as_of_ms <= call->as_of_ms) {
        return;
    }
    call->as_of_ms = as_of_ms;
    if (vendor->age_count == vendor->age_capacity) {
        vendor->age_capacity = vendor->age_capacity ? vendor->age_capacity * 2 : 1024;
        vendor->ages = realloc(vendor->ages, vendor->age_capacity * sizeof *vendor->ages);
        if (!vendor->ages) {
            abort();
        }
    }
    vendor->ages[vendor->age_count++] =
        (struct age){world_now_ms(), world_vendor_ms() - served_ms(call, as_of_ms)};
}

static void take_attributes(struct vendor *vendor, struct vendor_call *call,
                            const struct vendor_request *request)
{
    char judged[ATTRIBUTE_BYTES];
    char as_of[24];
    read_member(request->body, "realtime_sentiment_score", call->score, sizeof call->score);
    read_member(request->body, "sentiment_trend", call->trend, sizeof call->trend);
    read_member(request->body, "judged", judged, sizeof judged);
    read_member(request->body, "as_of", as_of, sizeof as_of);
    note_age(vendor, call, strtoll(as_of, NULL, 10));
    int64_t count = strtoll(judged, NULL, 10);
    call->regressions += count < call->judged;
    call->judged = count;
    call->written_ms = world_now_ms();
    call->writes++;
    world_trace("  vendor takes %s %s of %lld for %s", call->score, call->trend, (long long)count,
                call->id);
}

static void take_suggestion(struct vendor *vendor, const struct vendor_request *request,
                            struct vendor_reply *reply)
{
    char id[24];
    const char *key = request->idempotency_key ? request->idempotency_key : "";
    read_member(request->body, "interactionId", id, sizeof id);
    struct vendor_call *call = vendor_call_named(vendor, id);
    if (!call) {
        reply->status = 404;
        return;
    }
    (void)buf_printf(&reply->body, "{\"id\":\"s-%u\"}", call->shown_count);
    for (uint32_t i = 0; i < call->shown_count; i++) {
        if (strcmp(call->shown[i].key, key) == 0) {
            call->repeats++; /* a vendor that knows keys shows it once; the daemon may not rely */
            return;
        }
    }
    if (call->shown_count < KEYS_MAX) {
        struct shown *shown = &call->shown[call->shown_count++];
        (void)snprintf(shown->key, sizeof shown->key, "%s", key);
        shown->at_ms = world_now_ms();
        world_trace("  vendor shows a suggestion for %s", call->id);
    }
}

/* --- tokens ---------------------------------------------------------------------------------- */

static void serve_token(struct vendor *vendor, struct vendor_reply *reply)
{
    const struct fault *brief = plan_in_force(vendor->plan, FAULT_SHORT_TOKENS);
    int64_t life_s = brief ? brief->value : vendor->plan->token_s;
    vendor->tokens++;
    (void)buf_printf(&reply->body,
                     "{\"access_token\":\"t-%llu-%lld\",\"token_type\":\"Bearer\","
                     "\"expires_in\":%lld}",
                     (unsigned long long)vendor->tokens,
                     (long long)(world_now_ms() + life_s * SECOND_MS), (long long)life_s);
}

/* A token of no life is good for one request; here for any within two seconds. */
static bool is_authorized(const struct vendor *vendor, const struct vendor_request *request)
{
    unsigned long long number;
    long long expires_ms;
    return request->authorization &&
           sscanf(request->authorization, "Bearer t-%llu-%lld", &number, &expires_ms) == 2 &&
           number > vendor->void_before && world_now_ms() < expires_ms + 2 * SECOND_MS;
}

/* --- the daemon's deaths, and its delays ------------------------------------------------------ */

void vendor_note_death(struct vendor *vendor)
{
    if (vendor->death_count < DEATHS_MAX) {
        vendor->deaths_ms[vendor->death_count++] = world_now_ms();
    }
}

bool vendor_died_between(const struct vendor *vendor, int64_t from_ms, int64_t until_ms)
{
    for (uint32_t i = 0; i < vendor->death_count; i++) {
        if (from_ms <= vendor->deaths_ms[i] && vendor->deaths_ms[i] <= until_ms) {
            return true;
        }
    }
    return false;
}

static int by_number(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left;
    int64_t b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

int64_t vendor_age_ms(const struct vendor *vendor, int64_t from_ms, int64_t until_ms, double share)
{
    int64_t *ages = calloc(vendor->age_count + 1, sizeof *ages);
    size_t count = 0;
    for (size_t i = 0; ages && i < vendor->age_count; i++) {
        if (from_ms <= vendor->ages[i].at_ms && vendor->ages[i].at_ms < until_ms) {
            ages[count++] = vendor->ages[i].age_ms;
        }
    }
    if (count > 1) {
        qsort(ages, count, sizeof *ages, by_number);
    }
    int64_t age_ms = count > 0 ? ages[(size_t)((double)(count - 1) * share)] : 0;
    free(ages);
    return age_ms;
}

/* --- a request ------------------------------------------------------------------------------- */

enum operation vendor_operation(const char *method, const char *url)
{
    if (strstr(url, "/oauth/token")) {
        return OPERATION_TOKEN;
    }
    if (strstr(url, "/agentassist/")) {
        return OPERATION_SUGGESTIONS;
    }
    if (strstr(url, "/interactions/active")) {
        return OPERATION_LIST;
    }
    return strcmp(method, "PATCH") == 0 ? OPERATION_ATTRIBUTES : OPERATION_TRANSCRIPTS;
}

static struct tally *tally_now(struct vendor *vendor)
{
    size_t second = (size_t)(world_now_ms() / SECOND_MS);
    return &vendor->tallies[second < vendor->tally_count ? second : vendor->tally_count - 1];
}

struct tally vendor_tally(const struct vendor *vendor, int64_t from_ms, int64_t until_ms)
{
    struct tally sum = {0};
    for (int64_t i = from_ms / SECOND_MS; i < until_ms / SECOND_MS; i++) {
        sum.taken += vendor->tallies[i].taken;
        sum.refused += vendor->tallies[i].refused;
        sum.call_refused += vendor->tallies[i].call_refused;
    }
    return sum;
}

/* A bucket that is refilled as time passes. */
static bool take(double *tokens, int64_t *at_us, double rps, double burst)
{
    double passed_s = (double)(world_now_us() - *at_us) / 1e6;
    *at_us = world_now_us();
    *tokens = *tokens + passed_s * rps < burst ? *tokens + passed_s * rps : burst;
    if (*tokens < 1) {
        return false;
    }
    *tokens -= 1;
    return true;
}

static bool takes_quota(struct vendor *vendor)
{
    const struct fault *less = plan_in_force(vendor->plan, FAULT_QUOTA);
    double rps = less ? (double)less->value : vendor->plan->quota_rps;
    return rps <= 0 || take(&vendor->quota, &vendor->quota_us, rps, rps > 8 ? rps / 4 : 2);
}

/* Two at once, and a little more for what the way here did to their distance. */
static bool takes_call_quota(struct vendor *vendor, struct vendor_call *call)
{
    double rps = vendor->plan->call_quota_rps > 0 ? vendor->plan->call_quota_rps
                                                  : vendor->plan->interaction_rps;
    if (!call || take(&call->quota, &call->quota_us, rps, 2.25)) {
        return true;
    }
    vendor->call_throttled++;
    tally_now(vendor)->call_refused++;
    return false;
}

static struct vendor_call *call_of(struct vendor *vendor, const char *url)
{
    char id[24];
    const char *at = strstr(url, "/interactions/");
    if (!at || sscanf(at, "/interactions/%23[^/]", id) != 1) {
        return NULL;
    }
    struct vendor_call *call = vendor_call_named(vendor, id);
    return call && call->begins_ms <= world_vendor_ms() ? call : NULL;
}

static void serve_good(struct vendor *vendor, const struct vendor_request *request,
                       struct vendor_reply *reply)
{
    struct vendor_call *call;
    reply->status = 200;
    reply->content_type = "application/json";
    switch (request->operation) {
    case OPERATION_TOKEN:
        serve_token(vendor, reply);
        return;
    case OPERATION_LIST:
        serve_list(vendor, reply);
        return;
    case OPERATION_SUGGESTIONS:
        take_suggestion(vendor, request, reply);
        return;
    default:
        break;
    }
    call = call_of(vendor, request->url);
    if (!call) {
        reply->status = 404;
    } else if (request->operation == OPERATION_ATTRIBUTES) {
        take_attributes(vendor, call, request);
    } else {
        serve_transcript(vendor, request, call, reply);
    }
}

void vendor_serve(struct vendor *vendor, const struct vendor_request *request,
                  struct vendor_reply *reply)
{
    enum operation operation = request->operation;
    buf_init(&reply->body, REPLY_BYTES_MAX);
    reply->retry_after_s = -1;
    const struct fault *status = plan_strike(vendor->plan, FAULT_STATUS, operation);
    if (status) {
        reply->status = (int)status->value;
        if (status->value == 429 || status->value == 503) {
            reply->retry_after_s = world_chance(0.5) ? world_between(0, 5) : -1;
        }
    } else if (operation != OPERATION_TOKEN && !is_authorized(vendor, request)) {
        reply->status = 401;
    } else if (operation != OPERATION_TOKEN &&
               (!takes_quota(vendor) || !takes_call_quota(vendor, call_of(vendor, request->url)))) {
        reply->status = 429;
        reply->retry_after_s = vendor->plan->hides_retry_after ? -1 : 1;
    } else if (plan_strike(vendor->plan, FAULT_GARBAGE, operation)) {
        reply->status = 200;
        reply->content_type = "text/html";
        (void)buf_append_string(&reply->body, "<html>Please log in</html>");
    } else {
        serve_good(vendor, request, reply);
    }
    vendor->requests[operation]++;
    vendor->throttled += reply->status == 429;
    if (operation != OPERATION_TOKEN) {
        tally_now(vendor)->taken += reply->status != 429;
        tally_now(vendor)->refused += reply->status == 429;
    }
}

/* --- what was read --------------------------------------------------------------------------- */

static void note_transcript(struct vendor *vendor, const struct vendor_reply *reply)
{
    for (const char *at = strstr(buf_string(&reply->body), "\"u "); at;
         at = strstr(at + 1, "\"u ")) {
        uint32_t call;
        uint32_t number;
        uint32_t form;
        int32_t score;
        if (vendor_parse_text(at + 1, &call, &number, &form, &score)) {
            struct form *served = &vendor->calls[call].utterances[number].forms[form];
            served->served_ms = served->served ? served->served_ms : world_vendor_ms();
            served->served = true;
        }
    }
}

static bool is_named_live(const char *list, const struct vendor_call *call)
{
    char named[sizeof call->id + 32];
    (void)snprintf(named, sizeof named, "\"%s\",\"state\":\"", call->id);
    const char *at = strstr(list, named);
    return at && strncmp(at + strlen(named), "ended", 5) != 0;
}

static void note_list(struct vendor *vendor, const struct vendor_reply *reply)
{
    const char *body = buf_string(&reply->body);
    int64_t now_ms = world_vendor_ms();
    for (uint32_t i = 0; i < vendor->count; i++) {
        struct vendor_call *call = &vendor->calls[i];
        if (!is_named_live(body, call)) {
            call->left_out_ms = call->left_out_ms ? call->left_out_ms : now_ms;
        } else {
            call->left_out_ms = 0;
        }
    }
    for (const char *at = strstr(body, "call-"); at; at = strstr(at + 1, "call-")) {
        unsigned number = (unsigned)strtoul(at + 5, NULL, 10);
        const char *since = strstr(at, "\"stateSince\":");
        int64_t since_ms = since ? strtoll(since + 13, NULL, 10) : 0;
        struct vendor_call *call = &vendor->calls[number];
        for (uint32_t i = 0; i < call->span_count; i++) {
            struct call_span *span = &call->spans[i];
            if (span->from_ms == since_ms && !span->listed) {
                span->listed = true;
                span->listed_ms = world_now_ms();
                span->listed_life = vendor->life;
            }
        }
    }
}

void vendor_note_read(struct vendor *vendor, const struct vendor_request *request,
                      const struct vendor_reply *reply)
{
    if (reply->status != 200 || !reply->content_type || reply->content_type[0] == 't') {
        return;
    }
    vendor->answered_ms[request->operation] = world_now_ms();
    if (request->operation == OPERATION_TRANSCRIPTS) {
        struct vendor_call *call = call_of(vendor, request->url);
        note_transcript(vendor, reply);
        if (call) {
            call->polled_ms = world_now_ms();
            if (!call->resumed_ms && call->polled_ms >= vendor->plan->mark_ms) {
                call->resumed_ms = call->polled_ms;
            }
        }
    } else if (request->operation == OPERATION_LIST) {
        note_list(vendor, reply);
    }
}
