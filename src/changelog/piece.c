/* changelog/piece.c - pieces of one key follow on each other: each begins with the image that the
 * one before it ended with, and a log that has lost a write is found by that. Where old images are
 * kept they are compared; where not, a piece has a digest of its first one.
 *
 * Most writes change little of an item. So of the image after a piece keeps only the middle that
 * differs from the one before: a fold of both images takes hardly more room than one of the new
 * ones alone. It stays in one process, so numbers are as the processor has them:
 *
 *     time (8) | size (8) | link (8) | sizes of before, after, front, back (4 each) | before |
 *     middle of after
 */
#include "changelog/piece.h"

#include "base/cursor.h"
#include "base/hash.h"
#include "item/codec.h"

struct head {
    uint64_t time, size, link;
    uint32_t before, after; /* sizes */
    uint32_t front, back;   /* of what after has in common with before, at both ends */
};
_Static_assert(sizeof(struct head) == PIECE_HEAD, "no gaps in it");

static uint64_t image_digest(struct bytes image)
{
    return image.size == 0 ? 0 : bytes_hash(image, 0) | 1;
}

static uint64_t image_size(struct bytes image)
{
    return image.size == 0 ? 0 : item_size(image);
}

struct piece piece_of_record(const struct log_record *record, bool new_only)
{
    return (struct piece){
        .before = new_only && record->after.size > 0 ? BYTES_NONE : record->before,
        .after = record->after,
        .link = new_only ? image_digest(record->before) : record->before.size > 0,
        .time = record->time,
        .size = image_size(record->before) + image_size(record->after),
    };
}

static size_t shared_front(struct bytes a, struct bytes b)
{
    size_t most = a.size < b.size ? a.size : b.size, at = 0;
    uint64_t one, other;

    for (; at + sizeof one <= most; at += sizeof one) {
        memcpy(&one, a.data + at, sizeof one);
        memcpy(&other, b.data + at, sizeof other);
        if (one != other)
            break;
    }
    while (at < most && a.data[at] == b.data[at])
        at++;
    return at;
}

static size_t shared_back(struct bytes a, struct bytes b)
{
    size_t most = a.size < b.size ? a.size : b.size, at = 0;
    uint64_t one, other;

    for (; at + sizeof one <= most; at += sizeof one) {
        memcpy(&one, a.data + a.size - at - sizeof one, sizeof one);
        memcpy(&other, b.data + b.size - at - sizeof other, sizeof other);
        if (one != other)
            break;
    }
    while (at < most && a.data[a.size - at - 1] == b.data[b.size - at - 1])
        at++;
    return at;
}

void piece_cut(const struct piece *piece, struct piece_parts *out)
{
    size_t front = shared_front(piece->before, piece->after);
    size_t back = shared_back(bytes_from(piece->before, front), bytes_from(piece->after, front));
    struct head head = {
        .time = piece->time,
        .size = piece->size,
        .link = piece->link,
        .before = (uint32_t)piece->before.size,
        .after = (uint32_t)piece->after.size,
        .front = (uint32_t)front,
        .back = (uint32_t)back,
    };

    memcpy(out->head, &head, sizeof head);
    out->parts[0] = bytes_of(out->head, sizeof head);
    out->parts[1] = piece->before;
    out->parts[2] = bytes_of(piece->after.data + front, piece->after.size - front - back);
}

static struct bytes after_make(const struct head *head, struct bytes before, struct bytes middle,
                               struct arena *arena)
{
    if (head->front + head->back == 0)
        return middle;
    if (head->front == head->after && head->before == head->after)
        return before;
    uint8_t *after = arena_alloc(arena, head->after);
    memcpy(after, before.data, head->front);
    if (middle.size > 0)
        memcpy(after + head->front, middle.data, middle.size);
    memcpy(after + head->front + middle.size, before.data + before.size - head->back, head->back);
    return bytes_of(after, head->after);
}

bool piece_read(struct bytes kept, struct arena *arena, struct piece *out, struct err *err)
{
    struct cursor cursor = cursor_of(kept);
    struct bytes front = cursor_bytes(&cursor, PIECE_HEAD);
    struct head head = {0};

    if (!cursor.failed)
        memcpy(&head, front.data, sizeof head);
    struct bytes before = cursor_bytes(&cursor, head.before);
    struct bytes middle = cursor_bytes(&cursor, cursor_left(&cursor));
    if (cursor.failed || (uint64_t)head.front + head.back > head.before ||
        (uint64_t)head.front + head.back + middle.size != head.after)
        return err_fail(err, ERR_CORRUPT, "a piece of a change of %zu bytes", kept.size);
    *out = (struct piece){
        .before = before,
        .after = after_make(&head, before, middle, arena),
        .link = head.link,
        .time = head.time,
        .size = head.size,
    };
    return true;
}

bool piece_join(struct piece *piece, const struct piece *next, bool new_only)
{
    if (new_only ? image_digest(piece->after) != next->link
                 : !bytes_equal(piece->after, next->before))
        return false;
    if (new_only && (next->before.size > 0 || next->after.size > 0))
        piece->before = next->before;
    piece->after = next->after;
    piece->time = next->time;
    piece->size += next->size;
    return true;
}
