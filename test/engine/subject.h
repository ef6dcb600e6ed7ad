/* test/engine/subject.h - the engine under test, whichever it is, and short words for what the
 * tests do with it. */
#ifndef ENGINE_SUBJECT_H
#define ENGINE_SUBJECT_H

#include "support/check.h"
#include "support/folder.h"

#include "engine/engine.h"

struct subject {
    struct engine *engine;
    struct arena arena; /* for one test */
    char folder[FOLDER_PATH_MOST];
    bool lasts; /* what is stored is there again after a close */
};

/* Chooses the engine for subject_open(); false: no such engine. */
bool subject_choose(const char *name);

/* Fixtures of cmocka: an empty store, `*state` is a struct subject. */
int subject_open(void **state);
int subject_close(void **state);

/* Closes and opens again, where the engine lasts; else starts with an empty one. */
void subject_reopen(struct subject *subject);
/* The same, and shows how opening fails: false. */
bool subject_try_reopen(struct subject *subject, struct err *err);

struct engine_batch *subject_batch(struct subject *subject);

/* Commits one batch, or several in one group; fails the test unless the outcome is the wanted one.
 */
void subject_commit(struct subject *subject, struct engine_batch *batch);
void subject_commit_group(struct subject *subject, struct engine_batch **batches, uint32_t count);
void subject_expect(struct subject *subject, struct engine_batch *batch,
                    enum commit_outcome outcome);

/* The value of a key in the arena; the text "(none)" where there is none. */
struct bytes subject_get(struct subject *subject, enum engine_space space, struct bytes key);

/* "key=value " for each pair of a range. */
struct bytes subject_list(struct subject *subject, const struct engine_scan *range);
struct bytes subject_list_all(struct subject *subject, enum engine_space space);

#define assert_has(subject, space, key, expected)                                                  \
    assert_bytes_equal(subject_get((subject), (space), BYTES(key)), BYTES(expected))

#endif
