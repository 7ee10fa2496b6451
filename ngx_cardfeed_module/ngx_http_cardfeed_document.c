
/*
 * ngx_http_cardfeed_document: selects, writes the document while the read
 * lasts, and makes a response of it that needs neither read nor request.
 */

#include "ngx_http_cardfeed_handler.h"

#include <xxhash.h>


/* W/"…", 128 bits in hex */

#define NGX_HTTP_CARDFEED_ETAG  (sizeof("W/\"\"") - 1 + 32)

#define NGX_HTTP_CARDFEED_MAX_AGE                                             \
    (sizeof("public, max-age=") - 1 + NGX_TIME_T_LEN)


static ngx_uint_t ngx_http_cardfeed_worth(ngx_http_cardfeed_ctx_t *ctx);
static ngx_int_t ngx_http_cardfeed_select(ngx_http_cardfeed_ctx_t *ctx);
static ngx_int_t ngx_http_cardfeed_feed(ngx_http_cardfeed_ctx_t *ctx,
    cardfeed_buf_t *body);
static ngx_int_t ngx_http_cardfeed_catalogue(ngx_http_cardfeed_ctx_t *ctx,
    cardfeed_buf_t *body);
static ngx_int_t ngx_http_cardfeed_failed(ngx_http_cardfeed_ctx_t *ctx,
    const char *message);
static ngx_http_cardfeed_response_t *ngx_http_cardfeed_response(
    ngx_http_cardfeed_ctx_t *ctx, cardfeed_str_t body);
static void ngx_http_cardfeed_holds(ngx_http_cardfeed_ctx_t *ctx,
    ngx_http_cardfeed_response_t *res);
static void ngx_http_cardfeed_type(ngx_http_cardfeed_ctx_t *ctx,
    ngx_http_cardfeed_response_t *res);
static void ngx_http_cardfeed_age(ngx_http_cardfeed_ctx_t *ctx,
    ngx_http_cardfeed_response_t *res);
static void ngx_http_cardfeed_etag(ngx_http_cardfeed_response_t *res);
static size_t ngx_http_cardfeed_link_len(ngx_http_cardfeed_ctx_t *ctx);
static void ngx_http_cardfeed_link(ngx_http_cardfeed_ctx_t *ctx,
    ngx_http_cardfeed_response_t *res);


ngx_int_t
ngx_http_cardfeed_document(ngx_http_cardfeed_ctx_t *ctx,
    ngx_http_cardfeed_response_t **out, ngx_uint_t *keep)
{
    ngx_int_t                       rc;
    cardfeed_buf_t                 *body;
    ngx_http_cardfeed_main_conf_t  *cmcf;

    rc = ngx_http_cardfeed_select(ctx);

    if (rc != NGX_OK) {
        return rc;
    }

    cmcf = ngx_http_get_module_main_conf(ctx->request,
                                         ngx_http_cardfeed_module);
    body = &cmcf->scratch;

    rc = ctx->catalogue ? ngx_http_cardfeed_catalogue(ctx, body)
                        : ngx_http_cardfeed_feed(ctx, body);

    if (rc == NGX_OK) {
        *out = ngx_http_cardfeed_response(ctx, cardfeed_buf_view(body));

        if (*out == NULL) {
            rc = NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }

    ngx_http_cardfeed_scratch_done(body);

    if (rc != NGX_OK) {
        return rc;
    }

    *keep = ngx_http_cardfeed_worth(ctx);

    return NGX_OK;
}


/* Of months without cards there is no end, nor of places between topics to
 * begin a catalogue at, nor of URLs that are errors and get a feed for their
 * page. */

static ngx_uint_t
ngx_http_cardfeed_worth(ngx_http_cardfeed_ctx_t *ctx)
{
    ngx_http_request_t        *r;
    ngx_http_core_loc_conf_t  *clcf;

    r = ctx->request;
    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    if (clcf->named && r->err_status >= NGX_HTTP_SPECIAL_RESPONSE) {
        return 0;
    }

    if (ctx->query.from.len) {
        return ctx->topics.ntopics
               && cardfeed_str_eq(ctx->topics.topics[0].slug,
                                  ctx->query.from);
    }

    return ctx->query.month == 0 || ctx->selection.ncards
           || ctx->selection.more;
}


static ngx_int_t
ngx_http_cardfeed_select(ngx_http_cardfeed_ctx_t *ctx)
{
    int               rc;
    uint32_t          limit;
    cardfeed_error_t  err;

    err.message[0] = '\0';

    /* the catalogue asks all cards how new they are */

    limit = ctx->catalogue ? 1 : ctx->limit;

    rc = cardfeed_select(ctx->read, &ctx->query, limit, ngx_time(),
                         ctx->arena, &ctx->selection, &err);

    if (rc == CARDFEED_NOTFOUND) {
        return NGX_HTTP_NOT_FOUND;
    }

    if (rc == CARDFEED_OK) {
        rc = ctx->catalogue
             ? cardfeed_select_topics(ctx->read, ctx->query.from, ctx->limit,
                                      ctx->arena, &ctx->topics, &err)
             : cardfeed_select_archives(ctx->read, &ctx->query,
                                        &ctx->selection, ctx->limit,
                                        ctx->arena, &ctx->archives, &err);
    }

    if (rc == CARDFEED_OK) {
        return NGX_OK;
    }

    (void) ngx_http_cardfeed_failed(ctx, err.message);

    /* a damaged index is built anew: that passes */

    return rc == CARDFEED_CORRUPT ? NGX_HTTP_SERVICE_UNAVAILABLE
                                  : NGX_HTTP_INTERNAL_SERVER_ERROR;
}


static ngx_int_t
ngx_http_cardfeed_feed(ngx_http_cardfeed_ctx_t *ctx, cardfeed_buf_t *body)
{
    cardfeed_error_t  err;

    if (ngx_http_cardfeed_pages(ctx) != NGX_OK
        || ngx_http_cardfeed_channel(ctx) != NGX_OK
        || (ctx->feeds.len && ctx->format == &cardfeed_feed_html
            && ngx_http_cardfeed_alternates(ctx) != NGX_OK))
    {
        return ngx_http_cardfeed_failed(ctx, "no memory for a feed's URLs");
    }

    if (cardfeed_feed_render(ctx->format, &ctx->feed, body, &err)
        != CARDFEED_OK)
    {
        return ngx_http_cardfeed_failed(ctx, err.message);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_cardfeed_catalogue(ngx_http_cardfeed_ctx_t *ctx,
    cardfeed_buf_t *body)
{
    cardfeed_error_t               err;
    cardfeed_catalogue_t           cat;
    ngx_http_cardfeed_loc_conf_t  *conf;

    /* where nothing says where the feeds are there is nothing to list */

    if (ctx->feeds.len == 0) {
        return NGX_HTTP_NOT_FOUND;
    }

    conf = ctx->conf;

    ngx_memzero(&cat, sizeof(cardfeed_catalogue_t));

    cat.title = ngx_http_cardfeed_site(conf);
    cat.description = ngx_http_cardfeed_str(&conf->description);
    cat.home_url = ngx_http_cardfeed_home(ctx);
    cat.self_url = ctx->self;
    cat.first_url = CARDFEED_NO_STR;
    cat.next_url = CARDFEED_NO_STR;
    cat.feeds_url = ctx->feeds;
    cat.language = ngx_http_cardfeed_str(&conf->language);
    cat.icon_url = ngx_http_cardfeed_str(&conf->icon);
    cat.author = ngx_http_cardfeed_str(&conf->author);
    cat.rights = ngx_http_cardfeed_str(&conf->rights);
    cat.updated = ctx->selection.updated;
    cat.all = ctx->topics.all;
    cat.topics = ctx->topics.topics;
    cat.ntopics = ctx->topics.ntopics;

    if (ctx->query.from.len) {
        cat.first_url = ngx_http_cardfeed_topics_url(ctx, CARDFEED_NO_STR);
    }

    if (ctx->topics.more) {
        cat.next_url = ngx_http_cardfeed_topics_url(ctx, ctx->topics.next);
    }

    if (cat.home_url.len == 0
        || (ctx->query.from.len && cat.first_url.len == 0)
        || (ctx->topics.more && cat.next_url.len == 0))
    {
        return ngx_http_cardfeed_failed(ctx, "no memory for a page's URLs");
    }

    ctx->feed.self_url = ctx->self;
    ctx->feed.hub_url = CARDFEED_NO_STR;

    if (cardfeed_feed_render_catalogue(ctx->format, &cat, body, &err)
        != CARDFEED_OK)
    {
        return ngx_http_cardfeed_failed(ctx, err.message);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_cardfeed_failed(ngx_http_cardfeed_ctx_t *ctx, const char *message)
{
    ngx_log_error(NGX_LOG_ERR, ctx->request->connection->log, 0,
                  "cardfeed: collection \"%V\": %s",
                  &ctx->conf->collection->name, message);

    return NGX_HTTP_INTERNAL_SERVER_ERROR;
}


static ngx_http_cardfeed_response_t *
ngx_http_cardfeed_response(ngx_http_cardfeed_ctx_t *ctx, cardfeed_str_t body)
{
    size_t                         i, len;
    cardfeed_buf_t                 buf;
    cardfeed_str_t                 selection;
    cardfeed_selection_t          *sel;
    ngx_http_cardfeed_response_t  *res;

    sel = &ctx->selection;
    selection = CARDFEED_NO_STR;

    if (!ctx->catalogue) {
        cardfeed_buf_init(&buf, CARDFEED_QUERY_PRINT_MAX);
        cardfeed_query_print(&ctx->query, &buf);
        selection = ngx_http_cardfeed_keep(ctx, &buf);
    }

    len = NGX_HTTP_CARDFEED_ETAG + NGX_HTTP_CARDFEED_MAX_AGE + selection.len
          + ngx_http_cardfeed_link_len(ctx) + sizeof("all");

    for (i = 0; i < sel->ntopics; i++) {
        len += sel->topics[i].slug.len;
    }

    res = ngx_http_cardfeed_response_create(sel->ntopics + 1, len);
    if (res == NULL) {
        return NULL;
    }

    if (ngx_http_cardfeed_response_body(res, CARDFEED_ENCODING_IDENTITY, body)
        != NGX_OK)
    {
        ngx_http_cardfeed_response_release(res);
        return NULL;
    }

    res->entries = ctx->catalogue ? ctx->topics.ntopics : sel->ncards;
    res->changed_at = (time_t) sel->changed_at;

    res->selection.len = selection.len;
    res->selection.data = ngx_http_cardfeed_response_copy(res,
                                            selection.data, selection.len);

    ngx_http_cardfeed_type(ctx, res);
    ngx_http_cardfeed_age(ctx, res);
    ngx_http_cardfeed_etag(res);
    ngx_http_cardfeed_link(ctx, res);
    ngx_http_cardfeed_holds(ctx, res);

    return res;
}


static void
ngx_http_cardfeed_type(ngx_http_cardfeed_ctx_t *ctx,
    ngx_http_cardfeed_response_t *res)
{
    res->format = ctx->format;

    res->content_type.data = (u_char *) ctx->format->content_type;
    res->content_type.len = ngx_strlen(ctx->format->content_type);

    if (ctx->format->policy) {
        res->policy.data = (u_char *) ctx->format->policy;
        res->policy.len = ngx_strlen(ctx->format->policy);
    }
}


static void
ngx_http_cardfeed_age(ngx_http_cardfeed_ctx_t *ctx,
    ngx_http_cardfeed_response_t *res)
{
    u_char  age[NGX_HTTP_CARDFEED_MAX_AGE];

    res->cache_control.len = ngx_sprintf(age, "public, max-age=%T",
                                         ctx->conf->max_age)
                             - age;
    res->cache_control.data = ngx_http_cardfeed_response_copy(res, age,
                                                     res->cache_control.len);
}


/* What has to stay as it is for the response to be right. */

static void
ngx_http_cardfeed_holds(ngx_http_cardfeed_ctx_t *ctx,
    ngx_http_cardfeed_response_t *res)
{
    size_t                 i;
    int64_t                end;
    cardfeed_str_t         slug;
    cardfeed_selection_t  *sel;

    sel = &ctx->selection;

    for (i = 0; i <= sel->ntopics; i++) {

        if (i < sel->ntopics) {
            slug = sel->topics[i].slug;

        } else if (sel->on_all) {
            slug = CARDFEED_STR("all");

        } else {
            break;
        }

        res->topics[res->ntopics].len = slug.len;
        res->topics[res->ntopics].data =
            (char *) ngx_http_cardfeed_response_copy(res, slug.data,
                                                     slug.len);
        res->ntopics++;
    }

    res->generation = ctx->generation;
    res->txnid = cardfeed_read_txnid(ctx->read);
    res->change = sel->change;
    res->next_due = sel->next_due;

    /* a card that expires leaves, whether the indexer has noticed or not */

    for (i = 0; i < sel->ncards && !ctx->catalogue; i++) {
        end = sel->cards[i].expires;

        if (end != CARDFEED_NO_TIME
            && (res->until == CARDFEED_NO_TIME || end < res->until))
        {
            res->until = end;
        }
    }

    if (ctx->query.month == 0) {
        return;
    }

    /* a month becomes an archive when it ends: that is a change, too */

    end = cardfeed_date_month_start(ctx->query.month + 1);

    if (ctx->feed.archive) {
        res->changed_at = ngx_max(res->changed_at, (time_t) end);

    } else if (res->until == CARDFEED_NO_TIME || end < res->until) {
        res->until = end;
    }
}


/*
 * Weak, since encodings share it; a hash of the bytes alone, so that every
 * worker and every machine says the same.
 */

static void
ngx_http_cardfeed_etag(ngx_http_cardfeed_response_t *res)
{
    u_char          etag[NGX_HTTP_CARDFEED_ETAG];
    ngx_str_t      *body;
    XXH128_hash_t   hash;

    body = &res->body[CARDFEED_ENCODING_IDENTITY];

    hash = XXH3_128bits(body->data, body->len);

    ngx_sprintf(etag, "W/\"%016xL%016xL\"", hash.high64, hash.low64);

    res->etag.len = NGX_HTTP_CARDFEED_ETAG;
    res->etag.data = ngx_http_cardfeed_response_copy(res, etag,
                                                     res->etag.len);
}


static size_t
ngx_http_cardfeed_link_len(ngx_http_cardfeed_ctx_t *ctx)
{
    return sizeof("<>; rel=\"self\", <>; rel=\"hub\"") - 1
           + ctx->feed.self_url.len + ctx->feed.hub_url.len;
}


static void
ngx_http_cardfeed_link(ngx_http_cardfeed_ctx_t *ctx,
    ngx_http_cardfeed_response_t *res)
{
    u_char           *last;
    cardfeed_feed_t  *feed;

    feed = &ctx->feed;

    res->link.data = res->free;

    last = ngx_sprintf(res->free, "<%*s>; rel=\"self\"",
                       feed->self_url.len, feed->self_url.data);

    if (feed->hub_url.len) {
        last = ngx_sprintf(last, ", <%*s>; rel=\"hub\"",
                           feed->hub_url.len, feed->hub_url.data);
    }

    res->link.len = last - res->link.data;
    res->free = last;
}
