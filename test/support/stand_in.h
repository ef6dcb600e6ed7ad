/* test/support/stand_in.h - the S3 of s3_stand_in.py, run for a test. The folder of this file is in
 * the environment, as SUPPORT. One thread at a time. */
#ifndef SUPPORT_STAND_IN_H
#define SUPPORT_STAND_IN_H

#include <sys/types.h>

#include "base/buf.h"

#define STAND_IN_KEY    "AKIASTANDIN"
#define STAND_IN_SECRET "stand-in/secret+key"
#define STAND_IN_REGION "eu-test-1"
#define STAND_IN_OWNER  "111122223333"

struct stand_in {
    pid_t process;
    int lifeline; /* it ends when this is closed, so also when the test dies */
    char url[64];
    const char *ca_file;
    struct http_client *client;
};

/* `tls_folder`: serves HTTPS, with the certificate tls_folder/ca.pem that it makes, which `ca_file`
 * names; NULL, NULL: plain. */
void stand_in_start(struct stand_in *stand_in, const char *tls_folder, const char *ca_file);
void stand_in_stop(struct stand_in *stand_in);

/* See the top of s3_stand_in.py. */
void stand_in_tell(struct stand_in *stand_in, const char *what, const char *text);
/* What it answers, a text; good until the next call with this `answer`. */
const char *stand_in_ask(struct stand_in *stand_in, const char *what, struct buf *answer);

#endif
