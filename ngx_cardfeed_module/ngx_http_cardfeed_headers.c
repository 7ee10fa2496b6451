
/*
 * ngx_http_cardfeed_headers: what a response says: its validators, its
 * freshness, its links.
 */

#include "ngx_http_cardfeed_handler.h"

#include <xxhash.h>


#define NGX_HTTP_CARDFEED_ETAG  (sizeof("W/\"\"") - 1 + 32)


static ngx_int_t ngx_http_cardfeed_etag(ngx_http_request_t *r,
    cardfeed_buf_t *body);
static ngx_int_t ngx_http_cardfeed_cache_control(
    ngx_http_cardfeed_ctx_t *ctx);
static ngx_int_t ngx_http_cardfeed_link(ngx_http_cardfeed_ctx_t *ctx);
static ngx_int_t ngx_http_cardfeed_vary(ngx_http_request_t *r);


ngx_int_t
ngx_http_cardfeed_headers(ngx_http_cardfeed_ctx_t *ctx, cardfeed_buf_t *body)
{
    ngx_http_request_t  *r;

    r = ctx->request;

    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_length_n = (off_t) body->len;

    r->headers_out.content_type.data = (u_char *) ctx->format->content_type;
    r->headers_out.content_type.len = ngx_strlen(ctx->format->content_type);
    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.content_type_lowcase = NULL;
    ngx_str_set(&r->headers_out.charset, "utf-8");

    /*
     * a change in this very second must not look like the next one in it:
     * until the time is past there is no Last-Modified
     */

    if (ctx->selection.changed_at < ngx_time()) {
        r->headers_out.last_modified_time =
                                        (time_t) ctx->selection.changed_at;
    }

    /* If-None-Match takes precedence, nginx's filter would want both */

    if (r->headers_in.if_none_match) {
        r->headers_in.if_modified_since = NULL;
    }

    if (ngx_http_cardfeed_etag(r, body) != NGX_OK
        || ngx_http_cardfeed_cache_control(ctx) != NGX_OK
        || ngx_http_cardfeed_link(ctx) != NGX_OK
        || ngx_http_cardfeed_vary(r) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


/*
 * Weak, since encodings share it; a hash of the bytes alone, so that every
 * worker and every machine says the same.
 */

static ngx_int_t
ngx_http_cardfeed_etag(ngx_http_request_t *r, cardfeed_buf_t *body)
{
    u_char           *p;
    XXH128_hash_t     hash;
    ngx_table_elt_t  *etag;

    hash = XXH3_128bits(body->data, body->len);

    etag = ngx_http_cardfeed_header(r, "ETag", NULL);
    p = ngx_pnalloc(r->pool, NGX_HTTP_CARDFEED_ETAG);

    if (etag == NULL || p == NULL) {
        return NGX_ERROR;
    }

    etag->value.data = p;
    etag->value.len = ngx_sprintf(p, "W/\"%016xL%016xL\"",
                                  hash.high64, hash.low64) - p;

    r->headers_out.etag = etag;

    return NGX_OK;
}


static ngx_int_t
ngx_http_cardfeed_cache_control(ngx_http_cardfeed_ctx_t *ctx)
{
    u_char              *p;
    time_t               age, left;
    const char          *scope;
    ngx_table_elt_t     *h;
    ngx_http_request_t  *r;

    r = ctx->request;
    age = ctx->conf->max_age;

    if (ctx->selection.next_due != CARDFEED_NO_TIME) {
        left = (time_t) ctx->selection.next_due - ngx_time();
        age = ngx_min(age, ngx_max(left, 0));
    }

    /* what took credentials is not for shared caches to hand to others */

    scope = r->headers_in.authorization ? "private" : "public";

    p = ngx_pnalloc(r->pool, sizeof("private, max-age=") + NGX_TIME_T_LEN);
    h = ngx_http_cardfeed_header(r, "Cache-Control", NULL);

    if (p == NULL || h == NULL) {
        return NGX_ERROR;
    }

    h->value.data = p;
    h->value.len = ngx_sprintf(p, "%s, max-age=%T", scope, age) - p;

    /* so that "expires" replaces it */

#if (nginx_version >= 1023000)
    r->headers_out.cache_control = h;
#else
    if (ngx_array_init(&r->headers_out.cache_control, r->pool, 1,
                       sizeof(ngx_table_elt_t *))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    *(ngx_table_elt_t **) ngx_array_push(&r->headers_out.cache_control) = h;
#endif

    return NGX_OK;
}


static ngx_int_t
ngx_http_cardfeed_link(ngx_http_cardfeed_ctx_t *ctx)
{
    size_t            len;
    u_char           *p, *last;
    cardfeed_feed_t  *feed;
    ngx_table_elt_t  *h;

    feed = &ctx->feed;

    len = sizeof("<>; rel=\"self\", <>; rel=\"hub\"") - 1
          + feed->self_url.len + feed->hub_url.len;

    p = ngx_pnalloc(ctx->request->pool, len);
    h = ngx_http_cardfeed_header(ctx->request, "Link", NULL);

    if (p == NULL || h == NULL) {
        return NGX_ERROR;
    }

    last = ngx_sprintf(p, "<%*s>; rel=\"self\"",
                       feed->self_url.len, feed->self_url.data);

    if (feed->hub_url.len) {
        last = ngx_sprintf(last, ", <%*s>; rel=\"hub\"",
                           feed->hub_url.len, feed->hub_url.data);
    }

    h->value.data = p;
    h->value.len = last - p;

    return NGX_OK;
}


/* Once, on 200 and 304 alike, whatever gzip and gzip_vary are set to. */

static ngx_int_t
ngx_http_cardfeed_vary(ngx_http_request_t *r)
{
#if (NGX_HTTP_GZIP)
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    if (clcf->gzip_vary) {

        /* nginx writes it then, also where its gzip filter does not ask */

        r->gzip_vary = 1;
        return NGX_OK;
    }
#endif

    return ngx_http_cardfeed_header(r, "Vary", "Accept-Encoding")
           ? NGX_OK : NGX_ERROR;
}


/* An error page of ours may have led here, and left some behind. */

ngx_table_elt_t *
ngx_http_cardfeed_header(ngx_http_request_t *r, const char *name,
    const char *value)
{
    size_t            len;
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    len = ngx_strlen(name);

    for (part = &r->headers_out.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {
            if (h[i].hash && h[i].key.len == len
                && ngx_strncasecmp(h[i].key.data, (u_char *) name, len) == 0)
            {
                h = &h[i];
                goto found;
            }
        }
    }

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NULL;
    }

#if (nginx_version >= 1023000)
    h->next = NULL;
#endif

found:

    h->hash = 1;
    h->key.data = (u_char *) name;
    h->key.len = len;
    h->value.data = (u_char *) value;
    h->value.len = value ? ngx_strlen(value) : 0;

    return h;
}
