/* options.c - see options.h. Numbers are digits and at most one dot: no sign, exponent, blank or
 * unit is accepted, so that nothing is understood in part. */
#include "sim/options.h"

#include <errno.h>
#include <getopt.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum { OPTION_COUNT = 37 };

enum option_kind {
    OPTION_KIND_FLAG,    /* bool, no value */
    OPTION_KIND_SWITCH,  /* bool, "on" or "off" */
    OPTION_KIND_INTEGER, /* int64_t within [min, max] */
    OPTION_KIND_NUMBER,  /* double within [min, max] */
    OPTION_KIND_TEXT,    /* const char *, not empty */
    OPTION_KIND_IDS,     /* const char *, checked */
    OPTION_KIND_FILTER,
    OPTION_KIND_SOURCES,
    OPTION_KIND_DENY,
    OPTION_KIND_PROFILE,
};

struct option_row {
    const char *name;
    enum option_kind kind;
    size_t offset;
    double min;
    double max;
    bool secret;
};

#define AT(member) offsetof(struct options, member)

static const double SECONDS_MAX = 1e7;

static const struct option_row rows[OPTION_COUNT] = {
    {"profile", OPTION_KIND_PROFILE, AT(profile), 0, 0, false},
    {"calls", OPTION_KIND_INTEGER, AT(calls), 0, 10000, false},
    {"ids", OPTION_KIND_IDS, AT(ids), 0, 0, false},
    {"queues", OPTION_KIND_IDS, AT(queues), 0, 0, false},
    {"languages", OPTION_KIND_IDS, AT(languages), 0, 0, false},
    {"sources", OPTION_KIND_SOURCES, AT(source_weights), 0, 0, false},
    {"data", OPTION_KIND_TEXT, AT(data), 0, 0, false},
    {"seed", OPTION_KIND_INTEGER, AT(seed), 0, 9007199254740992.0, false},
    {"speed", OPTION_KIND_NUMBER, AT(speed), 0.01, 1000, false},
    {"mid-call", OPTION_KIND_SWITCH, AT(mid_call), 0, 0, false},
    {"duration", OPTION_KIND_INTEGER, AT(duration_s), 0, SECONDS_MAX, false},
    {"exit-after", OPTION_KIND_INTEGER, AT(exit_after_s), 0, SECONDS_MAX, false},
    {"linger", OPTION_KIND_INTEGER, AT(linger_s), 0, SECONDS_MAX, false},
    {"partials", OPTION_KIND_SWITCH, AT(disorder.partials), 0, 0, false},
    {"late", OPTION_KIND_NUMBER, AT(disorder.late), 0, 1, false},
    {"revised", OPTION_KIND_NUMBER, AT(disorder.revised), 0, 1, false},
    {"duplicated", OPTION_KIND_NUMBER, AT(disorder.duplicated), 0, 1, false},
    {"out-of-order", OPTION_KIND_NUMBER, AT(disorder.out_of_order), 0, 1, false},
    {"filter", OPTION_KIND_FILTER, AT(filter), 0, 0, false},
    {"client-id", OPTION_KIND_TEXT, AT(client_id), 0, 0, false},
    {"client-secret", OPTION_KIND_TEXT, AT(client_secret), 0, 0, true},
    {"expires-in", OPTION_KIND_INTEGER, AT(expires_in_s), 1, SECONDS_MAX, false},
    {"quota", OPTION_KIND_NUMBER, AT(quota_per_s), 0, 1e6, false},
    {"call-quota", OPTION_KIND_NUMBER, AT(call_quota_per_s), 0, 1e6, false},
    {"fault-429", OPTION_KIND_NUMBER, AT(fault_429), 0, 1, false},
    {"fault-503", OPTION_KIND_NUMBER, AT(fault_503), 0, 1, false},
    {"revoke-after", OPTION_KIND_INTEGER, AT(revoke_after_s), 0, SECONDS_MAX, false},
    {"deny", OPTION_KIND_DENY, AT(deny), 0, 0, false},
    {"script", OPTION_KIND_TEXT, AT(script), 0, 0, false},
    {"address", OPTION_KIND_TEXT, AT(address), 0, 0, false},
    {"port", OPTION_KIND_INTEGER, AT(port), 0, 65535, false},
    {"tls", OPTION_KIND_TEXT, AT(tls), 0, 0, false},
    {"ledger", OPTION_KIND_TEXT, AT(ledger), 0, 0, false},
    {"print-env", OPTION_KIND_FLAG, AT(print_env), 0, 0, false},
    {"verbose", OPTION_KIND_FLAG, AT(verbose), 0, 0, false},
    {"help", OPTION_KIND_FLAG, AT(help), 0, 0, false},
    {"version", OPTION_KIND_FLAG, AT(version), 0, 0, false},
};

static const char *const filter_names[] = {
    [TIMELINE_FILTER_START_AT_LEAST] = "start>=",
    [TIMELINE_FILTER_START_AFTER] = "start>",
    [TIMELINE_FILTER_END_AT_LEAST] = "end>=",
    [TIMELINE_FILTER_END_AFTER] = "end>",
};

static const char *const profile_names[] = {
    [OPTIONS_PROFILE_TUTORIAL] = "tutorial",
    [OPTIONS_PROFILE_REAL] = "cxone-real",
};

static const struct {
    const char *name;
    unsigned bit;
} deny_names[] = {
    {"transcripts", OPTIONS_DENY_TRANSCRIPTS},
    {"attributes", OPTIONS_DENY_ATTRIBUTES},
    {"suggestions", OPTIONS_DENY_SUGGESTIONS},
};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static bool parse_number(const char *text, bool whole, double *out)
{
    const char *allowed = whole ? "0123456789" : "0123456789.";
    char *end;
    if (text[0] == '\0' || text[0] == '.' || text[strspn(text, allowed)] != '\0') {
        return false;
    }
    *out = strtod(text, &end);
    return *end == '\0';
}

/* The piece of a comma separated list that starts at *at; moves *at past it. */
static bool next_piece(const char *list, size_t *at, const char **piece, size_t *bytes)
{
    if (*at > 0 && list[*at - 1] == '\0') {
        return false;
    }
    *piece = list + *at;
    *bytes = strcspn(*piece, ",");
    *at += *bytes + 1;
    return true;
}

static bool piece_is(const char *piece, size_t bytes, const char *name)
{
    return strlen(name) == bytes && memcmp(piece, name, bytes) == 0;
}

static bool parse_ids(const char *list)
{
    size_t at = 0;
    const char *piece;
    size_t bytes;
    while (next_piece(list, &at, &piece, &bytes)) {
        if (bytes == 0 || bytes > OPTIONS_ID_BYTES_MAX) {
            return false;
        }
        for (size_t i = 0; i < bytes; i++) {
            if (piece[i] <= ' ' || piece[i] > '~') {
                return false;
            }
        }
    }
    return true;
}

static bool parse_deny(const char *list, unsigned *deny)
{
    size_t at = 0;
    const char *piece;
    size_t bytes;
    while (next_piece(list, &at, &piece, &bytes)) {
        unsigned bit = 0;
        for (size_t i = 0; i < COUNT(deny_names); i++) {
            if (piece_is(piece, bytes, deny_names[i].name)) {
                bit = deny_names[i].bit;
            }
        }
        if (bit == 0) {
            return false;
        }
        *deny |= bit;
    }
    return true;
}

/* "NAME=WEIGHT,..."; sources not named get no weight. */
static bool parse_sources(const char *list, unsigned weights[CORPUS_SOURCE_COUNT])
{
    unsigned parsed[CORPUS_SOURCE_COUNT] = {0};
    unsigned sum = 0;
    size_t at = 0;
    const char *piece;
    size_t bytes;
    while (next_piece(list, &at, &piece, &bytes)) {
        const char *equals = memchr(piece, '=', bytes);
        char digits[8] = {0};
        double weight;
        if (equals == NULL || bytes - (size_t)(equals - piece) - 1 >= sizeof digits) {
            return false;
        }
        memcpy(digits, equals + 1, bytes - (size_t)(equals - piece) - 1);
        if (!parse_number(digits, true, &weight) || weight > CORPUS_WEIGHT_MAX) {
            return false;
        }
        int source = 0;
        while (source < CORPUS_SOURCE_COUNT &&
               !piece_is(piece, (size_t)(equals - piece),
                         corpus_source_name((enum corpus_source)source))) {
            source++;
        }
        if (source == CORPUS_SOURCE_COUNT) {
            return false;
        }
        parsed[source] = (unsigned)weight;
        sum += parsed[source];
    }
    memcpy(weights, parsed, sizeof parsed);
    return sum > 0;
}

static bool parse_filter(const char *text, enum timeline_filter *filter)
{
    for (size_t i = 0; i < COUNT(filter_names); i++) {
        if (strcmp(text, filter_names[i]) == 0) {
            *filter = (enum timeline_filter)i;
            return true;
        }
    }
    return false;
}

static bool parse_profile(const char *text, enum options_profile *profile)
{
    bool is_real = strcmp(text, profile_names[OPTIONS_PROFILE_REAL]) == 0;
    *profile = is_real ? OPTIONS_PROFILE_REAL : OPTIONS_PROFILE_TUTORIAL;
    return is_real || strcmp(text, profile_names[OPTIONS_PROFILE_TUTORIAL]) == 0;
}

static int parse_bounded(const struct option_row *row, const char *value, double *out,
                         struct error *err)
{
    bool whole = row->kind == OPTION_KIND_INTEGER;
    if (!parse_number(value, whole, out) || *out < row->min || *out > row->max) {
        return error_set(err, ERROR_USAGE, "--%s takes a %s from %.15g to %.15g, not \"%s\"",
                         row->name, whole ? "whole number" : "number", row->min, row->max, value);
    }
    return 0;
}

static int refuse(const struct option_row *row, const char *value, const char *takes,
                  struct error *err)
{
    return error_set(err, ERROR_USAGE, "--%s takes %s, not \"%s\"", row->name, takes,
                     row->secret ? "(not shown)" : value);
}

static int set_option(struct options *options, const struct option_row *row, const char *value,
                      struct error *err)
{
    void *target = (char *)options + row->offset;
    double number;
    int rc = 0;
    switch (row->kind) {
    case OPTION_KIND_FLAG:
        *(bool *)target = true;
        return 0;
    case OPTION_KIND_SWITCH:
        *(bool *)target = strcmp(value, "on") == 0;
        return *(bool *)target || strcmp(value, "off") == 0 ? 0
                                                            : refuse(row, value, "on or off", err);
    case OPTION_KIND_INTEGER:
        rc = parse_bounded(row, value, &number, err);
        if (rc == 0) {
            *(int64_t *)target = (int64_t)number;
        }
        return rc;
    case OPTION_KIND_NUMBER:
        rc = parse_bounded(row, value, &number, err);
        if (rc == 0) {
            *(double *)target = number;
        }
        return rc;
    case OPTION_KIND_TEXT:
        *(const char **)target = value;
        return value[0] != '\0' ? 0 : refuse(row, value, "a text", err);
    case OPTION_KIND_IDS:
        *(const char **)target = value;
        return parse_ids(value) ? 0
                                : refuse(row, value, "printable names, comma between them", err);
    case OPTION_KIND_FILTER:
        return parse_filter(value, target)
                   ? 0
                   : refuse(row, value, "one of start>= start> end>= end>", err);
    case OPTION_KIND_SOURCES:
        return parse_sources(value, target)
                   ? 0
                   : refuse(row, value, "weights such as harper=1,cucom=2,ms=1,abcd=1", err);
    case OPTION_KIND_DENY:
        return parse_deny(value, target)
                   ? 0
                   : refuse(row, value, "transcripts, attributes, suggestions", err);
    case OPTION_KIND_PROFILE:
        return parse_profile(value, target) ? 0 : refuse(row, value, "tutorial or cxone-real", err);
    }
    return rc;
}

static void set_defaults(struct options *options)
{
    *options = (struct options){
        .calls = 4,
        .source_weights = {[CORPUS_SOURCE_HARPER] = 1,
                           [CORPUS_SOURCE_CUCOM] = 2,
                           [CORPUS_SOURCE_MS] = 1,
                           [CORPUS_SOURCE_ABCD] = 1},
        .seed = 1,
        .speed = 1,
        .mid_call = true,
        .linger_s = 120,
        .disorder = {.partials = true},
        .client_id = "demo-client",
        .client_secret = "demo-secret",
        .expires_in_s = 3600,
        .address = "127.0.0.1",
        .port = -1,
    };
}

/* An ended call must stay readable until its last finals are visible. */
static int check_linger(const struct options *options, enum error_code code, const char *because,
                        struct error *err)
{
    double promise_s = TIMELINE_LATE_GRACE_MS / 1000.0 / options->speed;
    if (options->disorder.late > 0 && (double)options->linger_s < promise_s) {
        return error_set(err, code,
                         "--linger %lld would end calls before their late finals are visible: "
                         "give at least %.0f with %s and this --speed",
                         (long long)options->linger_s, promise_s + 0.5, because);
    }
    return 0;
}

/* A chat's message is whole when it is sent, and has one time: what disturbs more than that has no
 * form in the real shapes. */
static int make_chat(struct options *options, enum error_code code, struct error *err)
{
    const struct timeline_disorder *disorder = &options->disorder;
    const double impossible[] = {
        disorder->revised,        disorder->overlap,           disorder->same_millisecond,
        disorder->missing_fields, disorder->unknown_direction, disorder->past,
        disorder->future,         disorder->numeric_strings,   disorder->extra_fields,
        options->odd_ids};
    if (options->profile != OPTIONS_PROFILE_REAL) {
        return 0;
    }
    for (size_t i = 0; i < COUNT(impossible); i++) {
        if (impossible[i] > 0) {
            return error_set(err, code,
                             "profile cxone-real serves chats: of what disturbs utterances only "
                             "late, duplicated and out_of_order have a form there");
        }
    }
    options->disorder.partials = false;
    return 0;
}

int options_apply_script(struct options *options, const struct script *script, struct error *err)
{
    script_apply(script, &options->disorder, &options->lifecycle, &options->odd_ids);
    int rc = make_chat(options, ERROR_CONFIG, err);
    return rc != 0 ? rc : check_linger(options, ERROR_CONFIG, "the script's late finals", err);
}

/* Rules between options, once all are known. */
static int check_together(struct options *options, struct error *err)
{
    if (options->port < 0) {
        options->port = options->tls != NULL ? 8443 : 8080;
    }
    int rc = make_chat(options, ERROR_USAGE, err);
    rc = rc != 0 ? rc : check_linger(options, ERROR_USAGE, "--late", err);
    if (rc != 0) {
        return rc;
    }
    char id[OPTIONS_ID_BYTES_MAX + 1];
    char other[OPTIONS_ID_BYTES_MAX + 1];
    for (size_t i = 0; options_id(options, i, id); i++) {
        for (size_t k = 0; k < i && options_id(options, k, other); k++) {
            if (strcmp(id, other) == 0) {
                return error_set(err, ERROR_USAGE, "--ids names \"%s\" twice", id);
            }
        }
    }
    return 0;
}

static void fill_getopt(struct option table[OPTION_COUNT + 1])
{
    memset(table, 0, (OPTION_COUNT + 1) * sizeof *table);
    for (int i = 0; i < OPTION_COUNT; i++) {
        table[i].name = rows[i].name;
        table[i].has_arg = rows[i].kind == OPTION_KIND_FLAG ? no_argument : required_argument;
    }
}

/* Whether the word on the command line spells the whole name: getopt takes abbreviations. */
static bool spelled_out(const char *word, const char *name)
{
    size_t length = strlen(name);
    return strncmp(word, "--", 2) == 0 && strncmp(word + 2, name, length) == 0 &&
           (word[2 + length] == '\0' || word[2 + length] == '=');
}

int options_parse(struct options *options, int argc, char **argv, struct error *err)
{
    struct option table[OPTION_COUNT + 1];
    set_defaults(options);
    fill_getopt(table);
    optind = 0; /* glibc: start afresh */
    opterr = 0;
    for (;;) {
        int row = -1;
        int word = optind == 0 ? 1 : optind;
        int found = getopt_long(argc, argv, "+:", table, &row);
        if (found == -1) {
            break;
        }
        if (found == ':') {
            return error_set(err, ERROR_USAGE, "%s needs a value", argv[word]);
        }
        if (found != 0 || !spelled_out(argv[word], rows[row].name)) {
            return error_set(err, ERROR_USAGE, "unknown option %s, or a value it does not take",
                             argv[word]);
        }
        int rc = set_option(options, &rows[row], optarg, err);
        if (rc != 0) {
            return rc;
        }
    }
    if (optind < argc) {
        return error_set(err, ERROR_USAGE, "unexpected argument \"%s\"", argv[optind]);
    }
    return check_together(options, err);
}

bool options_id(const struct options *options, size_t index, char *out)
{
    size_t at = 0;
    const char *piece;
    size_t bytes;
    while (options->ids != NULL && next_piece(options->ids, &at, &piece, &bytes)) {
        if (index-- == 0) {
            memcpy(out, piece, bytes);
            out[bytes] = '\0';
            return true;
        }
    }
    return false;
}

const char *options_turn(const char *list, uint64_t index, char *out)
{
    uint64_t count = 0;
    size_t at = 0;
    const char *piece;
    size_t bytes = 0;
    while (list != NULL && next_piece(list, &at, &piece, &bytes)) {
        count++;
    }
    at = 0;
    for (uint64_t left = count > 0 ? index % count + 1 : 0; left > 0; left--) {
        (void)next_piece(list, &at, &piece, &bytes);
    }
    if (count > 0) {
        memcpy(out, piece, bytes);
    }
    out[count > 0 ? bytes : 0] = '\0';
    return out;
}

static void write_value(const void *value, enum option_kind kind, struct json_writer *writer)
{
    switch (kind) {
    case OPTION_KIND_FLAG:
    case OPTION_KIND_SWITCH:
        json_write_boolean(writer, *(const bool *)value);
        break;
    case OPTION_KIND_INTEGER:
        json_write_integer(writer, *(const int64_t *)value);
        break;
    case OPTION_KIND_NUMBER:
        json_write_number(writer, *(const double *)value, 15);
        break;
    case OPTION_KIND_TEXT:
    case OPTION_KIND_IDS:
        json_write_cstring(writer, *(const char *const *)value);
        break;
    case OPTION_KIND_FILTER:
        json_write_cstring(writer, filter_names[*(const enum timeline_filter *)value]);
        break;
    case OPTION_KIND_SOURCES:
        json_write_object_begin(writer);
        for (int i = 0; i < CORPUS_SOURCE_COUNT; i++) {
            json_write_member_integer(writer, corpus_source_name((enum corpus_source)i),
                                      ((const unsigned *)value)[i]);
        }
        json_write_object_end(writer);
        break;
    case OPTION_KIND_DENY:
        json_write_array_begin(writer);
        for (size_t i = 0; i < COUNT(deny_names); i++) {
            if ((*(const unsigned *)value & deny_names[i].bit) != 0) {
                json_write_cstring(writer, deny_names[i].name);
            }
        }
        json_write_array_end(writer);
        break;
    case OPTION_KIND_PROFILE:
        json_write_cstring(writer, profile_names[*(const enum options_profile *)value]);
        break;
    }
}

void options_write(const struct options *options, struct json_writer *writer)
{
    json_write_object_begin(writer);
    for (int i = 0; i < OPTION_COUNT; i++) {
        bool asks = rows[i].offset == AT(help) || rows[i].offset == AT(version);
        if (!rows[i].secret && !asks) {
            json_write_key(writer, rows[i].name);
            write_value((const char *)options + rows[i].offset, rows[i].kind, writer);
        }
    }
    json_write_object_end(writer);
}

void options_print_help(FILE *out)
{
    fputs(
        "Usage: undertone-sim [OPTION]...\n"
        "A CXone simulator: plays recorded conversations as live calls, serves their transcripts,\n"
        "takes attributes and suggestions, and keeps a ledger of everything.\n"
        "\n"
        "  --profile NAME       tutorial, or cxone-real: the real platform's shapes (log-in by\n"
        "                       access key, discovery, contact list, chat transcripts, signals)\n"
        "\n"
        "What is played\n"
        "  --calls N            calls live at once; a new one starts when one ends (4)\n"
        "  --ids A,B,...        ids of the first calls; others are UUIDs from the seed\n"
        "  --queues A,B,...     whose calls they are, in turn; the list then says so\n"
        "  --languages A,B,...  tags, in turn: said by the list and with each utterance, whatever\n"
        "                       is really spoken\n"
        "  --sources LIST       weights of the sources (harper=1,cucom=2,ms=1,abcd=1)\n"
        "  --data DIR           conversations ($UNDERTONE_SIM_DATA, ./sim/data, beside the\n"
        "                       program, /usr/share/undertone/sim)\n"
        "  --seed N             same seed, same calls and disorder (1)\n"
        "  --speed X            how many times as fast as real time conversations run (1)\n"
        "  --mid-call on|off    the first calls have begun before the start (on)\n"
        "  --duration S         start no new call after S seconds; exit when the last one has\n"
        "                       ended and lingered (0: go on for ever)\n"
        "  --exit-after S       exit after S seconds whatever is live (0: never)\n"
        "  --linger S           seconds for which an ended call stays listed and readable (120)\n"
        "\n"
        "What a reader sees; P is a share from 0 to 1\n"
        "  --partials on|off    growing non-final elements while somebody speaks (on)\n"
        "  --late P             finals visible 35 to 120 s after the utterance's end (0), but\n"
        "                       never later than 45 s after the call's last utterance ended\n"
        "  --revised P          finals of 3 words and more that first lack their last word (0)\n"
        "  --duplicated P       finals that stand twice in a reply (0)\n"
        "  --out-of-order P     elements that stand too early in a reply (0)\n"
        "  --filter RULE        what startTime selects: start>= start> end>= end> (start>=)\n"
        "\n"
        "Who may ask, how often, and what goes wrong\n"
        "  --client-id ID       (demo-client) and\n"
        "  --client-secret S    (demo-secret): the defaults are public, for tests only\n"
        "  --expires-in S       life of a token (3600)\n"
        "  --quota R            requests a second for the client, at most max(1, R/4) at once\n"
        "                       (0: no limit)\n"
        "  --call-quota R       requests a second for one call, at most max(1, R) at once (0)\n"
        "  --fault-429 P        requests answered 429 for no reason (0)\n"
        "  --fault-503 P        requests answered 503 (0)\n"
        "  --revoke-after S     all tokens become invalid once, after S seconds (0: never)\n"
        "  --deny LIST          answer 403 to: transcripts, attributes, suggestions\n"
        "  --script FILE        a YAML list of what else goes wrong, and when (sim/README.md;\n"
        "                       ready-made ones are in sim/scripts)\n"
        "\n"
        "Where\n"
        "  --address A          numeric address to listen on (127.0.0.1)\n"
        "  --port N             0 picks a free one (8443 with --tls, else 8080)\n"
        "  --tls DIR            HTTPS with ca.pem, cert.pem and key.pem from DIR, made there once\n"
        "  --ledger FILE        JSON lines of all that was served and received; replaced\n"
        "  --print-env          also print the environment variables that a client needs\n"
        "  --verbose            log to standard error\n"
        "  --help, --version\n"
        "\n"
        "Examples\n"
        "  undertone-sim --calls 20 --print-env\n"
        "  undertone-sim --calls 50 --late 0.02 --revised 0.05 --duplicated 0.05 \\\n"
        "                --out-of-order 0.05 --duration 300 --ledger run.jsonl\n"
        "  undertone-sim --tls /tmp/sim-tls --quota 40 --call-quota 1 --fault-503 0.01\n"
        "  undertone-sim --calls 1 --ids 1234567 --sources harper=1 --mid-call off\n"
        "\n"
        "Exit status: 0 after an ordinary end, 64 for a wrong command line, 78 for a wrong "
        "script,\n"
        "otherwise the failure's.\n",
        out);
}
