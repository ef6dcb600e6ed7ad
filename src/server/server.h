/* server/server.h - owns everything that lives as long as the process, and knows the order in which
 * it starts and stops. */
#ifndef SERVER_SERVER_H
#define SERVER_SERVER_H

#include "server/settings.h"

struct server;

/* Starts from the disk up: engine, committer, tables, store, jobs, api, http. When this has
 * returned, requests are answered. NULL: ERR_CONFIG or ERR_STORAGE with a sentence for the
 * operator. The settings must outlive the server. */
struct server *server_open(const struct settings *settings, struct err *err);

/* Where it listens, "http://127.0.0.1:8000": the port that was found where the settings said 0. The
 * server's. */
const char *server_url(const struct server *server);

/* Stops in reverse: takes no more requests, answers those in flight, leaves running jobs to be
 * resumed by the next start, closes the database. */
void server_close(struct server *server);

/* Serves until SIGTERM or SIGINT; one line in the log when it is ready and one when it has stopped.
 * A second signal ends the process at once. False if it did not start. */
MUST_CHECK bool server_run(const struct settings *settings, struct err *err);

#endif
