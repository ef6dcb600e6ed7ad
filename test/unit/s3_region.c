/* test/unit/s3_region.c - what is a region, which hosts are AWS's, and a table that forgets. */
#include "support/check.h"

#include <stdio.h>

#include "store/s3_region.h"

static void regions_are_labels(void **state)
{
    static const struct {
        const char *text;
        bool valid;
    } table[] = {
        {"us-east-1", true},
        {"default", true},
        {"EU", true},
        {"a", true},
        {"", false},
        {"-a", false},
        {"a-", false},
        {"a.b", false},
        {"a/b", false},
        {"a@b", false},
        {"a b", false},
        {"a_b", false},
        {"a\n", false},
        {"\xc3\xa9", false},
        {"a:80", false},
        {"a#", false},
        {"abcdefghij-abcdefghij-abcdefghij-abcdefghij-abcdefghij-abcdefgh", true},
        {"abcdefghij-abcdefghij-abcdefghij-abcdefghij-abcdefghij-abcdefghi", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (s3_region_is_valid(bytes_of_text(table[i].text)) != table[i].valid)
            fail_msg("%s", table[i].text);
}

static void only_hosts_of_aws_change(void **state)
{
    static const struct {
        const char *host, *other; /* NULL: the same */
    } table[] = {
        {"s3.us-east-1.amazonaws.com", "s3.eu-west-1.amazonaws.com"},
        {"s3.amazonaws.com", "s3.eu-west-1.amazonaws.com"},
        {"s3.dualstack.us-east-1.amazonaws.com", "s3.dualstack.eu-west-1.amazonaws.com"},
        {"s3-fips.us-east-1.amazonaws.com", "s3-fips.eu-west-1.amazonaws.com"},
        {"s3-fips.dualstack.us-east-1.amazonaws.com", "s3-fips.dualstack.eu-west-1.amazonaws.com"},
        {"s3.cn-north-1.amazonaws.com.cn", "s3.eu-west-1.amazonaws.com.cn"},
        {"localhost:9000", NULL},
        {"s3.us-east-1.example.com", NULL},
        {"s3.us-east-1.amazonaws.com.example.com", NULL},
        {"s3.us-east-1.amazonaws.com:8443", NULL},
        {"s3..amazonaws.com", NULL},
        {"us-east-1.amazonaws.com", NULL},
        {"vpce-1a.s3.us-east-1.vpce.amazonaws.com", NULL},
        {"s3.us-east-1.vpce.amazonaws.com", NULL},
    };
    struct arena arena;

    (void)state;
    arena_init(&arena);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        assert_string_equal(s3_region_host(table[i].host, BYTES("eu-west-1"), &arena),
                            table[i].other == NULL ? table[i].host : table[i].other);
    arena_release(&arena);
}

static struct bytes found(struct s3_regions *regions, struct arena *arena, unsigned number)
{
    char bucket[32];

    snprintf(bucket, sizeof bucket, "bucket-%u", number);
    return s3_regions_find(regions, bucket, arena);
}

static void the_table_forgets_the_oldest(void **state)
{
    struct s3_regions regions;
    char bucket[S3_BUCKET_SIZE + 1] = {0};
    struct arena arena;

    (void)state;
    arena_init(&arena);
    s3_regions_init(&regions);
    assert_int_equal(found(&regions, &arena, 0).size, 0);
    for (unsigned i = 0; i < S3_BUCKETS_KNOWN + 1; i++) {
        snprintf(bucket, sizeof bucket, "bucket-%u", i);
        s3_regions_keep(&regions, bucket, BYTES("eu-west-1"));
        s3_regions_keep(&regions, bucket, BYTES("us-1"));
        assert_bytes_equal(found(&regions, &arena, i), BYTES("us-1"));
    }
    assert_int_equal(found(&regions, &arena, 0).size, 0);
    for (unsigned i = 1; i < S3_BUCKETS_KNOWN + 1; i++)
        assert_bytes_equal(found(&regions, &arena, i), BYTES("us-1"));

    memset(bucket, 'a', S3_BUCKET_SIZE);
    s3_regions_keep(&regions, bucket, BYTES("us-1"));
    assert_int_equal(s3_regions_find(&regions, bucket, &arena).size, 0);
    bucket[S3_BUCKET_SIZE - 1] = '\0';
    s3_regions_keep(&regions, bucket, BYTES("us-1"));
    assert_bytes_equal(s3_regions_find(&regions, bucket, &arena), BYTES("us-1"));
    s3_regions_release(&regions);
    arena_release(&arena);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(regions_are_labels),
        cmocka_unit_test(only_hosts_of_aws_change),
        cmocka_unit_test(the_table_forgets_the_oldest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
