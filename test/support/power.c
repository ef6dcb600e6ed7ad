/* test/support/power.c - a kill is the power cut; what it leaves is in the shim's folder. */
#include "support/power.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/random.h"
#include "support/check.h"
#include "support/folder.h"

#define FILES      ".files" /* as in powerloss.c */
#define BLOCK_SIZE 4096

pid_t power_start(const char *live, const char *durable, char *const *arguments, int *output)
{
    const char *shim = getenv("POWERLOSS_SHIM");
    int ends[2];

    assert_non_null(shim);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        setenv("POWERLOSS_LIVE", live, 1);
        setenv("POWERLOSS_DURABLE", durable, 1);
        setenv("LD_PRELOAD", shim, 1);
        dup2(ends[1], STDOUT_FILENO);
        execv(arguments[0], arguments);
        _exit(127);
    }
    close(ends[1]);
    *output = ends[0];
    return child;
}

static void path_join(char to[PATH_MAX], const char *folder, const char *name)
{
    assert_true(snprintf(to, PATH_MAX, "%s/%s", folder, name) < PATH_MAX);
}

/* Brings to the durable file some of what the live one has besides. */
static void tear_file(const char *live, const char *durable, enum power_cut cut, uint64_t *seed)
{
    int from = open(live, O_RDONLY | O_CLOEXEC), to = open(durable, O_RDWR | O_CLOEXEC);
    char block[BLOCK_SIZE];
    struct stat before, now;
    ssize_t got;

    if (from < 0 || to < 0) { /* never synced, nor its name */
        close(from);
        close(to);
        return;
    }
    assert_int_equal(fstat(from, &now) | fstat(to, &before), 0);
    off_t more = now.st_size > before.st_size ? now.st_size - before.st_size : 0;
    off_t at = cut == CUT_SHORT ? before.st_size : 0;
    off_t end = before.st_size + (more == 0 ? 0 : (off_t)(random_next(seed) % (uint64_t)more));
    for (; at < end; at += got) {
        size_t size = end - at < BLOCK_SIZE ? (size_t)(end - at) : BLOCK_SIZE;
        got = pread(from, block, size, at);
        assert_true(got > 0);
        if (cut == CUT_SHORT || random_next(seed) % 2 == 0)
            assert_int_equal(pwrite(to, block, (size_t)got, at), got);
    }
    assert_int_equal(ftruncate(to, end), 0);
    close(from);
    close(to);
}

static void tear(const char *live, const char *durable, enum power_cut cut, uint64_t *seed)
{
    char path[PATH_MAX], content[PATH_MAX];
    struct dirent *entry;
    struct statx status;
    DIR *folder = opendir(live);

    assert_non_null(folder);
    while ((entry = readdir(folder)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        path_join(path, live, entry->d_name);
        assert_int_equal(statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW,
                               STATX_INO | STATX_BTIME | STATX_TYPE, &status),
                         0);
        if (S_ISDIR(status.stx_mode)) {
            tear(path, durable, cut, seed);
        } else if (S_ISREG(status.stx_mode)) {
            assert_true(snprintf(content, PATH_MAX, "%s/" FILES "/%llu-%lld.%u", durable,
                                 (unsigned long long)status.stx_ino,
                                 (long long)status.stx_btime.tv_sec,
                                 status.stx_btime.tv_nsec) < PATH_MAX);
            tear_file(path, content, cut, seed);
        }
    }
    closedir(folder);
}

void power_cut(const char *live, const char *durable, enum power_cut cut, uint64_t *seed)
{
    char path[PATH_MAX];

    if (cut != CUT_CLEAN)
        tear(live, durable, cut, seed);
    path_join(path, durable, FILES);
    folder_remove(path);
    folder_remove(live);
    assert_int_equal(rename(durable, live), 0);
}
