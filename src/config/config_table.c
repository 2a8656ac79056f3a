/* config_table.c - every configuration key, once: see config_table.h.
 *
 * The loader, `config show`, `config check` and docs/CONFIGURATION.md are all made from this table.
 * It is read with libyaml's events rather than through libcyaml's schema, because one table of our
 * own then gives types, bounds, places in the file, origins and the document; two would drift.
 */
#include "config/config_table.h"

#include "base/language.h"
#include "base/suggest.h"
#include "cxone/mapping.h"
#include "cxone/pages.h"
#include "mood/policy.h"
#include "nlp/result_cache.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AT(member) offsetof(struct config, member)

#define TEXT(name, member, text_max, text, what)                                      \
    .key = name, .type = CONFIG_TYPE_STRING, .offset = AT(member), .max = (text_max), \
    .initial = (text), .meaning = (what)
#define SPAN(name, member, least, most, text, what)                                  \
    .key = name, .type = CONFIG_TYPE_DURATION, .offset = AT(member), .min = (least), \
    .max = (most), .initial = (text), .meaning = (what)
#define WHOLE(name, member, least, most, text, what)                                               \
    .key = name, .type = CONFIG_TYPE_INTEGER, .offset = AT(member), .min = (least), .max = (most), \
    .initial = (text), .meaning = (what)
#define SHARE(name, member, least, most, text, what)                                              \
    .key = name, .type = CONFIG_TYPE_NUMBER, .offset = AT(member), .min = (least), .max = (most), \
    .initial = (text), .meaning = (what)
#define LIST(name, member, count_max, text, what)                                    \
    .key = name, .type = CONFIG_TYPE_LIST, .offset = AT(member), .max = (count_max), \
    .initial = (text), .meaning = (what)

enum {
    SECOND = 1000,
    MINUTE = 60 * SECOND,
    HOUR = 60 * MINUTE,
    NAME = 128,
    LONG = 2048,
    SECRET_MAX = 4096
};

/* cxone/profile.h keeps a terminating NULL among its CXONE_NAMES_MAX (8) aliases. */
enum { ALIASES_MAX = 7, INTERACTIONS_MAX = 10000, FALLBACKS_MAX = 8 };

/* Where the vendor's own API has what the tutorial's invents: the ACD's numbered services. */
#define ACD "{base}/incontactapi/services/v30.0"

#define CHOICE(name, member, text, what)                                            \
    .key = name, .type = CONFIG_TYPE_ENUM, .offset = AT(member), .initial = (text), \
    .meaning = (what)
#define SWITCH(name, member, text, what)                                            \
    .key = name, .type = CONFIG_TYPE_BOOL, .offset = AT(member), .initial = (text), \
    .meaning = (what)
#define SECRET(name, member, what) \
    TEXT(name, member, SECRET_MAX, "", what), .flags = CONFIG_FLAG_SECRET | CONFIG_FLAG_PROSE
#define PLACES(name, member, text, what) LIST(name, member, CXONE_POINTERS_MAX, text, what)

const struct config_row config_table[] = {
    {TEXT("profile", profile, NAME, "tutorial", "set of defaults to start from"),
     .choices = {"tutorial", "tutorial-literal", "simulator", "cxone-real"}},
    {.key = "mode",
     .type = CONFIG_TYPE_ENUM,
     .offset = AT(mode),
     .initial = "live",
     .choices = {"live", "shadow"},
     .meaning = "`shadow` judges and logs but writes nothing back"},

    {TEXT("env", env, LONG, "us-1.api.cxone.com",
          "where the API is: a label (`us-1`), a host with optional port, or an absolute URL"),
     .tutorial_variable = "CXONE_ENV"},
    {TEXT("env_template", env_template, LONG, "https://{env}.api.cxone.com",
          "how a label without a dot becomes an address")},
    {TEXT("api_base", api_base, LONG, "", "address of the API; empty: derived from `env`")},
    {TEXT("auth_url", auth_url, LONG, "",
          "address of the token endpoint; empty: the API's address and `auth.token_path`")},
    {.key = "http.allow_plain",
     .type = CONFIG_TYPE_BOOL,
     .offset = AT(allow_plain_http),
     .initial = "false",
     .meaning = "permit http:// to hosts other than this machine"},

    {SWITCH("discovery.enabled", discovery_enabled, "false",
            "ask the issuer where the token endpoint and the tenant's API are, instead of `env`, "
            "`api_base` and `auth_url`"),
     .initial_real = "true"},
    {TEXT("discovery.issuer", discovery_issuer, LONG, "https://cxone.niceincontact.com",
          "who is asked: its two documents below `/.well-known/`")},
    {TEXT("discovery.tenant_id", discovery_tenant_id, NAME, "",
          "whose API is wanted; empty: the tenant that the ID token names")},
    {SPAN(
        "discovery.max_age", discovery_max_age_ms, MINUTE, 24 * HOUR, "1h",
        "how long an answer holds before it is asked for again; the old one serves on meanwhile")},

    {CHOICE("auth.grant", auth_grant, "client_credentials",
            "how a token is got: an access key goes as user and password of a form, or as JSON to "
            "the older log-in; a refresh token or the token itself may be given"),
     .initial_real = "access_key_password",
     .choices = {"client_credentials", "access_key_password", "access_key_json", "refresh_token",
                 "static_token"}},
    {CHOICE("auth.client_auth", auth_client_auth, "post",
            "where the client's id and secret go: the form, or the Authorization header"),
     .initial_real = "basic", .choices = {"post", "basic"}},
    {TEXT("auth.client_id", auth_client_id, LONG, "", "OAuth client"),
     .tutorial_variable = "CXONE_CLIENT_ID"},
    {TEXT("auth.client_secret", auth_client_secret, LONG, "",
          "its secret; better given by file or systemd credential"),
     .flags = CONFIG_FLAG_SECRET | CONFIG_FLAG_PROSE, .tutorial_variable = "CXONE_CLIENT_SECRET"},
    {TEXT("auth.client_secret_file", auth_client_secret_file, LONG, "",
          "file with the secret, readable by its owner only")},
    {TEXT("auth.access_key_id", auth_access_key_id, LONG, "", "access key of an employee")},
    {SECRET("auth.access_key_secret", auth_access_key_secret, "its secret")},
    {TEXT("auth.access_key_secret_file", auth_access_key_secret_file, LONG, "",
          "file with it, readable by its owner only")},
    {SECRET("auth.refresh_token", auth_refresh_token,
            "where `auth.grant` is `refresh_token`; a newer one that the server gives is kept in "
            "memory only")},
    {TEXT("auth.refresh_token_file", auth_refresh_token_file, LONG, "",
          "file with it, readable by its owner only")},
    {SECRET("auth.static_token", auth_static_token,
            "the access token itself, where `auth.grant` is `static_token`")},
    {TEXT("auth.static_token_file", auth_static_token_file, LONG, "",
          "file with it, readable by its owner only")},
    {TEXT("auth.scope", auth_scope, LONG, "interactions:view interactions:write agentassist:write",
          "scopes to ask for; empty sends none"),
     .initial_real = ""},
    {TEXT("auth.token_path", auth_token_path, LONG, "/oauth/token",
          "path of the token endpoint below the API's address"),
     .flags = CONFIG_FLAG_REQUIRED},
    {SPAN("auth.refresh_margin", auth_refresh_margin_ms, SECOND, HOUR, "60s",
          "a token is renewed this long before its end, at most a fifth of its life")},
    {SPAN("auth.default_lifetime", auth_default_lifetime_ms, SECOND, 24 * HOUR, "1h",
          "life of a token whose reply does not say")},
    {SWITCH("auth.retry_on_403_once", auth_retry_on_403_once, "false",
            "take a 403 for the token's fault first: renew it and try once more"),
     .initial_real = "true"},

    {TEXT(
         "ep.transcripts", ep_transcripts, LONG,
         "{base}/api/v2/interactions/{id}/transcripts"
         "?direction=both&includeFinal=true&startTime={start_ms}",
         "GET: transcript of a call; must hold `{id}`; `{start_ms}` or `{start_iso}` is from when"),
     .flags = CONFIG_FLAG_REQUIRED, .initial_real = ACD "/contacts/{id}/chat-transcript"},
    {TEXT("ep.attributes", ep_attributes, LONG, "{base}/api/v2/interactions/{id}/attributes",
          "PATCH, or the method in front: attributes of a call; must hold `{id}`; `{1}`, `{2}` ... "
          "are the values: score, trend and those of the other `attr.*_key`"),
     .flags = CONFIG_FLAG_REQUIRED,
     .initial_real = "POST " ACD "/interactions/{id}/signal?p1=sentiment&p2={1}&p3={2}"},
    {TEXT("ep.suggestions", ep_suggestions, LONG, "{base}/api/v2/agentassist/suggestions",
          "POST: a suggestion for the agent"),
     .flags = CONFIG_FLAG_REQUIRED},
    {TEXT("ep.signal", ep_signal, LONG, "",
          "POST: an alert as a signal to the call's Studio script; `{id}`, `{message}`, `{key}`"),
     .initial_real = ACD "/interactions/{id}/signal?p1=alert&p2={message}&p3={key}"},
    {TEXT("ep.active_contacts", ep_active_contacts, LONG, "",
          "GET: the calls live now; empty: there is no such endpoint"),
     .initial_simulator = "{base}/api/v2/interactions/active",
     .initial_real = ACD "/contacts/active"},

    {TEXT(
        "socket.url", socket_url, LONG, "",
        "EXPERIMENTAL: `wss://` address of the vendor's transcript socket, which then pushes what "
        "`ep.transcripts` would be polled for; empty: none")},
    {SWITCH("socket.fallback", socket_fallback, "true",
            "poll while the socket is not open, and once for each call for what was said before; "
            "both must give an utterance the same speaker and start")},

    {CHOICE("time.format", time_format, "epoch_ms",
            "how a transcript writes times; ticks are the 100 ns of .NET; relative ones count from "
            "`map.call_start`"),
     .initial_real = "iso8601",
     .choices = {"epoch_ms", "epoch_s", "epoch_us", "iso8601", "seconds_nanos", "ticks",
                 "relative_ms", "relative_s"}},
    {TEXT("map.array", map_array, NAME, "",
          "JSON pointer to the array of segments; empty: the reply is the array"),
     .initial_real = "/messages"},
    {PLACES("map.text", map_text, "/text",
            "pointers into a segment, of which the first that is present counts, as in all that "
            "follow: what was said"),
     .initial_real = "/Text"},
    {PLACES("map.start", map_start, "/startTime", "when it began"), .initial_real = "/TimeStamp"},
    {PLACES("map.end", map_end, "/endTime", "when it ended"), .initial_real = "/TimeStamp"},
    {PLACES("map.direction", map_direction, "/direction", "who said it"),
     .initial_real = "/PartyType"},
    {PLACES("map.final", map_final, "/isFinal", "whether the text will not change any more"),
     .initial_real = ""},
    {PLACES("map.id", map_id, "/id,/segmentId,/utteranceId",
            "the vendor's id or number of the utterance, unique in its call"),
     .initial_real = ""},
    {PLACES("map.language", map_language, "/languageCode,/language",
            "language tag of what was said; the customer's newest is the call's"),
     .initial_literal = "", .initial_real = ""},
    {PLACES(
        "map.call_start", map_call_start, "",
        "from the reply's root: the start of the call, epoch ms or ISO 8601; for relative times")},
    {TEXT("map.contacts", map_contacts, NAME, "",
          "JSON pointer to the array of `ep.active_contacts`; empty: the reply is the array"),
     .initial_real = "/activeContacts"},
    {PLACES("map.contact_id", map_contact_id, "/interactionId", "id of a live call"),
     .initial_real = "/contactId"},
    {PLACES("map.contact_state", map_contact_state, "/state",
            "`active`, `held`, `muted`, `masked`, `ended` or a synonym"),
     .initial_real = "/stateName"},
    {PLACES("map.contact_since", map_contact_since, "/stateSince",
            "since when, epoch ms or ISO 8601"),
     .initial_real = "/lastUpdateTime"},
    {PLACES("map.contact_master", map_contact_master, "/masterInteractionId",
            "shared by the calls of one transferred contact"),
     .initial_real = "/masterContactId"},
    {PLACES("map.event", map_event, "/event,/eventType",
            "in a post to the webhook: what happened; `map.contact_id` says to which call")},
    {PLACES("map.event_id", map_event_id, "/eventId,/id",
            "the same: id of the event, the same in every try")},
    {PLACES("map.contact_queue", map_contact_queue, "/queue",
            "whose call it is, a text or a number: `queues` of a rule go by it"),
     .initial_real = "/skillId"},
    {PLACES("map.contact_language", map_contact_language, "/language",
            "language tag of the call, until its transcript says one"),
     .initial_literal = "", .initial_real = ""},
    {PLACES("map.token", map_token, "/access_token", "in the token's reply"),
     .initial_real = "/access_token,/accessToken"},
    {PLACES("map.token_lifetime", map_token_lifetime, "/expires_in", "the same, in seconds"),
     .initial_real = "/expires_in,/expiresIn"},
    {PLACES("map.token_refresh", map_token_refresh, "/refresh_token", "the same"),
     .initial_real = "/refresh_token,/refreshToken"},

    {CHOICE("page.transcripts", page_transcripts, "none",
            "how a transcript in pages goes on: at a `link` in the reply, with a `cursor` from it, "
            "by page `number`, by `offset` in elements"),
     .choices = {"none", "link", "cursor", "number", "offset"}},
    {TEXT("page.transcripts_parameter", page_transcripts_parameter, NAME, "page",
          "query parameter for cursor, number or offset")},
    {PLACES("map.next_page", map_next_page, "",
            "from the root: the link or cursor; with number and offset, absent means last page")},
    {CHOICE("page.contacts", page_contacts, "none", "the same for `ep.active_contacts`"),
     .initial_real = "link", .choices = {"none", "link", "cursor", "number", "offset"}},
    {TEXT("page.contacts_parameter", page_contacts_parameter, NAME, "page", "the same")},
    {PLACES("map.contacts_next_page", map_contacts_next_page, "", "the same"),
     .initial_real = "/_links/next"},
    {WHOLE("page.max", page_max, 1, CXONE_PAGES_MAX, "20",
           "most pages of one reply; a page or link that comes again ends it as well")},

    {LIST("map.direction_customer", map_direction_customer, ALIASES_MAX,
          "customer,inbound,patron,contact,end_user,caller",
          "values of `map.direction` that mean the customer, case ignored; the tutorial judges "
          "both"),
     .initial_literal = "customer,inbound,patron,contact,caller,agent,outbound"},
    {LIST("map.direction_agent", map_direction_agent, ALIASES_MAX, "agent,outbound,internal",
          "values of `map.direction` that mean the agent, case ignored"),
     .initial_literal = "internal"},
    {.key = "map.missing_final",
     .type = CONFIG_TYPE_BOOL,
     .offset = AT(map_missing_final),
     .initial = "false",
     .initial_real = "true",
     .meaning = "what a segment without `map.final` counts as"},

    {TEXT("attr.score_key", attr_score_key, NAME, "realtime_sentiment_score",
          "attribute that holds the score, as text with up to 3 decimals"),
     .flags = CONFIG_FLAG_REQUIRED},
    {TEXT("attr.trend_key", attr_trend_key, NAME, "sentiment_trend",
          "attribute that holds `stable`, `improving` or `declining`"),
     .flags = CONFIG_FLAG_REQUIRED},
    {TEXT("attr.count_key", attr_count_key, NAME, "",
          "attribute for the number of customer utterances judged; empty: not sent")},
    {TEXT("attr.as_of_key", attr_as_of_key, NAME, "",
          "attribute for the end of the newest of them, epoch ms; empty: not sent")},
    {TEXT("attr.degraded_key", attr_degraded_key, NAME, "",
          "attribute that is `true` once any of a call was judged by a fallback, else `false`; "
          "empty: not sent")},
    {CHOICE("attr.body", attr_body, "attributes",
            "what is sent: `{\"attributes\":{...}}`, `[{\"ident\",\"value\"},...]`, or nothing "
            "where the "
            "address holds the values"),
     .initial_real = "none", .choices = {"attributes", "custom_fields", "none"}},
    {TEXT("attr.summary_mean_key", attr_summary_mean_key, NAME, "",
          "attribute written once a call is over: mean score of all its customer utterances; "
          "empty: not sent")},
    {TEXT("attr.summary_lowest_key", attr_summary_low_key, NAME, "",
          "the same: the lowest score there was; empty: not sent")},
    {TEXT("attr.summary_low_seconds_key", attr_summary_time_key, NAME, "",
          "the same: seconds with a score below `alert.threshold`; empty: not sent")},
    {TEXT("attr.summary_alerts_key", attr_summary_count_key, NAME, "",
          "the same: how many alerts there were; empty: not sent")},
    {SPAN("attr.min_interval", attr_min_interval_ms, 0, HOUR, "2s",
          "least time between two writes to one call"),
     .initial_literal = "0s"},
    {SHARE("attr.min_delta", attr_min_delta, 0, 1, "0.01",
           "a smaller change of score is not worth a write"),
     .initial_literal = "0"},

    {LIST("assist.delivery", assist_delivery, 4, "suggestions_api",
          "how alerts reach people: `suggestions_api`, `signal`, `webhook`, or several; `panel` or "
          "`none`: by the wallboard and the log only"),
     .initial_real = "signal"},
    {TEXT("assist.webhook_url", assist_webhook_url, LONG, "", "POST: where webhook alerts go")},
    {SECRET("assist.webhook_secret", assist_webhook_secret, "they are signed with it")},
    {TEXT("assist.webhook_secret_file", assist_webhook_secret_file, LONG, "",
          "file with it, readable by its owner only")},
    {PLACES("assist.tracking_pointers", assist_tracking_pointers,
            "/suggestionId,/trackingId,/id,/suggestions/0/id",
            "where the answer to a suggestion holds the vendor's id of it")},
    {TEXT("assist.template", assist_template, LONG,
          "Sentiment analysis indicates declining customer mood. "
          "Consider empathy statements or supervisor escalation.",
          "the hint; `{score}`, `{trend}` and `{minutes}` are filled in"),
     .flags = CONFIG_FLAG_REQUIRED | CONFIG_FLAG_PROSE},
    {TEXT("assist.type", assist_type, NAME, "text", "type of suggestion sent"),
     .flags = CONFIG_FLAG_REQUIRED},
    {TEXT("assist.idempotency_header", assist_idempotency_header, NAME, "Idempotency-Key",
          "header that names the alert; empty sends none")},

    {.key = "writes.attributes",
     .type = CONFIG_TYPE_BOOL,
     .offset = AT(writes_attributes),
     .initial = "true",
     .meaning = "write score and trend to calls; can be switched off while running too"},
    {.key = "writes.suggestions",
     .type = CONFIG_TYPE_BOOL,
     .offset = AT(writes_suggestions),
     .initial = "true",
     .meaning = "send suggestions; the same"},
    {WHOLE(
        "fuse.per_minute", fuse_per_minute, 0, 1000000, "600",
        "more suggestions within a minute, over all calls, blow the fuse: none is sent any more; "
        "0: no limit")},
    {SHARE("fuse.share", fuse_share, 0, 1, "0.8",
           "so large a share of the calls under an alert at once blows it too; 0: no limit")},
    {WHOLE("fuse.calls_min", fuse_calls_min, 1, 1000000, "20",
           "with fewer calls a share says nothing")},
    {SPAN("fuse.reset_after", fuse_reset_after_ms, 0, 24 * HOUR, "15min",
          "a blown fuse is whole again after this long; 0: only by request")},

    {SPAN("poll.active", poll_active_ms, 100, HOUR, "1s",
          "pace while a call talks; this and the next two hold while the quota is plentiful")},
    {SPAN("poll.idle", poll_idle_ms, 100, HOUR, "2s", "pace after 10 s of silence")},
    {SPAN("poll.quiet", poll_quiet_ms, 100, HOUR, "5s",
          "pace after a minute of silence, and on hold")},
    {SPAN("poll.max", poll_max_ms, 100, HOUR, "10s",
          "longest time between two polls of a call when the quota is scarce (`poll.quiet` at "
          "least); when it must be longer, the log says `schedule_degraded`")},
    {SPAN("poll.floor", poll_floor_ms, 50, HOUR, "500ms",
          "least time between two polls of one call, whatever happens")},
    {SPAN("poll.overlap", poll_overlap_ms, 0, HOUR, "30s",
          "how far each poll reaches back; raised by what is learnt of late finals")},
    {SPAN("poll.overlap_max", poll_overlap_max_ms, 0, HOUR, "180s", "bound of that")},
    {SPAN("poll.deep_interval", poll_deep_interval_ms, SECOND, HOUR, "20s",
          "how often one poll reaches back `poll.overlap_max`")},
    {.key = "poll.start_from",
     .type = CONFIG_TYPE_START_FROM,
     .offset = AT(poll_lookback_ms),
     .max = 24.0 * HOUR,
     .initial = "now-60s",
     .initial_literal = "beginning",
     .meaning = "where a call is picked up: `now-60s`, or `beginning`"},
    {SPAN("poll.lateness", poll_lateness_ms, 0, HOUR, "60s",
          "an utterance that ended longer ago never opens an alert")},

    {SHARE("window.seconds", window_seconds, 1, 3600, "30", "width of the current window")},
    {WHOLE("window.max_seconds", window_max_seconds, 1, 3600, "120",
           "how far a thin window is widened")},
    {WHOLE("window.min_utterances", window_min_utterances, 1, 100, "3",
           "a window with fewer customer utterances is thin"),
     .initial_literal = "1"},
    {.key = "window.weighting",
     .type = CONFIG_TYPE_ENUM,
     .offset = AT(window_weighting),
     .initial = "utterance",
     .choices = {"utterance", "duration"},
     .meaning = "what counts in a mean: each utterance alike, or its whole seconds, 1 to 30"},
    {SHARE("trend.delta", trend_delta, 0, 1, "0.05",
           "a change of the mean beyond this is a trend")},
    {SHARE("trend.leave", trend_leave, 0, 1, "0.03", "a change below this ends it")},
    {SHARE("trend.confidence", trend_confidence, 0, 1, "0.65",
           "a decline alerts only if it is as sure as this not to be an accident (exact "
           "Mann-Kendall test over both windows)"),
     .initial_literal = "0"},
    {SHARE("alert.threshold", alert_threshold, 0, 1, "0.28",
           "a declining mean below this opens an alert"),
     .initial_literal = "0.35"},
    {SHARE("alert.confirm_below", alert_confirm_below, 0, 1, "0.35",
           "an utterance with a lower score is low")},
    {WHOLE("alert.confirm_count", alert_confirm_count, 0, MOOD_CONFIRM_MAX, "2",
           "so many low ones are wanted for an alert; 0: none"),
     .initial_literal = "0"},
    {WHOLE("alert.confirm_of", alert_confirm_of, 1, MOOD_CONFIRM_MAX, "4",
           "among so many of the customer's newest")},
    {SHARE("alert.calm_share", alert_calm_share, 0, 1, "0.08",
           "share of low utterances in calm calls, from which the confidence of a sustained-low "
           "alert is reckoned")},
    {SHARE("alert.defer_above", alert_defer_above, 0, 1, "0.35",
           "no alert opens while the newest score is above: a recovery may be under way; 1: "
           "never wait"),
     .initial_literal = "1"},
    {SHARE("alert.recover", alert_recover, 0, 1, "0.45", "a mean above this ends it")},
    {SPAN("alert.recover_hold", alert_recover_hold_ms, 0, HOUR, "10s",
          "how long it must stay above")},
    {SPAN("alert.cooldown", alert_cooldown_ms, 0, HOUR, "15s",
          "from a delivered suggestion to the next alert of that call")},
    {WHOLE("alert.min_samples", alert_min_samples, 1, 100, "2",
           "fewer utterances in a window never alert"),
     .initial_literal = "1"},
    {SHARE("alert.sustained_reference", alert_sustained_reference, 0, 1, "0.46",
           "CUSUM reference of the sustained-low path: scores below it add up")},
    {SHARE("alert.sustained_limit", alert_sustained_limit, 0.01, 1000, "0.9",
           "the sum that opens a sustained-low alert")},

    {SHARE("alert.supervisor_limit", alert_supervisor_limit, 0, 1000, "1.4",
           "the sum from which an alert concerns a supervisor too")},
    {SPAN("alert.remind_after", alert_remind_ms, 0, HOUR, "0s",
          "an alert that stays open is told of again after as long as this; 0: never")},

    {SHARE("rate.client_rps", rate_client_rps, 0.1, 100000, "10",
           "requests a second, all calls together"),
     .initial_simulator = "400"},
    {SHARE("rate.interaction_rps", rate_interaction_rps, 0.01, 1000, "1",
           "requests a second for one call")},
    {SHARE("rate.reserve_for_alerts", rate_reserve_for_alerts, 0, 0.9, "0.1",
           "share of the quota that only suggestions may use")},

    {WHOLE("retry.max", retry_max, 1, 20, "3",
           "tries of a suggestion, times three, and of a call's last attribute write, times eight; "
           "other attribute writes are tried until a newer one takes their place")},
    {SPAN("retry.base", retry_base_ms, 1, MINUTE, "250ms",
          "bound of the first wait; doubles, with full jitter")},
    {SPAN("retry.cap", retry_cap_ms, 1, HOUR, "30s", "bound of any wait")},
    {SPAN("retry_after.max", retry_after_max_ms, SECOND, HOUR, "300s",
          "a longer Retry-After is cut to this")},

    {WHOLE("breaker.failures", breaker_failures, 1, 1000, "5",
           "failures in a row that open the breaker of an endpoint")},
    {SPAN("breaker.open", breaker_open_ms, 100, HOUR, "30s", "pause before the first probe")},
    {SPAN("breaker.probe", breaker_probe_ms, 100, HOUR, "5s", "pause between probes")},

    {SPAN("timeouts.connect", timeout_connect_ms, 10, 10 * MINUTE, "2s", "TCP and TLS")},
    {SPAN("timeouts.poll", timeout_poll_ms, 10, 10 * MINUTE, "5s",
          "a transcript or discovery request")},
    {SPAN("timeouts.attributes", timeout_attributes_ms, 10, 10 * MINUTE, "3s",
          "an attribute write")},
    {SPAN("timeouts.suggestion", timeout_suggestion_ms, 10, 10 * MINUTE, "15s", "a suggestion")},
    {SPAN("timeouts.token", timeout_token_ms, 10, 10 * MINUTE, "10s", "a token request")},

    {.key = "http.max_body",
     .type = CONFIG_TYPE_SIZE,
     .offset = AT(http_max_body_bytes),
     .min = 1024,
     .max = 1024.0 * 1024 * 1024,
     .initial = "8MiB",
     .meaning = "a longer reply is refused"},
    {CHOICE(
         "http.version", http_version, "auto",
         "`auto`: HTTP/2 where the server takes it in the TLS handshake, else 1.1; `1.1`: never"),
     .choices = {"auto", "1.1"}},
    {CHOICE("auth.http_version", auth_http_version, "auto",
            "the same for the token endpoint and the issuer, of which some are known to fail over "
            "HTTP/2"),
     .initial_real = "1.1", .choices = {"auto", "1.1"}},
    {WHOLE("http.streams", http_streams, 1, 250, "100",
           "requests at once to a host that speaks HTTP/2; it may allow fewer on one connection")},
    {TEXT("http.proxy", http_proxy, LONG, "", "proxy for all requests: `http://host:port`")},
    {TEXT("http.listen", http_listen, NAME, "127.0.0.1:8090",
          "address of the wallboard, /metrics, /healthz and /readyz; empty: none"),
     .flags = CONFIG_FLAG_RESTART},
    {TEXT("http.tls_certificate", http_tls_certificate, LONG, "",
          "PEM file with the certificate `http.listen` is served with; empty: plain HTTP"),
     .flags = CONFIG_FLAG_RESTART},
    {TEXT("http.tls_key", http_tls_key, LONG, "", "PEM file with its private key"),
     .flags = CONFIG_FLAG_RESTART},
    {TEXT("api.token", api_token, LONG, "",
          "bearer token of /api/v1, at least 16 characters; better given by file or systemd "
          "credential; empty: there is no such API"),
     .flags = CONFIG_FLAG_SECRET},
    {TEXT("api.token_file", api_token_file, LONG, "",
          "file with the token, readable by its owner only")},
    {.key = "api.allow_plain",
     .type = CONFIG_TYPE_BOOL,
     .offset = AT(api_allow_plain),
     .initial = "false",
     .meaning = "permit /api/v1 over plain HTTP beyond this machine"},
    {TEXT("tls.ca_file", tls_ca_file, LONG, "",
          "PEM file of trusted authorities; empty: the system's")},

    {.key = "discover.mode",
     .type = CONFIG_TYPE_ENUM,
     .offset = AT(discover_mode),
     .initial = "fixed",
     .initial_simulator = "active_contacts",
     .initial_real = "active_contacts",
     .choices = {"fixed", "active_contacts", "webhook"},
     .meaning = "follow `interactions` only, or whatever `ep.active_contacts` lists, or what the "
                "vendor posts to `/webhook/contacts` (docs/PLATFORM.md)"},
    {SPAN("discover.interval", discover_interval_ms, 100, HOUR, "5s",
          "pace of discovery; also how late a hold or a mask may be heard of")},
    {SPAN("discover.sweep", discover_sweep_ms, SECOND, HOUR, "60s",
          "with `webhook`: pace at which `ep.active_contacts`, if there is one, is read beside it, "
          "so that a lost post loses no call")},
    {CHOICE("discover.webhook_check", discover_webhook_check, "signature",
            "what proves a post: a signature with a timestamp, or, where the sender cannot sign, "
            "the secret itself in `X-CXone-Webhook-Secret`"),
     .choices = {"signature", "secret"}},
    {SECRET("discover.webhook_secret", discover_webhook_secret,
            "shared with the sender, at least 16 characters")},
    {TEXT("discover.webhook_secret_file", discover_webhook_secret_file, LONG, "",
          "file with it, readable by its owner only")},
    {LIST("discover.webhook_started", discover_webhook_started, ALIASES_MAX,
          "contact-started,started,active",
          "values of `map.event` that begin a call, case ignored")},
    {LIST("discover.webhook_ended", discover_webhook_ended, ALIASES_MAX,
          "contact-ended,ended,disconnected",
          "values of `map.event` that end it; others are passed "
          "over")},
    {WHOLE("discover.max", discover_max, 1, 1000000, "10000", "calls followed at once"),
     .flags = CONFIG_FLAG_RESTART},
    {LIST("interactions", interactions, INTERACTIONS_MAX, "", "ids of calls to follow"),
     .tutorial_variable = "CXONE_INTERACTION_ID"},
    {TEXT("discover.file", discover_file, LONG, "",
          "file of calls to follow, one id a line, after tabs `queue=` and `language=`, looked at "
          "every `discover.interval`; empty: "
          "none")},

    {SPAN("privacy.mask_hold", mask_hold_ms, 0, 30 * SECOND, "0s",
          "how long after its end an utterance waits to be judged, so that a list can say that the "
          "call is masked; longer than `discover.interval` closes that gap")},

    {TEXT("rules.path", rules_path, LONG, "",
          "file of rules beside the mood (docs/RULES.md), read again when it changes; empty: "
          "none")},

    {SPAN("end.idle_timeout", end_idle_timeout_ms, SECOND, 24 * HOUR, "10min",
          "a call silent for this long is over")},
    {WHOLE("end.on_404_count", end_on_404_count, 1, 100, "2",
           "404 replies in a row that mean a call is over")},

    {TEXT("model.dir", model_dir, LONG, "",
          "folder of a checkpoint, or a model's name; empty: the default model; `lexicon`: none, a "
          "list of English opinion words judges"),
     .flags = CONFIG_FLAG_RESTART},
    {TEXT("model.device", model_device, NAME, "auto",
          "what the model runs on; `auto`: the best this build knows, which is the CPU; `cuda` is "
          "refused by a build without it"),
     .choices = {"auto", "cpu", "cuda"}, .flags = CONFIG_FLAG_RESTART},
    {WHOLE("model.threads", model_threads, 0, 256, "0",
           "scoring threads; 0: one per core, at most 2"),
     .flags = CONFIG_FLAG_RESTART},
    {WHOLE("model.batch_tokens", model_batch_tokens, 16, 65536, "512", "tokens scored in one go"),
     .flags = CONFIG_FLAG_RESTART},
    {TEXT(
         "model.precision", model_precision, NAME, "auto",
         "what the model computes with: fp32 gives PyTorch's numbers, int8 nearly the same several "
         "times faster; `auto`: fp32"),
     .choices = {"auto", "fp32", "int8", "bf16"}, .flags = CONFIG_FLAG_RESTART},
    {WHOLE("model.cache_entries", model_cache_entries, 0, RESULT_CACHE_ENTRIES_MAX, "65536",
           "answers kept for texts said again, about 112 bytes each; 0: none"),
     .flags = CONFIG_FLAG_RESTART},
    {TEXT("model.cache", model_cache, LONG, "auto",
          "where packed models are kept, so that a restart maps one instead of packing anew: a "
          "folder, `off`, or `auto`, the first of `$CACHE_DIRECTORY` (of a systemd unit), "
          "`$XDG_CACHE_HOME/undertone` and `~/.cache/undertone`"),
     .flags = CONFIG_FLAG_REQUIRED | CONFIG_FLAG_RESTART},
    {LIST("model.fallback", model_fallback, FALLBACKS_MAX, "",
          "models tried in turn when there is no memory for `model.dir` or it fails its self-test; "
          "the last may be `lexicon`, a list of English opinion words"),
     .flags = CONFIG_FLAG_RESTART},
    {LIST(
        "model.language", model_language, LANGUAGE_SET_MAX, "",
        "languages that the model knows, as tags such as `en` or `pt-BR`, or `multi`: calls known "
        "to be in another are followed, but not judged; empty: what model.yaml says, or `en`")},
    {TEXT("model.kernels", model_kernels, NAME, "auto",
          "arithmetic kernels; `auto`: the best this CPU runs"),
     .choices = {"auto", "ref", "avx2", "avx512", "avx512vnni", "avx512bf16", "neon"},
     .flags = CONFIG_FLAG_RESTART},

    {TEXT("store.path", store_path, LONG, "",
          "database of what outlives the daemon, made if it is not there; empty: "
          "`undertone.db` in systemd's `$STATE_DIRECTORY`, without one nothing outlives it"),
     .flags = CONFIG_FLAG_RESTART},
    {TEXT("store.key_file", store_key_file, LONG, "",
          "file of 64 hex digits that keys the hashes in the database, made if it is not there; "
          "empty: `store.path` and `.key`"),
     .flags = CONFIG_FLAG_RESTART},
    {SPAN("store.retention", store_retention_ms, MINUTE, 366.0 * 24 * HOUR, "24h",
          "how long a call that is over is remembered, in case it comes back"),
     .flags = CONFIG_FLAG_RESTART},
    {.key = "store.max_bytes",
     .type = CONFIG_TYPE_SIZE,
     .offset = AT(store_max_bytes),
     .max = 1024.0 * 1024 * 1024 * 1024,
     .initial = "1GiB",
     .meaning = "the database never grows past it; 0: no limit",
     .flags = CONFIG_FLAG_RESTART},

    {TEXT("decisions.path", decisions_path, LONG, "",
          "log of decisions: each alert with what led to it, in a chain of hashes; made if it is "
          "not there; empty: none"),
     .flags = CONFIG_FLAG_RESTART},
    {.key = "decisions.max_bytes",
     .type = CONFIG_TYPE_SIZE,
     .offset = AT(decisions_max_bytes),
     .min = 65536,
     .max = 1024.0 * 1024 * 1024 * 1024,
     .initial = "64MiB",
     .meaning = "a file of it that would grow past this is full; a new one goes on",
     .flags = CONFIG_FLAG_RESTART},
    {WHOLE("decisions.keep", decisions_keep, 0, 10000, "0", "full files kept, the newest; 0: all"),
     .flags = CONFIG_FLAG_RESTART},

    {.key = "log.level",
     .type = CONFIG_TYPE_ENUM,
     .offset = AT(log_level),
     .initial = "info",
     .choices = {"debug", "info", "warn", "error"},
     .meaning = "lines below it are dropped"},
    {TEXT("log.hash_key_file", log_hash_key_file, LONG, "",
          "file of 64 hex digits that keys the hashes of ids in logs; empty: made from the store's "
          "key, without a store new at each start"),
     .flags = CONFIG_FLAG_RESTART},
};

const size_t config_table_count = sizeof config_table / sizeof config_table[0];

_Static_assert(sizeof config_table / sizeof config_table[0] <= CONFIG_ROWS_MAX, "raise the bound");

const struct config_row *config_table_find(const char *key)
{
    for (size_t i = 0; i < config_table_count; i++) {
        if (strcmp(config_table[i].key, key) == 0) {
            return &config_table[i];
        }
    }
    return NULL;
}

const char *config_table_initial(const struct config_row *row, const char *profile, bool *differs)
{
    const char *special = NULL;
    if (strcmp(profile, "tutorial-literal") == 0) {
        special = row->initial_literal;
    } else if (strcmp(profile, "simulator") == 0) {
        special = row->initial_simulator;
    } else if (strcmp(profile, "cxone-real") == 0) {
        special = row->initial_real;
    }
    *differs = special != NULL;
    return special ? special : row->initial;
}

const struct config_row *config_table_find_group(const char *group)
{
    size_t bytes = strlen(group);
    for (size_t i = 0; i < config_table_count; i++) {
        if (strncmp(config_table[i].key, group, bytes) == 0 && config_table[i].key[bytes] == '.') {
            return &config_table[i];
        }
    }
    return NULL;
}

/* A key whose last part was typed right but whose group was left out. */
static const char *key_by_last_part(const char *typed)
{
    for (size_t i = 0; i < config_table_count; i++) {
        const char *dot = strchr(config_table[i].key, '.');
        if (dot && strcmp(dot + 1, typed) == 0) {
            return config_table[i].key;
        }
    }
    return NULL;
}

const char *config_table_suggest(const char *key)
{
    static const char *const groups[] = {
        "discovery", "socket",      "time",     "page",     "auth",  "ep",    "map",
        "attr",      "assist",      "poll",     "window",   "trend", "alert", "rate",
        "retry",     "retry_after", "breaker",  "timeouts", "http",  "tls",   "discover",
        "privacy",   "end",         "model",    "store",    "log",   "api",   "writes",
        "fuse",      "rules",       "decisions"};
    struct suggest best = {0};
    for (size_t i = 0; i < config_table_count; i++) {
        suggest_offer(&best, key, config_table[i].key);
    }
    for (size_t i = 0; i < sizeof groups / sizeof groups[0] && !strchr(key, '.'); i++) {
        suggest_offer(&best, key, groups[i]);
    }
    return best.word ? best.word : key_by_last_part(key);
}

const char *config_table_variable(const struct config_row *row, char out[CONFIG_VARIABLE_BYTES])
{
    (void)snprintf(out, CONFIG_VARIABLE_BYTES, "UNDERTONE_%s", row->key);
    for (char *at = out; *at; at++) {
        *at = *at == '.' ? '_' : (char)toupper((unsigned char)*at);
    }
    return out;
}

struct config_origin *config_table_origin(const struct config *config, const struct config_row *row)
{
    return &config->origins[row - config_table];
}

int config_table_set_origin(struct config *config, const struct config_row *row,
                            enum config_layer layer, struct error *err, const char *format, ...)
{
    enum { WHERE_BYTES_MAX = 4096 + 64 };
    struct buf where;
    va_list args;
    buf_init(&where, WHERE_BYTES_MAX);
    va_start(args, format);
    bool ok = buf_vprintf(&where, format, args);
    va_end(args);
    if (!ok) {
        buf_done(&where);
        return error_set(err, ERROR_MEMORY, "no memory for the configuration");
    }
    struct config_origin *origin = config_table_origin(config, row);
    free(origin->where);
    *origin = (struct config_origin){layer, where.bytes};
    return 0;
}
