/* net/authorization.c - takes the text apart. The messages are the service's, as dynalite's notes
 * on the real service record them. */
#include "net/authorization.h"

#include "net/canonical.h"

/* --- the header ------------------------------------------------------------------------------- */

struct bytes header_find(const struct signature_request *request, struct bytes name)
{
    for (size_t i = 0; i < request->header_count; i++)
        if (name_equal(request->headers[i].name, name))
            return request->headers[i].value;
    return BYTES_NONE;
}

/* The next word of the header's list: commas and blanks are all the same to the service. */
static struct bytes word_take(struct bytes *text)
{
    size_t length = 0;

    while (text->size > 0 && (text->data[0] == ' ' || text->data[0] == ','))
        *text = bytes_from(*text, 1);
    while (length < text->size && text->data[length] != ' ' && text->data[length] != ',')
        length++;
    struct bytes word = bytes_of(text->data, length);
    *text = bytes_from(*text, length);
    return word;
}

static bool words_read(struct bytes header, struct authorization *out, struct err *err)
{
    struct bytes left = header;

    out->algorithm = word_take(&left);
    for (struct bytes word = word_take(&left); word.size > 0; word = word_take(&left)) {
        if (memchr(word.data, '=', word.size) == NULL)
            return err_fail(err, ERR_INCOMPLETE_SIGNATURE,
                            "'%.*s' not a valid key=value pair (missing equal-sign) in "
                            "Authorization header: '%.*s'.",
                            BYTES_ARGS(word), BYTES_ARGS(header));
        struct bytes name = part_take(&word, '=');
        if (bytes_equal(name, BYTES("Credential")))
            out->credential = word;
        else if (bytes_equal(name, BYTES("SignedHeaders")))
            out->signed_headers = word;
        else if (bytes_equal(name, BYTES("Signature")))
            out->signature = word;
    }
    return true;
}

#define LACKS(name) "Authorization header requires '" name "' parameter. "
#define LACKS_DATE                                                                                 \
    "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. "

static bool header_read(const struct signature_request *request, struct bytes header,
                        struct authorization *out, struct err *err)
{
    if (!words_read(header, out, err))
        return false;
    out->time = text_trim(header_find(request, BYTES("X-Amz-Date")));
    if (out->time.size == 0)
        out->time = text_trim(header_find(request, BYTES("Date")));
    out->token = text_trim(header_find(request, BYTES("X-Amz-Security-Token")));
    if (out->credential.size > 0 && out->signature.size > 0 && out->signed_headers.size > 0 &&
        out->time.size > 0)
        return true;
    return err_fail(err, ERR_INCOMPLETE_SIGNATURE, "%s%s%s%sAuthorization=%.*s",
                    out->credential.size > 0 ? "" : LACKS("Credential"),
                    out->signature.size > 0 ? "" : LACKS("Signature"),
                    out->signed_headers.size > 0 ? "" : LACKS("SignedHeaders"),
                    out->time.size > 0 ? "" : LACKS_DATE, BYTES_ARGS(header));
}

/* --- the query -------------------------------------------------------------------------------- */

static struct bytes decoded(struct bytes raw, struct arena *arena)
{
    struct buf out;

    buf_init_in(&out, arena);
    while (raw.size > 0)
        buf_put_u8(&out, encoded_take(&raw));
    return buf_bytes(&out);
}

/* The parameter's value as it is written; false if it is not there. */
static bool parameter_find(struct bytes query, struct bytes name, struct bytes *value)
{
    while (query.size > 0) {
        *value = part_take(&query, '&');
        if (bytes_equal(part_take(value, '='), name))
            return true;
    }
    return false;
}

static void parameter_read(struct bytes query, const char *name, struct arena *arena,
                           struct bytes *out, struct buf *missing)
{
    struct bytes value;

    if (parameter_find(query, bytes_of_text(name), &value) && value.size > 0)
        *out = decoded(value, arena);
    else
        buf_printf(missing, "AWS query-string parameters must include '%s'. ", name);
}

static bool query_read(struct bytes query, struct arena *arena, struct authorization *out,
                       struct err *err)
{
    struct bytes token;
    struct buf missing;

    buf_init_in(&missing, arena);
    parameter_read(query, "X-Amz-Algorithm", arena, &out->algorithm, &missing);
    parameter_read(query, "X-Amz-Credential", arena, &out->credential, &missing);
    parameter_read(query, "X-Amz-Signature", arena, &out->signature, &missing);
    parameter_read(query, "X-Amz-SignedHeaders", arena, &out->signed_headers, &missing);
    parameter_read(query, "X-Amz-Date", arena, &out->time, &missing);
    if (parameter_find(query, BYTES("X-Amz-Security-Token"), &token))
        out->token = decoded(token, arena);
    if (missing.size == 0)
        return true;
    return err_fail(err, ERR_INCOMPLETE_SIGNATURE, "%.*sRe-examine the query-string parameters.",
                    BYTES_ARGS(buf_bytes(&missing)));
}

/* --- both ------------------------------------------------------------------------------------- */

static void credential_split(struct authorization *out)
{
    struct bytes left = out->credential;

    while (left.size > 0 && left.data[left.size - 1] == '/') /* the service passes over these */
        left.size--;
    out->access_key = part_take(&left, '/');
    struct bytes scope = left, date = part_take(&left, '/'), region = part_take(&left, '/'),
                 service = part_take(&left, '/');
    if (left.size == 0 || memchr(left.data, '/', left.size) != NULL)
        return;
    out->scope = scope;
    out->date = date;
    out->region = region;
    out->service = service;
    out->terminator = left;
}

bool authorization_read(const struct signature_request *request, struct arena *arena,
                        struct authorization *out, struct err *err)
{
    struct bytes header = text_trim(header_find(request, BYTES("Authorization"))), algorithm;
    bool in_query = parameter_find(request->query, BYTES("X-Amz-Algorithm"), &algorithm);

    *out = (struct authorization){0};
    if (in_query && header.size > 0)
        return err_fail(err, ERR_INVALID_SIGNATURE,
                        "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' "
                        "as HTTP header.");
    if (!in_query && !bytes_begin(header, BYTES("AWS4-")))
        return err_fail(err, ERR_MISSING_AUTHENTICATION, "Request is missing Authentication Token");
    if (in_query ? !query_read(request->query, arena, out, err)
                 : !header_read(request, header, out, err))
        return false;
    credential_split(out);
    return true;
}

bool authorization_signs(const struct authorization *authorization, struct bytes header)
{
    for (struct bytes left = authorization->signed_headers; left.size > 0;)
        if (name_equal(part_take(&left, ';'), header))
            return true;
    return false;
}
