/* net/http_date.h - dates and Retry-After (RFC 9110 sections 5.6.7 and 10.2.3). Pure. */
#ifndef NET_HTTP_DATE_H
#define NET_HTTP_DATE_H

#include <stdbool.h>
#include <stdint.h>

/* IMF-fixdate, RFC 850 and asctime forms; epoch milliseconds out. False for anything else. */
bool http_date_parse(const char *text, int64_t *epoch_ms);

/* The IMF-fixdate form; out has HTTP_DATE_BYTES. */
enum { HTTP_DATE_BYTES = 32 };
const char *http_date_format(int64_t epoch_ms, char out[HTTP_DATE_BYTES]);

/* Milliseconds to wait by a Retry-After value, or -1 for NULL or garbage (then use backoff). A date
 * counts from the response's own Date (date_ms; -1 if it had none: then from wall_ms), so that a
 * skewed clock does not matter; the past is 0; the result is clamped to max_ms. Negative, "inf",
 * fractional values are garbage. */
int64_t http_retry_after_ms(const char *value, int64_t date_ms, int64_t wall_ms, int64_t max_ms);

#endif
