/* cxone/headers.h - request headers that need care. */
#ifndef CXONE_HEADERS_H
#define CXONE_HEADERS_H

#include <stdbool.h>

enum { HEADERS_CORRELATION_BYTES = 33 };

/* A fresh random id, 32 hexadecimal digits, for X-Correlation-Id; returns out. */
const char *headers_new_correlation(char out[HEADERS_CORRELATION_BYTES]);

/* Visible ASCII only, at least one character: cannot end the header or begin another. */
bool headers_value_is_safe(const char *value);

#endif
