/* node.c - see node.h. Turns the reader's events into a tree; that recursion and the freeing are
 * bounded by NODE_DEPTH_MAX. What a node means is none of this file's business. */
#include "cues/node.h"

#include "base/buf.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct builder {
    struct yaml_reader *reader;
    size_t nodes;
};

void node_free(struct node *node)
{
    while (node) {
        struct node *next = node->next;
        node_free(node->first);
        free(node->key);
        free(node->text);
        free(node);
        node = next;
    }
}

static int no_memory(struct error *err)
{
    return error_set(err, ERROR_MEMORY, "no memory to read the rules");
}

static char *copy_text(const char *text, size_t bytes)
{
    char *copy = malloc(bytes + 1);
    if (copy) {
        memcpy(copy, text, bytes);
        copy[bytes] = '\0';
    }
    return copy;
}

static int build(struct builder *builder, size_t depth, struct node **out, struct error *err);

/* The member's key is the current event; moves to its value. */
static int take_key(struct builder *builder, const struct node *map, char **key,
                    struct yaml_reader_mark *mark, struct error *err)
{
    const struct yaml_reader_event *event = yaml_reader_event(builder->reader);
    if (event->kind != YAML_READER_SCALAR) {
        return yaml_reader_fail_here(builder->reader, err, "a key must be a plain word");
    }
    if (node_get(map, event->text)) {
        return yaml_reader_fail_here(builder->reader, err, "'%s' is given twice", event->text);
    }
    *mark = event->mark;
    *key = copy_text(event->text, event->bytes);
    return *key ? yaml_reader_next(builder->reader, err) : no_memory(err);
}

static int build_children(struct builder *builder, size_t depth, struct node *parent,
                          struct error *err)
{
    struct node **tail = &parent->first;
    int code = yaml_reader_next(builder->reader, err);
    while (!code) {
        enum yaml_reader_kind kind = yaml_reader_event(builder->reader)->kind;
        if (kind == YAML_READER_SEQUENCE_END || kind == YAML_READER_MAPPING_END) {
            return 0;
        }
        char *key = NULL;
        struct yaml_reader_mark mark = {0};
        if (parent->kind == NODE_MAP) {
            code = take_key(builder, parent, &key, &mark, err);
        }
        struct node *child = NULL;
        code = code ? code : build(builder, depth + 1, &child, err);
        if (code) {
            free(key);
            return code;
        }
        child->key = key;
        child->key_mark = mark;
        *tail = child;
        tail = &child->next;
        parent->count++;
        code = yaml_reader_next(builder->reader, err);
    }
    return code;
}

/* The node that begins with the current event; ends at its last event. */
static int build(struct builder *builder, size_t depth, struct node **out, struct error *err)
{
    const struct yaml_reader_event *event = yaml_reader_event(builder->reader);
    if (depth > NODE_DEPTH_MAX || ++builder->nodes > NODE_COUNT_MAX) {
        return yaml_reader_fail_here(builder->reader, err, "%s",
                                     depth > NODE_DEPTH_MAX ? "nested too deeply"
                                                            : "too many entries in one file");
    }
    struct node *node = calloc(1, sizeof *node);
    if (!node) {
        return no_memory(err);
    }
    node->mark = event->mark;
    int code = 0;
    if (event->kind == YAML_READER_SCALAR) {
        node->is_null = event->is_null;
        node->text = copy_text(event->text, event->bytes);
        code = node->text ? 0 : no_memory(err);
    } else {
        node->kind = event->kind == YAML_READER_MAPPING_BEGIN ? NODE_MAP : NODE_LIST;
        code = build_children(builder, depth, node, err);
    }
    if (code) {
        node_free(node);
        return code;
    }
    *out = node;
    return 0;
}

int node_parse(const struct node_file *file, const char *bytes, size_t size, struct node **root,
               struct error *err)
{
    struct builder builder = {0};
    *root = NULL;
    int code = yaml_reader_open(&builder.reader, file->name, bytes, size, err);
    code = code ? code : yaml_reader_next(builder.reader, err);
    if (!code && yaml_reader_event(builder.reader)->kind != YAML_READER_END) {
        code = build(&builder, 0, root, err);
        code = code ? code : yaml_reader_next(builder.reader, err);
    }
    yaml_reader_close(builder.reader);
    if (code) {
        node_free(*root);
        *root = NULL;
    }
    return code;
}

static int fail_at(const struct node_file *file, struct yaml_reader_mark mark, struct error *err,
                   const char *format, va_list args) __attribute__((format(printf, 4, 0)));

static int fail_at(const struct node_file *file, struct yaml_reader_mark mark, struct error *err,
                   const char *format, va_list args)
{
    struct buf message;
    buf_init(&message, ERROR_MESSAGE_BYTES);
    buf_vprintf(&message, format, args);
    error_set(err, ERROR_CONFIG, "%s:%zu:%zu: %s", file->name, mark.line, mark.column,
              buf_string(&message));
    buf_done(&message);
    return ERROR_CONFIG;
}

int node_fail(const struct node_file *file, const struct node *node, struct error *err,
              const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int code = fail_at(file, node->mark, err, format, args);
    va_end(args);
    return code;
}

int node_fail_key(const struct node_file *file, const struct node *node, struct error *err,
                  const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int code = fail_at(file, node->key_mark, err, format, args);
    va_end(args);
    return code;
}

int node_wrap(const struct node_file *file, const struct node *node, struct error *err)
{
    return error_wrap(err, "%s:%zu:%zu", file->name, node->mark.line, node->mark.column);
}

const struct node *node_get(const struct node *map, const char *key)
{
    const struct node *child = map && map->kind == NODE_MAP ? map->first : NULL;
    while (child && strcmp(child->key, key) != 0) {
        child = child->next;
    }
    return child;
}
