/* error.h - a fixed-size, caller-owned error.
 *
 * Every function that can fail for a reason a person must hear about takes `struct error *` as its
 * very last argument and returns 0, or the error's code. The error is filled once, where it is
 * born, with what happened, to what, and what to do; callers on the way up may only prefix what
 * they were doing. Nothing here allocates. A NULL error is accepted everywhere: the code is still
 * returned.
 *
 * Privacy: messages hold names, numbers and places, never transcript text and never a secret.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <stdbool.h>

enum error_code {
    ERROR_NONE = 0,
    ERROR_USAGE,       /* the command line is wrong */
    ERROR_CONFIG,      /* the configuration or a credential is wrong */
    ERROR_MEMORY,      /* allocation failed or would pass a limit */
    ERROR_IO,          /* a file or descriptor failed */
    ERROR_FORMAT,      /* input does not have the form it must have */
    ERROR_LIMIT,       /* input is larger than a stated bound */
    ERROR_UNSUPPORTED, /* well-formed, but not something this build handles */
    ERROR_NETWORK,     /* no connection, or it broke */
    ERROR_PERMISSION,  /* the operating system or the vendor refused */
    ERROR_INTERNAL,    /* a promise inside the program was broken: always a bug */
};

enum { ERROR_MESSAGE_BYTES = 512 };

struct error {
    enum error_code code;
    bool retriable; /* trying again later can help; decided where the error is born */
    char message[ERROR_MESSAGE_BYTES];
};

/* Records code and message (printf form, truncated to fit); returns the code. */
int error_set(struct error *err, enum error_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* As error_set, and marks the error as one that a later attempt can cure. */
int error_set_retriable(struct error *err, enum error_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "what: " in front of the message and returns the unchanged code. */
int error_wrap(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A stable lower-case word for logs and metrics, such as "format". */
const char *error_name(enum error_code code);

/* The process exit status for a failure of this kind: sysexits-like, see docs/CONFIGURATION.md. */
int error_exit_status(enum error_code code);

#endif
