/* error.c - see error.h. */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static int error_fill(struct error *err, enum error_code code, bool retriable, const char *format,
                      va_list args)
{
    if (err) {
        err->code = code;
        err->retriable = retriable;
        (void)vsnprintf(err->message, sizeof err->message, format, args);
    }
    return (int)code;
}

int error_set(struct error *err, enum error_code code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int result = error_fill(err, code, false, format, args);
    va_end(args);
    return result;
}

int error_set_retriable(struct error *err, enum error_code code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int result = error_fill(err, code, true, format, args);
    va_end(args);
    return result;
}

int error_wrap(struct error *err, const char *format, ...)
{
    if (!err) {
        return ERROR_INTERNAL;
    }
    char prefix[ERROR_MESSAGE_BYTES];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(prefix, sizeof prefix, format, args);
    va_end(args);

    char inner[ERROR_MESSAGE_BYTES];
    memcpy(inner, err->message, sizeof inner);
    size_t room = sizeof err->message;
    int used = snprintf(err->message, room, "%.*s: ", (int)(room / 2), prefix);
    if (used > 0 && (size_t)used < room) {
        (void)snprintf(err->message + used, room - (size_t)used, "%.*s", (int)(room - 1), inner);
    }
    return (int)err->code;
}

const char *error_name(enum error_code code)
{
    switch (code) {
    case ERROR_NONE:
        return "none";
    case ERROR_USAGE:
        return "usage";
    case ERROR_CONFIG:
        return "config";
    case ERROR_MEMORY:
        return "memory";
    case ERROR_IO:
        return "io";
    case ERROR_FORMAT:
        return "format";
    case ERROR_LIMIT:
        return "limit";
    case ERROR_UNSUPPORTED:
        return "unsupported";
    case ERROR_NETWORK:
        return "network";
    case ERROR_PERMISSION:
        return "permission";
    case ERROR_INTERNAL:
        return "internal";
    }
    return "unknown";
}

int error_exit_status(enum error_code code)
{
    enum { EXIT_OK = 0, EXIT_RUNTIME = 1, EXIT_USAGE = 64, EXIT_UNAVAILABLE = 69 };
    enum { EXIT_PERMISSION = 77, EXIT_CONFIG = 78 };
    switch (code) {
    case ERROR_NONE:
        return EXIT_OK;
    case ERROR_USAGE:
        return EXIT_USAGE;
    case ERROR_CONFIG:
    case ERROR_UNSUPPORTED:
    case ERROR_FORMAT:
    case ERROR_LIMIT:
        return EXIT_CONFIG;
    case ERROR_NETWORK:
        return EXIT_UNAVAILABLE;
    case ERROR_PERMISSION:
        return EXIT_PERMISSION;
    case ERROR_MEMORY:
    case ERROR_IO:
    case ERROR_INTERNAL:
        return EXIT_RUNTIME;
    }
    return EXIT_RUNTIME;
}
