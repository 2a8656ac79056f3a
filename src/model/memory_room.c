/* memory_room.c - see memory_room.h. A container's limit shows only in its control group; limits of
 * the groups around it hold as well, so each level up to the root is asked. Swap is left out: a
 * model that swaps is as bad as none. */
#include "model/memory_room.h"

#include "base/buf.h"
#include "base/lines.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_BYTES_MAX = 64 * 1024 };

/* What the two versions of control groups call the same things. */
struct group_files {
    const char *mount;
    const char *limit;
    const char *usage;
    const char *droppable; /* in memory.stat */
};

static const struct group_files version_1 = {"/sys/fs/cgroup/memory", "memory.limit_in_bytes",
                                             "memory.usage_in_bytes", "total_inactive_file"};
static const struct group_files version_2 = {"/sys/fs/cgroup", "memory.max", "memory.current",
                                             "inactive_file"};

/* The file's text, or NULL; the caller's to free. */
static char *read_text(const struct buf *path)
{
    char *text;
    size_t size;
    struct error ignored;
    return lines_read_file(buf_string(path), FILE_BYTES_MAX, &text, &size, &ignored) ? NULL : text;
}

/* The number after `name` at the start of a line; name "" is the file's beginning. */
static bool find_number(const char *text, const char *name, uint64_t *number)
{
    size_t bytes = strlen(name);
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        const char *at = line + bytes;
        if (strncmp(line, name, bytes) == 0 && (bytes == 0 || *at == ':' || *at == ' ')) {
            at += strspn(at, ": ");
            if (*at < '0' || *at > '9') {
                return false; /* "max": no limit */
            }
            *number = strtoull(at, NULL, 10);
            return true;
        }
        if (bytes == 0) {
            break;
        }
    }
    return false;
}

static bool read_number(const char *root, const char *directory, const char *group,
                        const char *file, const char *name, uint64_t *number)
{
    struct buf path;
    buf_init(&path, PATH_MAX);
    buf_printf(&path, "%s%s%s/%s", root, directory, group, file);
    char *text = read_text(&path);
    bool found = text && find_number(text, name, number);
    free(text);
    buf_done(&path);
    return found;
}

static bool read_group(const char *root, const struct group_files *files, const char *group,
                       uint64_t *room)
{
    uint64_t limit;
    uint64_t usage;
    uint64_t droppable = 0;
    if (!read_number(root, files->mount, group, files->limit, "", &limit) ||
        !read_number(root, files->mount, group, files->usage, "", &usage)) {
        return false;
    }
    (void)read_number(root, files->mount, group, "memory.stat", files->droppable, &droppable);
    usage -= droppable < usage ? droppable : usage;
    *room = limit > usage ? limit - usage : 0;
    return true;
}

/* From the group at the end of a line of /proc/self/cgroup up to the root. */
static bool read_groups_upward(const char *root, const struct group_files *files, const char *from,
                               uint64_t *least)
{
    char group[PATH_MAX];
    size_t size = strcspn(from, "\n");
    bool found = false;
    if (size >= sizeof group) {
        return false;
    }
    memcpy(group, from, size);
    group[size] = '\0';
    for (char *slash = group + size; slash; slash = strrchr(group, '/')) {
        uint64_t room;
        *slash = '\0';
        if (read_group(root, files, group, &room)) {
            *least = room < *least ? room : *least;
            found = true;
        }
    }
    return found;
}

static bool read_groups(const char *root, uint64_t *least)
{
    struct buf path;
    bool found = false;
    buf_init(&path, PATH_MAX);
    buf_printf(&path, "%s/proc/self/cgroup", root);
    char *text = read_text(&path);
    for (const char *line = text; line && *line; line = strchr(line, '\n')) {
        line += *line == '\n';
        const char *controllers = strchr(line, ':');
        if (!controllers) {
            break;
        }
        if (strncmp(controllers, "::/", 3) == 0) {
            found = read_groups_upward(root, &version_2, controllers + 2, least) || found;
        } else if (strncmp(controllers, ":memory:/", 9) == 0) {
            found = read_groups_upward(root, &version_1, controllers + 8, least) || found;
        }
    }
    free(text);
    buf_done(&path);
    return found;
}

bool memory_room_read(const char *root, uint64_t *bytes)
{
    uint64_t kibibytes;
    uint64_t least = UINT64_MAX;
    bool found = read_groups(root, &least);
    if (read_number(root, "/proc", "", "meminfo", "MemAvailable", &kibibytes)) {
        least = kibibytes * 1024 < least ? kibibytes * 1024 : least;
        found = true;
    }
    *bytes = least;
    return found;
}
