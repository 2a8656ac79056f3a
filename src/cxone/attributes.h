/* cxone/attributes.h - the body of an attribute update. Pure. */
#ifndef CXONE_ATTRIBUTES_H
#define CXONE_ATTRIBUTES_H

#include "base/buf.h"
#include "base/error.h"
#include "cxone/cxone.h"

#include <stddef.h>

/* {"attributes":{"key":"value",...}}, or as custom fields [{"ident":"key","value":"value"},...]:
 * the vendor merges these keys into what is there. In the address: writes nothing. Refuses count 0,
 * empty keys and a body past the buf's limit. */
int attributes_write(const struct cxone_attribute *attributes, size_t count,
                     enum cxone_attribute_body form, struct buf *body, struct error *err);

#endif
