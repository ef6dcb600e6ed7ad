/* store/xml.c - expat, stopped at the first thing that S3 does not write. Without a DTD there are
 * no entities to expand, so memory is bounded by the limits of the header. */
#include "store/xml.h"

#include <assert.h>
#include <expat.h>
#include <limits.h>
#include <stdlib.h>

struct document {
    XML_Parser parser;
    void (*take)(void *context, const char *path, const char *text);
    void *context;
    char path[XML_PATH_MOST];
    size_t path_size, depth;
    char text[XML_TEXT_MOST + 1]; /* of the innermost element; its children take it from their
                                     parent, who has none that is of use then */
    size_t text_size;
    bool bad;
};

static void stop(struct document *document)
{
    document->bad = true;
    XML_StopParser(document->parser, XML_FALSE);
}

static void element_begin(void *context, const XML_Char *name, const XML_Char **attributes)
{
    struct document *document = context;
    size_t size = strlen(name);

    (void)attributes;
    if (document->depth == XML_DEPTH_MOST || document->path_size + size + 2 > XML_PATH_MOST) {
        stop(document);
        return;
    }
    if (document->depth++ > 0)
        document->path[document->path_size++] = '/';
    memcpy(document->path + document->path_size, name, size + 1);
    document->path_size += size;
    document->text_size = 0;
}

static void element_end(void *context, const XML_Char *name)
{
    struct document *document = context;

    document->text[document->text_size] = '\0';
    document->take(document->context, document->path, document->text);
    document->path_size -= strlen(name);
    if (--document->depth > 0)
        document->path_size--;
    document->path[document->path_size] = '\0';
    document->text_size = 0;
}

static void text_take(void *context, const XML_Char *piece, int size)
{
    struct document *document = context;

    if (document->text_size + (size_t)size > XML_TEXT_MOST) {
        stop(document);
        return;
    }
    memcpy(document->text + document->text_size, piece, (size_t)size);
    document->text_size += (size_t)size;
}

static void doctype_begin(void *context, const XML_Char *name, const XML_Char *system_id,
                          const XML_Char *public_id, int has_internal)
{
    (void)name, (void)system_id, (void)public_id, (void)has_internal;
    stop(context);
}

/* S3 keeps a slow call alive with blanks, which may come before the declaration. */
static struct bytes without_blanks(struct bytes text)
{
    while (text.size > 0 && strchr(" \t\r\n", text.data[0]) != NULL && text.data[0] != '\0')
        text = bytes_from(text, 1);
    return text;
}

bool xml_read(struct bytes text, void (*take)(void *context, const char *path, const char *text),
              void *context)
{
    struct document *document = calloc(1, sizeof *document);

    assert(document != NULL);
    document->parser = XML_ParserCreate(NULL);
    assert(document->parser != NULL);
    document->take = take;
    document->context = context;
    XML_SetUserData(document->parser, document);
    XML_SetElementHandler(document->parser, element_begin, element_end);
    XML_SetCharacterDataHandler(document->parser, text_take);
    XML_SetStartDoctypeDeclHandler(document->parser, doctype_begin);
    text = without_blanks(text);
    bool ok =
        text.size <= INT_MAX &&
        XML_Parse(document->parser, (const char *)text.data, (int)text.size, 1) == XML_STATUS_OK &&
        !document->bad;
    XML_ParserFree(document->parser);
    free(document);
    return ok;
}
