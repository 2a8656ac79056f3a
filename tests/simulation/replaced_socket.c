/* replaced_socket.c - net/ws_client.h where the simulated network has no WebSockets: the transcript
 * socket is off in every scenario, and would be told so if it were not. */
#include "net/ws_client.h"

int ws_client_create(struct ws_client **client, struct loop *loop,
                     const struct ws_client_options *options, struct error *err)
{
    (void)loop;
    (void)options;
    *client = NULL;
    return error_set(err, ERROR_UNSUPPORTED, "the simulated network has no WebSockets");
}

bool ws_client_send(struct ws_client *client, const char *text, size_t size)
{
    (void)client;
    (void)text;
    (void)size;
    return false;
}

void ws_client_destroy(struct ws_client *client)
{
    (void)client;
}
