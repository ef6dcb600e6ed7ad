/* archive/line_read.c - lines of data files read back. What stands around items and images never
 * varies and is stepped over as it is; items are read by the readers of their format. */
#include "archive/line.h"

#include "item/ion.h"
#include "item/json.h"

struct reader {
    enum line_format format;
    struct ion_reader text; /* of either format: where it stands */
    struct err *err;
};

static struct reader reader_of(enum line_format format, struct bytes text, struct arena *arena,
                               struct err *err)
{
    struct reader reader = {.format = format, .err = err};

    ion_reader_init(&reader.text, text, arena);
    while (format == LINE_ION && ion_read_fixed(&reader.text, BYTES(" ")))
        continue; /* readers should bear with blanks ahead of the version marker (spec 4.2) */
    return reader;
}

/* Steps over `json` or `ion`, if it comes next. */
static bool comes(struct reader *in, const char *json, const char *ion)
{
    return ion_read_fixed(&in->text, bytes_of_text(in->format == LINE_ION ? ion : json));
}

static bool expect(struct reader *in, const char *json, const char *ion)
{
    return comes(in, json, ion) || err_fail(in->err, ERR_CORRUPT, "%s is not where it should be",
                                            in->format == LINE_ION ? ion : json);
}

static bool read_json(struct reader *in, struct bytes *out)
{
    struct bytes rest = bytes_of(in->text.next, (size_t)(in->text.end - in->text.next));
    struct json_reader json;
    struct item_read item;
    struct err why;

    json_reader_init(&json, rest, in->text.arena);
    if (!item_read_json(&json, &item, &why))
        return err_fail(in->err, ERR_CORRUPT, "%s",
                        why.message[0] != '\0' ? why.message : "it is no JSON");
    if (item.invalid != NULL)
        return err_fail(in->err, ERR_CORRUPT, "%s", item.invalid->message);
    in->text.next = json.next;
    *out = item.packed;
    return true;
}

static bool read_item(struct reader *in, struct bytes *out)
{
    return in->format == LINE_ION ? item_read_ion(&in->text, out, in->err) : read_json(in, out);
}

static bool read_end(struct reader *in, const char *json, const char *ion)
{
    return (comes(in, json, ion) && in->text.next == in->text.end) ||
           err_fail(in->err, ERR_CORRUPT, "the line does not end where it should");
}

bool line_read_item(enum line_format format, struct bytes text, struct arena *arena,
                    struct bytes *item, struct err *err)
{
    struct reader in = reader_of(format, text, arena, err);

    return expect(&in, "{\"Item\":", "$ion_1_0 {Item:") && read_item(&in, item) &&
           read_end(&in, "}", "}");
}

/* ---- changes -------------------------------------------------------------------------------- */

#define MICROS_MOST INT64_C(99999999999999999) /* the year 5138 */

static bool read_json_time(struct reader *in, uint64_t *out)
{
    const uint8_t *start = in->text.next;
    uint64_t time = 0;

    for (; in->text.next < in->text.end && *in->text.next >= '0' && *in->text.next <= '9';
         in->text.next++) {
        time = time * 10 + (uint64_t)(*in->text.next - '0');
        if (time > MICROS_MOST)
            return err_fail(in->err, ERR_CORRUPT, "WriteTimestampMicros is no time");
    }
    *out = time;
    return in->text.next > start ||
           err_fail(in->err, ERR_CORRUPT, "WriteTimestampMicros is no time");
}

static bool read_ion_time(struct reader *in, uint64_t *out)
{
    struct number number;
    int64_t time;

    if (!ion_read_number(&in->text, &number, in->err))
        return false;
    if (!number_to_integer(number_bytes(&number), &time) || time < 0 || time > MICROS_MOST)
        return err_fail(in->err, ERR_CORRUPT, "WriteTimestampMicros is no time");
    *out = (uint64_t)time;
    return true;
}

/* Keys and time come in the one order in JSON, in the other in Ion (spec 4.4). */
static bool read_json_head(struct reader *in, struct bytes *keys, uint64_t *time)
{
    return expect(in, "{\"Metadata\":{\"WriteTimestampMicros\":{\"N\":\"", "") &&
           read_json_time(in, time) && expect(in, "\"}},\"Keys\":", "") && read_item(in, keys);
}

static bool read_ion_head(struct reader *in, struct bytes *keys, uint64_t *time)
{
    return expect(in, "", "$ion_1_0 {Record:{Keys:") && read_item(in, keys) &&
           expect(in, "", ",Metadata:{WriteTimestampMicros:") && read_ion_time(in, time) &&
           expect(in, "", "}");
}

bool line_read_change(enum line_format format, struct bytes text, struct arena *arena,
                      struct bytes *keys, struct line_change *out, struct err *err)
{
    struct reader in = reader_of(format, text, arena, err);

    *out = (struct line_change){0};
    if (!(format == LINE_ION ? read_ion_head : read_json_head)(&in, keys, &out->time))
        return false;
    if (comes(&in, ",\"OldImage\":", ",OldImage:") && !read_item(&in, &out->before))
        return false;
    if (comes(&in, ",\"NewImage\":", ",NewImage:") && !read_item(&in, &out->after))
        return false;
    return read_end(&in, "}", "}}");
}
