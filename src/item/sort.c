/* item/sort.c - a merge sort that takes the runs which are there: clients send attributes in the
 * order of a hash, in alphabetical order, or numbered (a0 .. a9, a10 ..: few long runs). */
#include "item/packed.h"

#define RUN_LEAST 12 /* shorter runs are lengthened by insertion, which is faster on so few */

static inline bool is_after(const uint8_t *base, const struct item_part *a,
                            const struct item_part *b)
{
    if (a->prefix != b->prefix)
        return a->prefix > b->prefix;
    return bytes_compare(item_part_key(base, a), item_part_key(base, b)) > 0;
}

/* Brings the part at `at` to its place among those from `first` on, which are in order. */
static void insert(const uint8_t *base, struct item_part *parts, uint32_t first, uint32_t at)
{
    struct item_part part = parts[at];

    for (; at > first && is_after(base, &parts[at - 1], &part); at--)
        parts[at] = parts[at - 1];
    parts[at] = part;
}

/* The end of the run that begins at `start`. */
static uint32_t run_end(const uint8_t *base, struct item_part *parts, uint32_t start,
                        uint32_t count)
{
    uint32_t end = start + 1;

    while (end < count && !is_after(base, &parts[end - 1], &parts[end]))
        end++;
    for (; end < count && end < start + RUN_LEAST; end++)
        insert(base, parts, start, end);
    return end;
}

static void merge(const uint8_t *base, const struct item_part *left, const struct item_part *right,
                  const struct item_part *end, struct item_part *to)
{
    const struct item_part *middle = right;

    while (left < middle && right < end)
        *to++ = is_after(base, left, right) ? *right++ : *left++;
    memcpy(to, left, (size_t)(middle - left) * sizeof *to);
    to += middle - left;
    memcpy(to, right, (size_t)(end - right) * sizeof *to);
}

/* One pass: merges each run with its neighbour, from `from` into `to`. Returns how many runs were
 * seen. The runs are found again each time; that costs one comparison a part. */
static uint32_t merge_runs(const uint8_t *base, struct item_part *from, struct item_part *to,
                           uint32_t count)
{
    uint32_t runs = 0;

    for (uint32_t start = 0; start < count;) {
        uint32_t middle = run_end(base, from, start, count);
        uint32_t end = middle < count ? run_end(base, from, middle, count) : middle;
        merge(base, from + start, from + middle, from + end, to + start);
        runs += middle < end ? 2 : 1;
        start = end;
    }
    return runs;
}

void item_parts_sort(const uint8_t *base, struct item_part *parts, struct item_part *spare,
                     uint32_t count)
{
    struct item_part *from = parts, *to = spare;

    if (count <= RUN_LEAST) {
        for (uint32_t i = 1; i < count; i++)
            insert(base, parts, 0, i);
        return;
    }
    while (merge_runs(base, from, to, count) > 2) {
        struct item_part *swap = from;
        from = to;
        to = swap;
    }
    if (to != parts)
        memcpy(parts, to, count * sizeof *parts);
}
