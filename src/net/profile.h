/* net/profile.h - the keys that we sign with, from where the AWS tools have theirs and in their
 * order (AWS SDKs and Tools Reference Guide, "Standardized credential providers"; "Location of the
 * shared config and credentials files"):
 *
 *  1. what the caller names: a profile, a credentials file, or both
 *  2. AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, with AWS_SESSION_TOKEN; not where 1 names
 *     something
 *  3. AWS_SHARED_CREDENTIALS_FILE, or ~/.aws/credentials
 *  4. AWS_CONFIG_FILE, or ~/.aws/config; not where a credentials file is named
 *
 * 3 and 4 in the section of the profile: the one named, AWS_PROFILE, or "default". Keys of roles,
 * single sign-on, programs and machine metadata are not asked for. Reads the environment: one
 * thread, at start. */
#ifndef NET_PROFILE_H
#define NET_PROFILE_H

#include "base/arena.h"
#include "base/err.h"

/* Ours: bytes of a line. Session tokens have one or two thousand. */
#define PROFILE_LINE_MOST 16384

struct profile_choice {
    const char *profile; /* NULL: none is named */
    const char *file;    /* a credentials file; NULL: none is named */
};

struct profile_keys {
    const char *access_key, *secret_key;
    const char *session_token; /* NULL: none */
};

/* Into the arena. ERR_CONFIG with a sentence for the operator: there are none, half a pair, a named
 * profile that no file has, or a file that cannot be read. */
MUST_CHECK bool profile_keys_find(const struct profile_choice *choice, struct arena *arena,
                                  struct profile_keys *out, struct err *err);

#endif
