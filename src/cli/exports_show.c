/* cli/exports_show.c - exports as rows: read from the server's JSON, shown as lines. */
#include "cli/exports.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "json/reader.h"

/* --- reading */

#define TEXT(name, field)                                                                          \
    {                                                                                              \
        name, offsetof(struct export_row, field), true                                             \
    }
#define NUMBER(name, field)                                                                        \
    {                                                                                              \
        name, offsetof(struct export_row, field), false                                            \
    }

static const struct member {
    const char *name;
    size_t offset;
    bool text;
} members[] = {
    TEXT("exportArn", arn),
    TEXT("status", status),
    TEXT("phase", phase),
    TEXT("failureCode", failure_code),
    TEXT("failureMessage", failure_message),
    NUMBER("itemCount", items),
    NUMBER("itemBytes", item_bytes),
    NUMBER("share", share),
    NUMBER("bytesPerSecond", rate),
    NUMBER("secondsLeft", seconds_left),
    NUMBER("startTime", start),
    NUMBER("endTime", end),
};

static const struct member *find_member(struct bytes name)
{
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        if (bytes_equal(name, bytes_of_text(members[i].name)))
            return &members[i];
    return NULL;
}

static bool read_member(struct json_reader *reader, struct bytes name, struct export_row *row,
                        struct err *err)
{
    const struct member *member = find_member(name);
    struct bytes number;

    if (member == NULL)
        return json_skip(reader, err);
    void *to = (uint8_t *)row + member->offset;
    if (member->text)
        return json_read_string(reader, to, err);
    if (!json_read_number(reader, &number, err))
        return false;
    *(double *)to = strtod(arena_text(reader->arena, number), NULL);
    return true;
}

static bool read_row(struct json_reader *reader, struct export_row *row, struct err *err)
{
    struct bytes name;
    bool more;

    *row = (struct export_row){.seconds_left = -1};
    if (!json_object_begin(reader, err))
        return false;
    while (json_object_next(reader, &name, &more, err)) {
        if (!more)
            return true;
        if (!read_member(reader, name, row, err))
            return false;
    }
    return false;
}

static bool read_rows(struct json_reader *reader, struct buf *rows, struct err *err)
{
    bool more;

    if (!json_array_begin(reader, err))
        return false;
    while (json_array_next(reader, &more, err)) {
        struct export_row row;
        if (!more)
            return true;
        if (!read_row(reader, &row, err))
            return false;
        buf_put(rows, &row, sizeof row);
    }
    return false;
}

static bool read_answer(struct json_reader *reader, struct buf *rows, struct err *err)
{
    struct bytes name;
    bool more;

    if (!json_object_begin(reader, err))
        return false;
    while (json_object_next(reader, &name, &more, err)) {
        if (!more)
            return json_end(reader, err);
        if (!(bytes_equal(name, BYTES("exports")) ? read_rows(reader, rows, err)
                                                  : json_skip(reader, err)))
            return false;
    }
    return false;
}

bool export_rows_read(struct bytes text, struct arena *arena, struct export_rows *out,
                      struct err *err)
{
    struct json_reader reader;
    struct buf rows;
    struct err reason;

    json_reader_init(&reader, text, arena);
    buf_init(&rows);
    bool ok = read_answer(&reader, &rows, &reason);
    if (ok) {
        *out = (struct export_rows){.rows = arena_alloc(arena, rows.size),
                                    .count = rows.size / sizeof *out->rows};
        if (rows.size > 0)
            memcpy(out->rows, rows.data, rows.size);
    } else {
        err_fail(err, ERR_CORRUPT, "what answers is no gramme, or one of another version");
    }
    buf_release(&rows);
    return ok;
}

bool export_row_runs(const struct export_row *row)
{
    return bytes_equal(row->status, BYTES("IN_PROGRESS"));
}

bool export_row_failed(const struct export_row *row)
{
    return bytes_equal(row->status, BYTES("FAILED"));
}

/* --- words for numbers */

/* 1234567 -> 1,234,567 */
static void put_count(struct buf *out, double value)
{
    char digits[32];
    int size = snprintf(digits, sizeof digits, "%.0f", value);

    for (int i = 0; i < size; i++) {
        if (i > 0 && (size - i) % 3 == 0)
            buf_put_u8(out, ',');
        buf_put_u8(out, (uint8_t)digits[i]);
    }
}

/* Decimal units, as the sizes of the service are. */
static void put_size(struct buf *out, double bytes)
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB"};
    size_t unit = 0;

    while (bytes >= 999.5 && unit + 1 < sizeof units / sizeof *units) {
        bytes /= 1000;
        unit++;
    }
    buf_printf(out, "%.*f %s", unit == 0 || bytes >= 99.95 ? 0 : 1, bytes, units[unit]);
}

/* 0:05, 12:34, 1:02:03 */
static void put_duration(struct buf *out, double seconds)
{
    unsigned long long whole = seconds > 0 ? (unsigned long long)(seconds + 0.999) : 0;

    if (whole >= 3600)
        buf_printf(out, "%llu:%02llu:%02llu", whole / 3600, whole / 60 % 60, whole % 60);
    else
        buf_printf(out, "%llu:%02llu", whole / 60, whole % 60);
}

/* The name inside .../table/NAME/export/ID, and the id. */
static void name_of(struct bytes arn, struct bytes *table, struct bytes *id)
{
    const uint8_t *end = arn.data + arn.size, *slash = end;

    while (slash > arn.data && slash[-1] != '/')
        slash--;
    *id = bytes_of(slash, (size_t)(end - slash));
    struct bytes front = bytes_of(arn.data, (size_t)(slash - arn.data));
    const uint8_t *mark = memmem(front.data, front.size, ":table/", 7);
    const uint8_t *export = memmem(front.data, front.size, "/export/", 8);
    *table = mark != NULL && export != NULL && export >= mark + 7
                 ? bytes_of(mark + 7, (size_t)(export - mark - 7))
                 : front;
}

/* --- a line for people */

#define BAR_COLUMNS  20
#define NAME_COLUMNS 16 /* and more for longer names, but */
#define NAME_MOST    24 /* the bar is to be seen on a terminal of 80 */

static void put_bar(struct buf *out, double share)
{
    int full = (int)(share * BAR_COLUMNS);

    buf_put_u8(out, '[');
    for (int i = 0; i < BAR_COLUMNS; i++)
        buf_put_u8(out, i < full ? '#' : '-');
    buf_printf(out, "] %3d %%", (int)(share * 100));
}

static const char *phase_words(const struct export_row *row)
{
    static const char *const words[][2] = {
        {"WAITING", "waiting"}, {"READING_LOG", "reading the log"}, {"FINISHING", "finishing"}};

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (bytes_equal(row->phase, bytes_of_text(words[i][0])))
            return words[i][1];
    return NULL;
}

static void draw_running(const struct export_row *row, struct buf *out)
{
    const char *phase = phase_words(row);

    put_bar(out, row->share);
    if (row->items > 0) {
        buf_put_literal(out, "  ");
        put_count(out, row->items);
        buf_put_literal(out, " items  ");
        put_size(out, row->item_bytes);
    }
    if (phase != NULL) {
        buf_printf(out, "  %s", phase);
        return;
    }
    buf_put_literal(out, "  ");
    put_size(out, row->rate);
    buf_put_literal(out, "/s");
    if (row->seconds_left >= 0) {
        buf_put_literal(out, "  ");
        put_duration(out, row->seconds_left);
        buf_put_literal(out, " left");
    }
}

static void draw_ended(const struct export_row *row, struct buf *out)
{
    buf_put_bytes(out, row->status);
    if (export_row_failed(row)) {
        buf_printf(out, "  %.*s: %.*s", BYTES_ARGS(row->failure_code),
                   BYTES_ARGS(row->failure_message));
        return;
    }
    buf_put_literal(out, "  ");
    put_count(out, row->items);
    buf_put_literal(out, " items  ");
    put_size(out, row->item_bytes);
    buf_put_literal(out, "  in ");
    put_duration(out, row->end - row->start);
}

/* Control characters of a message are none of a terminal's business; all of what we show is one
 * column a byte, but for messages, which may be cut early. */
static void make_plain(struct buf *out, size_t from)
{
    for (size_t i = from; i < out->size; i++)
        if (out->data[i] < ' ' || out->data[i] >= 0x7f)
            out->data[i] = '?';
}

void export_row_draw(const struct export_row *row, size_t width, struct buf *out)
{
    size_t from = out->size;
    struct bytes table, id;

    name_of(row->arn, &table, &id);
    if (table.size > NAME_MOST)
        table.size = NAME_MOST;
    buf_printf(out, "%-*.*s  %.*s  ", NAME_COLUMNS, BYTES_ARGS(table), BYTES_ARGS(id));
    if (export_row_runs(row))
        draw_running(row, out);
    else
        draw_ended(row, out);
    make_plain(out, from);
    if (out->size - from > width)
        out->size = from + width;
}

/* --- a line for programs */

void export_row_tell(const struct export_row *row, struct buf *out)
{
    size_t from = out->size;
    struct bytes table, id;

    name_of(row->arn, &table, &id);
    buf_printf(out, "%.*s %.*s ", BYTES_ARGS(table), BYTES_ARGS(id));
    if (export_row_failed(row)) {
        buf_printf(out, "FAILED %.*s: %.*s", BYTES_ARGS(row->failure_code),
                   BYTES_ARGS(row->failure_message));
    } else if (export_row_runs(row)) {
        buf_printf(out, "%.*s %d %%, %.0f items, %.0f bytes, %.0f bytes/s", BYTES_ARGS(row->phase),
                   (int)(row->share * 100), row->items, row->item_bytes, row->rate);
        if (row->seconds_left >= 0)
            buf_printf(out, ", %.0f s left", row->seconds_left);
    } else {
        buf_printf(out, "%.*s %.0f items, %.0f bytes, in %.1f s", BYTES_ARGS(row->status),
                   row->items, row->item_bytes, row->end - row->start);
    }
    make_plain(out, from);
}
