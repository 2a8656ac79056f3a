/* notify.c - see notify.h. Written to the socket directly: the whole of a library for three lines
 * would be one more thing to be updated. Not here: passing descriptors to the manager. */
#include "app/notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

int notify_open(struct notify *notify, const char *socket_name, struct error *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t size = socket_name ? strlen(socket_name) : 0;
    notify->fd = -1;
    if (size == 0) {
        return 0;
    }
    if ((socket_name[0] != '/' && socket_name[0] != '@') || size >= sizeof address.sun_path) {
        return error_set(err, ERROR_CONFIG, "NOTIFY_SOCKET is neither a path nor an abstract name");
    }
    memcpy(address.sun_path, socket_name, size);
    if (socket_name[0] == '@') {
        address.sun_path[0] = '\0';
    }
    socklen_t bytes = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size);
    notify->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (notify->fd < 0 || connect(notify->fd, (struct sockaddr *)&address, bytes) != 0) {
        int reason = errno;
        notify_close(notify);
        return error_set(err, ERROR_IO, "NOTIFY_SOCKET %s: %s", socket_name, strerror(reason));
    }
    return 0;
}

void notify_close(struct notify *notify)
{
    if (notify->fd >= 0) {
        (void)close(notify->fd);
    }
    notify->fd = -1;
}

void notify_send(const struct notify *notify, const char *text)
{
    if (notify->fd >= 0) {
        (void)send(notify->fd, text, strlen(text), MSG_NOSIGNAL);
    }
}

static bool read_number(const char *text, int64_t *out)
{
    char *end;
    errno = 0;
    *out = text && *text >= '0' && *text <= '9' ? strtoll(text, &end, 10) : -1;
    return *out >= 0 && errno == 0 && *end == '\0';
}

int64_t notify_watchdog_ms(const char *usec, const char *pid, int64_t own_pid)
{
    int64_t meant;
    int64_t interval_us;
    if ((pid && *pid && (!read_number(pid, &meant) || meant != own_pid)) ||
        !read_number(usec, &interval_us)) {
        return 0;
    }
    return interval_us / 1000;
}

int64_t notify_monotonic_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}
