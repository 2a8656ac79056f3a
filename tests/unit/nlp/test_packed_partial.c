/* What a killed process leaves of a packed file is removed by the next that packs; what somebody is
 * still writing, or what only looks alike, is not. */
#include "base/keyhash.h"
#include "nlp/packed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATH_BYTES = 512 };

static const struct packed_identity identity = {1, 2};

struct room {
    char folder[64];
    char path[PATH_BYTES]; /* of the packed file */
};

static int set_up(void **state)
{
    struct room *room = calloc(1, sizeof *room);
    assert_non_null(room);
    (void)snprintf(room->folder, sizeof room->folder, "/tmp/undertone-partial-XXXXXX");
    assert_non_null(mkdtemp(room->folder));
    (void)snprintf(room->path, sizeof room->path, "%s/model-int8-0123.packed", room->folder);
    *state = room;
    return 0;
}

static int tear_down(void **state)
{
    struct room *room = *state;
    DIR *folder = opendir(room->folder);
    assert_non_null(folder);
    for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
            unlinkat(dirfd(folder), entry->d_name, 0) != 0) {
            (void)unlinkat(dirfd(folder), entry->d_name, AT_REMOVEDIR);
        }
    }
    closedir(folder);
    (void)rmdir(room->folder);
    free(room);
    return 0;
}

static void join(char out[PATH_BYTES], const struct room *room, const char *name)
{
    assert_true(snprintf(out, PATH_BYTES, "%s/%s", room->folder, name) < PATH_BYTES);
}

static void make_file(const struct room *room, const char *name)
{
    char path[PATH_BYTES];
    join(path, room, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fclose(file), 0);
}

static bool exists(const struct room *room, const char *name)
{
    char path[PATH_BYTES];
    struct stat status;
    join(path, room, name);
    return lstat(path, &status) == 0;
}

static size_t files_in(const struct room *room)
{
    size_t count = 0;
    DIR *folder = opendir(room->folder);
    assert_non_null(folder);
    for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
        count += entry->d_name[0] != '.';
    }
    closedir(folder);
    return count;
}

static struct packed *begin(const char *path)
{
    static const char array[1 << 16];
    struct packed *packed;
    struct error err = {0};
    assert_int_equal(packed_create(&packed, path, &identity, &err), 0);
    (void)packed_array(packed, array, sizeof array);
    return packed;
}

static void commit(struct packed *packed)
{
    struct error err = {0};
    assert_int_equal(packed_commit(packed, &err), 0);
    packed_close(packed);
}

static void a_killed_packers_file_is_removed_by_the_next(void **state)
{
    struct room *room = *state;
    int status;
    for (size_t i = 0; i < 3; i++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            (void)begin(room->path);
            (void)raise(SIGKILL);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
        assert_int_equal(files_in(room), 1); /* the child before cleaned up behind its own */
    }
    commit(begin(room->path));
    assert_int_equal(files_in(room), 1);
    assert_true(exists(room, "model-int8-0123.packed"));
}

static void a_file_that_is_being_written_stays(void **state)
{
    struct room *room = *state;
    struct packed *first = begin(room->path);
    struct packed *second = begin(room->path);
    assert_int_equal(files_in(room), 2);
    commit(second);
    commit(first);
    assert_int_equal(files_in(room), 1);
    struct error err = {0};
    struct packed *packed;
    assert_int_equal(packed_open(&packed, room->path, &identity, &err), 0);
    packed_close(packed);
}

static void other_models_leftovers_go_and_other_files_stay(void **state)
{
    static const char *const stay[] = {
        "model-int8-0123.packed",
        "model-int8-0123.packed.backup1",
        "model-int8-0123.packed.old",
        "model-int8-0123.packed.ab_c12",
        "model-int8-0123.unpacked.aB3x",
        "notes.aB3xY9",
        ".packed.aB3xY9",
        "packed.aB3xY9",
    };
    struct room *room = *state;
    char link_path[PATH_BYTES];
    char folder_path[PATH_BYTES];
    char pipe_path[PATH_BYTES];
    for (size_t i = 0; i < sizeof stay / sizeof stay[0]; i++) {
        make_file(room, stay[i]);
    }
    make_file(room, "model-int8-0123.packed.aB3xY9");
    make_file(room, "other-fp32-4567.packed.000000");
    join(link_path, room, "link.packed.aB3xY9");
    assert_int_equal(symlink("notes.aB3xY9", link_path), 0);
    join(folder_path, room, "folder.packed.aB3xY9");
    assert_int_equal(mkdir(folder_path, 0700), 0);
    join(pipe_path, room, "pipe.packed.aB3xY9");
    assert_int_equal(mkfifo(pipe_path, 0600), 0);
    commit(begin(room->path));
    for (size_t i = 0; i < sizeof stay / sizeof stay[0]; i++) {
        assert_true(exists(room, stay[i]));
    }
    assert_true(exists(room, "link.packed.aB3xY9"));
    assert_true(exists(room, "folder.packed.aB3xY9"));
    assert_true(exists(room, "pipe.packed.aB3xY9"));
    assert_false(exists(room, "model-int8-0123.packed.aB3xY9"));
    assert_false(exists(room, "other-fp32-4567.packed.000000"));
}

static void what_anyone_has_locked_stays_until_it_lets_go(void **state)
{
    struct room *room = *state;
    char path[PATH_BYTES];
    make_file(room, "other-fp32-4567.packed.aB3xY9");
    join(path, room, "other-fp32-4567.packed.aB3xY9");
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    commit(begin(room->path));
    assert_true(exists(room, "other-fp32-4567.packed.aB3xY9"));
    close(fd);
    commit(begin(room->path));
    assert_false(exists(room, "other-fp32-4567.packed.aB3xY9"));
}

int main(void)
{
    assert_int_equal(keyhash_library_init(), 0);
#define ROOM_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        ROOM_TEST(a_killed_packers_file_is_removed_by_the_next),
        ROOM_TEST(a_file_that_is_being_written_stays),
        ROOM_TEST(other_models_leftovers_go_and_other_files_stay),
        ROOM_TEST(what_anyone_has_locked_stays_until_it_lets_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
