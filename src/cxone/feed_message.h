/* cxone/feed_message.h - what travels over the vendor's transcript socket. Pure. EXPERIMENTAL: the
 * protocol is not documented for third parties; it is read off the vendor's own agent client.
 *
 * Frames are {"command", "headers": {"sessionToken"}, "body"}. A transcript is a MESSAGE whose body
 * is {"Topic", "MessageType": "Transcript", "Data": {...}}.
 */
#ifndef CXONE_FEED_MESSAGE_H
#define CXONE_FEED_MESSAGE_H

#include "base/buf.h"
#include "base/error.h"
#include "cxone/profile.h"
#include "mood/segment.h"

#include <stddef.h>

struct json_document;

enum feed_message_kind {
    FEED_MESSAGE_CONNECTED,
    FEED_MESSAGE_SUBSCRIBED, /* contact_id says to what, if the server does */
    FEED_MESSAGE_HEARTBEAT_ACK,
    FEED_MESSAGE_SEGMENT,
    FEED_MESSAGE_ERROR,
    FEED_MESSAGE_OTHER, /* of another kind, or a transcript that cannot be used */
};

struct feed_message {
    enum feed_message_kind kind;
    char contact_id[CXONE_ID_BYTES_MAX + 1]; /* "" if none */
    const char *language;                    /* of the segment, or NULL; borrowed likewise */
    struct segment segment;                  /* borrowed from the document */
    struct json_document *document;
};

/* ERROR_FORMAT for what is no frame. On success the caller must feed_message_done. */
int feed_message_parse(const char *bytes, size_t size, struct feed_message *message,
                       struct error *err);

/* Accepts a zeroed object. */
void feed_message_done(struct feed_message *message);

/* "CONNECT", "HEARTBEAT", or with a contact "SUBSCRIBE" and "UNSUBSCRIBE". False at the limit. */
bool feed_message_write(struct buf *out, const char *command, const char *token,
                        const char *contact_id);

#endif
