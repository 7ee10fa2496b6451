/*
 * cache: the rendered responses of one worker.
 *
 * A response is made once, then only read; its bodies in further encodings
 * are added on the way.  It is found by names, byte strings of which it has
 * at least one: its own, and a few by which requests asked for it.
 *
 * Ownership: a response is a counted reference.  The cache holds one while it
 *   is kept; so does every request that sends it, until its pool is destroyed:
 *   a response that was evicted meanwhile lives as long as that.  Its memory
 *   is its own, not a pool's, and of the exact size; a large body has pages of
 *   its own, so that the system gets them back.
 * Threads: the event loop only.
 * Limits: what is kept stays below the cache's size, the least recently used
 *   responses are evicted first; a response that is larger is not kept.
 */

#ifndef NGX_HTTP_CARDFEED_CACHE_H
#define NGX_HTTP_CARDFEED_CACHE_H

#include "ngx_http_cardfeed_module.h"

#include <cardfeed/encoding.h>


/* Names by which requests ask for one response; more replace the oldest. */

#define NGX_HTTP_CARDFEED_NAMES  4


typedef struct ngx_http_cardfeed_name_s  ngx_http_cardfeed_name_t;

typedef struct {
    const cardfeed_format_t   *format;
    ngx_str_t                  body[CARDFEED_ENCODINGS];
    unsigned                   useless;    /* encodings, by bit: no gain */

    ngx_str_t                  content_type;
    ngx_str_t                  policy;     /* or empty */
    ngx_str_t                  etag;
    ngx_str_t                  link;
    ngx_str_t                  cache_control;
    ngx_str_t                  selection;  /* for the log */
    ngx_uint_t                 entries;
    time_t                     changed_at;

    /* how long it holds */

    uint64_t                   generation;
    uint64_t                   txnid;      /* it was right at */
    uint64_t                   change;     /* of these topics, by slug */
    cardfeed_str_t            *topics;
    size_t                     ntopics;
    int64_t                    next_due;   /* or CARDFEED_NO_TIME */
    int64_t                    until;      /* the same */

    /* memory for topics and strings, behind this struct */

    size_t                     room;
    u_char                    *free;

    /* the cache's */

    ngx_uint_t                 refs;
    size_t                     size;       /* as accounted for; 0: not kept */
    ngx_queue_t                queue;
    ngx_http_cardfeed_name_t  *own;
    ngx_http_cardfeed_name_t  *names[NGX_HTTP_CARDFEED_NAMES];
    ngx_uint_t                 next_name;
} ngx_http_cardfeed_response_t;


struct ngx_http_cardfeed_cache_s {
    ngx_rbtree_t               rbtree;
    ngx_rbtree_node_t          sentinel;
    ngx_queue_t                queue;      /* the most recent first */
    size_t                     size;
    size_t                     max;
};


void ngx_http_cardfeed_cache_init(ngx_http_cardfeed_cache_t *cache,
    size_t max);
void ngx_http_cardfeed_cache_clear(ngx_http_cardfeed_cache_t *cache);

/* A response nobody keeps, with one reference, and with room for topics and
 * that many bytes of strings; NULL: no memory. */

ngx_http_cardfeed_response_t *ngx_http_cardfeed_response_create(
    size_t ntopics, size_t strings);

/* A copy in that room, which must suffice. */

u_char *ngx_http_cardfeed_response_copy(ngx_http_cardfeed_response_t *res,
    const void *data, size_t len);

void ngx_http_cardfeed_response_release(ngx_http_cardfeed_response_t *res);

/* A copy of a body that is not there yet. */

ngx_int_t ngx_http_cardfeed_response_body(ngx_http_cardfeed_response_t *res,
    cardfeed_encoding_t encoding, cardfeed_str_t bytes);

/* The worker's buffer for bodies in the making is empty again; of a large one
 * the memory goes back. */

void ngx_http_cardfeed_scratch_done(cardfeed_buf_t *scratch);

/* Borrowed until the next call; it counts as used. */

ngx_http_cardfeed_response_t *ngx_http_cardfeed_cache_find(
    ngx_http_cardfeed_cache_t *cache, const ngx_str_t *name);

/* NGX_DECLINED: not kept, for its size or for want of memory. */

ngx_int_t ngx_http_cardfeed_cache_keep(ngx_http_cardfeed_cache_t *cache,
    ngx_http_cardfeed_response_t *res, const ngx_str_t *name);

/* Another name of a kept response; without memory it has none, that is all. */

void ngx_http_cardfeed_cache_name(ngx_http_cardfeed_cache_t *cache,
    ngx_http_cardfeed_response_t *res, const ngx_str_t *name);

/* A body was added to a response, kept or not. */

void ngx_http_cardfeed_cache_grown(ngx_http_cardfeed_cache_t *cache,
    ngx_http_cardfeed_response_t *res);

void ngx_http_cardfeed_cache_drop(ngx_http_cardfeed_cache_t *cache,
    ngx_http_cardfeed_response_t *res);


#endif /* NGX_HTTP_CARDFEED_CACHE_H */
