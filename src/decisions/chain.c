/* chain.c - see chain.h. */
#include "decisions/chain.h"

#include "base/json.h"

#include <string.h>

static const char seal[] = ",\"hash\":\"";
enum { HASH_BYTES = SHA256_TEXT_BYTES - 1, TAIL_BYTES = sizeof seal - 1 + HASH_BYTES + 2 };

void chain_init(struct chain *chain)
{
    chain->seq = 0;
    memset(chain->hash, '0', HASH_BYTES);
    chain->hash[HASH_BYTES] = '\0';
}

void chain_begin(const struct chain *chain, struct buf *line, struct json_writer *writer)
{
    buf_clear(line);
    json_writer_init(writer, line);
    json_write_object_begin(writer);
    json_write_member_integer(writer, "seq", (int64_t)chain->seq + 1);
    json_write_member_text(writer, "prev", chain->hash);
}

bool chain_seal(struct buf *line, struct json_writer *writer, struct chain *next)
{
    char hash[SHA256_TEXT_BYTES];
    if (line->failed) {
        return false;
    }
    sha256_bytes(line->bytes, line->size, hash);
    json_write_member_text(writer, "hash", hash);
    json_write_object_end(writer);
    if (!buf_append_char(line, '\n') || line->size > CHAIN_LINE_BYTES_MAX) {
        return false;
    }
    next->seq++;
    memcpy(next->hash, hash, sizeof hash);
    return true;
}

static int read_members(const char *line, size_t bytes, struct chain *found,
                        char prev[SHA256_TEXT_BYTES], struct error *err)
{
    struct json_document *document;
    size_t prev_bytes = 0;
    int64_t seq = 0;
    int result = json_parse(line, bytes, &document, err);
    if (result) {
        return ERROR_FORMAT;
    }
    const char *named = json_as_string(json_get(json_root(document), "prev"), &prev_bytes);
    if (!json_as_integer(json_get(json_root(document), "seq"), &seq) || seq < 1 || !named ||
        prev_bytes != HASH_BYTES) {
        result = error_set(err, ERROR_FORMAT, "it has no number and no link");
    } else {
        found->seq = (uint64_t)seq;
        memcpy(prev, named, HASH_BYTES);
        prev[HASH_BYTES] = '\0';
    }
    json_free(document);
    return result;
}

int chain_read(const char *line, size_t bytes, struct chain *found, char prev[SHA256_TEXT_BYTES],
               struct error *err)
{
    const char *tail = bytes > TAIL_BYTES ? line + bytes - TAIL_BYTES : NULL;
    if (!tail || memcmp(tail, seal, sizeof seal - 1) != 0 || memcmp(line + bytes - 2, "\"}", 2)) {
        return error_set(err, ERROR_FORMAT, "it does not end with its hash");
    }
    sha256_bytes(line, bytes - TAIL_BYTES, found->hash);
    if (memcmp(found->hash, tail + sizeof seal - 1, HASH_BYTES) != 0) {
        return error_set(err, ERROR_FORMAT, "its content is not what its hash says");
    }
    return read_members(line, bytes, found, prev, err);
}

int chain_follow(struct chain *chain, const char *line, size_t bytes, struct error *err)
{
    struct chain found;
    char prev[SHA256_TEXT_BYTES];
    int result = chain_read(line, bytes, &found, prev, err);
    if (result) {
        return result;
    }
    if (found.seq != chain->seq + 1) {
        return error_set(err, ERROR_FORMAT, "it is number %llu, but number %llu is due",
                         (unsigned long long)found.seq, (unsigned long long)chain->seq + 1);
    }
    if (strcmp(prev, chain->hash) != 0) {
        return error_set(err, ERROR_FORMAT, "it does not follow the line before it");
    }
    *chain = found;
    return 0;
}
