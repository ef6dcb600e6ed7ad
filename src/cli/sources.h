/* cli/sources.h - exports that a command reads, and what it reads them with. One thread. */
#ifndef CLI_SOURCES_H
#define CLI_SOURCES_H

#include "archive/diff.h"
#include "cli/place.h"

struct sources {
    struct arena arena;
    struct place *places;
    struct diff_source *all;
    size_t count;
};

/* Opens all of them; what was opened is closed by sources_close(), also after a failure. */
MUST_CHECK bool sources_open(struct sources *sources, const struct settings *settings,
                             char *const *texts, size_t count, const char *const keys[2],
                             struct err *err);
void sources_close(struct sources *sources);

/* Says why a command failed, with the problems that verify found; answers its exit status. */
int sources_complain(const char *command, const struct buf *problems, const struct err *err);

#endif
