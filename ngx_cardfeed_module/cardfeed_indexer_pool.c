/* indexer_pool: parser threads beside the indexer, at idle priority. */

#include "cardfeed_indexer_private.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define POOL_CLOSE_MS 60
#define POOL_BATCH 32 /* results worth waking the indexer for */

struct cardfeed_pool_s {
    pthread_mutex_t mutex;
    pthread_cond_t work;
    pthread_cond_t ready; /* a result, or a thread that ended */
    bool closed;
    bool orphaned; /* the last thread frees it */
    cardfeed_job_t *queue; /* first in, first out */
    cardfeed_job_t **queue_end;
    cardfeed_job_t *results;
    cardfeed_job_t **results_end;
    size_t nresults;
    unsigned sleeping;
    unsigned running;
    unsigned nthreads;
    size_t active; /* indexer thread only */

    /* Copies: a thread may outlive the collection's owner. */
    cardfeed_arena_t arena;
    cardfeed_collection_t c;
    cardfeed_watch_t *watch;

    struct {
        pthread_t id;
        bool ended;
    } threads[64];
    cardfeed_job_t jobs[CARDFEED_INDEXER_JOBS];
};

typedef struct {
    cardfeed_pool_t *pool;
    unsigned number;
} pool_start_t;


static void
pool_free(cardfeed_pool_t *pool)
{
    size_t i;

    for (i = 0; i < CARDFEED_INDEXER_JOBS; i++) {
        cardfeed_indexer_job_free(&pool->jobs[i]);
    }
    cardfeed_watch_close(pool->watch);
    cardfeed_arena_free(&pool->arena);
    pthread_cond_destroy(&pool->work);
    pthread_cond_destroy(&pool->ready);
    pthread_mutex_destroy(&pool->mutex);
    free(pool);
}


/* A switch of threads for every card costs more than the card. */
static bool
pool_worth_waking(const cardfeed_pool_t *pool)
{
    return pool->nresults >= POOL_BATCH
           || (pool->queue == NULL && pool->results != NULL);
}


/* Jobs until the pool closes. */
static void
pool_work(cardfeed_pool_t *pool, cardfeed_parser_t *parser,
    cardfeed_buf_t *data)
{
    cardfeed_job_t *job;

    pthread_mutex_lock(&pool->mutex);

    for (;;) {
        while (pool->queue == NULL && !pool->closed) {
            pool->sleeping++;
            pthread_cond_wait(&pool->work, &pool->mutex);
            pool->sleeping--;
        }
        if (pool->closed) {
            break;
        }
        job = pool->queue;
        pool->queue = job->next;
        if (pool->queue == NULL) {
            pool->queue_end = &pool->queue;
        }
        pthread_mutex_unlock(&pool->mutex);

        cardfeed_indexer_job_run(job, pool->watch, parser, data);

        pthread_mutex_lock(&pool->mutex);
        job->next = NULL;
        *pool->results_end = job;
        pool->results_end = &job->next;
        pool->nresults++;
        if (pool_worth_waking(pool)) {
            pthread_cond_signal(&pool->ready);
        }
    }

    pthread_mutex_unlock(&pool->mutex);
}


static void *
pool_thread(void *arg)
{
    bool last;
    pool_start_t start = *(pool_start_t *) arg;
    cardfeed_pool_t *pool = start.pool;
    cardfeed_parser_t *parser;
    cardfeed_buf_t data;
    struct sched_param param = {.sched_priority = 0};

    free(arg);
    pthread_setschedparam(pthread_self(), SCHED_IDLE, &param);

    parser = cardfeed_parser_create(&pool->c);
    cardfeed_buf_init(&data, pool->c.max_card + 65536);
    pool_work(pool, parser, &data);
    cardfeed_buf_free(&data);
    cardfeed_parser_destroy(parser);

    pthread_mutex_lock(&pool->mutex);
    pool->threads[start.number].ended = true;
    pool->running--;
    last = pool->orphaned && pool->running == 0;
    pthread_cond_signal(&pool->ready);
    pthread_mutex_unlock(&pool->mutex);

    if (last) {
        pool_free(pool);
    }

    return NULL;
}


static const char *const *
pool_copy_list(cardfeed_arena_t *arena, const char *const *list)
{
    size_t i, n = 0;
    const char **copy;

    while (list[n] != NULL) {
        n++;
    }
    copy = cardfeed_arena_alloc(arena, (n + 1) * sizeof(*copy));
    for (i = 0; copy != NULL && i < n; i++) {
        copy[i] = cardfeed_arena_dup(arena, cardfeed_str_of(list[i])).data;
    }

    return copy;
}


static int
pool_copy_collection(cardfeed_pool_t *pool, const cardfeed_collection_t *c)
{
    cardfeed_arena_t *arena = &pool->arena;

    pool->c = *c;
    pool->c.name = cardfeed_arena_dup(arena, c->name);
    pool->c.dir = cardfeed_arena_dup(arena, cardfeed_str_of(c->dir)).data;
    pool->c.site = cardfeed_arena_dup(arena, c->site);
    pool->c.include = pool_copy_list(arena, c->include);
    pool->c.exclude = pool_copy_list(arena, c->exclude);

    return arena->failed;
}


static void
pool_spawn(cardfeed_pool_t *pool)
{
    char name[16];
    pool_start_t *start = malloc(sizeof(*start));

    if (start == NULL) {
        return;
    }
    start->pool = pool;
    start->number = pool->nthreads;

    pthread_mutex_lock(&pool->mutex);
    if (pthread_create(&pool->threads[pool->nthreads].id, NULL, pool_thread,
            start)
        == 0)
    {
        snprintf(name, sizeof(name), "cardfeed:%.*s",
            (int) (sizeof(name) - sizeof("cardfeed:")), pool->c.name.data);
        pthread_setname_np(pool->threads[pool->nthreads].id, name);
        pool->nthreads++;
        pool->running++;
    } else {
        free(start);
    }
    pthread_mutex_unlock(&pool->mutex);
}


int
cardfeed_indexer_pool_open(cardfeed_pool_t **out,
    const cardfeed_collection_t *c, const cardfeed_watch_t *watch)
{
    int rc;
    size_t i;
    pthread_condattr_t attr;
    cardfeed_pool_t *pool = calloc(1, sizeof(*pool));

    *out = NULL;
    if (pool == NULL) {
        return CARDFEED_NOMEM;
    }

    pthread_mutex_init(&pool->mutex, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&pool->work, NULL);
    pthread_cond_init(&pool->ready, &attr);
    pthread_condattr_destroy(&attr);
    pool->queue_end = &pool->queue;
    pool->results_end = &pool->results;
    for (i = 0; i < CARDFEED_INDEXER_JOBS; i++) {
        cardfeed_indexer_job_init(&pool->jobs[i]);
    }
    cardfeed_arena_init(&pool->arena, 1 << 20);

    rc = pool_copy_collection(pool, c);
    if (rc == CARDFEED_OK) {
        rc = cardfeed_watch_share(&pool->watch, watch, &pool->c);
    }
    if (rc == CARDFEED_OK) {
        for (i = 0; i < c->threads
                    && i < sizeof(pool->threads) / sizeof(pool->threads[0]);
             i++)
        {
            pool_spawn(pool);
        }
        rc = pool->nthreads > 0 ? CARDFEED_OK : CARDFEED_ERROR;
    }
    if (rc != CARDFEED_OK) {
        pool_free(pool);
        return rc;
    }
    *out = pool;

    return CARDFEED_OK;
}


static void
pool_deadline(struct timespec *ts, int ms)
{
    clock_gettime(CLOCK_MONOTONIC, ts);
    ts->tv_nsec += (long) ms * 1000000;
    ts->tv_sec += ts->tv_nsec / 1000000000;
    ts->tv_nsec %= 1000000000;
}


void
cardfeed_indexer_pool_close(cardfeed_pool_t *pool)
{
    bool left, ended[64];
    unsigned i, n;
    pthread_t id[64];
    struct timespec deadline;

    if (pool == NULL) {
        return;
    }

    pool_deadline(&deadline, POOL_CLOSE_MS);
    pthread_mutex_lock(&pool->mutex);
    pool->closed = true;
    pthread_cond_broadcast(&pool->work);
    while (pool->running > 0
           && pthread_cond_timedwait(&pool->ready, &pool->mutex, &deadline)
                  != ETIMEDOUT)
    {
        /* void */
    }
    left = pool->running > 0;
    pool->orphaned = left;
    n = pool->nthreads;
    for (i = 0; i < n; i++) {
        id[i] = pool->threads[i].id;
        ended[i] = pool->threads[i].ended;
    }
    pthread_mutex_unlock(&pool->mutex);

    for (i = 0; i < n; i++) {
        if (ended[i]) {
            pthread_join(id[i], NULL);
        } else {
            pthread_detach(id[i]);
        }
    }
    if (!left) {
        pool_free(pool);
    }
}


cardfeed_job_t *
cardfeed_indexer_pool_idle(cardfeed_pool_t *pool)
{
    size_t i;

    if (pool->active < CARDFEED_INDEXER_JOBS) {
        for (i = 0; i < CARDFEED_INDEXER_JOBS; i++) {
            if (!pool->jobs[i].active) {
                return &pool->jobs[i];
            }
        }
    }

    return NULL;
}


cardfeed_job_t *
cardfeed_indexer_pool_find(cardfeed_pool_t *pool, cardfeed_str_t path)
{
    size_t i;
    uint64_t hash;

    if (pool->active == 0) {
        return NULL;
    }
    hash = cardfeed_text_hash(path);
    for (i = 0; i < CARDFEED_INDEXER_JOBS; i++) {
        if (pool->jobs[i].active && pool->jobs[i].hash == hash) {
            return &pool->jobs[i];
        }
    }

    return NULL;
}


void
cardfeed_indexer_pool_submit(cardfeed_pool_t *pool, cardfeed_job_t *job)
{
    job->active = true;
    job->again = false;
    pool->active++;

    pthread_mutex_lock(&pool->mutex);
    job->next = NULL;
    *pool->queue_end = job;
    pool->queue_end = &job->next;
    if (pool->sleeping > 0) {
        pthread_cond_signal(&pool->work);
    }
    pthread_mutex_unlock(&pool->mutex);
}


size_t
cardfeed_indexer_pool_active(const cardfeed_pool_t *pool)
{
    return pool->active;
}


cardfeed_job_t *
cardfeed_indexer_pool_take(cardfeed_pool_t *pool, int ms, bool *late)
{
    cardfeed_job_t *job;
    struct timespec deadline;

    *late = false;
    pthread_mutex_lock(&pool->mutex);
    if (pool->results == NULL && ms > 0) {
        pool_deadline(&deadline, ms);
        while (!pool_worth_waking(pool)
               && pthread_cond_timedwait(&pool->ready, &pool->mutex,
                      &deadline)
                      != ETIMEDOUT)
        {
            /* void */
        }
        *late = !pool_worth_waking(pool);
    }
    job = pool->results;
    if (job != NULL) {
        pool->results = job->next;
        pool->nresults--;
        if (pool->results == NULL) {
            pool->results_end = &pool->results;
        }
    }
    pthread_mutex_unlock(&pool->mutex);

    return job;
}


cardfeed_job_t *
cardfeed_indexer_pool_steal(cardfeed_pool_t *pool, uint64_t size)
{
    cardfeed_job_t *job, **p;

    pthread_mutex_lock(&pool->mutex);
    p = &pool->queue;
    while (*p != NULL && (*p)->size > size) {
        p = &(*p)->next;
    }
    job = *p;
    if (job != NULL) {
        *p = job->next;
        if (job->next == NULL) {
            pool->queue_end = p;
        }
    }
    pthread_mutex_unlock(&pool->mutex);

    return job;
}


void
cardfeed_indexer_pool_done(cardfeed_pool_t *pool, cardfeed_job_t *job)
{
    job->active = false;
    pool->active--;
}
