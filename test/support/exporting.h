/* test/support/exporting.h - exports on tables in an engine and a folder of buckets, a model of
 * what they must contain, and a store that dies at a call of its choice. */
#ifndef SUPPORT_EXPORTING_H
#define SUPPORT_EXPORTING_H

#include "archive/export.h"
#include "support/database.h"
#include "support/folder.h"

/* A store in front of another one. Once `calls_left` is used up it is as if the process had died:
 * nothing reaches the other store any more, not even an abort, and the engine commits no more. */
struct dying_store {
    struct store store;
    struct store *real;
    _Atomic uint64_t calls_left;
    _Atomic bool dead;
};

struct exporting {
    bool lasts; /* rocksdb, which is opened again at a restart; else memory, which stays */
    uint32_t workers;
    size_t scratch_most; /* of what is started next */
    char folder[FOLDER_PATH_MOST];
    struct database database;
    struct dying_store dying;
    struct jobs *jobs;
    struct exports *exports;
    struct err err; /* of the last call that failed */
};

#define EXPORTING_REGION  "eu-west-1"
#define EXPORTING_ACCOUNT "111122223333"
#define EXPORTING_ARN     "arn:aws:dynamodb:" EXPORTING_REGION ":" EXPORTING_ACCOUNT ":table/"
#define EXPORTING_BUCKET  "acme-lake"

/* Opens all of it, with one bucket; the clock stands at a time of its own. `workers` 0: the test
 * runs the jobs' steps. */
void exporting_open(struct exporting *exporting, bool lasts, uint32_t workers);
void exporting_close(struct exporting *exporting);

/* Stops everything (a server that stops, or one that has died), and starts it again. */
void exporting_restart(struct exporting *exporting);

void exporting_later(uint64_t ms); /* moves the clock on */
uint64_t exporting_now_ms(void);

/* Runs the steps of all jobs until none is left that could do anything. */
void exporting_run(struct exporting *exporting);

/* Makes a table {pk: S, sk: N} with recovery switched on. */
void exporting_table(struct exporting *exporting, const char *name);

/* --- requests: false leaves the reason in exporting->err. What comes out is in `arena`. */

struct export_request exporting_request(const char *table_arn);
/* A FilterSpecification, in the arena; NULL: not one of its expressions. `value` is the text of
 * ":v", which they use. */
struct export_filter *exporting_filter(struct arena *arena, const char *key_condition,
                                       const char *condition, const char *value);
bool exporting_start(struct exporting *exporting, const struct export_request *request,
                     struct arena *arena, struct export *out);
bool exporting_describe(struct exporting *exporting, struct bytes arn, struct arena *arena,
                        struct export *out);
bool exporting_list(struct exporting *exporting, const struct export_query *query,
                    struct arena *arena, struct export_page *out);

/* --- the model */

#define MODEL_MOST 600
struct model {
    struct {
        char pk[16], value[40];
        int sk;
        bool there;
        uint64_t time; /* of the last write, microseconds */
    } items[MODEL_MOST];
    int count;
};

/* Writes into the table and into the model; `value` NULL deletes. */
void exporting_write(struct exporting *exporting, struct model *model, const char *table,
                     const char *pk, int sk, const char *value);

/* Fails the test unless the export is COMPLETED, every one of its objects is what spec/export.md 3
 * says, they hold the model's items and no others, and the bucket has nothing half written. */
void exporting_check(struct exporting *exporting, struct bytes arn, const struct model *model);

/* The same of an incremental one: `before` is the model as it was when the window began, `after`
 * when it ended. */
void exporting_check_window(struct exporting *exporting, struct bytes arn,
                            const struct model *before, const struct model *after);

/* The lines of all data files of a completed export, appended, with a NUL behind. */
void exporting_lines(struct exporting *exporting, struct bytes arn, struct buf *out);

/* The bytes of an object below the export's folder, appended. */
void exporting_object(struct exporting *exporting, const struct export *export, const char *leaf,
                      struct buf *out);

#endif
