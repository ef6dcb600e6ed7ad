/* server/address.c - splits at the last colon, so that IPv6 addresses stand in brackets. */
#include "server/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>

#define HOST_MOST 64
#define PORT_MOST 65535

static bool port_read(const char *text, in_port_t *out)
{
    char *end;
    unsigned long port = strtoul(text, &end, 10);

    if (*text < '0' || *text > '9' || *end != '\0' || port > PORT_MOST)
        return false;
    *out = htons((uint16_t)port);
    return true;
}

static bool host_read(const char *host, in_port_t port, struct address *out)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)&out->socket;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&out->socket;
    size_t size = strlen(host);
    char inner[HOST_MOST];

    memset(out, 0, sizeof *out);
    if (host[0] == '[' && host[size - 1] == ']') {
        memcpy(inner, host + 1, size - 2);
        inner[size - 2] = '\0';
        v6->sin6_family = AF_INET6;
        v6->sin6_port = port;
        out->size = sizeof *v6;
        return inet_pton(AF_INET6, inner, &v6->sin6_addr) == 1;
    }
    v4->sin_family = AF_INET;
    v4->sin_port = port;
    out->size = sizeof *v4;
    return inet_pton(AF_INET, strcmp(host, "localhost") == 0 ? "127.0.0.1" : host, &v4->sin_addr) ==
           1;
}

bool address_read(const char *text, struct address *out, struct err *err)
{
    const char *colon = strrchr(text, ':');
    char host[HOST_MOST];
    struct address address;
    in_port_t port;

    if (colon == NULL || colon == text || (size_t)(colon - text) >= sizeof host ||
        !port_read(colon + 1, &port))
        goto bad;
    memcpy(host, text, (size_t)(colon - text));
    host[colon - text] = '\0';
    if (!host_read(host, port, &address))
        goto bad;
    *out = address;
    return true;
bad:
    return err_fail(
        err, ERR_CONFIG,
        "'%s' is no address to listen on; write a numeric one and a port, like 127.0.0.1:8000 "
        "or [::1]:8000",
        text);
}

bool address_loopback(const struct address *address)
{
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)&address->socket;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&address->socket;

    if (address->socket.ss_family == AF_INET)
        return ntohl(v4->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
    return IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
}
