/* archive/verify_file.c - one data file from the first byte to the last, once: digests of the
 * compressed bytes, the gzip data, its lines, the item of each, and their keys.
 *
 * Keys: within a partition the sort keys must rise, so no two items of one run of lines share a
 * key; and the partition key of each run must be new to the whole export, which seen.c tells once
 * all are known. */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "archive/gunzip.h"
#include "archive/verify_parts.h"
#include "base/digest.h"
#include "item/ion.h"
#include "item/json.h"
#include "item/key.h"
#include "store/etag.h"
#include "json/writer.h"

/* Ours. An item is under 400 KB; escaped in the least favourable way its text is six times that. */
#define LINE_MOST ((size_t)16 * 1024 * 1024)

/* spec/export.md 3.5: no time, no flags, OS 255. */
#define GZIP_HEADER "\x1f\x8b\x08\0\0\0\0\0\0\xff"

struct file {
    struct verify *verify;
    const struct summary *summary;
    const struct file_entry *entry;
    struct digest *md5;
    struct etag_sum parts;
    size_t in_part;
    struct gunzip *gunzip;
    bool broken;  /* the gzip data makes no sense any more */
    bool stopped; /* the visitor wants no more */
    uint64_t bytes, items, lines;
    uint8_t header[sizeof GZIP_HEADER - 1];
    struct buf line;            /* of a line that came in pieces */
    struct arena arena;         /* of one line */
    struct buf partition, sort; /* of the item before: type, value */
    bool has_before;
};

/* --- keys ----------------------------------------------------------------------------------------
 */

/* Ours: so many lines of a file, and files, have places of their own. */
#define PLACE_LINE_BITS 40

static uint64_t place_of(size_t file, uint64_t line)
{
    return (uint64_t)file << PLACE_LINE_BITS | (line & ((UINT64_C(1) << PLACE_LINE_BITS) - 1));
}

/* What seen_repeats() tells with. */
struct repeats {
    struct verify *verify;
    const struct file_entry *entries;
};

static void repeat_tell(void *context, uint64_t place)
{
    const struct repeats *repeats = context;

    verify_problem(repeats->verify, repeats->entries[place >> PLACE_LINE_BITS].leaf,
                   "line %llu: the items of this partition key are in two places",
                   (unsigned long long)(place & ((UINT64_C(1) << PLACE_LINE_BITS) - 1)));
}

bool repeats_verify(struct verify *verify, const struct file_entry *entries, struct err *err)
{
    return seen_repeats(verify->seen, repeat_tell, &(struct repeats){verify, entries}, err);
}

/* --- lines ---------------------------------------------------------------------------------------
 */

static void line_problem(struct file *file, const char *format, ...) PRINTF(2, 3);

static void line_problem(struct file *file, const char *format, ...)
{
    char text[ERR_MESSAGE_MOST];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    verify_problem(file->verify, file->entry->leaf, "line %llu: %s",
                   (unsigned long long)file->lines, text);
}

/* The value of a key attribute behind its type; false if it is missing or cannot be a key. */
static bool key_value(struct file *file, struct bytes item, const char *name, struct buf *out)
{
    struct value value;

    buf_clear(out);
    if (!item_find(item, bytes_of_text(name), &value) || value.type > VALUE_B) {
        line_problem(file, "the key attribute %s is missing, or of a type that no key has", name);
        return false;
    }
    buf_put_u8(out, (uint8_t)value.type);
    buf_put_bytes(out, value.content);
    return true;
}

static bool order_check(struct file *file, struct bytes partition, struct bytes sort,
                        struct err *err)
{
    if (!file->has_before || !bytes_equal(partition, buf_bytes(&file->partition)))
        return seen_put(file->verify->seen, key_hash(partition),
                        place_of(file->entry->number, file->lines), err);
    int order = bytes_compare(buf_bytes(&file->sort), sort);
    if (order == 0)
        line_problem(file, "the key of the line before once more");
    else if (order > 0)
        line_problem(file, "its sort key belongs before that of the line before");
    return true;
}

/* All items have keys of the types of the first. */
static void types_check(struct file *file, uint8_t partition, uint8_t sort)
{
    struct verify *verify = file->verify;
    uint16_t types = (uint16_t)(1u << 15 | (unsigned)partition << 4 | sort);

    if (verify->key_types == 0)
        verify->key_types = types;
    if (verify->key_types != types)
        line_problem(file, "its key is of other types than that of the first item");
}

/* False, with err filled, where the keys so far cannot be kept; so the others down to lines. */
static bool keys_check(struct file *file, struct bytes item, struct err *err)
{
    const char *const *keys = file->verify->settings->keys;
    struct buf partition, sort;

    if (keys[0] == NULL)
        return true;
    buf_init_in(&partition, &file->arena);
    buf_init_in(&sort, &file->arena);
    if (!key_value(file, item, keys[0], &partition) ||
        (keys[1] != NULL && !key_value(file, item, keys[1], &sort)))
        return true;
    types_check(file, partition.data[0], keys[1] != NULL ? sort.data[0] : 0);
    bool ok = order_check(file, buf_bytes(&partition), buf_bytes(&sort), err);
    buf_clear(&file->partition);
    buf_put_bytes(&file->partition, buf_bytes(&partition));
    buf_clear(&file->sort);
    buf_put_bytes(&file->sort, buf_bytes(&sort));
    file->has_before = true;
    return ok;
}

/* The key of an item as its line should have it: partition key, sort key. False if it is not known
 * or, which keys_check() tells, not all there. */
static bool keys_text(struct file *file, struct bytes item, struct buf *out)
{
    const char *const *keys = file->verify->settings->keys;
    struct bytes names[2];
    struct value value;
    size_t count = 0;

    for (; count < 2 && keys[count] != NULL; count++) {
        names[count] = bytes_of_text(keys[count]);
        if (!item_find(item, names[count], &value))
            return false;
    }
    if (file->summary->format == LINE_ION)
        item_write_ion_only(item, names, count, out);
    else
        item_write_json_only(item, names, count, out);
    return count > 0;
}

/* Each line of a full export begins with the key (4.1). */
static void lead_check(struct file *file, struct bytes line, struct bytes item)
{
    struct buf text;

    buf_init_in(&text, &file->arena);
    buf_put_text(&text, file->summary->format == LINE_ION ? "$ion_1_0 {Item:" : "{\"Item\":");
    if (!keys_text(file, item, &text))
        return;
    text.size--; /* other attributes may follow */
    if (!bytes_begin(line, buf_bytes(&text)))
        line_problem(file, "the line does not begin with the key, written as exports write it");
}

/* And Keys of an incremental one's are in that order (4.3). */
static void keys_order_check(struct file *file, struct bytes line, struct bytes keys)
{
    struct buf text;

    buf_init_in(&text, &file->arena);
    buf_put_text(&text, file->summary->format == LINE_ION ? "{Keys:" : "\"Keys\":");
    if (keys_text(file, keys, &text) && memmem(line.data, line.size, text.data, text.size) == NULL)
        line_problem(file, "Keys is not written as exports write it");
}

static bool size_check(struct file *file, struct bytes item)
{
    uint64_t size = item_size(item);

    file->verify->report->item_bytes += size;
    if (size > ITEM_SIZE_MOST)
        line_problem(file, "the item is over 400 KB");
    return size <= ITEM_SIZE_MOST;
}

/* Shows what was found to a visitor. */
#define SHOW(file, visit, ...)                                                                     \
    ((file)->verify->settings->visitor.visit == NULL ||                                            \
     (file)->verify->settings->visitor.visit((file)->verify->settings->visitor.context,            \
                                             __VA_ARGS__))

static bool item_line(struct file *file, struct bytes line, struct err *err)
{
    struct bytes item;
    struct err why = {0};

    if (!line_read_item(file->summary->format, line, &file->arena, &item, &why)) {
        line_problem(file, "%s", why.message);
        return true;
    }
    file->items++;
    uint64_t problems = file->verify->report->problem_count;
    size_check(file, item);
    lead_check(file, line, item);
    return keys_check(file, item, err) &&
           (problems < file->verify->report->problem_count || SHOW(file, item, item, err));
}

/* Of an export with a ProjectionExpression, which the manifests do not tell, images have only those
 * of the key attributes that it names; but then all of them do. */
static void shown_check(struct file *file, uint8_t shown, const char *name)
{
    struct verify *verify = file->verify;
    uint8_t mark = (uint8_t)(shown | SHOWN_KNOWN);

    if (verify->shown == 0)
        verify->shown = mark;
    if (verify->shown != mark)
        line_problem(file, "%s has other key attributes than the first image", name);
}

/* Each image is of the item that the keys name. */
static void image_check(struct file *file, struct bytes keys, struct bytes image, const char *name)
{
    struct item_walk walk = item_walk(keys);
    struct bytes key;
    struct value wanted, found;
    uint8_t shown = 0, bit = 1;

    size_check(file, image);
    for (; item_next(&walk, &key, &wanted); bit = (uint8_t)(bit << 1)) {
        if (!item_find(image, key, &found))
            continue;
        shown |= bit;
        if (!bytes_equal(wanted.encoded, found.encoded))
            line_problem(file, "%s has another %.*s than Keys", name, BYTES_ARGS(key));
    }
    shown_check(file, shown, name);
}

/* The names and types of the first line's keys are those of all lines; of no --keys nothing else is
 * known. */
static void schema_check(struct file *file, struct bytes keys)
{
    struct buf *schema = &file->verify->schema, now;
    struct item_walk walk = item_walk(keys);
    struct bytes name;
    struct value value;
    size_t count = 0;

    buf_init_in(&now, &file->arena);
    for (; item_next(&walk, &name, &value); count++) {
        buf_put_u8(&now, (uint8_t)value.type);
        buf_put_varint(&now, (uint32_t)name.size);
        buf_put_bytes(&now, name);
        if (value.type > VALUE_B)
            line_problem(file, "%.*s is of a type that no key has", BYTES_ARGS(name));
    }
    size_t wanted = 0;
    while (wanted < 2 && file->verify->settings->keys[wanted] != NULL)
        wanted++;
    if (wanted == 0 ? count < 1 || count > 2 : count != wanted)
        line_problem(file, "Keys has %zu attributes", count);
    else if (schema->size == 0)
        buf_put_bytes(schema, buf_bytes(&now));
    else if (!bytes_equal(buf_bytes(schema), buf_bytes(&now)))
        line_problem(file, "Keys has other names or types than that of the first line");
}

/* spec/export.md 4.5. */
static bool change_check(struct file *file, struct bytes line, struct bytes keys,
                         const struct line_change *change, struct err *err)
{
    const struct summary *summary = file->summary;

    if (change->time < summary->from_ms * 1000 || change->time >= summary->to_ms * 1000)
        line_problem(file, "WriteTimestampMicros is not in the window");
    if (summary->view == LINE_NEW_IMAGE && change->before.size > 0)
        line_problem(file, "there is an OldImage, and the view is NEW_IMAGE");
    if (summary->view != LINE_NEW_IMAGE && change->before.size == 0 && change->after.size == 0)
        line_problem(file, "there is no image, and the view is NEW_AND_OLD_IMAGES");
    schema_check(file, keys);
    if (change->before.size > 0)
        image_check(file, keys, change->before, "OldImage");
    if (change->after.size > 0)
        image_check(file, keys, change->after, "NewImage");
    keys_order_check(file, line, keys);
    return keys_check(file, keys, err);
}

static bool change_line(struct file *file, struct bytes line, struct err *err)
{
    struct line_change change;
    struct bytes keys;
    struct err why = {0};

    if (!line_read_change(file->summary->format, line, &file->arena, &keys, &change, &why)) {
        line_problem(file, "%s", why.message);
        return true;
    }
    file->items++;
    uint64_t problems = file->verify->report->problem_count;
    return change_check(file, line, keys, &change, err) &&
           (problems < file->verify->report->problem_count ||
            SHOW(file, change, keys, &change, err));
}

static bool line_check(struct file *file, struct bytes line, struct err *err)
{
    struct arena_mark mark = arena_mark(&file->arena);

    file->lines++;
    bool ok = (file->summary->incremental ? change_line : item_line)(file, line, err);
    arena_rewind(&file->arena, mark);
    file->stopped = !ok;
    return ok;
}

static bool text_take(void *context, struct bytes text, struct err *err)
{
    struct file *file = context;

    file->verify->report->text_bytes += text.size;
    while (text.size > 0) {
        const uint8_t *end = memchr(text.data, '\n', text.size);
        size_t size = end == NULL ? text.size : (size_t)(end - text.data);
        if (file->line.size + size > LINE_MOST)
            return err_fail(err, ERR_CORRUPT, "line %llu is longer than any item's",
                            (unsigned long long)file->lines + 1);
        if (end == NULL || file->line.size > 0)
            buf_put(&file->line, text.data, size);
        if (end == NULL)
            break;
        if (!line_check(file,
                        file->line.size > 0 ? buf_bytes(&file->line) : bytes_of(text.data, size),
                        err))
            return false;
        buf_clear(&file->line);
        text = bytes_from(text, size + 1);
    }
    return true;
}

/* --- bytes ---------------------------------------------------------------------------------------
 */

/* Parts are as long as our own uploads' are. */
static void parts_put(struct file *file, struct bytes piece)
{
    uint8_t ignored[MD5_SIZE];

    while (piece.size > 0) {
        size_t room = UPLOAD_PART - file->in_part;
        size_t size = piece.size < room ? piece.size : room;
        etag_sum_put(&file->parts, bytes_of(piece.data, size));
        file->in_part += size;
        if (file->in_part == UPLOAD_PART) {
            etag_sum_part(&file->parts, ignored);
            file->in_part = 0;
        }
        piece = bytes_from(piece, size);
    }
}

static bool piece_take(void *context, struct bytes piece, struct err *err)
{
    struct file *file = context;
    struct err why = {0};

    for (size_t i = 0; i < piece.size && file->bytes + i < sizeof file->header; i++)
        file->header[file->bytes + i] = piece.data[i];
    file->bytes += piece.size;
    digest_put(file->md5, piece);
    parts_put(file, piece);
    if (!file->broken && !gunzip_put(file->gunzip, piece, text_take, file, &why)) {
        if (file->stopped) {
            *err = why;
            return false;
        }
        verify_problem(file->verify, file->entry->leaf, "%s", why.message);
        file->broken = true;
    }
    return true;
}

static void md5_check(struct file *file, const uint8_t md5[MD5_SIZE])
{
    struct buf quoted;

    buf_init(&quoted);
    json_put_base64(&quoted, bytes_of(md5, MD5_SIZE));
    struct bytes computed = bytes_of(quoted.data + 1, quoted.size - 2);
    if (!bytes_equal(computed, file->entry->md5))
        verify_problem(file->verify, file->entry->leaf, "its MD5 is %.*s, not the manifest's %.*s",
                       BYTES_ARGS(computed), BYTES_ARGS(file->entry->md5));
    buf_release(&quoted);
}

/* The number of parts behind the "-"; 0 if there is none. */
static unsigned long etag_parts(struct bytes etag)
{
    char digits[16];
    const uint8_t *dash = memchr(etag.data, '-', etag.size);

    if (dash == NULL || dash != etag.data + (size_t)2 * MD5_SIZE)
        return 0;
    snprintf(digits, sizeof digits, "%.*s", BYTES_ARGS(bytes_from(etag, (size_t)2 * MD5_SIZE + 1)));
    return strtoul(digits, NULL, 10);
}

/* One part, as a folder always has it, or ours; an upload in parts of another length has an etag
 * that nobody can compute afterwards. */
static void etag_check(struct file *file, const uint8_t md5[MD5_SIZE], bool kms)
{
    char computed[ETAG_MOST];
    uint8_t ignored[MD5_SIZE];

    if (file->in_part > 0 || file->parts.parts == 0)
        etag_sum_part(&file->parts, ignored);
    uint32_t parts = file->parts.parts;
    etag_sum_take(&file->parts, computed);
    unsigned long given = etag_parts(file->entry->etag);
    if (given == 1)
        etag_of_one_part(md5, computed);
    if (bytes_equal(bytes_of_text(computed), file->entry->etag))
        return;
    if (kms || (given > 1 && given != parts))
        file->verify->report->etags_unchecked++;
    else
        verify_problem(file->verify, file->entry->leaf, "its etag is %s, not the manifest's %.*s",
                       computed, BYTES_ARGS(file->entry->etag));
}

static void end_check(struct file *file)
{
    bool kms = bytes_equal(file->summary->encryption, BYTES("KMS"));
    struct verify *verify = file->verify;
    const char *leaf = file->entry->leaf;
    uint8_t md5[MD5_SIZE];
    struct err why = {0};

    digest_take(file->md5, md5);
    md5_check(file, md5);
    etag_check(file, md5, kms);
    if (file->broken)
        return;
    if (!gunzip_end(file->gunzip, &why))
        verify_problem(verify, leaf, "%s", why.message);
    else if (memcmp(file->header, GZIP_HEADER, sizeof file->header) != 0)
        verify_problem(verify, leaf, "its gzip header is not that of exports");
    if (file->line.size > 0)
        verify_problem(verify, leaf, "the last line has no end");
    if (file->items != file->entry->items)
        verify_problem(verify, leaf, "it holds %llu items, and the manifest says %llu",
                       (unsigned long long)file->items, (unsigned long long)file->entry->items);
}

/* On the store itself the object must be the one that was uploaded. */
static bool head_check(struct file *file, const char *key, struct err *err)
{
    struct verify *verify = file->verify;
    struct object_location where = {verify->settings->bucket, key};
    char etag[ETAG_MOST];
    uint64_t size;

    if (verify->settings->moved)
        return true;
    if (!verify->store->ops->head(verify->store, &where, &size, etag, err))
        return false;
    if (etag[0] != '\0' && !bytes_equal(bytes_of_text(etag), file->entry->etag))
        verify_problem(verify, file->entry->leaf, "the store has etag %s, the manifest %.*s", etag,
                       BYTES_ARGS(file->entry->etag));
    return true;
}

static void file_open(struct file *file)
{
    file->md5 = digest_new(DIGEST_MD5);
    file->gunzip = gunzip_new();
    etag_sum_init(&file->parts);
    arena_init(&file->arena);
    buf_init(&file->line);
    buf_init(&file->partition);
    buf_init(&file->sort);
}

static void file_close(struct file *file)
{
    buf_release(&file->sort);
    buf_release(&file->partition);
    buf_release(&file->line);
    arena_release(&file->arena);
    etag_sum_release(&file->parts);
    gunzip_free(file->gunzip);
    digest_free(file->md5);
}

bool file_verify(struct verify *verify, const struct summary *summary,
                 const struct file_entry *entry, uint64_t *items, struct err *err)
{
    struct file file = {.verify = verify, .summary = summary, .entry = entry};
    struct object_location where = {verify->settings->bucket, entry->place};

    file_open(&file);
    bool ok = verify->store->ops->get(verify->store, &where, piece_take, &file, err) &&
              head_check(&file, entry->place, err);
    if (ok) {
        end_check(&file);
        verify->report->files++;
        verify->report->file_bytes += file.bytes;
        *items += file.items;
    } else if (!file.stopped && strcmp(err->reason, "S3NoSuchKey") == 0) {
        verify_problem(verify, entry->leaf, "it is missing");
        ok = true;
    }
    file_close(&file);
    return ok;
}
