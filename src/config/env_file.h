/* config/env_file.h - variables from a file of KEY=VALUE lines, for --env-file.
 *
 *     # a comment
 *     CXONE_ENV=us-1.api.cxone.com      # another
 *     export CXONE_CLIENT_ID='as it stands'
 *     CXONE_CLIENT_SECRET="quote \" backslash \\ newline \n"
 *
 * Blanks around name and value do not count. Without quotes a value ends at the line's end or at a
 * '#' behind a blank; in single quotes nothing is special; in double quotes \n \r \t \" \\ \$ are.
 * Nothing is expanded and no command is run: $HOME is five characters. A name given twice has its
 * last value. Quotes end on the line they begin on.
 */
#ifndef CONFIG_ENV_FILE_H
#define CONFIG_ENV_FILE_H

#include "config/config_file.h"

#include <stddef.h>

struct env_variable {
    const char *name;  /* into the file's bytes */
    const char *value; /* the same */
    size_t line;       /* from 1 */
};

struct env_file {
    const char *path; /* borrowed */
    struct config_file file;
    struct env_variable *variables; /* in the file's order */
    size_t count;
};

/* Reads and parses; an error names file and line and no value. */
int env_file_read(struct env_file *env, const char *path, struct error *err);

/* The last variable of that name, or NULL. */
const struct env_variable *env_file_find(const struct env_file *env, const char *name);

/* Wipes. Accepts a zeroed object. */
void env_file_done(struct env_file *env);

#endif
