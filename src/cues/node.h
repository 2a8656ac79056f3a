/* cues/node.h - a small YAML file as a tree whose every node knows its place.
 *
 * Rules refer to lists that may stand after them and conditions nest, so the file is read whole
 * before it is understood. Bounded: bytes, nodes and depth; keys that occur twice are refused.
 */
#ifndef CUES_NODE_H
#define CUES_NODE_H

#include "base/error.h"
#include "base/yaml_reader.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NODE_COUNT_MAX = 50000, NODE_DEPTH_MAX = 24 };

enum node_kind { NODE_SCALAR, NODE_LIST, NODE_MAP };

struct node {
    enum node_kind kind;
    struct yaml_reader_mark mark;
    struct yaml_reader_mark key_mark; /* of a map's member */
    char *key;                        /* of a map's member, else NULL; owned */
    char *text;                       /* of a scalar; owned */
    bool is_null;                     /* a scalar written as nothing, ~ or null */
    size_t count;                     /* elements or members */
    struct node *first;
    struct node *next; /* in the same list or map */
};

/* What errors call the file. */
struct node_file {
    const char *name;
};

/* An empty file gives *root = NULL. The tree is the caller's to free. */
int node_parse(const struct node_file *file, const char *bytes, size_t size, struct node **root,
               struct error *err);
void node_free(struct node *node); /* accepts NULL */

/* Sets ERROR_CONFIG, "NAME:LINE:COLUMN: ..." at the node, or at its key. */
int node_fail(const struct node_file *file, const struct node *node, struct error *err,
              const char *format, ...) __attribute__((format(printf, 4, 5)));
int node_fail_key(const struct node_file *file, const struct node *node, struct error *err,
                  const char *format, ...) __attribute__((format(printf, 4, 5)));
/* Puts the node's place in front of an error already set. */
int node_wrap(const struct node_file *file, const struct node *node, struct error *err);

/* A member, or NULL. */
const struct node *node_get(const struct node *map, const char *key);

/* --- expectations; each fails at the node and says what was wanted --- */

int node_want_map(const struct node_file *file, const struct node *node, const char *what,
                  struct error *err);
int node_want_list(const struct node_file *file, const struct node *node, const char *what,
                   struct error *err);

/* Every member's key must be one of the known ones (a NULL-ended list). */
int node_want_keys(const struct node_file *file, const struct node *map, const char *const *known,
                   struct error *err);

/* A scalar with at least one and at most `max` bytes. */
int node_want_text(const struct node_file *file, const struct node *node, size_t max,
                   const char **out, struct error *err);
int node_want_count(const struct node_file *file, const struct node *node, uint32_t min,
                    uint32_t max, uint32_t *out, struct error *err);
int node_want_flag(const struct node_file *file, const struct node *node, bool *out,
                   struct error *err);

/* A number with at most six decimals, as millionths. */
int node_want_millionths(const struct node_file *file, const struct node *node, int64_t min,
                         int64_t max, int64_t *out, struct error *err);

/* A length of time with its unit: 500ms, 15s, 2m, 1h. */
int node_want_duration(const struct node_file *file, const struct node *node, int64_t max_ms,
                       int64_t *out_ms, struct error *err);

/* The place of one of the words of a NULL-ended list. */
int node_want_word(const struct node_file *file, const struct node *node, const char *const *words,
                   size_t *out, struct error *err);

#endif
