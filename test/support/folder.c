/* test/support/folder.c - the few calls that tests need on files. */
#include "support/folder.h"

#include "support/check.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static size_t files_seen; /* nftw() hands nothing through */

void folder_make(char path[FOLDER_PATH_MOST])
{
    const char *where = getenv("TMPDIR");

    snprintf(path, FOLDER_PATH_MOST, "%s/gramme-XXXXXX", where != NULL ? where : "/tmp");
    assert_non_null(mkdtemp(path));
}

static int entry_remove(const char *path, const struct stat *info, int type, struct FTW *at)
{
    (void)info, (void)type, (void)at;
    return remove(path);
}

void folder_remove(const char *path)
{
    assert_int_equal(nftw(path, entry_remove, 16, FTW_DEPTH | FTW_PHYS), 0);
}

static int entry_count(const char *path, const struct stat *info, int type, struct FTW *at)
{
    (void)path, (void)info, (void)at;
    files_seen += type == FTW_F;
    return 0;
}

size_t folder_files(const char *path)
{
    files_seen = 0;
    assert_int_equal(nftw(path, entry_count, 16, FTW_PHYS), 0);
    return files_seen;
}

void file_write(const char *path, struct bytes content)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    if (content.size > 0)
        assert_int_equal(fwrite(content.data, 1, content.size, file), content.size);
    assert_int_equal(fclose(file), 0);
}

void file_read(const char *path, struct buf *out)
{
    FILE *file = fopen(path, "r");
    size_t size;

    assert_non_null(file);
    do {
        size = fread(buf_room(out, 65536), 1, 65536, file);
        out->size += size;
    } while (size > 0);
    assert_int_equal(fclose(file), 0);
}
