
/*
 * ngx_http_cardfeed_urls: what a document, its other pages and its other
 * formats are called.
 */

#include "ngx_http_cardfeed_handler.h"


static void ngx_http_cardfeed_base_of(ngx_http_request_t *r,
    ngx_http_cardfeed_loc_conf_t *conf, cardfeed_buf_t *out);
static ngx_int_t ngx_http_cardfeed_feeds(ngx_http_cardfeed_ctx_t *ctx);
static ngx_int_t ngx_http_cardfeed_path(ngx_http_cardfeed_ctx_t *ctx);
static void ngx_http_cardfeed_own_path(ngx_http_request_t *r,
    cardfeed_buf_t *out);
static cardfeed_str_t ngx_http_cardfeed_page_url(ngx_http_cardfeed_ctx_t *ctx,
    const cardfeed_page_t *page);


/* All that a path may hold as it is. */

#define NGX_HTTP_CARDFEED_PATH  "/+,!:@$&'()*;="


in_port_t
ngx_http_cardfeed_port(ngx_http_request_t *r)
{
    struct sockaddr  *sa;

    /* the listening socket's: a wildcard's port is right already */

    sa = r->connection->local_sockaddr;

    return sa ? ngx_inet_get_port(sa) : 0;
}


ngx_uint_t
ngx_http_cardfeed_https(ngx_http_request_t *r)
{
#if (NGX_HTTP_SSL)
    return r->connection->ssl != NULL;
#else
    return 0;
#endif
}


/* cardfeed_base_url, or scheme, server_name and port; never the Host. */

static void
ngx_http_cardfeed_base_of(ngx_http_request_t *r,
    ngx_http_cardfeed_loc_conf_t *conf, cardfeed_buf_t *out)
{
    in_port_t   port;
    ngx_uint_t  https;

    if (conf->base_url.len) {
        cardfeed_buf_str(out, ngx_http_cardfeed_str(&conf->base_url));
        return;
    }

    https = ngx_http_cardfeed_https(r);
    port = ngx_http_cardfeed_port(r);

    cardfeed_buf_cstr(out, https ? "https://" : "http://");
    cardfeed_buf_str(out, ngx_http_cardfeed_str(&conf->host));

    if (port && port != (https ? 443 : 80)) {
        cardfeed_buf_printf(out, ":%u", (unsigned) port);
    }
}


ngx_int_t
ngx_http_cardfeed_self(ngx_http_cardfeed_ctx_t *ctx)
{
    cardfeed_buf_t   buf;
    cardfeed_page_t  page;

    cardfeed_buf_init(&buf, NGX_HTTP_CARDFEED_URL);
    ngx_http_cardfeed_base_of(ctx->request, ctx->conf, &buf);
    ctx->base = ngx_http_cardfeed_keep(ctx, &buf);

    if (ctx->base.len == 0
        || ngx_http_cardfeed_feeds(ctx) != NGX_OK
        || ngx_http_cardfeed_path(ctx) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ctx->catalogue) {
        ctx->self = ngx_http_cardfeed_topics_url(ctx, ctx->asked.from);

    } else {
        page = cardfeed_query_page(&ctx->asked);
        ctx->self = ngx_http_cardfeed_page_url(ctx, &page);
    }

    return ctx->self.len ? NGX_OK : NGX_ERROR;
}


void
ngx_http_cardfeed_feeds_url(ngx_http_request_t *r,
    ngx_http_cardfeed_loc_conf_t *conf, ngx_str_t *prefix,
    cardfeed_buf_t *out)
{
    ngx_http_cardfeed_base_of(r, conf, out);
    cardfeed_url_encode(out, ngx_http_cardfeed_str(prefix),
                        NGX_HTTP_CARDFEED_PATH);

    if (prefix->data[prefix->len - 1] != '/') {
        cardfeed_buf_char(out, '/');
    }
}


/* Where all feeds of the collection are: here, or where they are said to
 * be. */

static ngx_int_t
ngx_http_cardfeed_feeds(ngx_http_cardfeed_ctx_t *ctx)
{
    ngx_str_t                     *prefix;
    cardfeed_buf_t                 buf;
    ngx_http_cardfeed_loc_conf_t  *conf;

    conf = ctx->conf;

    if (!ngx_http_cardfeed_own_urls(conf)) {
        prefix = &conf->prefix;

    } else if (conf->advertise
               && conf->advertise->collection == conf->collection)
    {
        prefix = &conf->advertise->prefix;

    } else {
        ctx->feeds = CARDFEED_NO_STR;
        return NGX_OK;
    }

    cardfeed_buf_init(&buf, NGX_HTTP_CARDFEED_URL * 4);
    ngx_http_cardfeed_feeds_url(ctx->request, conf, prefix, &buf);
    ctx->feeds = ngx_http_cardfeed_keep(ctx, &buf);

    return ctx->feeds.len ? NGX_OK : NGX_ERROR;
}


/* The canonical path of the selection, or the request's own. */

static ngx_int_t
ngx_http_cardfeed_path(ngx_http_cardfeed_ctx_t *ctx)
{
    size_t                         len;
    cardfeed_buf_t                 buf, decoded;
    ngx_http_request_t            *r;
    ngx_http_cardfeed_loc_conf_t  *conf;

    r = ctx->request;
    conf = ctx->conf;

    len = r->uri.len + r->unparsed_uri.len + conf->prefix.len
          + CARDFEED_QUERY_MAX;

    cardfeed_buf_init(&decoded, len);
    cardfeed_buf_init(&buf, 3 * len);

    if (ngx_http_cardfeed_own_urls(conf)) {
        ngx_http_cardfeed_own_path(r, &decoded);

    } else {
        cardfeed_buf_str(&decoded, ngx_http_cardfeed_str(&conf->prefix));

        if (conf->prefix.data[conf->prefix.len - 1] != '/') {
            cardfeed_buf_char(&decoded, '/');
        }

        if (!ctx->catalogue || ctx->format->begin == NULL) {
            cardfeed_query_print_selection(&ctx->query, &decoded);
            cardfeed_buf_char(&decoded, '.');
            cardfeed_buf_cstr(&decoded, ctx->format->name);
        }
    }

    cardfeed_url_encode(&buf, cardfeed_buf_view(&decoded),
                        NGX_HTTP_CARDFEED_PATH);

    if (decoded.failed) {
        buf.failed = decoded.failed;
    }

    ctx->path = ngx_http_cardfeed_keep(ctx, &buf);

    cardfeed_buf_free(&decoded);

    return ctx->path.len ? NGX_OK : NGX_ERROR;
}


/*
 * Whether the path the client asked for is another one than r->uri, and still
 * what the document is called by: after a rewrite, but not where an error led
 * to a page of its own, and not in a subrequest, which is none of the
 * client's.
 */

ngx_uint_t
ngx_http_cardfeed_rewritten(ngx_http_request_t *r)
{
    return !r->valid_unparsed_uri && r == r->main
           && !r->error_page && !r->err_status;
}


/* That path, decoded. */

static void
ngx_http_cardfeed_own_path(ngx_http_request_t *r, cardfeed_buf_t *out)
{
    cardfeed_str_t  path;

    if (ngx_http_cardfeed_rewritten(r)) {
        path = ngx_http_cardfeed_str(&r->unparsed_uri);

        for (path.len = 0; path.len < r->unparsed_uri.len; path.len++) {
            if (path.data[path.len] == '?' || path.data[path.len] == '#') {
                break;
            }
        }

        if (path.len && path.data[0] == '/'
            && cardfeed_url_decode(out, path, false) == CARDFEED_OK)
        {
            cardfeed_url_remove_dots(out, 0);
            return;
        }

        cardfeed_buf_reset(out);
    }

    cardfeed_buf_str(out, ngx_http_cardfeed_str(&r->uri));
}


static cardfeed_str_t
ngx_http_cardfeed_page_url(ngx_http_cardfeed_ctx_t *ctx,
    const cardfeed_page_t *page)
{
    ngx_int_t       usual;
    cardfeed_buf_t  buf;

    usual = page->month ? ctx->conf->max_entries : ctx->conf->entries;

    cardfeed_buf_init(&buf, ctx->base.len + ctx->path.len
                            + CARDFEED_QUERY_PRINT_MAX);
    cardfeed_buf_str(&buf, ctx->base);
    cardfeed_buf_str(&buf, ctx->path);
    cardfeed_query_print_args(&ctx->asked, (uint32_t) usual, page, &buf);

    return ngx_http_cardfeed_keep(ctx, &buf);
}


/* First and next, or the archive's links, all below the same base. */

ngx_int_t
ngx_http_cardfeed_pages(ngx_http_cardfeed_ctx_t *ctx)
{
    ngx_uint_t             i, archive;
    cardfeed_feed_t       *feed;
    cardfeed_page_t        first, next;
    cardfeed_archives_t   *archives;
    cardfeed_selection_t  *sel;

    sel = &ctx->selection;
    feed = &ctx->feed;
    archives = &ctx->archives;
    archive = (ctx->query.month != 0);

    ngx_memzero(&first, sizeof(cardfeed_page_t));

    next = first;
    next.has_before = true;
    next.before = sel->next;

    struct {
        cardfeed_str_t         *url;
        const cardfeed_page_t  *page;
        bool                    wanted;
    } urls[] = {
        { &feed->first_url, &first,
          !archive && (ctx->asked.has_before || sel->more) },
        { &feed->next_url, &next, !archive && sel->more },
        { &feed->current_url, &first, archive },
        { &feed->prev_archive_url, &archives->prev, archives->has_prev },
        { &feed->next_archive_url, &archives->next, archives->has_next }
    };

    feed->self_url = ctx->self;

    for (i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {

        *urls[i].url = CARDFEED_NO_STR;

        if (!urls[i].wanted) {
            continue;
        }

        *urls[i].url = ngx_http_cardfeed_page_url(ctx, urls[i].page);

        if (urls[i].url->len == 0) {
            return NGX_ERROR;
        }
    }

    feed->complete = !archive && !ctx->query.has_before && !sel->more;

    return NGX_OK;
}


/* What to subscribe to: the first page, in the formats of feed readers. */

ngx_int_t
ngx_http_cardfeed_alternates(ngx_http_cardfeed_ctx_t *ctx)
{
    ngx_uint_t                       i, n;
    cardfeed_buf_t                   buf, selection;
    cardfeed_str_t                   name;
    cardfeed_query_t                *query;
    cardfeed_alternate_t            *alternates;
    const cardfeed_format_t *const  *format;

    for (n = 0; cardfeed_feed_formats[n]; n++) { /* void */ }

    alternates = cardfeed_arena_alloc(ctx->arena,
                                      n * sizeof(cardfeed_alternate_t));
    if (alternates == NULL) {
        return NGX_ERROR;
    }

    /* here cardfeed_args come on top, elsewhere they have to be said */

    query = ngx_http_cardfeed_own_urls(ctx->conf) ? &ctx->query : &ctx->asked;

    cardfeed_buf_init(&selection, CARDFEED_QUERY_MAX * 2);
    cardfeed_query_print_selection(&ctx->query, &selection);
    name = ngx_http_cardfeed_keep(ctx, &selection);

    for (format = cardfeed_feed_formats, i = 0; *format; format++) {

        if (!(*format)->subscribe) {
            continue;
        }

        cardfeed_buf_init(&buf, ctx->feeds.len + 3 * name.len
                                + CARDFEED_QUERY_PRINT_MAX);
        cardfeed_buf_str(&buf, ctx->feeds);
        cardfeed_url_encode(&buf, name, NGX_HTTP_CARDFEED_PATH);
        cardfeed_buf_char(&buf, '.');
        cardfeed_buf_cstr(&buf, (*format)->name);
        cardfeed_query_print_args(query, (uint32_t) ctx->conf->entries, NULL,
                                  &buf);

        alternates[i].format = *format;
        alternates[i].url = ngx_http_cardfeed_keep(ctx, &buf);

        if (alternates[i++].url.len == 0) {
            return NGX_ERROR;
        }
    }

    ctx->feed.alternates = alternates;
    ctx->feed.nalternates = i;

    return NGX_OK;
}


cardfeed_str_t
ngx_http_cardfeed_topics_url(ngx_http_cardfeed_ctx_t *ctx, cardfeed_str_t from)
{
    cardfeed_buf_t  buf;

    cardfeed_buf_init(&buf, NGX_HTTP_CARDFEED_URL * 4);
    cardfeed_buf_str(&buf, ctx->base);
    cardfeed_buf_str(&buf, ctx->path);

    if (from.len) {
        cardfeed_buf_cstr(&buf, "?from=");
        cardfeed_url_encode(&buf, from, NULL);
    }

    return ngx_http_cardfeed_keep(ctx, &buf);
}


cardfeed_str_t
ngx_http_cardfeed_keep(ngx_http_cardfeed_ctx_t *ctx, cardfeed_buf_t *buf)
{
    cardfeed_str_t  s;

    s = CARDFEED_NO_STR;

    if (!buf->failed) {
        s = cardfeed_arena_dup(ctx->arena, cardfeed_buf_view(buf));

        if (s.data == NULL) {
            s = CARDFEED_NO_STR;
        }
    }

    cardfeed_buf_free(buf);

    return s;
}
