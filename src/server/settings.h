/* server/settings.h - what `gramme serve` was told, on the command line and in a file, checked as a
 * whole. The table is settings.def. One thread, at start. */
#ifndef SERVER_SETTINGS_H
#define SERVER_SETTINGS_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

enum durability {
    DURABILITY_SYNC,
    DURABILITY_RELAXED,
};

enum s3_style {
    S3_STYLE_PATH,
    S3_STYLE_HOST,
};

enum s3_encryption {
    S3_ENCRYPTION_ON,
    S3_ENCRYPTION_OFF,
};

#define SETTING_TYPE_TEXT   const char * /* NULL: not given */
#define SETTING_TYPE_CHOICE unsigned     /* which of the alternatives */
#define SETTING_TYPE_COUNT  unsigned     /* 0: not given */
#define SETTING_TYPE_SIZE   size_t       /* bytes */
#define SETTING_TYPE_FLAG   bool

struct settings {
    struct arena arena; /* of what had to be copied */
#define GROUP(heading)
#define SETTING(field, name, kind, argument, initial, help) SETTING_TYPE_##kind field;
#include "server/settings.def"
#undef SETTING
#undef GROUP
};

struct store;

void settings_init(struct settings *settings);
void settings_release(struct settings *settings);

/* Reads the arguments behind the command's name, and the configuration file that they name. Texts
 * are borrowed from `argv`. ERR_CONFIG with a sentence for the operator. */
MUST_CHECK bool settings_read(struct settings *settings, int argc, char **argv, struct err *err);

/* What is told by several settings together: the data folder is given, a server that anybody can
 * reach has credentials or was told that it needs none, and so on. Fills in what was left to us. */
MUST_CHECK bool settings_check(struct settings *settings, struct err *err);

/* Takes the settings named "s3-..." out of a command line, for commands that work on an S3 service
 * too; what is left stays in its order. */
MUST_CHECK bool settings_take_s3(struct settings *settings, int *argc, char **argv,
                                 struct err *err);
/* Those as text for people. */
void settings_describe_s3(struct buf *out);

/* The S3 service that they name, with keys from where the AWS tools have theirs (net/profile.h).
 * The arena is of the call. */
struct store *settings_open_s3(const struct settings *settings, struct arena *arena,
                               struct err *err);

/* The table as text for people: options under their headings, with their initial values. */
void settings_describe(struct buf *out);

#endif
