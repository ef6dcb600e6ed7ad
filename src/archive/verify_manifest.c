/* archive/verify_manifest.c - the two manifests against tables of their members. Members, their
 * order and the absence of blanks are checked by themselves, not by writing the manifest again:
 * what wrote it is what is under test. */
#include <assert.h>
#include <stdio.h>
#include <time.h>

#include "archive/manifest.h"
#include "archive/verify_parts.h"
#include "json/reader.h"

enum member_kind {
    MEMBER_TEXT,
    MEMBER_TEXT_OR_NULL,
    MEMBER_TIME,
    MEMBER_COUNT,
};

struct member {
    const char *name;
    enum member_kind kind;
    bool optional; /* the last one only */
};

/* A member's value; text of a null has no data. */
struct member_value {
    struct bytes text;
    uint64_t count; /* of a time: milliseconds */
    bool given;
};

/* --- members -------------------------------------------------------------------------------------
 */

/* "[0-9]+" of at most 18 digits. */
static bool count_read(struct bytes text, uint64_t *out)
{
    uint64_t value = 0;

    if (text.size == 0 || text.size > 18)
        return false;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        value = value * 10 + (uint64_t)(text.data[i] - '0');
    }
    *out = value;
    return true;
}

/* yyyy-MM-ddTHH:mm:ss.SSSZ: digits where the form has zeros, and a date that exists. */
static bool time_read(struct bytes text, uint64_t *out)
{
    static const char form[] = "0000-00-00T00:00:00.000Z";
    char copy[sizeof form];
    struct tm parts = {0};
    unsigned ms;

    if (text.size != sizeof form - 1)
        return false;
    for (size_t i = 0; i < text.size; i++)
        if (form[i] == '0' ? text.data[i] < '0' || text.data[i] > '9' : text.data[i] != form[i])
            return false;
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    if (sscanf(copy, "%4d-%2d-%2dT%2d:%2d:%2d.%3uZ", &parts.tm_year, &parts.tm_mon, &parts.tm_mday,
               &parts.tm_hour, &parts.tm_min, &parts.tm_sec, &ms) != 7)
        return false;
    parts.tm_year -= 1900;
    parts.tm_mon -= 1;
    struct tm settled = parts;
    time_t seconds = timegm(&settled);
    if (seconds < 0 || settled.tm_mday != parts.tm_mday || settled.tm_sec != parts.tm_sec)
        return false;
    *out = (uint64_t)seconds * 1000 + ms;
    return true;
}

static bool value_read(struct json_reader *reader, const struct member *member,
                       struct member_value *out, struct err *err)
{
    enum json_kind kind = json_peek(reader);

    out->given = true;
    if (member->kind == MEMBER_COUNT)
        return json_read_number(reader, &out->text, err) &&
               (count_read(out->text, &out->count) ||
                err_fail(err, ERR_CORRUPT, "%s is no count", member->name));
    if (member->kind == MEMBER_TEXT_OR_NULL && kind == JSON_NULL) {
        out->text = BYTES_NONE;
        return json_read_literal(reader, err);
    }
    if (!json_read_string(reader, &out->text, err))
        return false;
    return member->kind != MEMBER_TIME || time_read(out->text, &out->count) ||
           err_fail(err, ERR_CORRUPT, "%s is no time of the form yyyy-MM-ddTHH:mm:ss.SSSZ",
                    member->name);
}

/* Blanks outside of strings; the text is JSON, so quotes pair. */
static bool has_blanks(struct bytes text)
{
    bool inside = false;

    for (size_t i = 0; i < text.size; i++) {
        uint8_t byte = text.data[i];
        if (inside && byte == '\\')
            i++;
        else if (byte == '"')
            inside = !inside;
        else if (!inside && (byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n'))
            return true;
    }
    return false;
}

/* One object, with exactly these members in exactly this order, and no blanks. */
static bool members_read(struct bytes text, struct arena *arena, const struct member *members,
                         size_t count, struct member_value *out, struct err *err)
{
    struct json_reader reader;
    struct bytes name;
    bool more;

    json_reader_init(&reader, text, arena);
    if (!json_object_begin(&reader, err))
        return false;
    for (size_t i = 0; i <= count; i++) {
        if (!json_object_next(&reader, &name, &more, err))
            return false;
        if (!more && (i == count || members[i].optional))
            break;
        if (i == count)
            return err_fail(err, ERR_CORRUPT, "there is a member %.*s too many", BYTES_ARGS(name));
        if (!more || !bytes_equal(name, bytes_of_text(members[i].name)))
            return err_fail(err, ERR_CORRUPT, "%s is not where it should be", members[i].name);
        if (!value_read(&reader, &members[i], &out[i], err))
            return false;
    }
    if (!json_end(&reader, err))
        return false;
    return !has_blanks(text) || err_fail(err, ERR_CORRUPT, "there are blanks between its members");
}

/* --- the summary ---------------------------------------------------------------------------------
 */

enum {
    VERSION,
    EXPORT_ARN,
    START_TIME,
    END_TIME,
    TABLE_ARN,
    TABLE_ID,
    EXPORT_TIME,
    BUCKET,
    PREFIX,
    ENCRYPTION,
    KMS_KEY,
    FILES_KEY,
    BILLED_SIZE,
    ITEM_COUNT,
    FORMAT,
    TYPE,
    SUMMARY_MEMBERS
};

/* spec/export.md 3.3, a full export. */
static const struct member summary_members[SUMMARY_MEMBERS] = {
    [VERSION] = {"version", MEMBER_TEXT, false},
    [EXPORT_ARN] = {"exportArn", MEMBER_TEXT, false},
    [START_TIME] = {"startTime", MEMBER_TIME, false},
    [END_TIME] = {"endTime", MEMBER_TIME, false},
    [TABLE_ARN] = {"tableArn", MEMBER_TEXT, false},
    [TABLE_ID] = {"tableId", MEMBER_TEXT, false},
    [EXPORT_TIME] = {"exportTime", MEMBER_TIME, false},
    [BUCKET] = {"s3Bucket", MEMBER_TEXT, false},
    [PREFIX] = {"s3Prefix", MEMBER_TEXT_OR_NULL, false},
    [ENCRYPTION] = {"s3SseAlgorithm", MEMBER_TEXT, false},
    [KMS_KEY] = {"s3SseKmsKeyId", MEMBER_TEXT_OR_NULL, false},
    [FILES_KEY] = {"manifestFilesS3Key", MEMBER_TEXT, false},
    [BILLED_SIZE] = {"billedSizeBytes", MEMBER_COUNT, false},
    [ITEM_COUNT] = {"itemCount", MEMBER_COUNT, false},
    [FORMAT] = {"outputFormat", MEMBER_TEXT, false},
    [TYPE] = {"exportType", MEMBER_TEXT, true},
};

/* Whether a text has the form: '0' a digit, 'f' a lower-case hex digit, 'a' one of a-z2-7, all else
 * itself. */
static bool has_form(struct bytes text, const char *form)
{
    if (text.size != strlen(form))
        return false;
    for (size_t i = 0; i < text.size; i++) {
        uint8_t byte = text.data[i];
        bool digit = byte >= '0' && byte <= '9', letter = byte >= 'a' && byte <= 'z';
        bool ok = form[i] == '0'   ? digit
                  : form[i] == 'f' ? digit || (letter && byte <= 'f')
                  : form[i] == 'a' ? letter || (byte >= '2' && byte <= '7')
                                   : byte == (uint8_t)form[i];
        if (!ok)
            return false;
    }
    return true;
}

#define ID_FORM "00000000000000-ffffffff"

/* The id at the end of the export's ARN, which says its start as well. */
static void arn_check(struct verify *verify, const struct member_value *values, struct summary *out)
{
    struct bytes arn = values[EXPORT_ARN].text, table = values[TABLE_ARN].text;
    struct bytes middle = BYTES("/export/"), id_form = BYTES(ID_FORM);
    uint64_t start_ms;

    if (!bytes_begin(table, BYTES("arn:")) || memmem(table.data, table.size, ":table/", 7) == NULL)
        verify_problem(verify, LEAF_SUMMARY, "tableArn is no table's ARN");
    if (!bytes_begin(arn, table) || !bytes_begin(bytes_from(arn, table.size), middle) ||
        arn.size != table.size + middle.size + id_form.size ||
        !has_form(bytes_from(arn, table.size + middle.size), ID_FORM)) {
        verify_problem(verify, LEAF_SUMMARY, "exportArn is not tableArn, /export/ and an id");
        return;
    }
    out->id = bytes_from(arn, table.size + middle.size);
    if (!count_read(bytes_of(out->id.data, 14), &start_ms) || start_ms != values[START_TIME].count)
        verify_problem(verify, LEAF_SUMMARY, "the id in exportArn is not of startTime");
}

static void expect(struct verify *verify, const struct member_value *values, int member,
                   const char *one, const char *other)
{
    struct bytes text = values[member].text;

    if (!bytes_equal(text, bytes_of_text(one)) && !bytes_equal(text, bytes_of_text(other)))
        verify_problem(verify, LEAF_SUMMARY, "%s is %.*s", summary_members[member].name,
                       BYTES_ARGS(text));
}

static void values_check(struct verify *verify, const struct member_value *values)
{
    if (!has_form(values[TABLE_ID].text, "ffffffff-ffff-ffff-ffff-ffffffffffff"))
        verify_problem(verify, LEAF_SUMMARY, "tableId is no UUID");
    if (values[END_TIME].count < values[START_TIME].count ||
        values[START_TIME].count < values[EXPORT_TIME].count)
        verify_problem(verify, LEAF_SUMMARY, "exportTime, startTime and endTime do not follow");
    expect(verify, values, ENCRYPTION, "AES256", "KMS");
    if (values[TYPE].given)
        expect(verify, values, TYPE, "FULL_EXPORT", "FULL_EXPORT");
}

/* The objects are where the summary says that they are. */
static void place_check(struct verify *verify, const struct summary *summary)
{
    const struct verify_settings *settings = verify->settings;

    if (summary->id.size == 0)
        return;
    struct bytes expected =
        bytes_of_text(export_key(&verify->arena, summary->prefix, summary->id, LEAF_FILES));
    if (!bytes_equal(summary->files_key, expected))
        verify_problem(verify, LEAF_SUMMARY,
                       "manifestFilesS3Key is %.*s, and s3Prefix makes it %.*s",
                       BYTES_ARGS(summary->files_key), BYTES_ARGS(expected));
    if (settings->moved)
        return;
    if (!bytes_equal(summary->bucket, bytes_of_text(settings->bucket)))
        verify_problem(verify, LEAF_SUMMARY, "s3Bucket is %.*s, and it lies in %s",
                       BYTES_ARGS(summary->bucket), settings->bucket);
    if (!bytes_equal(summary->files_key, bytes_of_text(verify_key(verify, LEAF_FILES))))
        verify_problem(verify, LEAF_SUMMARY,
                       "manifestFilesS3Key is %.*s, and the export lies in %s",
                       BYTES_ARGS(summary->files_key), settings->folder);
}

bool summary_read(struct verify *verify, struct bytes text, struct summary *out)
{
    struct member_value values[SUMMARY_MEMBERS] = {0};
    struct err err = {0};
    bool ok = members_read(text, &verify->arena, summary_members, SUMMARY_MEMBERS, values, &err);

    if (values[VERSION].given && !bytes_equal(values[VERSION].text, BYTES("2020-06-30"))) {
        verify_problem(verify, LEAF_SUMMARY,
                       "version %.*s: only full exports, of version 2020-06-30, can be checked",
                       BYTES_ARGS(values[VERSION].text));
        return false;
    }
    if (!ok) {
        verify_problem(verify, LEAF_SUMMARY, "%s", err.message);
        return false;
    }
    if (!bytes_equal(values[FORMAT].text, BYTES("DYNAMODB_JSON"))) {
        verify_problem(verify, LEAF_SUMMARY, "outputFormat %.*s: only DYNAMODB_JSON can be checked",
                       BYTES_ARGS(values[FORMAT].text));
        return false;
    }
    *out = (struct summary){.export_arn = values[EXPORT_ARN].text,
                            .table_arn = values[TABLE_ARN].text,
                            .bucket = values[BUCKET].text,
                            .prefix = values[PREFIX].text,
                            .encryption = values[ENCRYPTION].text,
                            .files_key = values[FILES_KEY].text,
                            .export_time = values[EXPORT_TIME].text,
                            .billed_bytes = values[BILLED_SIZE].count,
                            .items = values[ITEM_COUNT].count};
    arn_check(verify, values, out);
    values_check(verify, values);
    place_check(verify, out);
    return true;
}

/* --- the files -----------------------------------------------------------------------------------
 */

enum { FILE_ITEMS, FILE_MD5, FILE_ETAG, FILE_KEY, FILE_MEMBERS };

/* spec/export.md 3.4. */
static const struct member file_members[FILE_MEMBERS] = {
    [FILE_ITEMS] = {"itemCount", MEMBER_COUNT, false},
    [FILE_MD5] = {"md5Checksum", MEMBER_TEXT, false},
    [FILE_ETAG] = {"etag", MEMBER_TEXT, false},
    [FILE_KEY] = {"dataFileS3Key", MEMBER_TEXT, false},
};

/* Below the folder that the manifest lies in by its own account, which is where a copy has it too.
 */
static const char *leaf_of(struct verify *verify, const struct summary *summary, struct bytes key)
{
    struct bytes folder = summary->files_key;
    size_t name = strlen(LEAF_FILES);

    if (folder.size < name)
        return NULL;
    folder.size -= name;
    if (!bytes_begin(key, folder) ||
        !has_form(bytes_from(key, folder.size), "data/aaaaaaaaaaaaaaaaaaaaaaaaaa.json.gz"))
        return NULL;
    return arena_text(&verify->arena, bytes_from(key, folder.size));
}

static void file_read(struct verify *verify, const struct summary *summary, struct bytes line,
                      unsigned long number, struct buf *out)
{
    struct member_value values[FILE_MEMBERS] = {0};
    struct err err = {0};

    if (!members_read(line, &verify->arena, file_members, FILE_MEMBERS, values, &err)) {
        verify_problem(verify, LEAF_FILES, "line %lu: %s", number, err.message);
        return;
    }
    struct file_entry entry = {.items = values[FILE_ITEMS].count,
                               .md5 = values[FILE_MD5].text,
                               .etag = values[FILE_ETAG].text,
                               .key = values[FILE_KEY].text,
                               .leaf = leaf_of(verify, summary, values[FILE_KEY].text)};
    if (entry.leaf == NULL)
        verify_problem(verify, LEAF_FILES, "line %lu: %.*s is no data file of this export", number,
                       BYTES_ARGS(entry.key));
    else
        buf_put(out, &entry, sizeof entry);
}

void files_read(struct verify *verify, const struct summary *summary, struct bytes text,
                struct buf *out)
{
    unsigned long number = 1;

    if (text.size == 0)
        verify_problem(verify, LEAF_FILES, "it names no file");
    for (; text.size > 0; number++) {
        const uint8_t *end = memchr(text.data, '\n', text.size);
        size_t size = end == NULL ? text.size : (size_t)(end - text.data);
        file_read(verify, summary, bytes_of(text.data, size), number, out);
        if (end == NULL) {
            verify_problem(verify, LEAF_FILES, "the last line has no end");
            return;
        }
        text = bytes_from(text, size + 1);
    }
}
