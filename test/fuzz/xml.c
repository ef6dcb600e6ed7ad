/* test/fuzz/xml.c - what S3 answers, as any bytes: paths and texts that are handed out stay within
 * their bounds, and every path ends with a name. */
#include <assert.h>
#include <string.h>

#include "store/xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void take(void *context, const char *path, const char *text)
{
    size_t length = strlen(path), depth = 1;

    for (const char *at = path; *at != '\0'; at++)
        depth += *at == '/';
    assert(length > 0 && length < XML_PATH_MOST && path[length - 1] != '/');
    assert(depth <= XML_DEPTH_MOST && strlen(text) <= XML_TEXT_MOST);
    ++*(size_t *)context;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t elements = 0;

    if (xml_read(bytes_of(data, size), take, &elements))
        assert(elements > 0);
    return 0;
}
