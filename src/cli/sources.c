/* cli/sources.c - a store for each of the exports: they may be anywhere. */
#include "cli/sources.h"

#include <stdio.h>

#include "cli/command.h"

bool sources_open(struct sources *sources, const struct settings *settings, char *const *texts,
                  size_t count, const char *const keys[2], struct err *err)
{
    *sources = (struct sources){0};
    arena_init(&sources->arena);
    sources->places = arena_alloc(&sources->arena, count * sizeof *sources->places);
    sources->all = arena_alloc(&sources->arena, count * sizeof *sources->all);
    memset(sources->places, 0, count * sizeof *sources->places);
    sources->count = count;
    for (size_t i = 0; i < count; i++) {
        struct place *place = &sources->places[i];
        if (!place_open(settings, texts[i], &sources->arena, place, err))
            return false;
        sources->all[i] = (struct diff_source){.store = place->store,
                                               .settings = {.bucket = place->bucket,
                                                            .folder = place->folder,
                                                            .moved = place->moved,
                                                            .keys = {keys[0], keys[1]}},
                                               .name = texts[i]};
    }
    return true;
}

void sources_close(struct sources *sources)
{
    for (size_t i = 0; i < sources->count; i++)
        place_close(&sources->places[i]);
    arena_release(&sources->arena);
}

int sources_complain(const char *command, const struct buf *problems, const struct err *err)
{
    if (problems->size > 0)
        fwrite(problems->data, 1, problems->size, stderr);
    return command_failed(command, err);
}
