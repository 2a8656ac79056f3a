/* config/config_rows.h - how a row of the configuration's table is written; private to
 * config_rows_*.c and config_table.c. */
#ifndef CONFIG_CONFIG_ROWS_H
#define CONFIG_CONFIG_ROWS_H

#include "config/config_table.h"
#include "cxone/mapping.h"

/* The whole table, in the order of the document: what concerns the vendor's API, when calls are
 * asked and how they are judged, the service itself. */
extern const struct config_row config_rows_vendor[];
extern const size_t config_rows_vendor_count;
extern const struct config_row config_rows_judgement[];
extern const size_t config_rows_judgement_count;
extern const struct config_row config_rows_service[];
extern const size_t config_rows_service_count;

#define AT(member) offsetof(struct config, member)

#define TEXT(name, member, text_max, text, what)                                      \
    .key = name, .type = CONFIG_TYPE_STRING, .offset = AT(member), .max = (text_max), \
    .initial = (text), .meaning = (what)
#define SPAN(name, member, least, most, text, what)                                  \
    .key = name, .type = CONFIG_TYPE_DURATION, .offset = AT(member), .min = (least), \
    .max = (most), .initial = (text), .meaning = (what)
#define WHOLE(name, member, least, most, text, what)                                               \
    .key = name, .type = CONFIG_TYPE_INTEGER, .offset = AT(member), .min = (least), .max = (most), \
    .initial = (text), .meaning = (what)
#define SHARE(name, member, least, most, text, what)                                              \
    .key = name, .type = CONFIG_TYPE_NUMBER, .offset = AT(member), .min = (least), .max = (most), \
    .initial = (text), .meaning = (what)
#define LIST(name, member, count_max, text, what)                                    \
    .key = name, .type = CONFIG_TYPE_LIST, .offset = AT(member), .max = (count_max), \
    .initial = (text), .meaning = (what)

enum {
    SECOND = 1000,
    MINUTE = 60 * SECOND,
    HOUR = 60 * MINUTE,
    NAME = 128,
    LONG = 2048,
    SECRET_MAX = 4096
};

/* cxone/profile.h keeps a terminating NULL among its CXONE_NAMES_MAX (8) aliases. */
enum { ALIASES_MAX = 7, INTERACTIONS_MAX = 10000, FALLBACKS_MAX = 8 };

#define CHOICE(name, member, text, what)                                            \
    .key = name, .type = CONFIG_TYPE_ENUM, .offset = AT(member), .initial = (text), \
    .meaning = (what)
#define SWITCH(name, member, text, what)                                            \
    .key = name, .type = CONFIG_TYPE_BOOL, .offset = AT(member), .initial = (text), \
    .meaning = (what)
#define SECRET(name, member, what) \
    TEXT(name, member, SECRET_MAX, "", what), .flags = CONFIG_FLAG_SECRET | CONFIG_FLAG_PROSE
#define PLACES(name, member, text, what) LIST(name, member, CXONE_POINTERS_MAX, text, what)

#endif
