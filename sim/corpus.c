/* corpus.c - loads conversations (see corpus.h).
 *
 * The largest source has thousands of conversations, more than calls will ever play, so each file
 * is streamed once through a reservoir (Vitter, "Random Sampling with a Reservoir", 1985,
 * algorithm R): memory is bounded whatever the file holds. Kept lines are parsed once at loading,
 * so that a broken file stops the start and not a call.
 */
#include "sim/corpus.h"

#include "base/lines.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINE_BYTES_MAX = 1 << 20, PATH_BYTES = 4096 };

struct kept_line {
    char *bytes;
    size_t size;
    size_t number; /* in its file, from 1 */
};

struct sample {
    struct kept_line *lines;
    size_t count;
};

struct corpus {
    struct sample samples[CORPUS_SOURCE_COUNT];
    unsigned weights[CORPUS_SOURCE_COUNT];
    unsigned weight_sum;
};

static const struct {
    const char *name;
    const char *file;
    enum conversation_format format;
} sources[CORPUS_SOURCE_COUNT] = {
    [CORPUS_SOURCE_HARPER] = {"harper", "harper-valley-samples/conversations.jsonl.gz",
                              CONVERSATION_FORMAT_HARPER},
    [CORPUS_SOURCE_CUCOM] = {"cucom", "cucom-ecommerce-synthetic/conversations.jsonl.gz",
                             CONVERSATION_FORMAT_CUCOM},
    [CORPUS_SOURCE_MS] = {"ms", "ms-contact-center-synthetic/it_helpdesk_calls.jsonl.gz",
                          CONVERSATION_FORMAT_MS},
    [CORPUS_SOURCE_ABCD] = {"abcd", "abcd-samples/abcd_5_conversations.jsonl.gz",
                            CONVERSATION_FORMAT_ABCD},
};

const char *corpus_source_name(enum corpus_source source)
{
    return sources[source].name;
}

static bool keep_line(struct kept_line *kept, const char *line, size_t size, size_t number)
{
    char *copy = malloc(size + 1);
    if (copy == NULL) {
        return false;
    }
    memcpy(copy, line, size);
    copy[size] = '\0';
    free(kept->bytes);
    *kept = (struct kept_line){copy, size, number};
    return true;
}

/* One step of the reservoir for the line number `seen` (from 0). */
static bool sample_offer(struct sample *sample, const char *line, size_t size, size_t seen,
                         size_t number, struct rand *rand)
{
    if (sample->count < CORPUS_SAMPLE_MAX) {
        if (!keep_line(&sample->lines[sample->count], line, size, number)) {
            return false;
        }
        sample->count++;
        return true;
    }
    uint64_t slot = rand_below(rand, (uint64_t)seen + 1);
    return slot >= CORPUS_SAMPLE_MAX || keep_line(&sample->lines[slot], line, size, number);
}

static int sample_read(struct sample *sample, const char *path, struct rand *rand,
                       struct error *err)
{
    sample->lines = calloc(CORPUS_SAMPLE_MAX, sizeof *sample->lines);
    if (sample->lines == NULL) {
        return error_set(err, ERROR_MEMORY, "no memory for conversations");
    }
    struct lines *lines;
    int rc = lines_open(&lines, path, LINE_BYTES_MAX, err);
    if (rc != 0) {
        return rc;
    }
    const char *line;
    size_t size;
    size_t seen = 0;
    int more;
    while ((more = lines_next(lines, &line, &size, err)) == 1 && rc == 0) {
        if (size > 0 && !sample_offer(sample, line, size, seen++, lines_number(lines), rand)) {
            rc = error_set(err, ERROR_MEMORY, "no memory for conversations");
        }
    }
    if (more < 0) {
        rc = err != NULL ? (int)err->code : (int)ERROR_FORMAT;
    }
    lines_close(lines);
    return rc;
}

static int sample_check(const struct sample *sample, enum conversation_format format,
                        const char *path, struct error *err)
{
    if (sample->count == 0) {
        return error_set(err, ERROR_FORMAT, "%s holds no conversation", path);
    }
    for (size_t i = 0; i < sample->count; i++) {
        const struct kept_line *kept = &sample->lines[i];
        struct conversation conversation;
        int rc = conversation_parse(&conversation, format, kept->bytes, kept->size, err);
        if (rc != 0) {
            error_wrap(err, "%s:%zu", path, kept->number);
            return rc;
        }
        conversation_done(&conversation);
    }
    return 0;
}

static int load_source(struct corpus *corpus, enum corpus_source source, const char *directory,
                       uint64_t seed, struct error *err)
{
    char path[PATH_BYTES];
    int length = snprintf(path, sizeof path, "%s/%s", directory, sources[source].file);
    if (length < 0 || (size_t)length >= sizeof path) {
        return error_set(err, ERROR_LIMIT, "the data directory's name is too long");
    }
    struct rand rand;
    rand_seed(&rand, rand_mix(seed + (uint64_t)source));
    int rc = sample_read(&corpus->samples[source], path, &rand, err);
    if (rc != 0) {
        return rc;
    }
    return sample_check(&corpus->samples[source], sources[source].format, path, err);
}

int corpus_create(struct corpus **corpus, const char *directory,
                  const unsigned weights[CORPUS_SOURCE_COUNT], uint64_t seed, struct error *err)
{
    *corpus = NULL;
    struct corpus *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return error_set(err, ERROR_MEMORY, "no memory for conversations");
    }
    int rc = 0;
    for (int i = 0; i < CORPUS_SOURCE_COUNT && rc == 0; i++) {
        made->weights[i] = weights[i];
        made->weight_sum += weights[i];
        if (weights[i] > 0) {
            rc = load_source(made, (enum corpus_source)i, directory, seed, err);
        }
    }
    if (rc == 0 && made->weight_sum == 0) {
        rc = error_set(err, ERROR_USAGE, "no source has a weight: give one, as in --sources ms=1");
    }
    if (rc != 0) {
        corpus_destroy(made);
        return rc;
    }
    *corpus = made;
    return 0;
}

void corpus_destroy(struct corpus *corpus)
{
    if (corpus == NULL) {
        return;
    }
    for (int i = 0; i < CORPUS_SOURCE_COUNT; i++) {
        struct sample *sample = &corpus->samples[i];
        for (size_t k = 0; k < sample->count; k++) {
            free(sample->lines[k].bytes);
        }
        free(sample->lines);
    }
    free(corpus);
}

int corpus_draw(const struct corpus *corpus, struct rand *rand, enum corpus_source *source,
                struct conversation *conversation, struct error *err)
{
    uint64_t ticket = rand_below(rand, corpus->weight_sum);
    int drawn = 0;
    while (ticket >= corpus->weights[drawn]) {
        ticket -= corpus->weights[drawn];
        drawn++;
    }
    const struct sample *sample = &corpus->samples[drawn];
    const struct kept_line *kept = &sample->lines[rand_below(rand, sample->count)];
    *source = (enum corpus_source)drawn;
    return conversation_parse(conversation, sources[drawn].format, kept->bytes, kept->size, err);
}

static bool has_a_source(const char *directory)
{
    for (int i = 0; i < CORPUS_SOURCE_COUNT; i++) {
        char path[PATH_BYTES];
        int length = snprintf(path, sizeof path, "%s/%s", directory, sources[i].file);
        if (length > 0 && (size_t)length < sizeof path && access(path, R_OK) == 0) {
            return true;
        }
    }
    return false;
}

/* "../../sim/data" seen from the executable: a build folder inside the source tree. */
static bool beside_executable(char *out, size_t size)
{
    char program[PATH_BYTES];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    if (length <= 0) {
        return false;
    }
    program[length] = '\0';
    char *slash = strrchr(program, '/');
    if (slash == NULL) {
        return false;
    }
    *slash = '\0';
    int written = snprintf(out, size, "%s/../../sim/data", program);
    return written > 0 && (size_t)written < size;
}

char *corpus_find_directory(const char *asked)
{
    const char *named = asked != NULL ? asked : getenv("UNDERTONE_SIM_DATA");
    if (named != NULL) {
        return strdup(named);
    }
    char beside[PATH_BYTES + 32];
    const char *candidates[] = {
        "sim/data",
        beside_executable(beside, sizeof beside) ? beside : NULL,
        "/usr/share/undertone/sim",
    };
    for (size_t i = 0; i < sizeof candidates / sizeof candidates[0]; i++) {
        if (candidates[i] != NULL && has_a_source(candidates[i])) {
            return strdup(candidates[i]);
        }
    }
    return NULL;
}
