/* http_connections.c - see http_connections_internal.h. What else libcurl wants watched, such as
 * its resolver's pipes, it closes without a word: those are watched only while it asks for them. */
#include "net/http_connections_internal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct http_connection {
    struct loop_poll *poll; /* NULL: not opened through us */
    bool readable;          /* what it is watched for */
    bool writable;
    bool idle; /* libcurl has no interest at present */
};

struct http_connections {
    struct loop *loop;
    CURLM *multi;
    loop_poll_fn *ready;
    void *user;
    struct http_connection *items; /* by descriptor */
    size_t count;
};

static struct http_connection *find(struct http_connections *sockets, int fd)
{
    if (fd < 0 || (size_t)fd >= sockets->count || !sockets->items[fd].poll) {
        return NULL;
    }
    return &sockets->items[fd];
}

static void watch(struct http_connection *item, bool readable, bool writable)
{
    if (item->readable != readable || item->writable != writable) {
        item->readable = readable;
        item->writable = writable;
        loop_poll_set(item->poll, readable, writable);
    }
}

/* Something happens on a connection that nobody uses: the other side has most likely closed it.
 * libcurl looks before it uses one again, so all that is to do here is not to be told for ever. */
static void on_ready(void *user, int fd, struct loop_ready ready)
{
    struct http_connections *sockets = user;
    struct http_connection *item = find(sockets, fd);
    if (item && item->idle) {
        watch(item, false, false);
    } else {
        sockets->ready(sockets->user, fd, ready);
    }
}

static bool keep(struct http_connections *sockets, int fd)
{
    size_t count = (size_t)fd + 1;
    if (count > sockets->count) {
        struct http_connection *items = realloc(sockets->items, count * sizeof *items);
        if (!items) {
            return false;
        }
        memset(items + sockets->count, 0, (count - sockets->count) * sizeof *items);
        sockets->items = items;
        sockets->count = count;
    }
    struct http_connection *item = &sockets->items[fd];
    *item = (struct http_connection){.idle = true};
    return loop_poll_create(sockets->loop, fd, on_ready, sockets, &item->poll, NULL) == 0;
}

/* One that cannot be kept for want of memory is watched as libcurl's other ones are. */
static curl_socket_t open_one(void *user, curlsocktype purpose, struct curl_sockaddr *address)
{
    (void)purpose;
    int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    if (fd < 0) {
        return CURL_SOCKET_BAD;
    }
    (void)keep(user, fd);
    return fd;
}

/* No watch may outlive its descriptor. */
static int close_one(void *user, curl_socket_t fd)
{
    struct http_connection *item = find(user, fd);
    if (item) {
        loop_poll_destroy(item->poll);
        *item = (struct http_connection){0};
    }
    return close(fd);
}

/* A socket that cannot be watched for want of memory is left alone: its call then ends by its own
 * timeout, while an error returned from here would end the whole multi handle. */
static void watch_other(struct http_connections *sockets, int fd, int what, struct loop_poll *poll)
{
    if (what == CURL_POLL_REMOVE) {
        loop_poll_destroy(poll);
        return;
    }
    if (!poll) {
        if (loop_poll_create(sockets->loop, fd, sockets->ready, sockets->user, &poll, NULL)) {
            return;
        }
        (void)curl_multi_assign(sockets->multi, fd, poll);
    }
    loop_poll_set(poll, (what & CURL_POLL_IN) != 0, (what & CURL_POLL_OUT) != 0);
}

static int want(CURL *easy, curl_socket_t fd, int what, void *user, void *poll)
{
    (void)easy;
    struct http_connections *sockets = user;
    struct http_connection *item = find(sockets, fd);
    if (!item) {
        watch_other(sockets, fd, what, poll);
        return 0;
    }
    item->idle = what == CURL_POLL_REMOVE;
    if (item->idle) {
        watch(item, item->readable, false);
    } else {
        watch(item, (what & CURL_POLL_IN) != 0, (what & CURL_POLL_OUT) != 0);
    }
    return 0;
}

struct http_connections *http_connections_create(struct loop *loop, CURLM *multi,
                                                 loop_poll_fn *ready, void *user)
{
    struct http_connections *sockets = calloc(1, sizeof *sockets);
    if (!sockets) {
        return NULL;
    }
    *sockets =
        (struct http_connections){.loop = loop, .multi = multi, .ready = ready, .user = user};
    if (curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, want) != CURLM_OK ||
        curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, sockets) != CURLM_OK) {
        free(sockets);
        return NULL;
    }
    return sockets;
}

void http_connections_destroy(struct http_connections *sockets)
{
    if (sockets) {
        free(sockets->items);
        free(sockets);
    }
}

CURLcode http_connections_use(struct http_connections *sockets, CURL *easy)
{
    CURLcode code = curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_one);
    code = code ? code : curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, sockets);
    code = code ? code : curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, close_one);
    return code ? code : curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, sockets);
}
