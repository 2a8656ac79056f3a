/* replay PATH... - runs a fuzz target over files, and over all files of directories, so that every
 * build replays what fuzzing found without libFuzzer. Each file is tried whole and cut short.
 */
#include "tests/fuzz/fuzz.h"

#include "base/lines.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { FILE_BYTES_MAX = 16 * 1024 * 1024, CUTS = 16 };

static int replay_file(const char *path, size_t *files)
{
    char *bytes = NULL;
    size_t size = 0;
    struct error err = {0};
    if (lines_read_file(path, FILE_BYTES_MAX, &bytes, &size, &err)) {
        (void)fprintf(stderr, "replay: %s\n", err.message);
        return 1;
    }
    for (size_t cut = 1; cut <= CUTS; cut++) {
        size_t part = size / CUTS * cut + (cut == CUTS ? size % CUTS : 0);
        uint8_t *copy = malloc(part + !part); /* exact, so that a read past the end is seen */
        fuzz_require(copy != NULL);
        memcpy(copy, bytes ? bytes : "", part);
        (void)LLVMFuzzerTestOneInput(copy, part);
        free(copy);
    }
    free(bytes);
    *files += 1;
    return 0;
}

static int replay_directory(const char *path, size_t *files)
{
    DIR *directory = opendir(path);
    int status = directory ? 0 : 1;
    for (struct dirent *entry; directory && (entry = readdir(directory));) {
        char name[PATH_MAX];
        int length = snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        if (entry->d_name[0] != '.' && length > 0 && (size_t)length < sizeof name) {
            status |= replay_file(name, files);
        }
    }
    if (directory) {
        (void)closedir(directory);
    }
    return status;
}

int main(int argc, char **argv)
{
    int status = 0;
    size_t files = 0;
    for (int i = 1; i < argc; i++) {
        struct stat info;
        if (stat(argv[i], &info) != 0) {
            (void)fprintf(stderr, "replay: %s: no such file\n", argv[i]);
            status = 1;
        } else if (S_ISDIR(info.st_mode)) {
            status |= replay_directory(argv[i], &files);
        } else {
            status |= replay_file(argv[i], &files);
        }
    }
    printf("%zu files\n", files);
    return files > 0 ? status : 1;
}
