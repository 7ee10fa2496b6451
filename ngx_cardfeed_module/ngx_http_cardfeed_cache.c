
/*
 * ngx_http_cardfeed_cache: rendered responses, found by name, bounded, the
 * least recently used leave first.
 */

#include "ngx_http_cardfeed_cache.h"

#include <xxhash.h>


/* what the system's allocator takes for itself, roughly */

#define NGX_HTTP_CARDFEED_OVERHEAD  64


/* a body that gets pages of its own, and what a worker keeps to make one */

#define NGX_HTTP_CARDFEED_LARGE    (64 * 1024)
#define NGX_HTTP_CARDFEED_SCRATCH  (1024 * 1024)


struct ngx_http_cardfeed_name_s {
    ngx_rbtree_node_t              node;   /* key: hash of the bytes */
    ngx_http_cardfeed_response_t  *response;
    size_t                         len;
    u_char                         bytes[];
};


static void ngx_http_cardfeed_name_insert(ngx_rbtree_node_t *temp,
    ngx_rbtree_node_t *node, ngx_rbtree_node_t *sentinel);
static ngx_int_t ngx_http_cardfeed_name_compare(const u_char *a, size_t alen,
    const u_char *b, size_t blen);
static ngx_http_cardfeed_name_t *ngx_http_cardfeed_name_find(
    ngx_http_cardfeed_cache_t *cache, const ngx_str_t *name);
static ngx_http_cardfeed_name_t *ngx_http_cardfeed_name_add(
    ngx_http_cardfeed_cache_t *cache, ngx_http_cardfeed_response_t *res,
    const ngx_str_t *name);
static void ngx_http_cardfeed_name_remove(ngx_http_cardfeed_cache_t *cache,
    ngx_http_cardfeed_name_t **slot);
static u_char *ngx_http_cardfeed_bytes_alloc(size_t len);
static void ngx_http_cardfeed_bytes_free(ngx_str_t *bytes);
static size_t ngx_http_cardfeed_response_size(
    const ngx_http_cardfeed_response_t *res);
static void ngx_http_cardfeed_cache_account(ngx_http_cardfeed_cache_t *cache,
    ngx_http_cardfeed_response_t *res);


void
ngx_http_cardfeed_cache_init(ngx_http_cardfeed_cache_t *cache, size_t max)
{
    ngx_rbtree_init(&cache->rbtree, &cache->sentinel,
                    ngx_http_cardfeed_name_insert);
    ngx_queue_init(&cache->queue);

    cache->size = 0;
    cache->max = max;
}


void
ngx_http_cardfeed_cache_clear(ngx_http_cardfeed_cache_t *cache)
{
    ngx_queue_t  *q;

    while (!ngx_queue_empty(&cache->queue)) {
        q = ngx_queue_head(&cache->queue);

        ngx_http_cardfeed_cache_drop(cache,
                 ngx_queue_data(q, ngx_http_cardfeed_response_t, queue));
    }
}


/* --- responses */

ngx_http_cardfeed_response_t *
ngx_http_cardfeed_response_create(size_t ntopics, size_t strings)
{
    size_t                         room;
    ngx_http_cardfeed_response_t  *res;

    room = ntopics * sizeof(cardfeed_str_t) + strings;

    res = ngx_calloc(sizeof(ngx_http_cardfeed_response_t) + room,
                     ngx_cycle->log);
    if (res == NULL) {
        return NULL;
    }

    res->refs = 1;
    res->next_due = CARDFEED_NO_TIME;
    res->until = CARDFEED_NO_TIME;
    res->room = room;
    res->topics = (cardfeed_str_t *) (res + 1);
    res->free = (u_char *) (res->topics + ntopics);

    return res;
}


u_char *
ngx_http_cardfeed_response_copy(ngx_http_cardfeed_response_t *res,
    const void *data, size_t len)
{
    u_char  *p;

    p = res->free;
    res->free = ngx_cpymem(p, data, len);

    return p;
}


void
ngx_http_cardfeed_response_release(ngx_http_cardfeed_response_t *res)
{
    ngx_uint_t  i;

    if (--res->refs) {
        return;
    }

    for (i = 0; i < CARDFEED_ENCODINGS; i++) {
        ngx_http_cardfeed_bytes_free(&res->body[i]);
    }

    ngx_free(res);
}


/*
 * Bodies come and go in all sizes: what an allocator keeps of them, holes and
 * all, is more than what they take.
 */

static u_char *
ngx_http_cardfeed_bytes_alloc(size_t len)
{
    u_char  *p;

    if (len < NGX_HTTP_CARDFEED_LARGE) {
        return ngx_alloc(len, ngx_cycle->log);
    }

    p = mmap(NULL, len, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1,
             0);

    if (p == MAP_FAILED) {
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, ngx_errno,
                      "cardfeed: mmap(%uz) failed", len);
        return NULL;
    }

    return p;
}


static void
ngx_http_cardfeed_bytes_free(ngx_str_t *bytes)
{
    if (bytes->len < NGX_HTTP_CARDFEED_LARGE) {
        ngx_free(bytes->data);

    } else if (munmap(bytes->data, bytes->len) == -1) {
        ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, ngx_errno,
                      "cardfeed: munmap() failed");
    }

    ngx_str_null(bytes);
}


ngx_int_t
ngx_http_cardfeed_response_body(ngx_http_cardfeed_response_t *res,
    cardfeed_encoding_t encoding, cardfeed_str_t bytes)
{
    ngx_str_t  *body;

    body = &res->body[encoding];

    body->data = ngx_http_cardfeed_bytes_alloc(bytes.len);

    if (body->data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(body->data, bytes.data, bytes.len);
    body->len = bytes.len;

    return NGX_OK;
}


void
ngx_http_cardfeed_scratch_done(cardfeed_buf_t *scratch)
{
    if (scratch->cap > NGX_HTTP_CARDFEED_SCRATCH) {
        cardfeed_buf_free(scratch);

    } else {
        cardfeed_buf_reset(scratch);
    }
}


static size_t
ngx_http_cardfeed_response_size(const ngx_http_cardfeed_response_t *res)
{
    size_t      size;
    ngx_uint_t  i;

    size = sizeof(ngx_http_cardfeed_response_t) + res->room
           + NGX_HTTP_CARDFEED_OVERHEAD;

    for (i = 0; i < CARDFEED_ENCODINGS; i++) {
        size += res->body[i].len < NGX_HTTP_CARDFEED_LARGE
                ? res->body[i].len + NGX_HTTP_CARDFEED_OVERHEAD
                : ngx_align(res->body[i].len, ngx_pagesize);
    }

    if (res->own) {
        size += sizeof(ngx_http_cardfeed_name_t) + NGX_HTTP_CARDFEED_OVERHEAD
                + res->own->len;
    }

    for (i = 0; i < NGX_HTTP_CARDFEED_NAMES; i++) {
        if (res->names[i]) {
            size += sizeof(ngx_http_cardfeed_name_t)
                    + NGX_HTTP_CARDFEED_OVERHEAD + res->names[i]->len;
        }
    }

    return size;
}


/* --- names */

static ngx_int_t
ngx_http_cardfeed_name_compare(const u_char *a, size_t alen, const u_char *b,
    size_t blen)
{
    if (alen != blen) {
        return alen < blen ? -1 : 1;
    }

    return ngx_memcmp(a, b, alen);
}


static void
ngx_http_cardfeed_name_insert(ngx_rbtree_node_t *temp,
    ngx_rbtree_node_t *node, ngx_rbtree_node_t *sentinel)
{
    ngx_int_t                   rc;
    ngx_rbtree_node_t         **p;
    ngx_http_cardfeed_name_t   *a, *b;

    for ( ;; ) {

        if (node->key != temp->key) {
            p = (node->key < temp->key) ? &temp->left : &temp->right;

        } else {
            a = (ngx_http_cardfeed_name_t *) node;
            b = (ngx_http_cardfeed_name_t *) temp;

            rc = ngx_http_cardfeed_name_compare(a->bytes, a->len, b->bytes,
                                                b->len);

            p = (rc < 0) ? &temp->left : &temp->right;
        }

        if (*p == sentinel) {
            break;
        }

        temp = *p;
    }

    *p = node;
    node->parent = temp;
    node->left = sentinel;
    node->right = sentinel;
    ngx_rbt_red(node);
}


static ngx_http_cardfeed_name_t *
ngx_http_cardfeed_name_find(ngx_http_cardfeed_cache_t *cache,
    const ngx_str_t *name)
{
    ngx_int_t                  rc;
    ngx_rbtree_key_t           key;
    ngx_rbtree_node_t         *node, *sentinel;
    ngx_http_cardfeed_name_t  *found;

    key = (ngx_rbtree_key_t) XXH3_64bits(name->data, name->len);

    node = cache->rbtree.root;
    sentinel = cache->rbtree.sentinel;

    while (node != sentinel) {

        if (key != node->key) {
            node = (key < node->key) ? node->left : node->right;
            continue;
        }

        found = (ngx_http_cardfeed_name_t *) node;

        rc = ngx_http_cardfeed_name_compare(name->data, name->len,
                                            found->bytes, found->len);
        if (rc == 0) {
            return found;
        }

        node = (rc < 0) ? node->left : node->right;
    }

    return NULL;
}


static ngx_http_cardfeed_name_t *
ngx_http_cardfeed_name_add(ngx_http_cardfeed_cache_t *cache,
    ngx_http_cardfeed_response_t *res, const ngx_str_t *name)
{
    ngx_http_cardfeed_name_t  *added;

    added = ngx_alloc(sizeof(ngx_http_cardfeed_name_t) + name->len,
                      ngx_cycle->log);
    if (added == NULL) {
        return NULL;
    }

    added->node.key = (ngx_rbtree_key_t) XXH3_64bits(name->data, name->len);
    added->response = res;
    added->len = name->len;
    ngx_memcpy(added->bytes, name->data, name->len);

    ngx_rbtree_insert(&cache->rbtree, &added->node);

    return added;
}


static void
ngx_http_cardfeed_name_remove(ngx_http_cardfeed_cache_t *cache,
    ngx_http_cardfeed_name_t **slot)
{
    if (*slot) {
        ngx_rbtree_delete(&cache->rbtree, &(*slot)->node);
        ngx_free(*slot);
        *slot = NULL;
    }
}


/* --- the cache */

ngx_http_cardfeed_response_t *
ngx_http_cardfeed_cache_find(ngx_http_cardfeed_cache_t *cache,
    const ngx_str_t *name)
{
    ngx_http_cardfeed_name_t      *found;
    ngx_http_cardfeed_response_t  *res;

    found = ngx_http_cardfeed_name_find(cache, name);

    if (found == NULL) {
        return NULL;
    }

    res = found->response;

    ngx_queue_remove(&res->queue);
    ngx_queue_insert_head(&cache->queue, &res->queue);

    return res;
}


ngx_int_t
ngx_http_cardfeed_cache_keep(ngx_http_cardfeed_cache_t *cache,
    ngx_http_cardfeed_response_t *res, const ngx_str_t *name)
{
    if (ngx_http_cardfeed_response_size(res) + sizeof(ngx_http_cardfeed_name_t)
        + NGX_HTTP_CARDFEED_OVERHEAD + name->len > cache->max)
    {
        return NGX_DECLINED;
    }

    res->own = ngx_http_cardfeed_name_add(cache, res, name);
    if (res->own == NULL) {
        return NGX_DECLINED;
    }

    res->refs++;
    ngx_queue_insert_head(&cache->queue, &res->queue);

    ngx_http_cardfeed_cache_account(cache, res);

    return NGX_OK;
}


void
ngx_http_cardfeed_cache_name(ngx_http_cardfeed_cache_t *cache,
    ngx_http_cardfeed_response_t *res, const ngx_str_t *name)
{
    ngx_http_cardfeed_name_t  **slot;

    if (res->size == 0) {
        return;
    }

    slot = &res->names[res->next_name++ % NGX_HTTP_CARDFEED_NAMES];

    ngx_http_cardfeed_name_remove(cache, slot);
    *slot = ngx_http_cardfeed_name_add(cache, res, name);

    ngx_http_cardfeed_cache_account(cache, res);
}


void
ngx_http_cardfeed_cache_grown(ngx_http_cardfeed_cache_t *cache,
    ngx_http_cardfeed_response_t *res)
{
    if (res->size) {
        ngx_http_cardfeed_cache_account(cache, res);
    }
}


/* What a response takes now; others leave until all fits, or it leaves itself
 * where it does not fit alone: whoever sends it has a reference. */

static void
ngx_http_cardfeed_cache_account(ngx_http_cardfeed_cache_t *cache,
    ngx_http_cardfeed_response_t *res)
{
    size_t        size;
    ngx_queue_t  *q;

    size = ngx_http_cardfeed_response_size(res);

    cache->size = cache->size - res->size + size;
    res->size = size;

    if (size > cache->max) {
        ngx_http_cardfeed_cache_drop(cache, res);
        return;
    }

    while (cache->size > cache->max) {
        q = ngx_queue_last(&cache->queue);

        ngx_http_cardfeed_cache_drop(cache,
                 ngx_queue_data(q, ngx_http_cardfeed_response_t, queue));
    }
}


void
ngx_http_cardfeed_cache_drop(ngx_http_cardfeed_cache_t *cache,
    ngx_http_cardfeed_response_t *res)
{
    ngx_uint_t  i;

    if (res->size == 0) {
        return;
    }

    ngx_http_cardfeed_name_remove(cache, &res->own);

    for (i = 0; i < NGX_HTTP_CARDFEED_NAMES; i++) {
        ngx_http_cardfeed_name_remove(cache, &res->names[i]);
    }

    ngx_queue_remove(&res->queue);

    cache->size -= res->size;
    res->size = 0;

    ngx_http_cardfeed_response_release(res);
}
