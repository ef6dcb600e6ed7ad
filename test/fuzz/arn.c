/* test/fuzz/arn.c - the ARN of a table or an export. What is taken apart is all that was there: put
 * together again it is the same text. What is believed to be a table or an export of ours is of the
 * one form that they have. */
#include <assert.h>

#include "archive/arn.h"
#include "base/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REGION  "us-east-1"
#define ACCOUNT "000000000000"

static const struct arn home = {BYTES_INIT("aws"), BYTES_INIT("dynamodb"), BYTES_INIT(REGION),
                                BYTES_INIT(ACCOUNT), BYTES_INIT("")};

static bool holds(struct bytes text, char byte)
{
    return text.size > 0 && memchr(text.data, byte, text.size) != NULL;
}

static void check_split(struct bytes text)
{
    struct arn arn;
    struct buf again;

    if (!arn_split(text, &arn))
        return;
    assert(!holds(arn.partition, ':') && !holds(arn.service, ':') && !holds(arn.region, ':') &&
           !holds(arn.account, ':'));
    buf_init(&again);
    buf_printf(&again, "arn:%.*s:%.*s:%.*s:%.*s:%.*s", BYTES_ARGS(arn.partition),
               BYTES_ARGS(arn.service), BYTES_ARGS(arn.region), BYTES_ARGS(arn.account),
               BYTES_ARGS(arn.resource));
    /* printf stops at a NUL, which is no matter of ARNs */
    assert(holds(text, '\0') || bytes_equal(buf_bytes(&again), text));
    buf_release(&again);
}

static void check_refused(const struct err *err)
{
    assert(err->code == ERR_VALIDATION || err->code == ERR_ACCESS_DENIED ||
           err->code == ERR_EXPORT_NOT_FOUND);
}

static void check_table(struct bytes text)
{
    static const struct bytes tail = BYTES_INIT(":" ACCOUNT ":table/");
    struct bytes name;
    struct err err;

    if (!arn_table_name(text, &home, &name, &err)) {
        check_refused(&err);
        return;
    }
    assert(bytes_begin(text, BYTES("arn:aws:dynamodb:")));
    assert(name.size > 0 && !holds(name, '/') && text.size > name.size + tail.size);
    struct bytes end = bytes_from(text, text.size - name.size - tail.size);
    assert(bytes_begin(end, tail) && bytes_equal(bytes_from(end, tail.size), name));
}

static void check_export(struct bytes text)
{
    static const struct bytes front = BYTES_INIT("arn:aws:dynamodb:" REGION ":" ACCOUNT ":table/");
    struct err err;

    if (!arn_check_export(text, &home, &err)) {
        check_refused(&err);
        return;
    }
    assert(bytes_begin(text, front));
    struct bytes rest = bytes_from(text, front.size);
    const uint8_t *middle = memmem(rest.data, rest.size, "/export/", strlen("/export/"));
    assert(middle != NULL && middle > rest.data);
    struct bytes id = bytes_from(rest, (size_t)(middle - rest.data) + strlen("/export/"));
    assert(id.size > 0 && !holds(id, '/'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_split(bytes_of(data, size));
    check_table(bytes_of(data, size));
    check_export(bytes_of(data, size));
    return 0;
}
