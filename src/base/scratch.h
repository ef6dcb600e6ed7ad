/* base/scratch.h - files for what a job sorts: without a name, so that they are gone once they are
 * closed, however the process ends; what is written is never synced. A scratch is shared by the
 * threads of a job, a file is used by one thread at a time, but for reads. */
#ifndef BASE_SCRATCH_H
#define BASE_SCRATCH_H

#include <stdatomic.h>

#include "base/bytes.h"
#include "base/err.h"

struct scratch_place {
    const char *folder;
    uint64_t reserve; /* bytes of its disk that are left free */
};

/* The room of one job. */
struct scratch {
    struct scratch_place place;
    uint64_t most; /* bytes in all files together; 0: no bound */
    _Atomic uint64_t used;
};

struct scratch_file {
    struct scratch *scratch;
    uint64_t size;
    int file;
};

/* Scratch of a command, without a bound: in `folder`, which is borrowed; NULL: in TMPDIR, or else
 * in /tmp. Fails at once where no file can be made there. */
MUST_CHECK bool scratch_choose(struct scratch *scratch, const char *folder, struct err *err);

MUST_CHECK bool scratch_file_open(struct scratch_file *file, struct scratch *scratch,
                                  struct err *err);
void scratch_file_close(struct scratch_file *file);

/* Writes behind the end. ERR_SCRATCH_LIMIT where the job would have more than its room,
 * ERR_DISK_FULL where the disk would; what a failure leaves behind the end is not of the file. */
MUST_CHECK bool scratch_append(struct scratch_file *file, struct bytes bytes, struct err *err);

/* Reads what was written; any number of threads at once. */
MUST_CHECK bool scratch_read(const struct scratch_file *file, uint64_t from, uint8_t *to,
                             size_t size, struct err *err);

/* Forgets what is from `size` on, and gives its room back. */
void scratch_cut(struct scratch_file *file, uint64_t size);

#endif
