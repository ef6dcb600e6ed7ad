/* archive/export_list.c - a page of exports: a scan of their records from the end, since their ARNs
 * rise with time and the newest come first. */
#include "archive/export.h"

#include <assert.h>

#include "archive/export_job.h"
#include "base/digest.h"

/* A page's token: the ARN that ended the page, in hex, behind a digest that tells our tokens from
 * others, and padded as the service's are: blocks of 16 digits, 112 to 1024 of them. */
#define TOKEN_BLOCK       8 /* bytes */
#define TOKEN_CHECK       8
#define TOKEN_BYTES_LEAST 56
#define TOKEN_BYTES_MOST  512

static struct bytes token_make(struct bytes arn, struct arena *arena)
{
    uint8_t digest[SHA256_SIZE];
    struct buf plain;

    buf_init_in(&plain, arena);
    digest_of(DIGEST_SHA256, arn, digest);
    buf_put(&plain, digest, TOKEN_CHECK);
    buf_put_bytes(&plain, arn);
    while (plain.size < TOKEN_BYTES_LEAST || plain.size % TOKEN_BLOCK != 0)
        buf_put_u8(&plain, 0);
    char *text = arena_alloc(arena, plain.size * 2 + 1);
    hex_put(plain.data, plain.size, text);
    return bytes_of(text, plain.size * 2);
}

static int hex_digit(uint8_t c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The ARN in a token; BYTES_NONE if the token is none that token_make() makes. */
static struct bytes token_read(struct bytes token, struct arena *arena)
{
    uint8_t *plain = arena_alloc(arena, TOKEN_BYTES_MOST);
    size_t size = token.size / 2;

    if (size < TOKEN_BYTES_LEAST || size > TOKEN_BYTES_MOST)
        return BYTES_NONE;
    for (size_t i = 0; i < size; i++) {
        int high = hex_digit(token.data[2 * i]), low = hex_digit(token.data[2 * i + 1]);
        if (high < 0 || low < 0)
            return BYTES_NONE;
        plain[i] = (uint8_t)(high << 4 | low);
    }
    while (size > TOKEN_CHECK && plain[size - 1] == 0)
        size--;
    struct bytes arn = bytes_of(plain + TOKEN_CHECK, size - TOKEN_CHECK);
    return bytes_equal(token_make(arn, arena), token) ? arn : BYTES_NONE;
}

struct listing {
    const struct engine *engine;
    struct arena *arena;
    struct bytes table_id; /* no data: all tables */
    uint64_t now;
    struct export *exports;
    uint32_t count, most; /* one more than the page shows */
    struct err *err;
    bool failed;
};

static bool is_listed(const struct listing *listing, const struct export *export)
{
    return !export_expired(export, listing->now) &&
           (listing->table_id.data == NULL || bytes_equal(listing->table_id, export->table_id));
}

static bool listing_visit(void *context, struct bytes key, struct bytes value)
{
    struct listing *listing = context;
    struct arena_mark mark = arena_mark(listing->arena);
    struct export export;

    listing->failed = !export_read(listing->engine, arena_copy(listing->arena, key),
                                   arena_copy(listing->arena, value), &export, listing->err);
    if (listing->failed)
        return false;
    if (is_listed(listing, &export))
        listing->exports[listing->count++] = export;
    else
        arena_rewind(listing->arena, mark);
    return listing->count < listing->most;
}

/* Where to look: all exports, or those under the ARN of one table that is there now. */
static bool find_range(struct exports *exports, struct work *work, const struct export_query *query,
                       struct bytes *prefix, struct bytes *table_id, struct err *err)
{
    struct bytes name;

    *prefix = record_key(work->arena, RECORD_EXPORT, BYTES_NONE);
    *table_id = BYTES_NONE;
    if (query->table_arn.data == NULL)
        return true;
    if (!arn_table_name(query->table_arn, &exports->home, &name, err))
        return false;
    const struct table *table = work_find_table(work, name);
    *prefix = BYTES_NONE;
    if (table == NULL)
        return true;
    *prefix = record_key(work->arena, RECORD_EXPORT,
                         arena_printf(work->arena, "%.*s/export/", BYTES_ARGS(table->arn)));
    *table_id = table->id;
    return true;
}

/* The end of the scan: the ARN that ended the page before, or the end of all. A token from the
 * listing of another table finds nothing here (spec 1.6). */
static bool find_end(struct work *work, const struct export_query *query, struct bytes prefix,
                     struct bytes *to, struct err *err)
{
    if (query->token.data == NULL) {
        *to = record_key_after(work->arena, prefix);
        return true;
    }
    struct bytes arn = token_read(query->token, work->arena);
    if (arn.data == NULL)
        return err_fail(err, ERR_VALIDATION, "Invalid Request: Provided nextToken is invalid: %.*s",
                        BYTES_ARGS(query->token));
    struct bytes key = record_key(work->arena, RECORD_EXPORT, arn);
    *to = bytes_begin(key, prefix) ? key : prefix;
    return true;
}

static bool list(struct exports *exports, struct listing *listing, struct bytes from,
                 struct bytes to, struct err *err)
{
    struct engine_scan scan = {
        .space = SPACE_CATALOG,
        .from = from,
        .to = to,
        .backward = true,
        .visit = listing_visit,
        .context = listing,
    };

    listing->err = err;
    return bytes_compare(from, to) >= 0 ||
           (engine_scan_all(exports_engine(exports), &scan, err) != SCAN_FAILED &&
            !listing->failed);
}

bool exports_list(struct exports *exports, struct work *work, const struct export_query *query,
                  struct export_page *out, struct err *err)
{
    struct bytes prefix, table_id, to = BYTES_NONE;

    assert(query->most >= 1 && query->most <= EXPORTS_PAGE_MOST);
    if (!find_range(exports, work, query, &prefix, &table_id, err) ||
        !find_end(work, query, prefix, &to, err))
        return false;
    struct listing listing = {
        .engine = exports_engine(exports),
        .arena = work->arena,
        .table_id = table_id,
        .now = exports_now(exports),
        .exports = arena_alloc(work->arena, sizeof *listing.exports * (query->most + 1)),
        .most = query->most + 1,
    };
    if (prefix.data != NULL && !list(exports, &listing, prefix, to, err))
        return false;
    bool more = listing.count > query->most;
    *out = (struct export_page){
        .exports = listing.exports,
        .count = more ? query->most : listing.count,
        .next = more ? token_make(listing.exports[query->most - 1].arn, work->arena) : BYTES_NONE,
    };
    return true;
}
