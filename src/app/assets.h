/* app/assets.h - the files of web/, embedded by cmake/assets.cmake. */
#ifndef APP_ASSETS_H
#define APP_ASSETS_H

#include <stddef.h>

struct asset {
    const char *name; /* without folder */
    const unsigned char *bytes;
    size_t size;
};

extern const struct asset assets_all[];
extern const size_t assets_count;

#endif
