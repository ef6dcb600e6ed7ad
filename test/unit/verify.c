/* test/unit/verify.c - exports written here by hand, whole and damaged. */
#include "support/check.h"
#include "support/folder.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/gunzip.h"
#include "archive/manifest.h"
#include "archive/verify.h"
#include "base/digest.h"
#include "item/codec.h"
#include "store/etag.h"

#define ID     "01760000000123-0a1b2c3d"
#define FOLDER "nightly/AWSDynamoDB/" ID
#define FIRST  "data/aaaabbbbccccddddeeeeffff22.json.gz"
#define SECOND "data/zzzzyyyyxxxxwwwwvvvvuuuu77.json.gz"

/* spec/export.md 3.3, its composed sample, and 3.2 and 3.4 for the files; the digests of the second
 * file and of the manifests were computed apart from this program. */
static const char golden_summary[] =
    "{\"version\":\"2020-06-30\",\"exportArn\":\"arn:aws:dynamodb:eu-west-1:111122223333:table/"
    "Orders/export/" ID "\",\"startTime\":\"2025-10-09T08:53:20.123Z\",\"endTime\":"
    "\"2025-10-09T08:53:29.456Z\",\"tableArn\":\"arn:aws:dynamodb:eu-west-1:111122223333:table/"
    "Orders\",\"tableId\":\"0f0e0d0c-0b0a-4908-8706-050403020100\",\"exportTime\":"
    "\"2025-10-09T08:53:20.123Z\",\"s3Bucket\":\"acme-lake\",\"s3Prefix\":\"nightly\","
    "\"s3SseAlgorithm\":\"AES256\",\"s3SseKmsKeyId\":null,\"manifestFilesS3Key\":\"" FOLDER
    "/manifest-files.json\",\"billedSizeBytes\":46,\"itemCount\":1,\"outputFormat\":"
    "\"DYNAMODB_JSON\"}";
static const char golden_files[] =
    "{\"itemCount\":0,\"md5Checksum\":\"FjvgqIxwymKf1RbbqtrZag==\",\"etag\":"
    "\"7deb4078f238dd87d6af0538152c04e9-1\",\"dataFileS3Key\":\"" FOLDER "/" FIRST "\"}\n"
    "{\"itemCount\":1,\"md5Checksum\":\"6dUgmWXxj7WUY0WxhFbRxw==\",\"etag\":"
    "\"337cfa727f4aee58c1211bb142a03634-1\",\"dataFileS3Key\":\"" FOLDER "/" SECOND "\"}\n";
/* spec/export.md 5.2: the item of 46 bytes, as 4.1 writes it. */
static const char golden_line[] =
    "{\"Item\":{\"id\":{\"S\":\"u-1\"},\"b\":{\"B\":\"AAEC\"},\"e\":{\"L\":[]},\"f\":{\"M\":{}},"
    "\"l\":{\"L\":[{\"N\":\"1\"},{\"S\":\"ab\"}]},\"m\":{\"M\":{\"k\":{\"S\":\"v\"}}},\"n\":{"
    "\"N\":\"42\"},\"ok\":{\"BOOL\":true},\"s\":{\"SS\":[\"a\",\"bb\"]},\"z\":{\"NULL\":true}}}\n";
#define GOLDEN_SUMMARY_MD5 "KHNpFWJ43IqkDsp4nBvwHQ=="
#define GOLDEN_FILES_MD5   "VZZUQxvVA08kCbAHQPL72Q=="
/* gzip, stored: header, "last block, 204 bytes", the line, CRC and length. */
#define GOLDEN_HEAD "\x1f\x8b\x08\0\0\0\0\0\0\xff\x01\xcc\x00\x33\xff"
#define GOLDEN_TAIL "\x29\xa5\xdf\x6a\xcc\0\0\0"
static const char gzip_of_nothing[20] = "\x1f\x8b\x08\0\0\0\0\0\0\xff\x03";

struct place {
    char root[FOLDER_PATH_MOST], export[FOLDER_PATH_MOST + 64];
    struct store *store;
    struct verify_settings settings;
    struct verify_report report;
};

static const char *path_of(const struct place *place, const char *leaf)
{
    static char path[FOLDER_PATH_MOST + 128];

    snprintf(path, sizeof path, "%s/%s", place->export, leaf);
    return path;
}

static void leaf_write(const struct place *place, const char *leaf, struct bytes content)
{
    file_write(path_of(place, leaf), content);
}

static void folders_make(struct place *place)
{
    static const char *const folders[] = {"acme-lake", "acme-lake/nightly",
                                          "acme-lake/nightly/AWSDynamoDB", "acme-lake/" FOLDER,
                                          "acme-lake/" FOLDER "/data"};

    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        snprintf(place->export, sizeof place->export, "%s/%s", place->root, folders[i]);
        assert_int_equal(mkdir(place->export, 0777), 0);
    }
    snprintf(place->export, sizeof place->export, "%s/acme-lake/" FOLDER, place->root);
}

static void golden_write(const struct place *place)
{
    struct buf file;

    buf_init(&file);
    buf_put_literal(&file, GOLDEN_HEAD);
    buf_put_text(&file, golden_line);
    buf_put_literal(&file, GOLDEN_TAIL);
    leaf_write(place, SECOND, buf_bytes(&file));
    buf_release(&file);
    leaf_write(place, FIRST, bytes_of(gzip_of_nothing, sizeof gzip_of_nothing));
    leaf_write(place, LEAF_STARTED, BYTES_NONE);
    leaf_write(place, LEAF_SUMMARY, bytes_of_text(golden_summary));
    leaf_write(place, LEAF_SUMMARY_MD5, BYTES(GOLDEN_SUMMARY_MD5));
    leaf_write(place, LEAF_FILES, bytes_of_text(golden_files));
    leaf_write(place, LEAF_FILES_MD5, BYTES(GOLDEN_FILES_MD5));
}

static int place_open(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    struct err err;

    folder_make(place->root);
    folders_make(place);
    golden_write(place);
    place->store = store_open_directory(place->root, &err);
    assert_non_null(place->store);
    place->settings =
        (struct verify_settings){.bucket = "acme-lake", .folder = FOLDER, .keys = {"id", NULL}};
    verify_report_init(&place->report);
    *state = place;
    return 0;
}

static int place_close(void **state)
{
    struct place *place = *state;

    verify_report_release(&place->report);
    store_close(place->store);
    folder_remove(place->root);
    free(place);
    return 0;
}

static void verify(struct place *place)
{
    struct err err = {0};

    verify_report_release(&place->report);
    verify_report_init(&place->report);
    if (!verify_export(place->store, &place->settings, &place->report, &err))
        fail_msg("%s", err.message);
}

static void assert_whole(struct place *place)
{
    verify(place);
    if (place->report.problem_count > 0)
        fail_msg("%.*s", BYTES_ARGS(buf_bytes(&place->report.problems)));
}

static void assert_problem(struct place *place, const char *what)
{
    verify(place);
    struct buf *problems = &place->report.problems;
    if (memmem(problems->data, problems->size, what, strlen(what)) == NULL)
        fail_msg("not told: %s\ntold: %.*s", what, BYTES_ARGS(buf_bytes(problems)));
}

/* --- whole exports ---------------------------------------------------------------------------- */

static bool item_count(void *context, struct bytes item, struct err *err)
{
    (void)err;
    assert_int_equal(item_size(item), 46);
    ++*(int *)context;
    return true;
}

static void the_golden_export_is_whole(void **state)
{
    struct place *place = *state;
    int items = 0;

    place->settings.visitor = (struct verify_visitor){.item = item_count, .context = &items};
    assert_whole(place);
    assert_int_equal(items, 1);
    assert_int_equal(place->report.files, 2);
    assert_int_equal(place->report.items, 1);
    assert_int_equal(place->report.item_bytes, 46);
    assert_int_equal(place->report.text_bytes, sizeof golden_line - 1);
    assert_int_equal(place->report.etags_unchecked, 0);
    assert_int_equal(place->report.time_ms, UINT64_C(1760000000123));
}

static void a_copied_folder_is_whole(void **state)
{
    struct place *place = *state;
    char root[sizeof place->export];
    struct err err;

    snprintf(root, sizeof root, "%s", place->export);
    *strrchr(root, '/') = '\0';
    store_close(place->store);
    place->store = store_open_directory(root, &err);
    place->settings.bucket = ID;
    place->settings.folder = "";
    assert_problem(place, "s3Bucket is acme-lake, and it lies in " ID);
    place->settings.moved = true;
    assert_whole(place);
}

static void what_cannot_be_read_says_nothing(void **state)
{
    struct place *place = *state;
    struct err err = {0};

    place->settings.bucket = "no-such-bucket";
    assert_false(verify_export(place->store, &place->settings, &place->report, &err));
    assert_string_equal(err.reason, "S3NoSuchBucket");
    assert_int_equal(place->report.problem_count, 0);
}

/* --- manifests -------------------------------------------------------------------------------- */

/* Replaces text in a golden manifest, and the checksum beside it. */
static void manifest_change(const struct place *place, const char *leaf, const char *old,
                            const char *new)
{
    bool is_summary = strcmp(leaf, LEAF_SUMMARY) == 0;
    const char *golden = is_summary ? golden_summary : golden_files;
    const char *at = strstr(golden, old);
    struct buf text, md5;

    assert_non_null(at);
    buf_init(&text);
    buf_init(&md5);
    buf_put(&text, golden, (size_t)(at - golden));
    buf_put_text(&text, new);
    buf_put_text(&text, at + strlen(old));
    manifest_put_md5(&md5, buf_bytes(&text));
    leaf_write(place, leaf, buf_bytes(&text));
    leaf_write(place, is_summary ? LEAF_SUMMARY_MD5 : LEAF_FILES_MD5, buf_bytes(&md5));
    buf_release(&md5);
    buf_release(&text);
}

static void summaries_are_judged_by_member(void **state)
{
    static const struct {
        const char *old, *new, *problem; /* NULL: it is whole all the same */
    } table[] = {
        {"JSON\"}", "JSON\",\"exportType\":\"FULL_EXPORT\"}", NULL},
        {"JSON\"}", "JSON\",\"exportType\":\"INCREMENTAL_EXPORT\"}", "exportType is INCREMENTAL"},
        {"JSON\"}", "JSON\",\"x\":1}", "exportType is not where it should be"},
        {"JSON\"}", "JSON\",\"exportType\":\"FULL_EXPORT\",\"x\":1}", "a member x too many"},
        {"JSON\"}", "JSON\"}\n", "there are blanks"},
        {"\"itemCount\":1", "\"itemCount\": 1", "there are blanks"},
        {"JSON\"}", "JSON\"", "manifest-summary.json: it is no JSON"},
        {"{\"version\"", "[{\"version\"", "manifest-summary.json: it is no JSON"},
        {"\"s3Bucket\":\"acme-lake\",", "", "s3Bucket is not where it should be"},
        {"\"s3Prefix\":\"nightly\"", "\"s3Prefix\":null", "s3Prefix makes it AWSDynamoDB/" ID},
        {"\"s3Prefix\":\"nightly\"", "\"s3Prefix\":\"nightly/\"", NULL},
        {"acme-lake", "acme-lago", "s3Bucket is acme-lago"},
        {"\"AES256\"", "\"aws:kms\"", "s3SseAlgorithm is aws:kms"},
        {"\"AES256\",\"s3SseKmsKeyId\":null", "\"KMS\",\"s3SseKmsKeyId\":\"alias/a\"", NULL},
        {"2025-10-09T08:53:29.456Z", "2025-10-09T08:53:29Z", "endTime is no time"},
        {"2025-10-09T08:53:29.456Z", "2025-02-30T08:53:29.456Z", "endTime is no time"},
        {"2025-10-09T08:53:29.456Z", "2025-10-09T08:53:19.456Z", "do not follow"},
        {"startTime\":\"2025-10-09T08:53:20.123Z", "startTime\":\"2025-10-09T08:53:20.124Z",
         "the id in exportArn is not of startTime"},
        {"0a1b2c3d", "0A1B2C3D", "exportArn is not tableArn, /export/ and an id"},
        {"0f0e0d0c-", "0f0e0d0c", "tableId is no UUID"},
        {"tableArn\":\"arn:aws:dynamodb", "tableArn\":\"arn:aws:s3", "tableArn is no table's ARN"},
        {"Orders\",\"tableId", "Or\\u001bers\",\"tableId", "tableArn is no table's ARN"},
        {"s3Bucket\":\"acme", "s3Bucket\":\"\\u001b[2J\\n", "s3Bucket is \\x1b[2J\\x0a-lake"},
        {"nightly/AWSDynamoDB", "../../etc/passwd\\u0000",
         "manifestFilesS3Key is ../../etc/passwd, and s3Prefix makes it " FOLDER},
        {"\"itemCount\":1", "\"itemCount\":2", "itemCount is 2, and that of the files sums to 1"},
        {"\"itemCount\":1", "\"itemCount\":\"1\"", "manifest-summary.json: itemCount is no count"},
        {"\"s3Bucket\":\"acme-lake\"", "\"s3Bucket\":[1]", "s3Bucket is no text"},
        {"\"tableId\":\"", "\"tableId\":null,\"\":\"", "tableId is no text"},
        {"\"itemCount\":1", "\"itemCount\":-1", "itemCount is no count"},
        {"\"billedSizeBytes\":46", "\"billedSizeBytes\":0", NULL}, /* as the service's often is */
        {"\"billedSizeBytes\":46", "\"billedSizeBytes\":\"46\"", "manifest-summary.json: "},
        {"2020-06-30", "2023-08-01", "manifest-summary.json: exportFromTime is not where"},
        {"DYNAMODB_JSON", "ION", "is no data file of this export"},
        {"DYNAMODB_JSON", "CSV", "outputFormat is CSV"},
        {"2020-06-30", "2021-06-30", "version is 2021-06-30"},
    };
    struct place *place = *state;

    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        manifest_change(place, LEAF_SUMMARY, table[i].old, table[i].new);
        if (table[i].problem == NULL)
            assert_whole(place);
        else
            assert_problem(place, table[i].problem);
    }
}

static void lists_of_files_are_judged_by_line(void **state)
{
    static const struct {
        const char *old, *new, *problem;
    } table[] = {
        {"77.json.gz\"}\n", "77.json.gz\"}", "the last line has no end"},
        {"{\"itemCount\":0", "{\"itemCount\": 0", "line 1: there are blanks"},
        {"{\"itemCount\":0", "{{\"itemCount\":0", "line 1: it is no JSON"},
        {"\"itemCount\":0,", "", "line 1: itemCount is not where it should be"},
        {"gz\"}", "gz\",\"x\":1}", "line 1: there is a member x too many"},
        {FOLDER "/" FIRST, "elsewhere/" FIRST, "line 1: elsewhere/" FIRST " is no data file"},
        {FIRST, "data/short.json.gz", "data/short.json.gz is no data file"},
        {FIRST, "data/../bbbccccddddeeeeffff22.json.gz", "is no data file"},
        {FOLDER "/" FIRST, "../../../etc/passwd", "line 1: ../../../etc/passwd is no data file"},
        {FOLDER "/" FIRST, "/etc/passwd", "line 1: /etc/passwd is no data file"},
        {FOLDER "/" FIRST, FOLDER "/../../../../../../etc/passwd", "/etc/passwd is no data file"},
        {FOLDER "/" FIRST, "\\u001b]0;x\\u0007", "line 1: \\x1b]0;x\\x07 is no data file"},
        {"FjvgqIxwymKf1RbbqtrZag==", "\\n\\u009b2J", "not the manifest's \\x0a\\xc2\\x9b2J"},
        {FIRST, SECOND, SECOND " is named twice"},
        {FIRST, "data/aaaaaaaaaaaaaaaaaaaaaaaaaa.json.gz",
         "data/aaaaaaaaaaaaaaaaaaaaaaaaaa.json.gz: it is missing"},
        {FIRST, "data/aaaaaaaaaaaaaaaaaaaaaaaaaa.json.gz", FIRST ": it does not belong"},
        {"FjvgqIxwymKf1RbbqtrZag==", "FjvgqIxwymKf1RbbqtrZaA==", FIRST ": its MD5 is Fjvg"},
        {"7deb4078", "7deb4079", FIRST ": its etag is 7deb4078"},
        {"04e9-1", "04e9", FIRST ": its etag is 7deb4078"},
        {"\"itemCount\":0", "\"itemCount\":1", FIRST ": it holds 0 items, and the manifest says 1"},
    };
    struct place *place = *state;

    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        manifest_change(place, LEAF_FILES, table[i].old, table[i].new);
        assert_problem(place, table[i].problem);
    }
    manifest_change(place, LEAF_FILES, golden_files, "");
    assert_problem(place, "it names no file");
}

static void the_folder_holds_what_it_should(void **state)
{
    static const struct {
        const char *leaf, *content, *problem; /* content NULL: removed */
    } table[] = {
        {LEAF_SUMMARY, NULL, LEAF_SUMMARY ": it is missing"},
        {LEAF_SUMMARY_MD5, NULL, LEAF_SUMMARY_MD5 ": it is missing"},
        {LEAF_SUMMARY_MD5, GOLDEN_FILES_MD5, "the MD5 of " LEAF_SUMMARY " is " GOLDEN_SUMMARY_MD5},
        {LEAF_SUMMARY_MD5, GOLDEN_SUMMARY_MD5 "\n", "the MD5 of " LEAF_SUMMARY},
        {LEAF_FILES, NULL, LEAF_FILES ": it is missing"},
        {LEAF_FILES_MD5, "", "the MD5 of " LEAF_FILES},
        {LEAF_STARTED, NULL, LEAF_STARTED ": it is missing"},
        {LEAF_STARTED, "x", LEAF_STARTED ": it is not empty"},
        {FIRST, NULL, FIRST ": it is missing"},
        {"extra", "x", "extra: it does not belong to the export"},
        {"data/0", "", "data/0: it does not belong to the export"},
        {"zzz", "", "zzz: it does not belong to the export"},
    };
    struct place *place = *state;

    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        golden_write(place);
        if (table[i].content == NULL)
            assert_int_equal(unlink(path_of(place, table[i].leaf)), 0);
        else
            leaf_write(place, table[i].leaf, bytes_of_text(table[i].content));
        assert_problem(place, table[i].problem);
        unlink(path_of(place, table[i].leaf));
    }
}

/* --- data files ------------------------------------------------------------------------------- */

static uint32_t crc_of(struct bytes text)
{
    uint32_t crc = UINT32_MAX;

    for (size_t i = 0; i < text.size; i++) {
        crc ^= text.data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (0xedb88320 & -(crc & 1));
    }
    return ~crc;
}

static void le_put(struct buf *out, uint32_t value, int size)
{
    for (; size > 0; size--, value >>= 8)
        buf_put_u8(out, (uint8_t)value);
}

/* Stored blocks, each under 64 KiB. */
static void gzip_put(struct buf *out, struct bytes text)
{
    struct bytes rest = text;

    buf_put_literal(out, "\x1f\x8b\x08\0\0\0\0\0\0\xff");
    do {
        uint32_t size = rest.size < 60000 ? (uint32_t)rest.size : 60000;
        buf_put_u8(out, size == rest.size);
        le_put(out, size, 2);
        le_put(out, ~size, 2);
        buf_put(out, rest.data, size);
        rest = bytes_from(rest, size);
    } while (rest.size > 0);
    le_put(out, crc_of(text), 4);
    le_put(out, (uint32_t)text.size, 4);
}

/* A list of files and a summary that say of both files what is true of them, and of the items what
 * they are told. */
static void manifests_write(struct place *place, struct bytes first, uint64_t first_items,
                            struct bytes second, uint64_t second_items, uint64_t item_bytes)
{
    const struct bytes files[2] = {first, second};
    const uint64_t items[2] = {first_items, second_items};
    char billed[64];
    struct buf list, md5;

    buf_init(&list);
    buf_init(&md5);
    for (int i = 0; i < 2; i++) {
        uint8_t digest[MD5_SIZE];
        char etag[ETAG_MOST];
        struct etag_sum sum;

        etag_sum_init(&sum);
        etag_sum_put(&sum, files[i]);
        etag_sum_part(&sum, digest);
        etag_sum_take(&sum, etag);
        etag_sum_release(&sum);
        manifest_put_file(&list, &(struct manifest_file){
                                     items[i], bytes_of(digest, sizeof digest), bytes_of_text(etag),
                                     bytes_of_text(i == 0 ? FOLDER "/" FIRST : FOLDER "/" SECOND)});
    }
    leaf_write(place, FIRST, first);
    leaf_write(place, SECOND, second);
    leaf_write(place, LEAF_FILES, buf_bytes(&list));
    manifest_put_md5(&md5, buf_bytes(&list));
    leaf_write(place, LEAF_FILES_MD5, buf_bytes(&md5));
    snprintf(billed, sizeof billed, "\"billedSizeBytes\":%llu,\"itemCount\":%llu",
             (unsigned long long)item_bytes, (unsigned long long)(first_items + second_items));
    manifest_change(place, LEAF_SUMMARY, "\"billedSizeBytes\":46,\"itemCount\":1", billed);
    buf_release(&md5);
    buf_release(&list);
}

/* An export of two files of lines. */
static void lines_write(struct place *place, const char *first, uint64_t first_items,
                        const char *second, uint64_t second_items, uint64_t item_bytes)
{
    struct buf files[2];

    buf_init(&files[0]);
    buf_init(&files[1]);
    gzip_put(&files[0], bytes_of_text(first));
    gzip_put(&files[1], bytes_of_text(second));
    manifests_write(place, buf_bytes(&files[0]), first_items, buf_bytes(&files[1]), second_items,
                    item_bytes);
    buf_release(&files[1]);
    buf_release(&files[0]);
}

#define ITEM(id, sort) "{\"Item\":{\"id\":{\"S\":\"" id "\"},\"at\":{\"N\":\"" sort "\"}}}\n"
#define ITEM_BYTES     7 /* of each with an id of one letter and a number of two digits */

static void lines_are_judged(void **state)
{
    static const struct {
        const char *first, *second, *problem; /* NULL: it is whole */
        uint64_t first_items, second_items;
    } table[] = {
        {ITEM("a", "1") ITEM("a", "2") ITEM("a", "10") ITEM("b", "1"), ITEM("c", "-1"), NULL, 4, 1},
        {"\n", "", FIRST ": line 1: ", 0, 0},
        {"{\"Item\":{}}{}\n", "", FIRST ": line 1: ", 0, 0},
        {"{\"Iten\":{}}\n", "", "line 1: {\"Item\": is not where it should be", 0, 0},
        {"{}\n", "", "line 1: {\"Item\": is not where it should be", 0, 0},
        {"{\"Item\":{},\"Item\":{}}\n", "", "line 1: the line does not end where it should", 0, 0},
        {ITEM("a", "1") "{\"Item\":{\"id\":{\"N\":\"x\"}}}\n", "", FIRST ": line 2: ", 1, 0},
        {"{\"Item\":{\"id\":{\"S\":\"a\"},\"id\":{\"S\":\"a\"}}}\n", "", FIRST ": line 1: ", 0, 0},
        {"{\"Item\":{\"id\":{\"S\":\"a\"}}}\n", "", "the key attribute at is missing", 1, 0},
        {"{\"Item\":{\"id\":{\"BOOL\":true},\"at\":{\"N\":\"1\"}}}\n", "",
         "the key attribute id is missing, or of a type", 1, 0},
        {"{\"Item\":{\"at\":{\"N\":\"1\"},\"id\":{\"S\":\"a\"}}}\n", "",
         "line 1: the line does not begin with the key", 1, 0},
        {"{\"Item\":{\"id\":{\"S\": \"a\"},\"at\":{\"N\":\"1\"}}}\n", "",
         "line 1: the line does not begin with the key", 1, 0},
        {"{\"Item\":{\"id\":{\"S\":\"a\"},\"at\":{\"N\":\"1.0\"}}}\n", "",
         "line 1: the line does not begin with the key", 1, 0},
        {ITEM("a", "10") ITEM("a", "2"), "", "line 2: its sort key belongs before", 2, 0},
        {ITEM("a", "2") ITEM("a", "2"), "", "line 2: the key of the line before once more", 2, 0},
        {ITEM("a", "1") ITEM("b", "1") ITEM("a", "2"), "", "line 3: the items of this partition", 3,
         0},
        {ITEM("a", "1"), ITEM("a", "2"), SECOND ": line 1: the items of this partition key", 1, 1},
        {ITEM("a", "1"), ITEM("b", "2"), "it holds 1 items, and the manifest says 2", 2, 1},
        {"{\"Item\":{\"id\":{\"S\":\"a\"},\"at\":{\"N\":\"1\"}}}", "", "the last line has no end",
         0, 0},
    };
    struct place *place = *state;

    place->settings.keys[1] = "at";
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        uint64_t items = table[i].first_items + table[i].second_items;
        /* "-1" takes a byte more */
        lines_write(place, table[i].first, table[i].first_items, table[i].second,
                    table[i].second_items, items * ITEM_BYTES + (i == 0));
        if (table[i].problem == NULL)
            assert_whole(place);
        else
            assert_problem(place, table[i].problem);
    }
}

/* What is repeated stands between two texts. */
static void long_line_judge(struct place *place, const char *before, const char *repeated,
                            size_t size, const char *after, const char *problem)
{
    struct buf line;

    buf_init(&line);
    buf_put_text(&line, before);
    for (size_t i = 0; line.size < size; i++)
        buf_printf(&line, repeated, (unsigned long long)i);
    buf_put_text(&line, after);
    buf_put_u8(&line, '\0');
    lines_write(place, (const char *)line.data, 1, "", 0, 1);
    assert_problem(place, problem);
    assert_true(place->report.problems.size < 10000);
    buf_release(&line);
}

/* Whatever a line is made of, it is told in a short time, and in a few words. */
static void lines_that_are_too_long_are_judged(void **state)
{
    const size_t large = (size_t)5 * 1024 * 1024, too_large = (size_t)16 * 1024 * 1024 + 1;
    struct place *place = *state;

    long_line_judge(place, "{\"Item\":{\"id\":{\"S\":\"a\"},\"v\":{\"S\":\"", "x", large, "\"}}}\n",
                    FIRST ": line 1: the item is over 400 KB");
    long_line_judge(place, "{\"Item\":{\"id\":{\"S\":\"", "x", large, "\"}}}\n",
                    FIRST ": line 1: the item is over 400 KB");
    long_line_judge(place, "{\"Item\":{\"id\":{\"S\":\"a\"}", ",\"%llx\":{\"NULL\":true}", large,
                    "}}\n", FIRST ": line 1: the item is over 400 KB");
    long_line_judge(place, "{\"Item\":{\"id\":{\"S\":\"a\"},\"v\":{\"NS\":[\"0\"", ",\"%llu.5\"",
                    large, "]}}}\n", FIRST ": line 1: the item is over 400 KB");
    long_line_judge(place, "{\"Item\":{\"id\":{\"S\":\"a\"},\"v\":", "{\"L\":[", large, "\n",
                    FIRST ": line 1: ");
    long_line_judge(place, "", "[", large, "\n",
                    FIRST ": line 1: {\"Item\": is not where it should be");
    long_line_judge(place, "{\"Item\":{\"id\":{\"S\":\"", "x", too_large, "",
                    FIRST ": line 1 is longer than any item's");
}

/* Several pieces of text from the gzip data, with lines across them, in more bytes than a part of
 * ours has: the etag says that they were one. */
static void long_files_are_read_through(void **state)
{
    struct place *place = *state;
    struct buf lines, file;
    uint64_t items = 20000;

    buf_init(&lines);
    buf_init(&file);
    for (uint64_t i = 0; i < items; i++)
        buf_printf(&lines, "{\"Item\":{\"id\":{\"S\":\"%0600llu\"},\"at\":{\"N\":\"1\"}}}\n",
                   (unsigned long long)i);
    gzip_put(&file, buf_bytes(&lines));
    manifests_write(place, buf_bytes(&file), items,
                    bytes_of(gzip_of_nothing, sizeof gzip_of_nothing), 0,
                    items * (2 + 600 + 2 + 2));
    place->settings.keys[1] = "at";
    assert_true(file.size > UPLOAD_PART);
    assert_whole(place);
    assert_int_equal(place->report.items, items);
    assert_int_equal(place->report.text_bytes, lines.size);
    buf_release(&file);
    buf_release(&lines);
}

/* The manifests agree with the bytes, and the bytes are wrong. */
static void gzip_data_is_judged(void **state)
{
    struct place *place = *state;
    struct bytes nothing = bytes_of(gzip_of_nothing, sizeof gzip_of_nothing);
    struct buf good, bad;

    buf_init(&good);
    gzip_put(&good, BYTES(ITEM("a", "1")));
    static const struct {
        int at; /* from the end, if negative */
        uint8_t flip;
        const char *problem;
    } flips[] = {
        {0, 0xff, FIRST ": it is not gzip, or damaged"},
        {8, 2, FIRST ": its gzip header is not that of exports"},
        {9, 0xfc, FIRST ": its gzip header is not that of exports"},
        {10, 6, FIRST ": it is not gzip, or damaged"},
        {-5, 1, FIRST ": the gzip checksum is wrong"},
        {-1, 1, FIRST ": the gzip checksum is wrong"},
    };
    for (size_t i = 0; i < sizeof flips / sizeof *flips; i++) {
        buf_init(&bad);
        buf_put_bytes(&bad, buf_bytes(&good));
        bad.data[flips[i].at < 0 ? (int)bad.size + flips[i].at : flips[i].at] ^= flips[i].flip;
        manifests_write(place, buf_bytes(&bad), 1, nothing, 0, ITEM_BYTES);
        assert_problem(place, flips[i].problem);
        buf_release(&bad);
    }
    for (size_t size = 0; size < good.size; size++) {
        manifests_write(place, bytes_of(good.data, size), 1, nothing, 0, ITEM_BYTES);
        assert_problem(place, FIRST ": the gzip data breaks off");
    }
    buf_init(&bad);
    buf_put_bytes(&bad, buf_bytes(&good));
    buf_put_u8(&bad, '\0');
    manifests_write(place, buf_bytes(&bad), 1, nothing, 0, ITEM_BYTES);
    assert_problem(place, FIRST ": something follows the end of the gzip data");
    bad.size--;
    buf_put_bytes(&bad, nothing); /* a second member */
    manifests_write(place, buf_bytes(&bad), 1, nothing, 0, ITEM_BYTES);
    assert_problem(place, FIRST ": something follows the end of the gzip data");
    buf_release(&bad);
    buf_release(&good);
}

static bool text_append(void *context, struct bytes text, struct err *err)
{
    (void)err;
    buf_put_bytes(context, text);
    return true;
}

/* However the bytes come, the text is the same. */
static void gzip_comes_in_any_pieces(void **state)
{
    struct buf file, text;
    struct err err = {0};

    (void)state;
    buf_init(&file);
    buf_init(&text);
    gzip_put(&file, bytes_of_text(golden_line));
    for (size_t piece = 1; piece <= file.size; piece += piece / 2 + 1) {
        struct gunzip *gunzip = gunzip_new();
        buf_clear(&text);
        for (size_t at = 0; at < file.size; at += piece)
            assert_true(gunzip_put(
                gunzip, bytes_of(file.data + at, file.size - at < piece ? file.size - at : piece),
                text_append, &text, &err));
        assert_true(gunzip_end(gunzip, &err));
        assert_bytes_equal(buf_bytes(&text), bytes_of_text(golden_line));
        gunzip_free(gunzip);
    }
    buf_release(&text);
    buf_release(&file);
}

static void problems_are_told_up_to_a_bound(void **state)
{
    struct place *place = *state;
    struct buf lines;

    buf_init(&lines);
    for (int i = 0; i < 1000; i++)
        buf_put_literal(&lines, "{}\n");
    buf_put_u8(&lines, '\0');
    lines_write(place, (const char *)lines.data, 0, "", 0, 0);
    verify(place);
    assert_int_equal(place->report.problem_count, 1000);
    assert_true(place->report.problems.size < 200 * VERIFY_PROBLEMS_MOST);
    buf_release(&lines);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, place_open, place_close)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(the_golden_export_is_whole),
        TEST(a_copied_folder_is_whole),
        TEST(what_cannot_be_read_says_nothing),
        TEST(summaries_are_judged_by_member),
        TEST(lists_of_files_are_judged_by_line),
        TEST(the_folder_holds_what_it_should),
        TEST(lines_are_judged),
        TEST(lines_that_are_too_long_are_judged),
        TEST(long_files_are_read_through),
        TEST(gzip_data_is_judged),
        cmocka_unit_test(gzip_comes_in_any_pieces),
        TEST(problems_are_told_up_to_a_bound),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
