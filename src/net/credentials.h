/* net/credentials.h - the access keys that the server knows: an ini file in the manner of the AWS
 * tools' shared credentials file,
 *
 *     [any name]
 *     aws_access_key_id = AKIA...
 *     aws_secret_access_key = ...
 *
 * with a section for each pair. Read once and then never changed: any thread. */
#ifndef NET_CREDENTIALS_H
#define NET_CREDENTIALS_H

#include "base/err.h"

/* The service's AccessKeyId: at most 128 word characters (IAM API reference, AccessKey). */
#define ACCESS_KEY_MOST 128
/* Ours: secrets have 40 characters. */
#define SECRET_KEY_MOST 128
/* Ours: pairs in one file. */
#define CREDENTIALS_MOST 1000

struct credentials;

/* ERR_CONFIG, in a sentence for the operator: the file cannot be read, others than its owner may
 * read or write it, it holds no pair, half a pair, or a key twice. */
struct credentials *credentials_open(const char *path, struct err *err);
/* Wipes the secrets. Accepts NULL. */
void credentials_close(struct credentials *credentials);

/* The secret that belongs to the access key, borrowed; false if the key is not known. */
MUST_CHECK bool credentials_find(const struct credentials *credentials, struct bytes access_key,
                                 struct bytes *secret_key);

size_t credentials_count(const struct credentials *credentials);

#endif
