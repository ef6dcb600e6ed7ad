/* archive/verify_manifest.c - the two manifests against tables of their members. Members, their
 * order and the absence of blanks are checked by themselves, not by writing the manifest again:
 * what wrote it is what is under test. */
#include <assert.h>
#include <stdio.h>
#include <time.h>

#include "archive/arn.h"
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
    int value; /* which one of those that are read */
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
    if (member->kind == MEMBER_COUNT && kind != JSON_NUMBER)
        return err_fail(err, ERR_CORRUPT, "%s is no count", member->name);
    if (member->kind == MEMBER_COUNT)
        return json_read_number(reader, &out->text, err) &&
               (count_read(out->text, &out->count) ||
                err_fail(err, ERR_CORRUPT, "%s is no count", member->name));
    if (member->kind == MEMBER_TEXT_OR_NULL && kind == JSON_NULL) {
        out->text = BYTES_NONE;
        return json_read_literal(reader, err);
    }
    if (kind != JSON_STRING)
        return err_fail(err, ERR_CORRUPT, "%s is no text", member->name);
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

/* What the reader of JSON refuses has no words of its own. */
static const char *why_of(const struct err *err)
{
    return err->message[0] != '\0' ? err->message : "it is no JSON";
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
        if (!value_read(&reader, &members[i], &out[members[i].value], err))
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
    FROM_TIME,
    TO_TIME,
    BUCKET,
    PREFIX,
    ENCRYPTION,
    KMS_KEY,
    FILES_KEY,
    BILLED_SIZE,
    ITEM_COUNT,
    FORMAT,
    VIEW,
    TYPE,
    SUMMARY_VALUES
};

/* spec/export.md 3.3. */
static const struct member full_members[] = {
    {"version", VERSION, MEMBER_TEXT, false},
    {"exportArn", EXPORT_ARN, MEMBER_TEXT, false},
    {"startTime", START_TIME, MEMBER_TIME, false},
    {"endTime", END_TIME, MEMBER_TIME, false},
    {"tableArn", TABLE_ARN, MEMBER_TEXT, false},
    {"tableId", TABLE_ID, MEMBER_TEXT, false},
    {"exportTime", EXPORT_TIME, MEMBER_TIME, false},
    {"s3Bucket", BUCKET, MEMBER_TEXT, false},
    {"s3Prefix", PREFIX, MEMBER_TEXT_OR_NULL, false},
    {"s3SseAlgorithm", ENCRYPTION, MEMBER_TEXT, false},
    {"s3SseKmsKeyId", KMS_KEY, MEMBER_TEXT_OR_NULL, false},
    {"manifestFilesS3Key", FILES_KEY, MEMBER_TEXT, false},
    {"billedSizeBytes", BILLED_SIZE, MEMBER_COUNT, false},
    {"itemCount", ITEM_COUNT, MEMBER_COUNT, false},
    {"outputFormat", FORMAT, MEMBER_TEXT, false},
    {"exportType", TYPE, MEMBER_TEXT, true},
};
static const struct member incremental_members[] = {
    {"version", VERSION, MEMBER_TEXT, false},
    {"exportArn", EXPORT_ARN, MEMBER_TEXT, false},
    {"startTime", START_TIME, MEMBER_TIME, false},
    {"endTime", END_TIME, MEMBER_TIME, false},
    {"tableArn", TABLE_ARN, MEMBER_TEXT, false},
    {"tableId", TABLE_ID, MEMBER_TEXT, false},
    {"exportFromTime", FROM_TIME, MEMBER_TIME, false},
    {"exportToTime", TO_TIME, MEMBER_TIME, false},
    {"s3Bucket", BUCKET, MEMBER_TEXT, false},
    {"s3Prefix", PREFIX, MEMBER_TEXT_OR_NULL, false},
    {"s3SseAlgorithm", ENCRYPTION, MEMBER_TEXT, false},
    {"s3SseKmsKeyId", KMS_KEY, MEMBER_TEXT_OR_NULL, false},
    {"manifestFilesS3Key", FILES_KEY, MEMBER_TEXT, false},
    {"billedSizeBytes", BILLED_SIZE, MEMBER_COUNT, false},
    {"itemCount", ITEM_COUNT, MEMBER_COUNT, false},
    {"outputFormat", FORMAT, MEMBER_TEXT, false},
    {"outputView", VIEW, MEMBER_TEXT, false},
    {"exportType", TYPE, MEMBER_TEXT, false},
};
#define MEMBERS(table) (sizeof(table) / sizeof *(table))

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

/* Whether it is letters and digits and a few others alone. */
static bool is_of(struct bytes text, const char *others)
{
    for (size_t i = 0; i < text.size; i++) {
        uint8_t byte = text.data[i], letter = byte | 0x20;
        if (!(byte >= '0' && byte <= '9') && !(letter >= 'a' && letter <= 'z') &&
            (byte == '\0' || strchr(others, byte) == NULL))
            return false;
    }
    return text.size > 0;
}

#define ARN_MOST 1024 /* botocore's model: TableArn */

static bool is_table_arn(struct bytes text)
{
    struct bytes kind = BYTES("table/");
    struct arn arn;

    return text.size <= ARN_MOST && arn_split(text, &arn) && is_of(arn.partition, "-") &&
           bytes_equal(arn.service, BYTES("dynamodb")) && is_of(arn.region, "-") &&
           is_of(arn.account, "") && bytes_begin(arn.resource, kind) &&
           is_of(bytes_from(arn.resource, kind.size), "_.-");
}

/* The id at the end of the export's ARN, which says its start as well. */
static void arn_check(struct verify *verify, const struct member_value *values, struct summary *out)
{
    struct bytes arn = values[EXPORT_ARN].text, table = values[TABLE_ARN].text;
    struct bytes middle = BYTES("/export/"), id_form = BYTES(ID_FORM);
    uint64_t start_ms;

    if (!is_table_arn(table))
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

/* `other` NULL: there is but one. */
static bool expect(struct verify *verify, const char *name, struct bytes text, const char *one,
                   const char *other)
{
    if (bytes_equal(text, bytes_of_text(one)) ||
        (other != NULL && bytes_equal(text, bytes_of_text(other))))
        return true;
    verify_problem(verify, LEAF_SUMMARY, "%s is %.*s", name, BYTES_ARGS(text));
    return false;
}

static void values_check(struct verify *verify, const struct member_value *values, bool incremental)
{
    uint64_t until = values[incremental ? TO_TIME : EXPORT_TIME].count;

    if (!has_form(values[TABLE_ID].text, "ffffffff-ffff-ffff-ffff-ffffffffffff"))
        verify_problem(verify, LEAF_SUMMARY, "tableId is no UUID");
    if (values[END_TIME].count < values[START_TIME].count || values[START_TIME].count < until)
        verify_problem(verify, LEAF_SUMMARY, "%s, startTime and endTime do not follow",
                       incremental ? "exportToTime" : "exportTime");
    expect(verify, "s3SseAlgorithm", values[ENCRYPTION].text, "AES256", "KMS");
    if (values[TYPE].given)
        expect(verify, "exportType", values[TYPE].text,
               incremental ? "INCREMENTAL_EXPORT" : "FULL_EXPORT", NULL);
}

/* spec/export.md 2.6 and 5.1. */
#define WINDOW_LEAST_MS (UINT64_C(15) * 60 * 1000)
#define WINDOW_MOST_MS  (UINT64_C(24) * 3600 * 1000)
#define BILLED_LEAST    UINT64_C(10000000)

static bool window_check(struct verify *verify, const struct member_value *values)
{
    uint64_t from = values[FROM_TIME].count, to = values[TO_TIME].count;

    if (from % 1000 != 0 || to % 1000 != 0)
        verify_problem(verify, LEAF_SUMMARY, "its window is not of whole seconds");
    if (to < from + WINDOW_LEAST_MS || to > from + WINDOW_MOST_MS)
        verify_problem(verify, LEAF_SUMMARY, "its window is not of 15 minutes to 24 hours");
    if (values[BILLED_SIZE].count < BILLED_LEAST)
        verify_problem(verify, LEAF_SUMMARY, "billedSizeBytes is under 10000000");
    return expect(verify, "outputView", values[VIEW].text, "NEW_IMAGE", "NEW_AND_OLD_IMAGES");
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

static void summary_fill(const struct member_value *values, struct summary *out)
{
    out->export_arn = values[EXPORT_ARN].text;
    out->table_arn = values[TABLE_ARN].text;
    out->table_id = values[TABLE_ID].text;
    out->bucket = values[BUCKET].text;
    out->prefix = values[PREFIX].text;
    out->encryption = values[ENCRYPTION].text;
    out->files_key = values[FILES_KEY].text;
    out->time_ms = values[EXPORT_TIME].count;
    out->from_ms = values[FROM_TIME].count;
    out->to_ms = values[TO_TIME].count;
    out->view = bytes_equal(values[VIEW].text, BYTES("NEW_IMAGE")) ? LINE_NEW_IMAGE
                                                                   : LINE_NEW_AND_OLD_IMAGES;
    out->items = values[ITEM_COUNT].count;
}

/* Which kind of export it is: the version stands first, if anything stands where it should. */
static bool is_incremental(struct bytes text)
{
    return bytes_begin(text, BYTES("{\"version\":\"2023-08-01\""));
}

bool summary_read(struct verify *verify, struct bytes text, struct summary *out)
{
    struct member_value values[SUMMARY_VALUES] = {0};
    struct summary summary = {.incremental = is_incremental(text)};
    struct err err = {0};
    bool ok = summary.incremental ? members_read(text, &verify->arena, incremental_members,
                                                 MEMBERS(incremental_members), values, &err)
                                  : members_read(text, &verify->arena, full_members,
                                                 MEMBERS(full_members), values, &err);

    if (!ok) {
        verify_problem(verify, LEAF_SUMMARY, "%s", why_of(&err));
        return false;
    }
    if (!summary.incremental &&
        !expect(verify, "version", values[VERSION].text, "2020-06-30", NULL))
        return false;
    if (!line_format_named(values[FORMAT].text, &summary.format)) {
        verify_problem(verify, LEAF_SUMMARY, "outputFormat is %.*s",
                       BYTES_ARGS(values[FORMAT].text));
        return false;
    }
    summary_fill(values, &summary);
    arn_check(verify, values, &summary);
    values_check(verify, values, summary.incremental);
    place_check(verify, &summary);
    if (summary.incremental && !window_check(verify, values))
        return false;
    *out = summary;
    return true;
}

/* --- the files -----------------------------------------------------------------------------------
 */

enum { FILE_ITEMS, FILE_MD5, FILE_ETAG, FILE_KEY, FILE_MEMBERS };

/* spec/export.md 3.4. */
static const struct member file_members[FILE_MEMBERS] = {
    {"itemCount", FILE_ITEMS, MEMBER_COUNT, false},
    {"md5Checksum", FILE_MD5, MEMBER_TEXT, false},
    {"etag", FILE_ETAG, MEMBER_TEXT, false},
    {"dataFileS3Key", FILE_KEY, MEMBER_TEXT, false},
};

/* The name of a data file behind the folder of the export, or behind the one that incremental
 * exports share. By the manifest's own account of where it lies: a copy has it there too. */
static const char *leaf_of(struct verify *verify, const struct summary *summary, struct bytes key)
{
    const char *form = summary->format == LINE_ION ? "data/aaaaaaaaaaaaaaaaaaaaaaaaaa.ion.gz"
                                                   : "data/aaaaaaaaaaaaaaaaaaaaaaaaaa.json.gz";
    struct bytes folder = summary->files_key;
    size_t behind = strlen(LEAF_FILES) + (summary->incremental ? summary->id.size + 1 : 0);

    if (folder.size < behind)
        return NULL;
    folder.size -= behind;
    if (!bytes_begin(key, folder) || !has_form(bytes_from(key, folder.size), form))
        return NULL;
    return arena_text(&verify->arena, bytes_from(key, folder.size));
}

/* Where that is in the store. */
static const char *place_of(struct verify *verify, const struct summary *summary, const char *leaf)
{
    const char *folder = verify->settings->folder;
    const char *slash = strrchr(folder, '/');

    if (!summary->incremental)
        return verify_key(verify, leaf);
    int size = slash == NULL ? 0 : (int)(slash + 1 - folder);
    return (const char *)arena_printf(&verify->arena, "%.*s%s%c", size, folder, leaf, '\0').data;
}

static void file_read(struct verify *verify, const struct summary *summary, struct bytes line,
                      unsigned long number, struct buf *out)
{
    struct member_value values[FILE_MEMBERS] = {0};
    struct err err = {0};

    if (!members_read(line, &verify->arena, file_members, FILE_MEMBERS, values, &err)) {
        verify_problem(verify, LEAF_FILES, "line %lu: %s", number, why_of(&err));
        return;
    }
    struct file_entry entry = {.number = out->size / sizeof entry,
                               .items = values[FILE_ITEMS].count,
                               .md5 = values[FILE_MD5].text,
                               .etag = values[FILE_ETAG].text,
                               .key = values[FILE_KEY].text,
                               .leaf = leaf_of(verify, summary, values[FILE_KEY].text)};
    if (entry.leaf == NULL) {
        verify_problem(verify, LEAF_FILES, "line %lu: %.*s is no data file of this export", number,
                       BYTES_ARGS(entry.key));
        return;
    }
    entry.place = place_of(verify, summary, entry.leaf);
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
