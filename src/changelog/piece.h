/* changelog/piece.h - a piece of a change: what some consecutive writes of one key come to. Inside
 * the module; pure functions. */
#ifndef CHANGELOG_PIECE_H
#define CHANGELOG_PIECE_H

#include "changelog/changelog.h"

/* With `new_only` the image before is left out where there is one after; else it is the last that
 * there was, since the key's attributes are wanted. */
struct piece {
    struct bytes before, after; /* BYTES_NONE: absent */
    uint64_t link;              /* what it begins with, see piece.c; 0: with absence */
    uint64_t time;              /* of the last write */
    uint64_t size;              /* of all images, before and after each write, by item_size() */
};

struct piece piece_of_record(const struct log_record *record, bool new_only);

/* A piece as it is kept: its bytes are these one behind the other. */
#define PIECE_HEAD 40
struct piece_parts {
    uint8_t head[PIECE_HEAD];
    struct bytes parts[3]; /* borrows from the head and the piece */
};
void piece_cut(const struct piece *piece, struct piece_parts *out);

/* What is not there as a whole is made in the arena, the rest borrowed. ERR_CORRUPT. */
MUST_CHECK bool piece_read(struct bytes kept, struct arena *arena, struct piece *out,
                           struct err *err);

/* Puts the writes of `next` behind those of `piece`; false: they do not follow on them. */
MUST_CHECK bool piece_join(struct piece *piece, const struct piece *next, bool new_only);

#endif
