/* store/failure.c - FailureCode and FailureMessage. The suffix is what the AWS SDK for Java, which
 * the service is built on, appends to the text of S3. Both are kept and shown as text, so whatever
 * an endpoint sends, they are made UTF-8 here. */
#include "store/failure.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"
#include "json/reader.h"

/* Of a text that is none, what is not ASCII is not shown. */
static void make_text(char *text)
{
    text_end_whole(text);
    if (utf8_valid(bytes_of_text(text)))
        return;
    for (; *text != '\0'; text++)
        if (((uint8_t)*text & 0x80) != 0)
            *text = '?';
}

static void make_texts(struct err *err)
{
    make_text(err->message);
    make_text(err->reason);
}

/* The reason is cut, not refused, where an endpoint invents a long code. */
static void reason_of(const char *code, char *reason, size_t size)
{
    if (strcmp(code, "KMS.NotFoundException") == 0)
        snprintf(reason, size, "KmsNotFoundException");
    else
        snprintf(reason, size, "S3%s", code);
}

bool store_refused(struct err *err, const struct refusal *refusal)
{
    err_fail(err, ERR_STORE,
             "%s (Service: Amazon S3; Status Code: %d; Error Code: %s; Request ID: %s; "
             "S3 Extended Request ID: %s; Proxy: null)",
             refusal->message, refusal->status, refusal->code, refusal->request_id,
             refusal->extended_id);
    reason_of(refusal->code, err->reason, sizeof err->reason);
    make_texts(err);
    return false;
}

static void blame_ourselves(struct err *err)
{
    snprintf(err->reason, sizeof err->reason, "InternalServerError");
    make_texts(err);
}

bool store_broken(struct err *err, const char *format, ...)
{
    char text[ERR_MESSAGE_MOST];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    err_fail(err, ERR_STORE, "%s", text);
    blame_ourselves(err);
    return false;
}

bool store_blamed(struct err *err)
{
    blame_ourselves(err);
    return true;
}
