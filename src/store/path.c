/* store/path.c - a key's components, between its slashes, become names of files: "%" is written
 * %25,
 * "." and ".." are written %2E and %2E%2E, and an empty component is written as a lone "%". All
 * else stays as it is, so that the usual key is its own path. */
#include "store/path.h"

static struct bytes component_of(struct bytes rest)
{
    const uint8_t *slash = memchr(rest.data, '/', rest.size);

    return bytes_of(rest.data, slash == NULL ? rest.size : (size_t)(slash - rest.data));
}

static void put_component(struct buf *path, struct bytes name)
{
    bool dots = bytes_equal(name, BYTES(".")) || bytes_equal(name, BYTES(".."));

    if (name.size == 0)
        buf_put_u8(path, '%');
    for (size_t i = 0; i < name.size; i++) {
        if (name.data[i] == '%')
            buf_put_literal(path, "%25");
        else if (dots)
            buf_put_literal(path, "%2E");
        else
            buf_put_u8(path, name.data[i]);
    }
}

bool path_put_key(struct buf *path, struct bytes key)
{
    for (;;) {
        struct bytes component = component_of(key);
        size_t before = path->size;
        put_component(path, component);
        if (path->size - before > COMPONENT_MOST)
            return false;
        if (component.size == key.size)
            return true;
        buf_put_u8(path, '/');
        key = bytes_from(key, component.size + 1);
    }
}

bool path_take_name(const char *name, struct buf *key)
{
    if (strcmp(name, "%") == 0)
        return true;
    if (strcmp(name, "%2E") == 0 || strcmp(name, "%2E%2E") == 0) {
        buf_put(key, "..", strlen(name) / 3);
        return true;
    }
    size_t before = key->size;
    while (*name != '\0') {
        if (*name == '%' && strncmp(name, "%25", 3) != 0) {
            key->size = before;
            return false;
        }
        buf_put_u8(key, (uint8_t)*name);
        name += *name == '%' ? 3 : 1;
    }
    return true;
}
