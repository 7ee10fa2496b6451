
/*
 * ngx_http_cardfeed_handler: request → response, from the cache or made now.
 * Everything is there before the headers go out; a request never waits.
 */

#include "ngx_http_cardfeed_handler.h"


static ngx_int_t ngx_http_cardfeed_answer(ngx_http_cardfeed_ctx_t *ctx,
    ngx_http_cardfeed_answer_t *answer);
static ngx_int_t ngx_http_cardfeed_make(ngx_http_cardfeed_ctx_t *ctx,
    const ngx_str_t *asked, ngx_http_cardfeed_answer_t *answer);
static ngx_uint_t ngx_http_cardfeed_exists(ngx_http_cardfeed_ctx_t *ctx);
static ngx_http_cardfeed_response_t *ngx_http_cardfeed_kept(
    ngx_http_cardfeed_ctx_t *ctx, const ngx_str_t *name);
static ngx_uint_t ngx_http_cardfeed_holds_still(ngx_http_cardfeed_ctx_t *ctx,
    ngx_http_cardfeed_response_t *res);
static ngx_int_t ngx_http_cardfeed_open_store(ngx_http_cardfeed_ctx_t *ctx);
static ngx_int_t ngx_http_cardfeed_open_read(ngx_http_cardfeed_ctx_t *ctx);
static ngx_int_t ngx_http_cardfeed_send(ngx_http_request_t *r,
    ngx_http_cardfeed_response_t *res);
static ngx_int_t ngx_http_cardfeed_refuse(ngx_http_request_t *r,
    ngx_int_t status);
static ngx_uint_t ngx_http_cardfeed_answered_elsewhere(ngx_http_request_t *r,
    ngx_int_t status);
static void ngx_http_cardfeed_release(void *data);


ngx_int_t
ngx_http_cardfeed_handler(ngx_http_request_t *r)
{
    ngx_int_t                       rc;
    ngx_pool_cleanup_t             *cln;
    ngx_http_cardfeed_ctx_t         ctx;
    ngx_http_cardfeed_answer_t     *answer;
    ngx_http_cardfeed_main_conf_t  *cmcf;

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {
        return ngx_http_cardfeed_refuse(r, NGX_HTTP_NOT_ALLOWED);
    }

    rc = ngx_http_discard_request_body(r);

    if (rc != NGX_OK) {
        return rc;
    }

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_cardfeed_answer_t));
    if (cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    answer = cln->data;
    answer->response = NULL;
    cln->handler = ngx_http_cardfeed_release;

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_cardfeed_module);

    ngx_memzero(&ctx, offsetof(ngx_http_cardfeed_ctx_t, format));

    ctx.request = r;
    ctx.conf = ngx_http_get_module_loc_conf(r, ngx_http_cardfeed_module);
    ctx.arena = &cmcf->arena;

    rc = ngx_http_cardfeed_answer(&ctx, answer);

    if (ctx.read) {
        cardfeed_read_end(ctx.read);
    }

    if (rc != NGX_OK) {
        return ngx_http_cardfeed_refuse(r, rc);
    }

    ngx_http_set_ctx(r, answer, ngx_http_cardfeed_module);

    return ngx_http_cardfeed_send(r, answer->response);
}


static void
ngx_http_cardfeed_release(void *data)
{
    ngx_http_cardfeed_answer_t *answer = data;

    if (answer->response) {
        ngx_http_cardfeed_response_release(answer->response);
    }
}


/* What was answered to the very same words before, if that still holds. */

static ngx_int_t
ngx_http_cardfeed_answer(ngx_http_cardfeed_ctx_t *ctx,
    ngx_http_cardfeed_answer_t *answer)
{
    u_char                         buf[NGX_HTTP_CARDFEED_ASKED];
    ngx_int_t                      rc, opened;
    ngx_str_t                      asked;
    ngx_http_cardfeed_response_t  *res;

    rc = ngx_http_cardfeed_values(ctx);

    if (rc != NGX_OK) {
        return rc;
    }

    opened = ngx_http_cardfeed_open_store(ctx);

    ngx_http_cardfeed_asked_name(ctx, buf, &asked);

    res = (opened == NGX_OK) ? ngx_http_cardfeed_kept(ctx, &asked) : NULL;

    if (res) {
        res->refs++;
        answer->response = res;
        ngx_str_set(&answer->status, "HIT");

        return NGX_OK;
    }

    ngx_memzero(&ctx->format, sizeof(ngx_http_cardfeed_ctx_t)
                              - offsetof(ngx_http_cardfeed_ctx_t, format));

    cardfeed_arena_reset(ctx->arena);

    /* what is wrong with a request is told also while nothing is there */

    rc = ngx_http_cardfeed_resolve(ctx);

    if (rc == NGX_OK) {
        rc = opened;
    }

    if (rc == NGX_OK) {
        rc = ngx_http_cardfeed_open_read(ctx);
    }

    return rc == NGX_OK ? ngx_http_cardfeed_make(ctx, &asked, answer) : rc;
}


/* The same in other words, or a new document. */

static ngx_int_t
ngx_http_cardfeed_make(ngx_http_cardfeed_ctx_t *ctx, const ngx_str_t *asked,
    ngx_http_cardfeed_answer_t *answer)
{
    ngx_int_t                       rc;
    ngx_str_t                       own;
    ngx_uint_t                      keep;
    ngx_http_cardfeed_cache_t      *cache;
    ngx_http_cardfeed_response_t   *res;
    ngx_http_cardfeed_main_conf_t  *cmcf;

    cmcf = ngx_http_get_module_main_conf(ctx->request,
                                         ngx_http_cardfeed_module);
    cache = cmcf->cache;

    if (!ngx_http_cardfeed_exists(ctx)) {
        return NGX_HTTP_NOT_FOUND;
    }

    if (ngx_http_cardfeed_self(ctx) != NGX_OK
        || ngx_http_cardfeed_own_name(ctx, &own) != NGX_OK)
    {
        ngx_log_error(NGX_LOG_ERR, ctx->request->connection->log, 0,
                      "cardfeed: no memory for a feed's URLs");
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    res = ngx_http_cardfeed_kept(ctx, &own);

    if (res) {
        res->refs++;
        answer->response = res;
        ngx_str_set(&answer->status, "HIT");

    } else {
        rc = ngx_http_cardfeed_document(ctx, &res, &keep);

        if (rc != NGX_OK) {
            return rc;
        }

        answer->response = res;

        if (!keep || ngx_http_cardfeed_cache_keep(cache, res, &own) != NGX_OK)
        {
            ngx_str_set(&answer->status, "BYPASS");
            return NGX_OK;
        }

        ngx_str_set(&answer->status, "MISS");
    }

    if (asked->len) {
        ngx_http_cardfeed_cache_name(cache, res, asked);
    }

    return NGX_OK;
}


/* "all,nothing" is what all is, but not where nothing is no topic. */

static ngx_uint_t
ngx_http_cardfeed_exists(ngx_http_cardfeed_ctx_t *ctx)
{
    uint64_t  change;

    return ctx->query.ndropped == 0
           || cardfeed_select_change(ctx->read, ctx->query.dropped,
                                     ctx->query.ndropped, &change)
              != CARDFEED_NOTFOUND;
}


static ngx_http_cardfeed_response_t *
ngx_http_cardfeed_kept(ngx_http_cardfeed_ctx_t *ctx, const ngx_str_t *name)
{
    ngx_http_cardfeed_response_t   *res;
    ngx_http_cardfeed_main_conf_t  *cmcf;

    if (name->len == 0) {
        return NULL;
    }

    cmcf = ngx_http_get_module_main_conf(ctx->request,
                                         ngx_http_cardfeed_module);

    res = ngx_http_cardfeed_cache_find(cmcf->cache, name);

    if (res && !ngx_http_cardfeed_holds_still(ctx, res)) {
        ngx_http_cardfeed_cache_drop(cmcf->cache, res);
        return NULL;
    }

    return res;
}


static ngx_uint_t
ngx_http_cardfeed_holds_still(ngx_http_cardfeed_ctx_t *ctx,
    ngx_http_cardfeed_response_t *res)
{
    uint64_t  change, txnid;

    if (res->generation != ctx->generation
        || (res->until != CARDFEED_NO_TIME && res->until <= ngx_time()))
    {
        return 0;
    }

    if (res->txnid == cardfeed_store_txnid(ctx->store)) {
        return 1;
    }

    /* something was committed: to one of its topics? */

    if (ngx_http_cardfeed_open_read(ctx) != NGX_OK) {
        return 0;
    }

    txnid = cardfeed_read_txnid(ctx->read);

    if (cardfeed_select_change(ctx->read, res->topics, res->ntopics, &change)
        != CARDFEED_OK
        || change != res->change)
    {
        return 0;
    }

    res->txnid = txnid;
    res->next_due = cardfeed_read_next_due(ctx->read);

    return 1;
}


/* --- the index */

static ngx_int_t
ngx_http_cardfeed_open_store(ngx_http_cardfeed_ctx_t *ctx)
{
    cardfeed_error_t                 err;
    ngx_http_cardfeed_collection_t  *col;

    col = ngx_http_cardfeed_serving(ctx->conf->collection);

    ctx->store = col ? cardfeed_index_current(col->index, &err) : NULL;

    if (ctx->store) {
        ctx->generation = cardfeed_store_generation(ctx->store);
        return NGX_OK;
    }

    if (col && err.code != CARDFEED_NOTFOUND) {
        ngx_log_error(NGX_LOG_ERR, ctx->request->connection->log, 0,
                      "cardfeed: collection \"%V\": %s", &col->name,
                      err.message);
    }

    return NGX_HTTP_SERVICE_UNAVAILABLE;
}


static ngx_int_t
ngx_http_cardfeed_open_read(ngx_http_cardfeed_ctx_t *ctx)
{
    cardfeed_error_t  err;

    if (ctx->read) {
        return NGX_OK;
    }

    if (cardfeed_read_begin(ctx->store, &ctx->read, &err) == CARDFEED_OK) {
        return NGX_OK;
    }

    ctx->read = NULL;

    ngx_log_error(NGX_LOG_ERR, ctx->request->connection->log, 0,
                  "cardfeed: collection \"%V\": %s",
                  &ctx->conf->collection->name, err.message);

    return NGX_HTTP_SERVICE_UNAVAILABLE;
}


/* --- the response */

static ngx_int_t
ngx_http_cardfeed_send(ngx_http_request_t *r,
    ngx_http_cardfeed_response_t *res)
{
    ngx_int_t             rc;
    ngx_buf_t            *b;
    ngx_str_t            *body;
    ngx_chain_t           out;
    cardfeed_encoding_t   encoding;

    /*
     * a strong comparison with a weak ETag is never true (RFC 9110, 13.1.1);
     * a page of an error has no preconditions
     */

    if (r == r->main && !r->err_status && r->headers_in.if_match
        && (r->headers_in.if_match->value.len != 1
            || r->headers_in.if_match->value.data[0] != '*'))
    {
        return NGX_HTTP_PRECONDITION_FAILED;
    }

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    encoding = ngx_http_cardfeed_encoding(r, res);

    if (ngx_http_cardfeed_headers(r, res, encoding) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    body = &res->body[encoding];

    b->pos = body->data;
    b->last = b->pos + body->len;
    b->memory = 1;
    b->last_buf = (r == r->main);
    b->last_in_chain = 1;

    out.buf = b;
    out.next = NULL;

    return ngx_http_output_filter(r, &out);
}


/* An error page of nginx's, with what the status owes to its readers. */

static ngx_int_t
ngx_http_cardfeed_refuse(ngx_http_request_t *r, ngx_int_t status)
{
    ngx_table_elt_t  *h;

    if (ngx_http_cardfeed_answered_elsewhere(r, status)) {
        return status;
    }

    switch (status) {

    case NGX_HTTP_NOT_ALLOWED:
        h = ngx_http_cardfeed_header(r, "Allow", "GET, HEAD");
        break;

    case NGX_HTTP_SERVICE_UNAVAILABLE:
        h = ngx_http_cardfeed_header(r, "Retry-After", "5");
        if (h == NULL) {
            break;
        }

        /* fall through */

    case NGX_HTTP_NOT_FOUND:
        h = ngx_http_cardfeed_header(r, "Cache-Control", "no-store");
        break;

    default:
        return status;
    }

    return h ? status : NGX_HTTP_INTERNAL_SERVER_ERROR;
}


/* With "error_page 404 = @fallback" it is no error any more, and what would
 * be said of one must not stay. */

static ngx_uint_t
ngx_http_cardfeed_answered_elsewhere(ngx_http_request_t *r, ngx_int_t status)
{
    ngx_uint_t                 i;
    ngx_http_err_page_t       *page;
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    if (clcf->error_pages == NULL || r->error_page) {
        return 0;
    }

    page = clcf->error_pages->elts;

    for (i = 0; i < clcf->error_pages->nelts; i++) {
        if (page[i].status == status) {
            return page[i].overwrite >= 0 && page[i].overwrite != status;
        }
    }

    return 0;
}
