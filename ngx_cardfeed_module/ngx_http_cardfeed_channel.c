
/*
 * ngx_http_cardfeed_channel: what a feed says about itself.
 */

#include "ngx_http_cardfeed_handler.h"


static ngx_int_t ngx_http_cardfeed_id(ngx_http_cardfeed_ctx_t *ctx);
static ngx_int_t ngx_http_cardfeed_titles(ngx_http_cardfeed_ctx_t *ctx,
    cardfeed_str_t site);
static ngx_int_t ngx_http_cardfeed_month(ngx_http_cardfeed_ctx_t *ctx);


/* What is configured, else what is sensible. */

ngx_int_t
ngx_http_cardfeed_channel(ngx_http_cardfeed_ctx_t *ctx)
{
    cardfeed_str_t                 site;
    cardfeed_feed_t               *feed;
    ngx_http_cardfeed_loc_conf_t  *conf;

    conf = ctx->conf;
    feed = &ctx->feed;

    site = ngx_http_cardfeed_site(conf);

    if (ngx_http_cardfeed_id(ctx) != NGX_OK
        || ngx_http_cardfeed_titles(ctx, site) != NGX_OK
        || ngx_http_cardfeed_month(ctx) != NGX_OK)
    {
        return NGX_ERROR;
    }

    feed->home_url = ngx_http_cardfeed_home(ctx);
    feed->feeds_url = ctx->feeds;
    feed->author = conf->author.len ? ngx_http_cardfeed_str(&conf->author)
                                    : site;
    feed->language = ngx_http_cardfeed_str(&conf->language);
    feed->icon_url = ngx_http_cardfeed_str(&conf->icon);
    feed->logo_url = ngx_http_cardfeed_str(&conf->logo);
    feed->rights = ngx_http_cardfeed_str(&conf->rights);
    feed->hub_url = CARDFEED_NO_STR;

    /* a hub is told about the first pages of all and of single topics only */

    if (ctx->selection.topic.id != CARDFEED_SELECT_MANY
        && !cardfeed_query_is_filtered(&ctx->query)
        && !ctx->query.has_before && !ctx->query.month)
    {
        feed->hub_url = ngx_http_cardfeed_str(&conf->hub);
    }

    feed->updated = ctx->selection.updated;
    feed->ttl = (uint32_t) ((conf->max_age + 59) / 60);
    feed->cards = ctx->selection.cards;
    feed->ncards = ctx->selection.ncards;

    return feed->home_url.len ? NGX_OK : NGX_ERROR;
}


cardfeed_str_t
ngx_http_cardfeed_site(ngx_http_cardfeed_loc_conf_t *conf)
{
    return ngx_http_cardfeed_str(conf->title.len ? &conf->title
                                                 : &conf->host);
}


cardfeed_str_t
ngx_http_cardfeed_home(ngx_http_cardfeed_ctx_t *ctx)
{
    ngx_str_t       *site;
    cardfeed_buf_t   buf;

    site = &ctx->conf->site_url;

    cardfeed_buf_init(&buf, NGX_HTTP_CARDFEED_URL);
    cardfeed_buf_str(&buf, site->len ? ngx_http_cardfeed_str(site)
                                     : ctx->base);
    cardfeed_buf_char(&buf, '/');

    return ngx_http_cardfeed_keep(ctx, &buf);
}


/* An archive may be kept for ever once its month has ended. */

static ngx_int_t
ngx_http_cardfeed_month(ngx_http_cardfeed_ctx_t *ctx)
{
    char  *month;

    ctx->feed.month = CARDFEED_NO_STR;
    ctx->feed.archive = false;

    if (ctx->query.month == 0) {
        return NGX_OK;
    }

    month = cardfeed_arena_alloc(ctx->arena, CARDFEED_MONTH_LEN + 1);
    if (month == NULL) {
        return NGX_ERROR;
    }

    cardfeed_date_month_print(month, ctx->query.month);

    ctx->feed.month = cardfeed_str_of(month);
    ctx->feed.archive =
        cardfeed_date_month_start(ctx->query.month + 1) <= ngx_time();

    return NGX_OK;
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
    feed->words = words;

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
