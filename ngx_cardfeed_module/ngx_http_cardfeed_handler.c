
/*
 * ngx_http_cardfeed_handler: request → selection → document → response.
 * Everything is made before the headers go out; a request never waits.
 */

#include "ngx_http_cardfeed_handler.h"


#define NGX_HTTP_CARDFEED_DOCUMENT  (64 * 1024 * 1024)


static ngx_int_t ngx_http_cardfeed_resolve(ngx_http_cardfeed_ctx_t *ctx);
static ngx_int_t ngx_http_cardfeed_resolve_path(ngx_http_cardfeed_ctx_t *ctx,
    cardfeed_str_t *selection, cardfeed_str_t *format);
static ngx_int_t ngx_http_cardfeed_resolve_args(ngx_http_cardfeed_ctx_t *ctx);
static ngx_int_t ngx_http_cardfeed_render(ngx_http_cardfeed_ctx_t *ctx,
    cardfeed_store_t *store, cardfeed_buf_t *body);
static ngx_int_t ngx_http_cardfeed_send(ngx_http_request_t *r,
    cardfeed_buf_t *body);
static ngx_int_t ngx_http_cardfeed_refuse(ngx_http_request_t *r,
    ngx_int_t status);
static void ngx_http_cardfeed_free_body(void *data);


ngx_int_t
ngx_http_cardfeed_handler(ngx_http_request_t *r)
{
    ngx_int_t                        rc;
    cardfeed_buf_t                  *body;
    cardfeed_error_t                 err;
    cardfeed_store_t                *store;
    ngx_pool_cleanup_t              *cln;
    ngx_http_cardfeed_ctx_t          ctx;
    ngx_http_cardfeed_main_conf_t   *cmcf;
    ngx_http_cardfeed_collection_t  *col;

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {
        return ngx_http_cardfeed_refuse(r, NGX_HTTP_NOT_ALLOWED);
    }

    rc = ngx_http_discard_request_body(r);

    if (rc != NGX_OK) {
        return rc;
    }

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_cardfeed_module);

    ngx_memzero(&ctx, sizeof(ngx_http_cardfeed_ctx_t));

    ctx.request = r;
    ctx.conf = ngx_http_get_module_loc_conf(r, ngx_http_cardfeed_module);
    ctx.arena = &cmcf->arena;

    cardfeed_arena_reset(ctx.arena);
    cardfeed_query_init(&ctx.query, ctx.arena);

    rc = ngx_http_cardfeed_resolve(&ctx);

    if (rc != NGX_OK) {
        return ngx_http_cardfeed_refuse(r, rc);
    }

    col = ngx_http_cardfeed_serving(ctx.conf->collection);

    store = col ? cardfeed_index_current(col->index, &err) : NULL;

    if (store == NULL) {
        if (col && err.code != CARDFEED_NOTFOUND) {
            ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                          "cardfeed: collection \"%V\": %s", &col->name,
                          err.message);
        }

        return ngx_http_cardfeed_refuse(r, NGX_HTTP_SERVICE_UNAVAILABLE);
    }

    cln = ngx_pool_cleanup_add(r->pool, sizeof(cardfeed_buf_t));
    if (cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    body = cln->data;
    cardfeed_buf_init(body, NGX_HTTP_CARDFEED_DOCUMENT);
    cln->handler = ngx_http_cardfeed_free_body;

    rc = ngx_http_cardfeed_render(&ctx, store, body);

    if (rc != NGX_OK) {
        return ngx_http_cardfeed_refuse(r, rc);
    }

    rc = ngx_http_cardfeed_headers(&ctx, body);

    if (rc != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_cardfeed_send(r, body);
}


/* The URL, or what directives put in its place → format, query and limit. */

static ngx_int_t
ngx_http_cardfeed_resolve(ngx_http_cardfeed_ctx_t *ctx)
{
    int                            rc;
    ngx_str_t                      value;
    cardfeed_str_t                 selection, format;
    ngx_http_cardfeed_loc_conf_t  *conf;

    conf = ctx->conf;

    if (ngx_http_cardfeed_resolve_path(ctx, &selection, &format) != NGX_OK) {
        return NGX_HTTP_NOT_FOUND;
    }

    if (conf->format) {
        if (ngx_http_complex_value(ctx->request, conf->format, &value)
            != NGX_OK)
        {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        format = ngx_http_cardfeed_str(&value);
    }

    ctx->format = cardfeed_feed_format(format);

    if (ctx->format == NULL) {
        return NGX_HTTP_NOT_FOUND;
    }

    if (conf->topic) {
        if (ngx_http_complex_value(ctx->request, conf->topic, &value)
            != NGX_OK)
        {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        rc = cardfeed_query_topic(&ctx->query, ngx_http_cardfeed_str(&value));

    } else {
        rc = cardfeed_query_selection(&ctx->query, selection);
    }

    if (rc == CARDFEED_NOMEM) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (rc != CARDFEED_OK) {
        return NGX_HTTP_NOT_FOUND;
    }

    return ngx_http_cardfeed_resolve_args(ctx);
}


/* What the path below the location's prefix says. */

static ngx_int_t
ngx_http_cardfeed_resolve_path(ngx_http_cardfeed_ctx_t *ctx,
    cardfeed_str_t *selection, cardfeed_str_t *format)
{
    ngx_str_t                      rest;
    ngx_http_cardfeed_loc_conf_t  *conf;

    conf = ctx->conf;

    *selection = CARDFEED_STR("all");
    *format = CARDFEED_NO_STR;

    if (conf->prefix.len == 0) {
        return NGX_OK;
    }

    if (ctx->request->uri.len < conf->prefix.len) {
        return NGX_DECLINED;
    }

    rest.data = ctx->request->uri.data + conf->prefix.len;
    rest.len = ctx->request->uri.len - conf->prefix.len;

    if (conf->prefix.data[conf->prefix.len - 1] != '/' && rest.len) {
        if (rest.data[0] != '/') {
            return NGX_DECLINED;
        }

        rest.data++;
        rest.len--;
    }

    if (conf->format == NULL) {
        return cardfeed_query_split(ngx_http_cardfeed_str(&rest), selection,
                                    format)
               == CARDFEED_OK ? NGX_OK : NGX_DECLINED;
    }

    if (rest.len) {
        *selection = ngx_http_cardfeed_str(&rest);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_cardfeed_resolve_args(ngx_http_cardfeed_ctx_t *ctx)
{
    int                            rc;
    uint32_t                       max;
    ngx_str_t                      value;
    cardfeed_error_t               err;
    ngx_http_request_t            *r;
    ngx_http_cardfeed_loc_conf_t  *conf;

    r = ctx->request;
    conf = ctx->conf;
    max = (uint32_t) conf->max_entries;

    rc = cardfeed_query_args(&ctx->query, ngx_http_cardfeed_str(&r->args),
                             max, &err);

    if (rc == CARDFEED_INVALID) {
        ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                      "cardfeed: %s", err.message);
        return NGX_HTTP_BAD_REQUEST;
    }

    ctx->asked = ctx->query;

    if (rc == CARDFEED_OK && conf->args) {
        if (ngx_http_complex_value(r, conf->args, &value) != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        rc = cardfeed_query_args(&ctx->query, ngx_http_cardfeed_str(&value),
                                 max, &err);

        if (rc == CARDFEED_INVALID) {
            ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                          "cardfeed: in \"cardfeed_args\": %s", err.message);
            return NGX_HTTP_BAD_REQUEST;
        }
    }

    if (rc != CARDFEED_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx->limit = ctx->query.limit ? ctx->query.limit
                                  : (uint32_t) conf->entries;

    return NGX_OK;
}


/* One read transaction: select, then write the document while it lasts. */

static ngx_int_t
ngx_http_cardfeed_render(ngx_http_cardfeed_ctx_t *ctx,
    cardfeed_store_t *store, cardfeed_buf_t *body)
{
    int                rc;
    ngx_int_t          status;
    cardfeed_read_t   *read;
    cardfeed_error_t   err;

    err.message[0] = '\0';

    rc = cardfeed_read_begin(store, &read, &err);
    if (rc != CARDFEED_OK) {
        goto failed;
    }

    rc = cardfeed_select(read, &ctx->query, ctx->limit, ngx_time(),
                         ctx->arena, &ctx->selection, &err);

    if (rc == CARDFEED_NOTFOUND) {
        cardfeed_read_end(read);
        return NGX_HTTP_NOT_FOUND;
    }

    status = NGX_OK;

    if (rc == CARDFEED_OK) {
        if (ngx_http_cardfeed_urls(ctx) != NGX_OK
            || ngx_http_cardfeed_channel(ctx) != NGX_OK)
        {
            status = NGX_ERROR;

        } else {
            rc = cardfeed_feed_render(ctx->format, &ctx->feed, body, &err);
        }
    }

    cardfeed_read_end(read);

    if (status != NGX_OK) {
        ngx_log_error(NGX_LOG_ERR, ctx->request->connection->log, 0,
                      "cardfeed: no memory for the feed's metadata");
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (rc == CARDFEED_OK) {
        return NGX_OK;
    }

failed:

    ngx_log_error(NGX_LOG_ERR, ctx->request->connection->log, 0,
                  "cardfeed: collection \"%V\": %s",
                  &ctx->conf->collection->name, err.message);

    return NGX_HTTP_INTERNAL_SERVER_ERROR;
}


static ngx_int_t
ngx_http_cardfeed_send(ngx_http_request_t *r, cardfeed_buf_t *body)
{
    ngx_int_t     rc;
    ngx_buf_t    *b;
    ngx_chain_t   out;

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

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


static void
ngx_http_cardfeed_free_body(void *data)
{
    cardfeed_buf_free(data);
}
