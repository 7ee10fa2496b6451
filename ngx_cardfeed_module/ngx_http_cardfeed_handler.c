
/*
 * ngx_http_cardfeed_handler: request → response, from the cache or made now.
 * Everything is there before the headers go out; a request never waits.
 */

#include "ngx_http_cardfeed_handler.h"


/* A request of more bytes is not remembered by what it said. */

#define NGX_HTTP_CARDFEED_KEY  4096


static ngx_int_t ngx_http_cardfeed_answer(ngx_http_cardfeed_ctx_t *ctx,
    ngx_http_cardfeed_answer_t *answer);
static ngx_int_t ngx_http_cardfeed_make(ngx_http_cardfeed_ctx_t *ctx,
    const ngx_str_t *asked, ngx_http_cardfeed_answer_t *answer);
static ngx_http_cardfeed_response_t *ngx_http_cardfeed_kept(
    ngx_http_cardfeed_ctx_t *ctx, const ngx_str_t *name);
static ngx_uint_t ngx_http_cardfeed_holds_still(ngx_http_cardfeed_ctx_t *ctx,
    ngx_http_cardfeed_response_t *res);
static void ngx_http_cardfeed_asked_name(ngx_http_cardfeed_ctx_t *ctx,
    u_char *buf, ngx_str_t *name);
static ngx_int_t ngx_http_cardfeed_own_name(ngx_http_cardfeed_ctx_t *ctx,
    ngx_str_t *name);
static ngx_int_t ngx_http_cardfeed_open_read(ngx_http_cardfeed_ctx_t *ctx);
static cardfeed_encoding_t ngx_http_cardfeed_encoding(ngx_http_request_t *r,
    ngx_http_cardfeed_response_t *res);
static ngx_uint_t ngx_http_cardfeed_encoded(ngx_http_request_t *r,
    ngx_http_cardfeed_response_t *res, cardfeed_encoding_t encoding);
static ngx_int_t ngx_http_cardfeed_send(ngx_http_request_t *r,
    ngx_http_cardfeed_response_t *res);
static ngx_int_t ngx_http_cardfeed_refuse(ngx_http_request_t *r,
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

    ngx_memzero(&ctx, sizeof(ngx_http_cardfeed_ctx_t));

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
    u_char                         buf[NGX_HTTP_CARDFEED_KEY];
    ngx_int_t                      rc, opened;
    ngx_str_t                      asked;
    ngx_http_cardfeed_response_t  *res;

    rc = ngx_http_cardfeed_values(ctx);

    if (rc != NGX_OK) {
        return rc;
    }

    opened = ngx_http_cardfeed_open_read(ctx);

    ngx_http_cardfeed_asked_name(ctx, buf, &asked);

    res = (opened == NGX_OK) ? ngx_http_cardfeed_kept(ctx, &asked) : NULL;

    if (res) {
        res->refs++;
        answer->response = res;
        ngx_str_set(&answer->status, "HIT");

        return NGX_OK;
    }

    /* what is wrong with a request is told also while nothing is there */

    cardfeed_arena_reset(ctx->arena);

    rc = ngx_http_cardfeed_resolve(ctx);

    if (rc != NGX_OK) {
        return rc;
    }

    return opened == NGX_OK ? ngx_http_cardfeed_make(ctx, &asked, answer)
                            : opened;
}


/* The same in other words, or a new document. */

static ngx_int_t
ngx_http_cardfeed_make(ngx_http_cardfeed_ctx_t *ctx, const ngx_str_t *asked,
    ngx_http_cardfeed_answer_t *answer)
{
    uint64_t                        change;
    ngx_int_t                       rc;
    ngx_str_t                       own;
    ngx_uint_t                      keep;
    ngx_http_cardfeed_cache_t      *cache;
    ngx_http_cardfeed_response_t   *res;
    ngx_http_cardfeed_main_conf_t  *cmcf;

    cmcf = ngx_http_get_module_main_conf(ctx->request,
                                         ngx_http_cardfeed_module);
    cache = cmcf->cache;

    /* "all,nothing" is all, but not where nothing is no topic */

    if (ctx->query.ndropped
        && cardfeed_select_change(ctx->read, ctx->query.dropped,
                                  ctx->query.ndropped, &change)
           == CARDFEED_NOTFOUND)
    {
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
    uint64_t  txnid, change;

    if (res->generation != ctx->generation
        || (res->until != CARDFEED_NO_TIME && res->until <= ngx_time()))
    {
        return 0;
    }

    txnid = cardfeed_read_txnid(ctx->read);

    if (res->txnid == txnid) {
        return 1;
    }

    /* something was committed: to one of its topics? */

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


/* --- names */

/*
 * All that a request says, and is about, that may shape its response: to find
 * that again without a look at what it means.  Empty where that is too much.
 */

static void
ngx_http_cardfeed_asked_name(ngx_http_cardfeed_ctx_t *ctx, u_char *buf,
    ngx_str_t *name)
{
    u_char                        *p;
    size_t                         i, n, len;
    uint32_t                       size;
    ngx_uint_t                     own;
    ngx_http_request_t            *r;
    ngx_http_cardfeed_loc_conf_t  *conf;

    struct {
        ngx_http_cardfeed_loc_conf_t  *conf;
        uint16_t                       port;
        uint8_t                        https;
        uint8_t                        unparsed;
        uint32_t                       kind;
    } head;

    r = ctx->request;
    conf = ctx->conf;
    own = ngx_http_cardfeed_own_urls(conf);

    const ngx_str_t *said[] = {
        &r->uri, &r->args, &ctx->args, &ctx->topic, &ctx->name,
        &r->unparsed_uri
    };

    n = sizeof(said) / sizeof(said[0]) - (own ? 0 : 3);

    len = sizeof(head);

    for (i = 0; i < n; i++) {
        len += sizeof(size) + said[i]->len;
    }

    if (len > NGX_HTTP_CARDFEED_KEY) {
        ngx_str_null(name);
        return;
    }

    ngx_memzero(&head, sizeof(head));

    head.conf = conf;

    if (conf->base_url.len == 0) {
        head.port = (uint16_t) ngx_http_cardfeed_port(r);
        head.https = (uint8_t) ngx_http_cardfeed_https(r);
    }

    if (own) {
        head.unparsed = !r->valid_unparsed_uri;
    }

    p = ngx_cpymem(buf, &head, sizeof(head));

    for (i = 0; i < n; i++) {
        size = (uint32_t) said[i]->len;
        p = ngx_cpymem(p, &size, sizeof(size));
        p = ngx_cpymem(p, said[i]->data, said[i]->len);
    }

    name->data = buf;
    name->len = len;
}


/* What the document is: its location, format, URL, and selection. */

static ngx_int_t
ngx_http_cardfeed_own_name(ngx_http_cardfeed_ctx_t *ctx, ngx_str_t *name)
{
    cardfeed_buf_t    buf;
    cardfeed_str_t    text;
    cardfeed_page_t   page;
    cardfeed_query_t  query;

    page = cardfeed_query_page(&ctx->query);

    /* ctx->limit, whether it was asked for or is the default */

    query = ctx->query;
    query.limit = 0;

    cardfeed_buf_init(&buf, ctx->self.len + 3 * CARDFEED_QUERY_PRINT_MAX);
    cardfeed_buf_append(&buf, &ctx->conf, sizeof(ctx->conf));
    cardfeed_buf_append(&buf, &ctx->format, sizeof(ctx->format));
    cardfeed_buf_append(&buf, &ctx->catalogue, sizeof(ctx->catalogue));
    cardfeed_buf_append(&buf, &ctx->limit, sizeof(ctx->limit));
    cardfeed_buf_str(&buf, ctx->self);
    cardfeed_buf_char(&buf, '\n');
    cardfeed_query_print(&query, &buf);
    cardfeed_query_print_args(&query, 0, &page, &buf);

    text = ngx_http_cardfeed_keep(ctx, &buf);

    name->data = (u_char *) text.data;
    name->len = text.len;

    return text.len ? NGX_OK : NGX_ERROR;
}


/* --- the index */

static ngx_int_t
ngx_http_cardfeed_open_read(ngx_http_cardfeed_ctx_t *ctx)
{
    cardfeed_error_t                 err;
    cardfeed_store_t                *store;
    ngx_http_cardfeed_collection_t  *col;

    col = ngx_http_cardfeed_serving(ctx->conf->collection);

    store = col ? cardfeed_index_current(col->index, &err) : NULL;

    if (store == NULL) {
        if (col && err.code != CARDFEED_NOTFOUND) {
            ngx_log_error(NGX_LOG_ERR, ctx->request->connection->log, 0,
                          "cardfeed: collection \"%V\": %s", &col->name,
                          err.message);
        }

        return NGX_HTTP_SERVICE_UNAVAILABLE;
    }

    if (cardfeed_read_begin(store, &ctx->read, &err) != CARDFEED_OK) {
        ctx->read = NULL;

        ngx_log_error(NGX_LOG_ERR, ctx->request->connection->log, 0,
                      "cardfeed: collection \"%V\": %s", &col->name,
                      err.message);

        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx->generation = cardfeed_store_generation(store);

    return NGX_OK;
}


/* --- the response */

/* What the client likes best, as far as it is worth it. */

static cardfeed_encoding_t
ngx_http_cardfeed_encoding(ngx_http_request_t *r,
    ngx_http_cardfeed_response_t *res)
{
    size_t                         n, j;
    ngx_uint_t                     i;
    ngx_list_part_t               *part;
    ngx_table_elt_t               *h;
    cardfeed_accept_t              accept;
    cardfeed_encoding_t            order[CARDFEED_ENCODINGS];
    ngx_http_cardfeed_loc_conf_t  *conf;

    conf = ngx_http_get_module_loc_conf(r, ngx_http_cardfeed_module);

    /* a subrequest becomes a part of something else */

    if (r != r->main || !conf->compression) {
        return CARDFEED_ENCODING_IDENTITY;
    }

    cardfeed_accept_init(&accept);

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {
            if (h[i].key.len == sizeof("Accept-Encoding") - 1
                && ngx_strncmp(h[i].lowcase_key, "accept-encoding",
                               sizeof("Accept-Encoding") - 1)
                   == 0)
            {
                cardfeed_accept_header(&accept,
                                       ngx_http_cardfeed_str(&h[i].value));
            }
        }
    }

    n = cardfeed_accept_order(&accept, order);

    for (j = 0; j < n; j++) {
        if (ngx_http_cardfeed_encoded(r, res, order[j])) {
            return order[j];
        }
    }

    return CARDFEED_ENCODING_IDENTITY;
}


/* Whether there is such a body; it is made the first time it is asked for. */

static ngx_uint_t
ngx_http_cardfeed_encoded(ngx_http_request_t *r,
    ngx_http_cardfeed_response_t *res, cardfeed_encoding_t encoding)
{
    int                             rc;
    ngx_http_cardfeed_main_conf_t  *cmcf;

    if (res->body[encoding].len) {
        return 1;
    }

    if (res->useless & (1u << encoding)) {
        return 0;
    }

    rc = cardfeed_encode(encoding,
                     cardfeed_buf_view(&res->body[CARDFEED_ENCODING_IDENTITY]),
                     &res->body[encoding]);

    if (rc != CARDFEED_OK) {
        cardfeed_buf_free(&res->body[encoding]);

        if (rc == CARDFEED_FULL) {
            res->useless |= 1u << encoding;
        }

        return 0;
    }

    cardfeed_buf_fit(&res->body[encoding]);

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_cardfeed_module);

    ngx_http_cardfeed_cache_grown(cmcf->cache, res);

    return 1;
}


static ngx_int_t
ngx_http_cardfeed_send(ngx_http_request_t *r,
    ngx_http_cardfeed_response_t *res)
{
    ngx_int_t             rc;
    ngx_buf_t            *b;
    ngx_chain_t           out;
    cardfeed_buf_t       *body;
    cardfeed_encoding_t   encoding;

    /* a strong comparison with a weak ETag is never true (RFC 9110, 13.1.1) */

    if (r == r->main && r->headers_in.if_match
        && (r->headers_in.if_match->value.len != 1
            || r->headers_in.if_match->value.data[0] != '*'))
    {
        return NGX_HTTP_PRECONDITION_FAILED;
    }

    encoding = ngx_http_cardfeed_encoding(r, res);

    if (ngx_http_cardfeed_headers(r, res, encoding) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    body = &res->body[encoding];

    b->pos = (u_char *) body->data;
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
