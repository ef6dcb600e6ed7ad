/* archive/arn.h - ARNs of tables and exports, as requests give them. The text is untrusted and the
 * messages are the service's (spec/export.md 2.3, 2.7). Pure functions; all borrowed. */
#ifndef ARCHIVE_ARN_H
#define ARCHIVE_ARN_H

#include "base/err.h"

struct arn {
    struct bytes partition, service, region, account, resource;
};

/* Splits "arn:partition:service:region:account:resource"; false for what has not these six. */
MUST_CHECK bool arn_split(struct bytes text, struct arn *out);

/* The name in the ARN of a table, wherever its region: tables are looked up locally. `home`: any
 * ARN of our own region and account. */
MUST_CHECK bool arn_table_name(struct bytes text, const struct arn *home, struct bytes *name,
                               struct err *err);

/* Whether the text is the ARN of an export of our own region and account. */
MUST_CHECK bool arn_check_export(struct bytes text, const struct arn *home, struct err *err);

#endif
