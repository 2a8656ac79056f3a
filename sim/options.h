/* options.h - the command line of undertone-sim.
 *
 * One table names every option with its kind and bounds; parsing, and the ledger's record of the
 * options, both walk it. Long names must be spelled out: an abbreviation is taken for a typo.
 */
#ifndef SIM_OPTIONS_H
#define SIM_OPTIONS_H

#include "base/error.h"
#include "base/json_write.h"
#include "sim/corpus.h"
#include "sim/lifecycle.h"
#include "sim/script.h"
#include "sim/timeline.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum {
    OPTIONS_DENY_TRANSCRIPTS = 1,
    OPTIONS_DENY_ATTRIBUTES = 2,
    OPTIONS_DENY_SUGGESTIONS = 4,
};

enum { OPTIONS_ID_BYTES_MAX = 128 };

/* Whose API is spoken. */
enum options_profile {
    OPTIONS_PROFILE_TUTORIAL,
    OPTIONS_PROFILE_REAL, /* the shapes of the real platform, for chats */
};

struct options {
    enum options_profile profile;

    /* what is played */
    int64_t calls;
    const char *ids;       /* comma separated names of the first calls, or NULL */
    const char *queues;    /* the same of whose calls they are, in turn, or NULL */
    const char *languages; /* the same of tags */
    unsigned source_weights[CORPUS_SOURCE_COUNT];
    const char *data; /* directory, or NULL to search */
    int64_t seed;
    double speed; /* vendor milliseconds per real millisecond */
    bool mid_call;
    int64_t duration_s;   /* 0: for ever */
    int64_t exit_after_s; /* 0: never */
    int64_t linger_s;

    /* how it is seen */
    struct timeline_disorder disorder;
    enum timeline_filter filter;

    /* who may ask, how often, what goes wrong */
    const char *client_id;
    const char *client_secret;
    int64_t expires_in_s;
    double quota_per_s;      /* 0: off */
    double call_quota_per_s; /* 0: off */
    double fault_429;
    double fault_503;
    int64_t revoke_after_s; /* 0: never */
    unsigned deny;          /* OPTIONS_DENY_* */
    const char *script;     /* a file, or NULL */

    /* what only a script can say */
    struct lifecycle_odds lifecycle;
    double odd_ids; /* share of calls with an id made to hurt */

    /* where */
    const char *address;
    int64_t port;    /* 0: any free one */
    const char *tls; /* directory, or NULL for plain HTTP */
    const char *ledger;
    bool print_env;
    bool verbose;

    bool help;
    bool version;
};

/* Fills `options` from the command line (strings are borrowed from it). ERROR_USAGE names the
 * option and what it takes. Not thread-safe: getopt. */
int options_parse(struct options *options, int argc, char **argv, struct error *err);

/* Takes over what a script says about transcripts and calls. ERROR_CONFIG where it asks for what
 * these options cannot keep. */
int options_apply_script(struct options *options, const struct script *script, struct error *err);

/* An object of every option by its long name; the client secret is left out. */
void options_write(const struct options *options, struct json_writer *writer);

void options_print_help(FILE *out);

/* Copies the id at position `index` of the comma separated --ids to out (OPTIONS_ID_BYTES_MAX + 1
 * bytes). False past the last one. */
bool options_id(const struct options *options, size_t index, char *out);

/* The piece of a comma separated list whose turn it is, to out (OPTIONS_ID_BYTES_MAX + 1 bytes); ""
 * without a list. */
const char *options_turn(const char *list, uint64_t index, char *out);

#endif
