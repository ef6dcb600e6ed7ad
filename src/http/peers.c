/* http/peers.c - a list, and a thread that walks it. A peer that is late has its socket shut down:
 * its loop then finds it closed, and does all else. The lock is held meanwhile, so the socket is
 * still that peer's. */
#include "http/peers.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#include "base/clock.h"

/* How late a peer may be found to be late. */
#define SWEEP_MS 100

struct peer {
    struct peer *previous, *next;
    int socket;
    _Atomic uint64_t deadline; /* of the monotonic clock, microseconds; 0: none */
};

struct peers {
    pthread_mutex_t lock;
    struct peer *first;  /* lock */
    size_t count;        /* lock */
    bool stopping;       /* lock */
    bool closed;         /* lock; no more peers are to come */
    pthread_cond_t gone; /* a peer has gone, or closed was set */
    pthread_cond_t stop;
    pthread_t sweeper;
};

/* Called with the lock held. */
static void peers_sweep(struct peers *peers)
{
    uint64_t now = clock_monotonic_micros();

    for (struct peer *peer = peers->first; peer != NULL; peer = peer->next) {
        uint64_t deadline = atomic_load_explicit(&peer->deadline, memory_order_relaxed);
        if (deadline == 0 || now < deadline)
            continue;
        shutdown(peer->socket, SHUT_RDWR);
        atomic_store_explicit(&peer->deadline, 0, memory_order_relaxed);
    }
}

static struct timespec sweep_time(void)
{
    uint64_t until = clock_monotonic_micros() + SWEEP_MS * UINT64_C(1000);

    return (struct timespec){(time_t)(until / SECOND_MICROS), (long)(until % SECOND_MICROS) * 1000};
}

static void *sweeper_run(void *context)
{
    struct peers *peers = context;

    pthread_mutex_lock(&peers->lock);
    while (!peers->stopping) {
        const struct timespec wake = sweep_time();
        pthread_cond_timedwait(&peers->stop, &peers->lock, &wake);
        peers_sweep(peers);
    }
    pthread_mutex_unlock(&peers->lock);
    return NULL;
}

struct peers *peers_new(void)
{
    struct peers *peers = calloc(1, sizeof *peers);
    pthread_condattr_t attributes;

    if (peers == NULL)
        abort();
    pthread_mutex_init(&peers->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&peers->stop, &attributes);
    pthread_cond_init(&peers->gone, &attributes);
    pthread_condattr_destroy(&attributes);
    if (pthread_create(&peers->sweeper, NULL, sweeper_run, peers) != 0)
        abort();
    return peers;
}

void peers_free(struct peers *peers)
{
    if (peers == NULL)
        return;
    pthread_mutex_lock(&peers->lock);
    peers->stopping = true;
    pthread_cond_signal(&peers->stop);
    pthread_mutex_unlock(&peers->lock);
    pthread_join(peers->sweeper, NULL);
    pthread_cond_destroy(&peers->stop);
    pthread_cond_destroy(&peers->gone);
    pthread_mutex_destroy(&peers->lock);
    free(peers);
}

struct peer *peers_add(struct peers *peers, int socket)
{
    struct peer *peer = calloc(1, sizeof *peer);

    if (peer == NULL)
        abort();
    peer->socket = socket;
    pthread_mutex_lock(&peers->lock);
    peer->next = peers->first;
    if (peer->next != NULL)
        peer->next->previous = peer;
    peers->first = peer;
    peers->count++;
    pthread_mutex_unlock(&peers->lock);
    return peer;
}

void peers_remove(struct peers *peers, struct peer *peer)
{
    pthread_mutex_lock(&peers->lock);
    if (peer->next != NULL)
        peer->next->previous = peer->previous;
    if (peer->previous != NULL)
        peer->previous->next = peer->next;
    else
        peers->first = peer->next;
    peers->count--;
    pthread_cond_signal(&peers->gone);
    pthread_mutex_unlock(&peers->lock);
    free(peer);
}

size_t peers_count(struct peers *peers)
{
    pthread_mutex_lock(&peers->lock);
    size_t count = peers->count;
    pthread_mutex_unlock(&peers->lock);
    return count;
}

bool peers_wait(struct peers *peers, size_t most)
{
    pthread_mutex_lock(&peers->lock);
    while (!peers->closed && peers->count >= most)
        pthread_cond_wait(&peers->gone, &peers->lock);
    bool open = !peers->closed;
    pthread_mutex_unlock(&peers->lock);
    return open;
}

void peers_wait_change(struct peers *peers)
{
    const struct timespec wake = sweep_time();

    pthread_mutex_lock(&peers->lock);
    if (!peers->closed)
        pthread_cond_timedwait(&peers->gone, &peers->lock, &wake);
    pthread_mutex_unlock(&peers->lock);
}

void peers_close(struct peers *peers)
{
    pthread_mutex_lock(&peers->lock);
    peers->closed = true;
    pthread_cond_signal(&peers->gone);
    pthread_mutex_unlock(&peers->lock);
}

void peer_limit(struct peer *peer, unsigned limit_ms)
{
    uint64_t deadline = limit_ms == 0 ? 0 : clock_monotonic_micros() + limit_ms * UINT64_C(1000);

    atomic_store_explicit(&peer->deadline, deadline, memory_order_relaxed);
}
