/* pages.c - see pages.h. */
#include "cxone/pages.h"

#include "base/json.h"
#include "base/keyhash.h"
#include "net/url.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

/* "https://host:port" of an absolute address. */
static size_t origin_bytes(const char *url)
{
    const char *host = strstr(url, "://");
    return host ? (size_t)(host - url) + 3 + strcspn(host + 3, "/?#") : 0;
}

static bool is_printable(const char *text, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        if (text[i] <= ' ' || text[i] > '~') {
            return false;
        }
    }
    return bytes > 0;
}

static int follow_link(const struct json *link, const char *first_url, struct buf *url,
                       struct error *err)
{
    size_t bytes;
    size_t origin = origin_bytes(first_url);
    const char *text = json_as_string(link, &bytes);
    if (!text || !is_printable(text, bytes) || strchr(text, '#')) {
        return error_set(err, ERROR_FORMAT, "the link to the next page is no address");
    }
    if (text[0] == '/' && text[1] != '/') {
        buf_append(url, first_url, origin);
    } else if (origin_bytes(text) != origin || strncasecmp(text, first_url, origin) != 0) {
        return error_set(err, ERROR_FORMAT,
                         "the link to the next page leads to another host, where the token must "
                         "not go");
    }
    buf_append_string(url, text);
    return 0;
}

static int add_parameter(const struct cxone_paging *paging, const char *first_url,
                         const struct json *cursor, uint64_t number, struct buf *url,
                         struct error *err)
{
    size_t bytes;
    int64_t integer;
    const char *text = json_as_string(cursor, &bytes);
    buf_printf(url, "%s%c%s=", first_url, strchr(first_url, '?') ? '&' : '?', paging->parameter);
    if (!cursor) {
        buf_printf(url, "%" PRIu64, number);
    } else if (text) {
        url_encode(url, text, bytes);
    } else if (json_as_integer(cursor, &integer)) {
        buf_printf(url, "%" PRId64, integer);
    } else {
        return error_set(err, ERROR_FORMAT,
                         "the cursor of the next page is neither text nor a "
                         "whole number");
    }
    return 0;
}

/* An empty text or `false` is how some say that there is no more. */
static bool names_more(const struct json *next)
{
    size_t bytes;
    bool flag;
    if (json_as_string(next, &bytes)) {
        return bytes > 0;
    }
    return next && (!json_as_boolean(next, &flag) || flag);
}

static bool was_seen(const struct pages *pages, uint64_t hash)
{
    for (unsigned i = 0; i < pages->count; i++) {
        if (pages->seen[i] == hash) {
            return true;
        }
    }
    return false;
}

static bool is_named(const struct cxone_paging *paging)
{
    return paging->style == CXONE_PAGES_LINK || paging->style == CXONE_PAGES_CURSOR;
}

/* Writes the next address; leaves it empty when there is none. */
static int make_url(const struct pages *pages, const struct cxone_paging *paging,
                    const struct pages_reply *reply, struct buf *url, struct error *err)
{
    const struct json *next = mapping_find(reply->root, &paging->next);
    bool asks_reply = is_named(paging) || paging->next.at[0];
    bool is_more = is_named(paging) || reply->elements > 0;
    if (paging->style == CXONE_PAGES_NONE || !is_more || (asks_reply && !names_more(next))) {
        return 0;
    }
    switch (paging->style) {
    case CXONE_PAGES_LINK:
        return follow_link(next, reply->first_url, url, err);
    case CXONE_PAGES_CURSOR:
        return add_parameter(paging, reply->first_url, next, 0, url, err);
    case CXONE_PAGES_NUMBER:
        return add_parameter(paging, reply->first_url, NULL, pages->count + 1, url, err);
    default:
        return add_parameter(paging, reply->first_url, NULL, pages->elements, url, err);
    }
}

int pages_next(struct pages *pages, const struct cxone_paging *paging,
               const struct pages_reply *reply, enum pages_verdict *verdict, struct buf *url,
               struct error *err)
{
    uint64_t body_hash = keyhash_fnv1a(reply->body, reply->body_bytes);
    bool is_repeated = !is_named(paging) && was_seen(pages, body_hash);
    if (pages->count == 0) {
        pages->seen[0] = keyhash_fnv1a(reply->first_url, strlen(reply->first_url));
    }
    if (!is_named(paging) && pages->count < CXONE_PAGES_MAX) {
        pages->seen[pages->count] = body_hash;
    }
    pages->count++;
    pages->elements += reply->elements;
    *verdict = PAGES_LAST;
    int result = make_url(pages, paging, reply, url, err);
    if (result || url->size == 0) {
        return result;
    }
    if (url->failed) {
        return error_set(err, ERROR_LIMIT, "the next page's address is longer than %zu bytes",
                         url->limit);
    }
    uint64_t url_hash = keyhash_fnv1a(url->bytes, url->size);
    bool is_cut = pages->count >= paging->pages_max || pages->count >= CXONE_PAGES_MAX ||
                  is_repeated || (is_named(paging) && was_seen(pages, url_hash));
    *verdict = is_cut ? PAGES_CUT : PAGES_MORE;
    if (!is_cut && is_named(paging)) {
        pages->seen[pages->count] = url_hash;
    }
    return 0;
}
