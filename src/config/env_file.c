/* env_file.c - see env_file.h. The file's own bytes are cut and unescaped in place: values may be
 * secrets, and a single copy is a single place to wipe. */
#include "config/env_file.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool is_name(char c, bool first)
{
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    return letter || (!first && c >= '0' && c <= '9');
}

static char *skip_blanks(char *at)
{
    while (is_blank(*at)) {
        at++;
    }
    return at;
}

static bool ends_line(const char *at)
{
    return *at == '\0' || *at == '#';
}

/* What follows a closing quote: nothing, or a comment behind a blank. */
static bool is_clear_behind(char *quote)
{
    return quote[1] == '\0' || (is_blank(quote[1]) && ends_line(skip_blanks(quote + 1)));
}

static const char *cut_single(char *value)
{
    char *end = strchr(value, '\'');
    if (!end) {
        return "the single quote does not end on this line";
    }
    if (!is_clear_behind(end)) {
        return "something follows the closing quote";
    }
    *end = '\0';
    return NULL;
}

/* Writes behind where it reads: an escape becomes shorter. */
static const char *cut_double(char *value)
{
    static const char from[] = "nrt\"\\$";
    static const char to[] = "\n\r\t\"\\$";
    char *out = value;
    char *in = value;
    for (; *in && *in != '"'; in++) {
        if (*in == '\\') {
            const char *escape = in[1] ? strchr(from, in[1]) : NULL;
            if (!escape) {
                return "unknown escape in double quotes; write \\\\ for a backslash";
            }
            in++;
            *out++ = to[escape - from];
        } else {
            *out++ = *in;
        }
    }
    if (!*in) {
        return "the double quote does not end on this line";
    }
    if (!is_clear_behind(in)) {
        return "something follows the closing quote";
    }
    *out = '\0';
    return NULL;
}

static void cut_plain(char *value)
{
    char *end = value;
    for (char *at = value; *at; at++) {
        if (*at == '#' && (at == value || is_blank(at[-1]))) {
            break;
        }
        if (!is_blank(*at)) {
            end = at + 1;
        }
    }
    *end = '\0';
}

/* One line with something on it. NULL, or what is wrong. */
static const char *parse_line(char *at, struct env_variable *variable)
{
    if (strncmp(at, "export", 6) == 0 && is_blank(at[6])) {
        at = skip_blanks(at + 6);
    }
    char *name = at;
    while (is_name(*at, at == name)) {
        at++;
    }
    char *name_end = at;
    at = skip_blanks(at);
    if (name_end == name || *at != '=') {
        return "expected NAME=VALUE, with a name of letters, digits and _";
    }
    char *value = skip_blanks(at + 1);
    *name_end = '\0';
    const char *wrong = NULL;
    if (*value == '\'') {
        wrong = cut_single(++value);
    } else if (*value == '"') {
        wrong = cut_double(++value);
    } else {
        cut_plain(value);
    }
    variable->name = name;
    variable->value = value;
    return wrong;
}

static size_t count_lines(const struct config_file *file)
{
    size_t lines = 1;
    for (size_t i = 0; i < file->size; i++) {
        lines += file->bytes[i] == '\n';
    }
    return lines;
}

/* Ends the line at its newline and returns where the next begins, or NULL. */
static char *cut_line(char *at)
{
    char *newline = strchr(at, '\n');
    if (!newline) {
        return NULL;
    }
    *newline = '\0';
    if (newline > at && newline[-1] == '\r') {
        newline[-1] = '\0';
    }
    return newline + 1;
}

static int parse(struct env_file *env, struct error *err)
{
    char *at = env->file.bytes;
    if (memchr(at, '\0', env->file.size)) {
        return error_set(err, ERROR_CONFIG, "%s holds a NUL byte: it is no file of variables",
                         env->path);
    }
    env->variables = calloc(count_lines(&env->file), sizeof *env->variables);
    if (!env->variables) {
        return error_set(err, ERROR_MEMORY, "no memory for the variables of %s", env->path);
    }
    if (strncmp(at, "\xef\xbb\xbf", 3) == 0) {
        at += 3; /* a byte order mark */
    }
    char *next;
    for (size_t line = 1; at; at = next, line++) {
        next = cut_line(at);
        at = skip_blanks(at);
        if (!ends_line(at)) {
            struct env_variable *variable = &env->variables[env->count++];
            variable->line = line;
            const char *wrong = parse_line(at, variable);
            if (wrong) {
                return error_set(err, ERROR_CONFIG, "%s:%zu: %s", env->path, line, wrong);
            }
        }
    }
    return 0;
}

int env_file_read(struct env_file *env, const char *path, struct error *err)
{
    *env = (struct env_file){.path = path};
    int result = config_file_read(&env->file, path, err);
    result = result ? result : parse(env, err);
    if (result) {
        env_file_done(env);
    }
    return result;
}

const struct env_variable *env_file_find(const struct env_file *env, const char *name)
{
    for (size_t i = env->count; i > 0; i--) {
        if (strcmp(env->variables[i - 1].name, name) == 0) {
            return &env->variables[i - 1];
        }
    }
    return NULL;
}

void env_file_done(struct env_file *env)
{
    config_file_done(&env->file);
    free(env->variables);
    *env = (struct env_file){0};
}
