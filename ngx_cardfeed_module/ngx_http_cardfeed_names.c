
/*
 * ngx_http_cardfeed_names: what a response is found by in the cache.  The
 * first byte tells the two kinds of names apart.
 */

#include "ngx_http_cardfeed_handler.h"


static size_t ngx_http_cardfeed_said(ngx_http_cardfeed_ctx_t *ctx,
    const ngx_str_t **said);


#define NGX_HTTP_CARDFEED_SAID  6


void
ngx_http_cardfeed_asked_name(ngx_http_cardfeed_ctx_t *ctx, u_char *buf,
    ngx_str_t *name)
{
    u_char           *p;
    size_t            i, n, len;
    uint32_t          size;
    const ngx_str_t  *said[NGX_HTTP_CARDFEED_SAID];

    struct {
        uint8_t                        kind;
        uint8_t                        https;
        in_port_t                      port;
        ngx_http_cardfeed_loc_conf_t  *conf;
    } about;

    n = ngx_http_cardfeed_said(ctx, said);

    len = sizeof(about);

    for (i = 0; i < n; i++) {
        len += sizeof(size) + said[i]->len;
    }

    if (len > NGX_HTTP_CARDFEED_ASKED) {
        ngx_str_null(name);
        return;
    }

    ngx_memzero(&about, sizeof(about));

    about.kind = 'a';
    about.conf = ctx->conf;

    if (ctx->conf->base_url.len == 0) {
        about.port = ngx_http_cardfeed_port(ctx->request);
        about.https = (uint8_t) ngx_http_cardfeed_https(ctx->request);
    }

    p = ngx_cpymem(buf, &about, sizeof(about));

    for (i = 0; i < n; i++) {
        size = (uint32_t) said[i]->len;
        p = ngx_cpymem(p, &size, sizeof(size));

        if (size) {
            p = ngx_cpymem(p, said[i]->data, size);
        }
    }

    name->data = buf;
    name->len = len;
}


/* The texts of a request, as far as its location looks at them. */

static size_t
ngx_http_cardfeed_said(ngx_http_cardfeed_ctx_t *ctx, const ngx_str_t **said)
{
    size_t               n;
    ngx_http_request_t  *r;

    r = ctx->request;
    n = 0;

    said[n++] = &r->uri;
    said[n++] = &r->args;
    said[n++] = &ctx->args;

    if (ngx_http_cardfeed_own_urls(ctx->conf)) {
        said[n++] = &ctx->topic;
        said[n++] = &ctx->name;

        if (ngx_http_cardfeed_rewritten(r)) {
            said[n++] = &r->unparsed_uri;
        }
    }

    return n;
}


ngx_int_t
ngx_http_cardfeed_own_name(ngx_http_cardfeed_ctx_t *ctx, ngx_str_t *name)
{
    cardfeed_buf_t   buf;
    cardfeed_str_t   text;
    cardfeed_page_t  page;

    page = cardfeed_query_page(&ctx->query);

    cardfeed_buf_init(&buf, ctx->self.len + 3 * CARDFEED_QUERY_PRINT_MAX);
    cardfeed_buf_char(&buf, 'o');
    cardfeed_buf_append(&buf, &ctx->conf, sizeof(ctx->conf));
    cardfeed_buf_append(&buf, &ctx->format, sizeof(ctx->format));
    cardfeed_buf_append(&buf, &ctx->catalogue, sizeof(ctx->catalogue));
    cardfeed_buf_append(&buf, &ctx->limit, sizeof(ctx->limit));
    cardfeed_buf_str(&buf, ctx->self);
    cardfeed_buf_char(&buf, '\n');
    cardfeed_query_print(&ctx->query, &buf);
    cardfeed_query_print_args(&ctx->query, ctx->limit, &page, &buf);

    text = ngx_http_cardfeed_keep(ctx, &buf);

    name->data = (u_char *) text.data;
    name->len = text.len;

    return text.len ? NGX_OK : NGX_ERROR;
}
