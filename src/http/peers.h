/* http/peers.h - the connections there are, each with the time by which it must have got further.
 * libmicrohttpd knows only how long a connection was silent, and a client that sends a byte now and
 * then is never silent. */
#ifndef HTTP_PEERS_H
#define HTTP_PEERS_H

#include "base/err.h"

struct peers;
struct peer;

struct peers *peers_new(void);
/* When no peer is left. */
void peers_free(struct peers *peers);

/* The socket stays the caller's, who removes the peer before closing it. Any thread. */
struct peer *peers_add(struct peers *peers, int socket);
void peers_remove(struct peers *peers, struct peer *peer);
size_t peers_count(struct peers *peers);

/* For the thread that accepts: waits until there are fewer than `most` peers; false once
 * peers_close() was called. peers_wait_change() waits until a peer has gone, or a moment. */
bool peers_wait(struct peers *peers, size_t most);
void peers_wait_change(struct peers *peers);
void peers_close(struct peers *peers);

/* From now on the peer has so long; 0: as long as it likes. Then its socket is shut down. Any
 * thread. */
void peer_limit(struct peer *peer, unsigned limit_ms);

#endif
