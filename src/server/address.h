/* server/address.h - "HOST:PORT" as a socket address. Hosts are numeric, or `localhost`: a server
 * must not depend on a name service to know where it listens. Pure functions. */
#ifndef SERVER_ADDRESS_H
#define SERVER_ADDRESS_H

#include <sys/socket.h>

#include "base/err.h"

struct address {
    struct sockaddr_storage socket;
    socklen_t size;
};

/* "127.0.0.1:8000", "localhost:8000", "0.0.0.0:80", "[::1]:8000". */
MUST_CHECK bool address_read(const char *text, struct address *out, struct err *err);

/* Whether only this machine can reach it. */
bool address_loopback(const struct address *address);

#endif
