
/*
 * ngx_http_cardfeed_channel: what a feed says about itself.
 */

#include "ngx_http_cardfeed_handler.h"


#define NGX_HTTP_CARDFEED_URL  (16 * 1024)


static ngx_int_t ngx_http_cardfeed_base_of(ngx_http_cardfeed_ctx_t *ctx);
static ngx_int_t ngx_http_cardfeed_path_of(ngx_http_cardfeed_ctx_t *ctx);
static void ngx_http_cardfeed_own_path(ngx_http_request_t *r,
    cardfeed_buf_t *out);
static ngx_int_t ngx_http_cardfeed_id(ngx_http_cardfeed_ctx_t *ctx);
static ngx_int_t ngx_http_cardfeed_titles(ngx_http_cardfeed_ctx_t *ctx,
    cardfeed_str_t site);
static cardfeed_str_t ngx_http_cardfeed_keep(ngx_http_cardfeed_ctx_t *ctx,
    cardfeed_buf_t *buf);


/* Self, first and next, all below the same base. */

ngx_int_t
ngx_http_cardfeed_urls(ngx_http_cardfeed_ctx_t *ctx)
{
    ngx_uint_t                  i;
    cardfeed_buf_t              buf;
    cardfeed_selection_t       *sel;
    const cardfeed_position_t  *before;

    sel = &ctx->selection;

    if (ngx_http_cardfeed_base_of(ctx) != NGX_OK
        || ngx_http_cardfeed_path_of(ctx) != NGX_OK)
    {
        return NGX_ERROR;
    }

    struct {
        cardfeed_str_t             *url;
        const cardfeed_position_t  *before;
        bool                        wanted;
    } urls[] = {
        { &ctx->feed.self_url, NULL, true },
        { &ctx->feed.first_url, NULL, ctx->asked.has_before || sel->more },
        { &ctx->feed.next_url, &sel->next, sel->more }
    };

    if (ctx->asked.has_before) {
        urls[0].before = &ctx->asked.before;
    }

    for (i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {

        if (!urls[i].wanted) {
            continue;
        }

        before = urls[i].before;

        cardfeed_buf_init(&buf, ctx->base.len + ctx->path.len
                                + CARDFEED_QUERY_PRINT_MAX);
        cardfeed_buf_str(&buf, ctx->base);
        cardfeed_buf_str(&buf, ctx->path);
        cardfeed_query_print_args(&ctx->asked, (uint32_t) ctx->conf->entries,
                                  before, &buf);

        *urls[i].url = ngx_http_cardfeed_keep(ctx, &buf);

        if (urls[i].url->len == 0) {
            return NGX_ERROR;
        }
    }

    ctx->feed.complete = !ctx->query.has_before && !sel->more;

    return NGX_OK;
}


/* cardfeed_base_url, or scheme, server_name and port; never the Host. */

static ngx_int_t
ngx_http_cardfeed_base_of(ngx_http_cardfeed_ctx_t *ctx)
{
    in_port_t            port;
    ngx_uint_t           https;
    cardfeed_buf_t       buf;
    ngx_connection_t    *c;

    if (ctx->conf->base_url.len) {
        ctx->base = ngx_http_cardfeed_str(&ctx->conf->base_url);
        return NGX_OK;
    }

    c = ctx->request->connection;

#if (NGX_HTTP_SSL)
    https = (c->ssl != NULL);
#else
    https = 0;
#endif

    port = 0;

    if (ngx_connection_local_sockaddr(c, NULL, 0) == NGX_OK) {
        port = ngx_inet_get_port(c->local_sockaddr);
    }

    cardfeed_buf_init(&buf, NGX_HTTP_CARDFEED_URL);
    cardfeed_buf_cstr(&buf, https ? "https://" : "http://");
    cardfeed_buf_str(&buf, ngx_http_cardfeed_str(&ctx->conf->host));

    if (port && port != (https ? 443 : 80)) {
        cardfeed_buf_printf(&buf, ":%u", (unsigned) port);
    }

    ctx->base = ngx_http_cardfeed_keep(ctx, &buf);

    return ctx->base.len ? NGX_OK : NGX_ERROR;
}


/* The canonical path of the selection; with cardfeed_format the request's. */

static ngx_int_t
ngx_http_cardfeed_path_of(ngx_http_cardfeed_ctx_t *ctx)
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

    if (conf->format || conf->topic) {
        ngx_http_cardfeed_own_path(r, &decoded);

    } else {
        cardfeed_buf_str(&decoded, ngx_http_cardfeed_str(&conf->prefix));

        if (conf->prefix.data[conf->prefix.len - 1] != '/') {
            cardfeed_buf_char(&decoded, '/');
        }

        cardfeed_query_print_selection(&ctx->query, &decoded);
        cardfeed_buf_char(&decoded, '.');
        cardfeed_buf_cstr(&decoded, ctx->format->name);
    }

    /* all that a path may hold as it is */

    cardfeed_url_encode(&buf, cardfeed_buf_view(&decoded),
                        "/+,!:@$&'()*;=");

    if (decoded.failed) {
        buf.failed = decoded.failed;
    }

    ctx->path = ngx_http_cardfeed_keep(ctx, &buf);

    cardfeed_buf_free(&decoded);

    return ctx->path.len ? NGX_OK : NGX_ERROR;
}


/* The path the client asked for, decoded, whatever was rewritten since. */

static void
ngx_http_cardfeed_own_path(ngx_http_request_t *r, cardfeed_buf_t *out)
{
    cardfeed_str_t  path;

    if (!r->valid_unparsed_uri) {
        path = ngx_http_cardfeed_str(&r->unparsed_uri);

        for (path.len = 0; path.len < r->unparsed_uri.len; path.len++) {
            if (path.data[path.len] == '?' || path.data[path.len] == '#') {
                break;
            }
        }

        if (path.len && path.data[0] == '/'
            && cardfeed_url_decode(out, path, false) == CARDFEED_OK)
        {
            return;
        }

        cardfeed_buf_reset(out);
    }

    cardfeed_buf_str(out, ngx_http_cardfeed_str(&r->uri));
}


/* The feed about itself: what is configured, else what is sensible. */

ngx_int_t
ngx_http_cardfeed_channel(ngx_http_cardfeed_ctx_t *ctx)
{
    cardfeed_str_t                 site;
    cardfeed_buf_t                 buf;
    cardfeed_feed_t               *feed;
    ngx_http_cardfeed_loc_conf_t  *conf;

    conf = ctx->conf;
    feed = &ctx->feed;

    cardfeed_buf_init(&buf, NGX_HTTP_CARDFEED_URL);
    cardfeed_buf_str(&buf, conf->site_url.len
                               ? ngx_http_cardfeed_str(&conf->site_url)
                               : ctx->base);
    cardfeed_buf_char(&buf, '/');
    feed->home_url = ngx_http_cardfeed_keep(ctx, &buf);

    site = ngx_http_cardfeed_str(&conf->title);

    if (site.len == 0) {
        site = ngx_http_cardfeed_str(&conf->host);
    }

    if (ngx_http_cardfeed_id(ctx) != NGX_OK
        || ngx_http_cardfeed_titles(ctx, site) != NGX_OK)
    {
        return NGX_ERROR;
    }

    feed->author = conf->author.len ? ngx_http_cardfeed_str(&conf->author)
                                    : site;
    feed->language = ngx_http_cardfeed_str(&conf->language);
    feed->icon_url = ngx_http_cardfeed_str(&conf->icon);
    feed->logo_url = ngx_http_cardfeed_str(&conf->logo);
    feed->rights = ngx_http_cardfeed_str(&conf->rights);

    /* a hub is told about the first pages of all and of single topics only */

    if (ctx->selection.topic.id != CARDFEED_SELECT_MANY
        && !cardfeed_query_is_filtered(&ctx->query)
        && !ctx->query.has_before)
    {
        feed->hub_url = ngx_http_cardfeed_str(&conf->hub);
    }

    feed->updated = ctx->selection.updated;
    feed->ttl = (uint32_t) ((conf->max_age + 59) / 60);
    feed->cards = ctx->selection.cards;
    feed->ncards = ctx->selection.ncards;

    return feed->home_url.len ? NGX_OK : NGX_ERROR;
}


/* A feed's own id names the selection, whatever page of it this is. */

static ngx_int_t
ngx_http_cardfeed_id(ngx_http_cardfeed_ctx_t *ctx)
{
    int              rc;
    char            *urn;
    ngx_str_t       *name;
    cardfeed_buf_t   buf;

    urn = cardfeed_arena_alloc(ctx->arena, CARDFEED_URN_LEN + 1);
    if (urn == NULL) {
        return NGX_ERROR;
    }

    name = &ctx->conf->collection->name;

    cardfeed_buf_init(&buf, CARDFEED_QUERY_PRINT_MAX);

    rc = cardfeed_query_print(&ctx->query, &buf);

    if (rc == CARDFEED_OK) {
        rc = cardfeed_text_urn(urn, ngx_http_cardfeed_str(name), '?',
                               cardfeed_buf_view(&buf));
    }

    cardfeed_buf_free(&buf);

    if (rc != CARDFEED_OK) {
        return NGX_ERROR;
    }

    ctx->feed.id = cardfeed_str_of(urn);

    return NGX_OK;
}


/* "Site: A and B", and a sentence; all is called after the site alone. */

static ngx_int_t
ngx_http_cardfeed_titles(ngx_http_cardfeed_ctx_t *ctx, cardfeed_str_t site)
{
    cardfeed_buf_t    buf;
    cardfeed_str_t    words;
    cardfeed_feed_t  *feed;

    feed = &ctx->feed;

    words = CARDFEED_NO_STR;

    if (!cardfeed_query_is_all(&ctx->query)) {
        cardfeed_buf_init(&buf, NGX_HTTP_CARDFEED_URL);
        cardfeed_select_words(&ctx->query, &ctx->selection, &buf);
        words = ngx_http_cardfeed_keep(ctx, &buf);

        if (words.len == 0) {
            return NGX_ERROR;
        }
    }

    cardfeed_buf_init(&buf, NGX_HTTP_CARDFEED_URL * 8);
    cardfeed_buf_str(&buf, site);

    if (words.len) {
        cardfeed_buf_cstr(&buf, ": ");
        cardfeed_buf_str(&buf, words);
    }

    feed->title = ngx_http_cardfeed_keep(ctx, &buf);

    feed->description = ngx_http_cardfeed_str(&ctx->conf->description);

    if (feed->description.len == 0) {
        cardfeed_buf_init(&buf, NGX_HTTP_CARDFEED_URL * 8);

        if (words.len == 0) {
            cardfeed_buf_cstr(&buf, "New from ");
            cardfeed_buf_str(&buf, site);

        } else {
            cardfeed_buf_cstr(&buf, "New on ");
            cardfeed_buf_str(&buf, words);
            cardfeed_buf_cstr(&buf, " from ");
            cardfeed_buf_str(&buf, site);
        }

        feed->description = ngx_http_cardfeed_keep(ctx, &buf);
    }

    return (feed->title.len && feed->description.len) ? NGX_OK : NGX_ERROR;
}


/* Moves what was built into the request's arena; empty when that failed. */

static cardfeed_str_t
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
