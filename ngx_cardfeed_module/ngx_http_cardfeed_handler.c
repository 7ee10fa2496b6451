
/*
 * ngx_http_cardfeed_handler: request → selection → document → response.
 * Everything is made before the headers go out; a request never waits.
 */

#include "ngx_http_cardfeed_module.h"

#include <xxhash.h>


#define NGX_HTTP_CARDFEED_DOCUMENT  (64 * 1024 * 1024)
#define NGX_HTTP_CARDFEED_URL       (16 * 1024)
#define NGX_HTTP_CARDFEED_ETAG      (sizeof("W/\"\"") - 1 + 32)


/* What one request asks for, and what its answer is made of. */

typedef struct {
    ngx_http_request_t              *request;
    ngx_http_cardfeed_loc_conf_t    *conf;
    cardfeed_arena_t                *arena;
    const cardfeed_format_t         *format;
    cardfeed_query_t                 query;
    cardfeed_query_t                 asked;    /* the same without
                                                  cardfeed_args: for URLs */
    uint32_t                         limit;
    cardfeed_selection_t             selection;
    cardfeed_str_t                   base;     /* no trailing slash */
    cardfeed_str_t                   path;     /* of self, encoded */
    cardfeed_feed_t                  feed;
} ngx_http_cardfeed_ctx_t;


static ngx_int_t ngx_http_cardfeed_resolve(ngx_http_cardfeed_ctx_t *ctx);
static ngx_int_t ngx_http_cardfeed_resolve_path(ngx_http_cardfeed_ctx_t *ctx,
    cardfeed_str_t *selection, cardfeed_str_t *format);
static ngx_int_t ngx_http_cardfeed_resolve_args(ngx_http_cardfeed_ctx_t *ctx);
static ngx_int_t ngx_http_cardfeed_render(ngx_http_cardfeed_ctx_t *ctx,
    cardfeed_store_t *store, cardfeed_buf_t *body);
static ngx_int_t ngx_http_cardfeed_urls(ngx_http_cardfeed_ctx_t *ctx);
static ngx_int_t ngx_http_cardfeed_base_of(ngx_http_cardfeed_ctx_t *ctx);
static ngx_int_t ngx_http_cardfeed_path_of(ngx_http_cardfeed_ctx_t *ctx);
static void ngx_http_cardfeed_own_path(ngx_http_request_t *r,
    cardfeed_buf_t *out);
static ngx_int_t ngx_http_cardfeed_channel(ngx_http_cardfeed_ctx_t *ctx);
static ngx_int_t ngx_http_cardfeed_titles(ngx_http_cardfeed_ctx_t *ctx,
    cardfeed_str_t site);
static ngx_int_t ngx_http_cardfeed_headers(ngx_http_cardfeed_ctx_t *ctx,
    cardfeed_buf_t *body);
static ngx_int_t ngx_http_cardfeed_etag(ngx_http_request_t *r,
    cardfeed_buf_t *body);
static ngx_int_t ngx_http_cardfeed_cache_control(
    ngx_http_cardfeed_ctx_t *ctx);
static ngx_int_t ngx_http_cardfeed_link(ngx_http_cardfeed_ctx_t *ctx);
static ngx_int_t ngx_http_cardfeed_vary(ngx_http_request_t *r);
static ngx_int_t ngx_http_cardfeed_send(ngx_http_request_t *r,
    cardfeed_buf_t *body);
static ngx_int_t ngx_http_cardfeed_refuse(ngx_http_request_t *r,
    ngx_int_t status);
static ngx_table_elt_t *ngx_http_cardfeed_header(ngx_http_request_t *r,
    const char *name, const char *value);
static cardfeed_str_t ngx_http_cardfeed_keep(ngx_http_cardfeed_ctx_t *ctx,
    cardfeed_buf_t *buf);
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


/* Self, first and next, all below the same base. */

static ngx_int_t
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


/* cardfeed_base_url, or scheme, server_name and port; never the Host header. */

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

static ngx_int_t
ngx_http_cardfeed_channel(ngx_http_cardfeed_ctx_t *ctx)
{
    char                          *urn;
    cardfeed_str_t                 site;
    cardfeed_buf_t                 buf;
    cardfeed_feed_t               *feed;
    ngx_http_cardfeed_loc_conf_t  *conf;

    conf = ctx->conf;
    feed = &ctx->feed;

    /* a feed's own id names the selection, whatever page of it this is */

    urn = cardfeed_arena_alloc(ctx->arena, CARDFEED_URN_LEN + 1);
    cardfeed_buf_init(&buf, CARDFEED_QUERY_PRINT_MAX);

    if (urn == NULL
        || cardfeed_query_print(&ctx->query, &buf) != CARDFEED_OK
        || cardfeed_text_urn(urn,
                             ngx_http_cardfeed_str(&conf->collection->name),
                             '?', cardfeed_buf_view(&buf))
           != CARDFEED_OK)
    {
        cardfeed_buf_free(&buf);
        return NGX_ERROR;
    }

    cardfeed_buf_free(&buf);

    feed->id = cardfeed_str_of(urn);

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

    if (ngx_http_cardfeed_titles(ctx, site) != NGX_OK) {
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


static ngx_int_t
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


/*
 * A header of the response, or the one of this name there is: an error page
 * of ours may have led here.
 */

static ngx_table_elt_t *
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


static void
ngx_http_cardfeed_free_body(void *data)
{
    cardfeed_buf_free(data);
}
