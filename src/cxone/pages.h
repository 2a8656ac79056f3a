/* cxone/pages.h - replies that come in pages: where the next one is, and when to stop. Pure.
 *
 * A server may name pages in a circle, or answer each number with the same page; so no address is
 * asked for twice, a page that came before ends it, and pages are bounded. A link that leads to
 * another origin is refused: the token would travel with it.
 */
#ifndef CXONE_PAGES_H
#define CXONE_PAGES_H

#include "base/buf.h"
#include "base/error.h"
#include "cxone/mapping.h"

#include <stddef.h>
#include <stdint.h>

enum { CXONE_PAGES_MAX = 100 };

enum cxone_page_style {
    CXONE_PAGES_NONE,
    CXONE_PAGES_LINK,   /* the reply holds the next page's address, absolute or from the root */
    CXONE_PAGES_CURSOR, /* the reply holds a text or number that is sent back as a parameter */
    CXONE_PAGES_NUMBER, /* the parameter counts pages: 2, 3, ... until one is empty */
    CXONE_PAGES_OFFSET, /* the parameter counts elements, until a page is empty */
};

struct cxone_paging {
    enum cxone_page_style style;
    const char *parameter;      /* of cursor, number and offset */
    struct cxone_pointers next; /* root: of link and cursor; for the others: absent means last */
    unsigned pages_max;         /* at most CXONE_PAGES_MAX */
};

enum pages_verdict {
    PAGES_LAST, /* all is there */
    PAGES_MORE, /* ask for `url` */
    PAGES_CUT,  /* there would be more, but it goes in circles or is too much */
};

/* Of one reply in pages. Start zeroed. */
struct pages {
    unsigned count;                 /* pages read */
    uint64_t elements;              /* in all of them */
    uint64_t seen[CXONE_PAGES_MAX]; /* hashes of addresses, or of numbered pages' bodies */
};

struct json;

/* One page as it came; all borrowed. */
struct pages_reply {
    const char *first_url; /* absolute address of the first page */
    const char *body;
    size_t body_bytes;
    const struct json *root; /* of the body */
    size_t elements;
};

/* A page was read. On PAGES_MORE the next address is in `url`. ERROR_FORMAT for a link or cursor
 * that cannot be followed. */
int pages_next(struct pages *pages, const struct cxone_paging *paging,
               const struct pages_reply *reply, enum pages_verdict *verdict, struct buf *url,
               struct error *err);

#endif
