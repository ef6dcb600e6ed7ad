/* cli/place.h - what commands take for an export: a folder, or s3://BUCKET/KEY with the settings of
 * an S3 service. One thread. */
#ifndef CLI_PLACE_H
#define CLI_PLACE_H

#include "server/settings.h"
#include "store/store.h"

struct place {
    const char *text; /* as the command was given it; borrowed */
    struct store *store;
    const char *bucket, *folder; /* of where the export's summary is; in the arena */
    bool moved;                  /* a folder: a copy, as far as anybody can tell */
};

/* Where an export is. ERR_CONFIG for what makes no sense, ERR_STORE where there is nothing. */
MUST_CHECK bool place_open(const struct settings *settings, const char *text, struct arena *arena,
                           struct place *out, struct err *err);

/* Where one is to be written: `folder` is what the keys begin with, in S3's prefix; a folder on
 * disk is made if it is missing. */
MUST_CHECK bool place_make(const struct settings *settings, const char *text, struct arena *arena,
                           struct place *out, struct err *err);

void place_close(struct place *place);

/* "pk:sk", cut in place: names of the partition and the sort key, or NULL. */
void keys_take(char *text, const char *keys[2]);

#endif
