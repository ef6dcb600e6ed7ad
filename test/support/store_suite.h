/* test/support/store_suite.h - what every store must do, whatever is behind it: each function is
 * one test. The bucket exists and is empty, and each test leaves it so. */
#ifndef SUPPORT_STORE_SUITE_H
#define SUPPORT_STORE_SUITE_H

#include "store/store.h"

struct store_under_test {
    struct store *store;
    const char *bucket;
    bool one_part;                                /* the parts of an upload are one to its etag */
    void (*clear)(struct store_under_test *test); /* removes all objects */
};

void store_puts_and_gets(struct store_under_test *test);
void store_replaces_objects(struct store_under_test *test);
void store_keeps_odd_keys_apart(struct store_under_test *test);
void store_uploads_in_parts(struct store_under_test *test);
void store_shows_no_unfinished_upload(struct store_under_test *test);
void store_lists_in_byte_order(struct store_under_test *test);
void store_misses_buckets_and_keys(struct store_under_test *test);
void store_stops_a_get(struct store_under_test *test);

/* For the tests around it: an object's bytes, which must be there. */
void store_read(struct store *store, const char *bucket, const char *key, struct buf *out);
/* The keys with a prefix, joined by line feeds. */
void store_keys(struct store *store, const char *bucket, const char *prefix, struct buf *out);
/* As exports write their objects. */
extern const struct object_settings store_usual_settings;

#endif
