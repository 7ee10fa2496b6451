
/*
 * ngx_http_cardfeed_resolve: the URL, or what directives put in its place →
 * format, query and limit.
 */

#include "ngx_http_cardfeed_handler.h"


static ngx_int_t ngx_http_cardfeed_resolve_path(ngx_http_cardfeed_ctx_t *ctx,
    cardfeed_str_t *selection, cardfeed_str_t *format);
static ngx_int_t ngx_http_cardfeed_below(ngx_str_t *uri, ngx_str_t *prefix,
    ngx_str_t *rest);
static ngx_int_t ngx_http_cardfeed_resolve_format(
    ngx_http_cardfeed_ctx_t *ctx, cardfeed_str_t name);
static ngx_int_t ngx_http_cardfeed_resolve_args(ngx_http_cardfeed_ctx_t *ctx);
static ngx_int_t ngx_http_cardfeed_resolve_page(ngx_http_cardfeed_ctx_t *ctx);
static void ngx_http_cardfeed_resolve_catalogue(ngx_http_cardfeed_ctx_t *ctx);


/* What directives with variables say this time. */

ngx_int_t
ngx_http_cardfeed_values(ngx_http_cardfeed_ctx_t *ctx)
{
    ngx_uint_t                     i;
    ngx_http_cardfeed_loc_conf_t  *conf;

    conf = ctx->conf;

    if (!ngx_http_cardfeed_own_urls(conf) && conf->args == NULL) {
        return NGX_OK;
    }

    struct {
        ngx_http_complex_value_t  *directive;
        ngx_str_t                 *value;
    } values[] = {
        { conf->topic ? conf->topic : conf->select, &ctx->topic },
        { conf->args, &ctx->args },
        { conf->format, &ctx->name }
    };

    for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {

        if (values[i].directive
            && ngx_http_complex_value(ctx->request, values[i].directive,
                                      values[i].value)
               != NGX_OK)
        {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_cardfeed_resolve(ngx_http_cardfeed_ctx_t *ctx)
{
    int                            rc;
    cardfeed_str_t                 selection, format;
    ngx_http_cardfeed_loc_conf_t  *conf;

    conf = ctx->conf;

    cardfeed_query_init(&ctx->query, ctx->arena);

    if (ngx_http_cardfeed_resolve_path(ctx, &selection, &format) != NGX_OK
        || ngx_http_cardfeed_resolve_format(ctx, format) != NGX_OK)
    {
        return NGX_HTTP_NOT_FOUND;
    }

    if (conf->topic) {
        rc = cardfeed_query_topic(&ctx->query,
                                  ngx_http_cardfeed_str(&ctx->topic));

    } else {
        if (conf->select) {
            selection = ngx_http_cardfeed_str(&ctx->topic);
        }

        rc = cardfeed_query_selection(&ctx->query, selection);
    }

    if (rc == CARDFEED_NOMEM) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    /* the catalogue is of everything */

    if (rc != CARDFEED_OK
        || (ctx->catalogue && !cardfeed_query_is_all(&ctx->query)))
    {
        return NGX_HTTP_NOT_FOUND;
    }

    return ngx_http_cardfeed_resolve_args(ctx);
}


/* What the path below the location's prefix says; an empty format is the
 * catalogue's own place. */

static ngx_int_t
ngx_http_cardfeed_resolve_path(ngx_http_cardfeed_ctx_t *ctx,
    cardfeed_str_t *selection, cardfeed_str_t *format)
{
    ngx_str_t                      rest;
    ngx_http_cardfeed_loc_conf_t  *conf;

    conf = ctx->conf;

    *selection = CARDFEED_STR("all");
    *format = ngx_http_cardfeed_str(&ctx->name);

    if (conf->prefix.len == 0) {
        return NGX_OK;
    }

    if (ngx_http_cardfeed_below(&ctx->request->uri, &conf->prefix, &rest)
        != NGX_OK)
    {
        return NGX_DECLINED;
    }

    if (conf->format) {
        if (rest.len) {
            *selection = ngx_http_cardfeed_str(&rest);
        }

        return NGX_OK;
    }

    if (rest.len == 0 && !ngx_http_cardfeed_own_urls(conf)) {
        ctx->catalogue = 1;
        return NGX_OK;
    }

    if (cardfeed_query_split(ngx_http_cardfeed_str(&rest), selection, format)
        != CARDFEED_OK)
    {
        return NGX_DECLINED;
    }

    /* where directives say what is selected there is one such file */

    return (!ngx_http_cardfeed_own_urls(conf)
            || cardfeed_str_eq(*selection, CARDFEED_STR("all")))
           ? NGX_OK : NGX_DECLINED;
}


/* A rewrite may have left another path. */

static ngx_int_t
ngx_http_cardfeed_below(ngx_str_t *uri, ngx_str_t *prefix, ngx_str_t *rest)
{
    if (uri->len < prefix->len
        || ngx_memcmp(uri->data, prefix->data, prefix->len) != 0)
    {
        return NGX_DECLINED;
    }

    rest->data = uri->data + prefix->len;
    rest->len = uri->len - prefix->len;

    if (prefix->data[prefix->len - 1] != '/' && rest->len) {
        if (rest->data[0] != '/') {
            return NGX_DECLINED;
        }

        rest->data++;
        rest->len--;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_cardfeed_resolve_format(ngx_http_cardfeed_ctx_t *ctx,
    cardfeed_str_t name)
{
    if (ctx->catalogue) {
        ctx->format = &cardfeed_feed_html;
        return NGX_OK;
    }

    ctx->format = cardfeed_feed_format(name);

    if (ctx->format == NULL) {
        return NGX_DECLINED;
    }

    if (ctx->format->begin == NULL) {
        ctx->catalogue = 1;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_cardfeed_resolve_args(ngx_http_cardfeed_ctx_t *ctx)
{
    int                            rc;
    uint32_t                       max;
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
        rc = cardfeed_query_args(&ctx->query,
                                 ngx_http_cardfeed_str(&ctx->args), max,
                                 &err);

        if (rc == CARDFEED_INVALID) {
            ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                          "cardfeed: in \"cardfeed_args\": %s", err.message);
            return NGX_HTTP_BAD_REQUEST;
        }
    }

    if (rc != CARDFEED_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_cardfeed_resolve_page(ctx);
}


/* Which one of the selection's documents. */

static ngx_int_t
ngx_http_cardfeed_resolve_page(ngx_http_cardfeed_ctx_t *ctx)
{
    uint32_t  usual;

    /* that is the request's business: configured, links would lead nowhere */

    ctx->query.month = ctx->asked.month;
    ctx->query.has_before = ctx->asked.has_before;
    ctx->query.before = ctx->asked.before;
    ctx->query.from = ctx->asked.from;

    if (ctx->catalogue) {
        ngx_http_cardfeed_resolve_catalogue(ctx);
        return NGX_OK;
    }

    ctx->query.from = CARDFEED_NO_STR;

    /* a month to come is nothing yet, and nothing to remember */

    if (ctx->query.month
        && cardfeed_date_month_start(ctx->query.month) > ngx_time())
    {
        return NGX_HTTP_NOT_FOUND;
    }

    usual = (uint32_t) (ctx->query.month ? ctx->conf->max_entries
                                         : ctx->conf->entries);

    ctx->limit = ctx->query.limit ? ctx->query.limit : usual;

    /* the default said aloud is the same document, and so are its links */

    if (ctx->asked.limit == usual) {
        ctx->asked.limit = 0;
    }

    return NGX_OK;
}


/* It knows one argument only; topics in "all,topic" have to be there. */

static void
ngx_http_cardfeed_resolve_catalogue(ngx_http_cardfeed_ctx_t *ctx)
{
    cardfeed_query_t  query;

    query = ctx->query;

    cardfeed_query_init(&ctx->query, ctx->arena);

    ctx->query.from = query.from;
    ctx->query.dropped = query.dropped;
    ctx->query.ndropped = query.ndropped;
    ctx->asked = ctx->query;
    ctx->limit = ctx->format->topics;
}
