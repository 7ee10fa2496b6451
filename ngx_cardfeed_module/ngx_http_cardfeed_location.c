
/*
 * ngx_http_cardfeed_location: what a location is, once it is merged: its
 * prefix, its host, and whether its directives go together.
 */

#include "ngx_http_cardfeed_module.h"


static ngx_int_t ngx_http_cardfeed_check_args(ngx_conf_t *cf,
    ngx_http_cardfeed_loc_conf_t *conf);
static void ngx_http_cardfeed_unknown_args(ngx_conf_t *cf, ngx_str_t *args,
    ngx_str_t *location);
static ngx_int_t ngx_http_cardfeed_check_select(ngx_conf_t *cf,
    ngx_http_cardfeed_loc_conf_t *conf);
static ngx_int_t ngx_http_cardfeed_check_place(ngx_conf_t *cf,
    ngx_http_cardfeed_loc_conf_t *conf);
static ngx_uint_t ngx_http_cardfeed_plain_name(ngx_http_server_name_t *name);


/* Arguments without variables can be judged now. */

static ngx_int_t
ngx_http_cardfeed_check_args(ngx_conf_t *cf,
    ngx_http_cardfeed_loc_conf_t *conf)
{
    int                        rc;
    bool                       place;
    cardfeed_page_t            page;
    cardfeed_arena_t           arena;
    cardfeed_error_t           err;
    cardfeed_query_t           query;
    ngx_http_core_loc_conf_t  *clcf;

    if (conf->args == NULL || conf->args->lengths) {
        return NGX_OK;
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    cardfeed_arena_init(&arena, 1024 * 1024);
    cardfeed_query_init(&query, &arena);

    rc = cardfeed_query_args(&query,
                             ngx_http_cardfeed_str(&conf->args->value),
                             (uint32_t) conf->max_entries, &err);

    page = cardfeed_query_page(&query);
    place = page.has_before || page.month || query.from.len;

    cardfeed_arena_free(&arena);

    if (rc == CARDFEED_OK && place) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"cardfeed_args\" \"%V\" in location \"%V\": "
                      "\"before\", \"month\" and \"from\" are for "
                      "requests, as they lead from page to page",
                      &conf->args->value, &clcf->name);
        return NGX_ERROR;
    }

    if (rc == CARDFEED_OK) {
        ngx_http_cardfeed_unknown_args(cf, &conf->args->value, &clcf->name);
        return NGX_OK;
    }

    ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                  "invalid \"cardfeed_args\" \"%V\" in location \"%V\": %s",
                  &conf->args->value, &clcf->name, err.message);

    return NGX_ERROR;
}


/* In a request they are nobody's business, here they are a mistake. */

static void
ngx_http_cardfeed_unknown_args(ngx_conf_t *cf, ngx_str_t *args,
    ngx_str_t *location)
{
    u_char     *p, *last, *end, *sign;
    ngx_str_t   name;

    last = args->data + args->len;

    for (p = args->data; p < last; p = end + 1) {

        end = ngx_strlchr(p, last, '&');
        if (end == NULL) {
            end = last;
        }

        sign = ngx_strlchr(p, end, '=');

        name.data = p;
        name.len = (size_t) ((sign ? sign : end) - p);

        if (name.len && !cardfeed_query_knows(ngx_http_cardfeed_str(&name))) {
            ngx_log_error(NGX_LOG_WARN, cf->log, 0,
                          "unknown argument \"%V\" in \"cardfeed_args\" of "
                          "location \"%V\" is ignored", &name, location);
        }
    }
}


/* One of the two, and a selection without variables can be judged now. */

static ngx_int_t
ngx_http_cardfeed_check_select(ngx_conf_t *cf,
    ngx_http_cardfeed_loc_conf_t *conf)
{
    int                        rc;
    cardfeed_arena_t           arena;
    cardfeed_query_t           query;
    ngx_http_core_loc_conf_t  *clcf;

    if (conf->select == NULL) {
        return NGX_OK;
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (conf->topic) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"cardfeed_topic\" and \"cardfeed_select\" in "
                      "location \"%V\": only one of them is allowed",
                      &clcf->name);
        return NGX_ERROR;
    }

    if (conf->select->lengths) {
        return NGX_OK;
    }

    cardfeed_arena_init(&arena, 1024 * 1024);
    cardfeed_query_init(&query, &arena);

    rc = cardfeed_query_selection(&query,
                                  ngx_http_cardfeed_str(&conf->select->value));

    cardfeed_arena_free(&arena);

    if (rc == CARDFEED_OK) {
        return NGX_OK;
    }

    ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                  "invalid \"cardfeed_select\" \"%V\" in location \"%V\": "
                  "\"all\", or slugs of topics as in a+!b,c are allowed",
                  &conf->select->value, &clcf->name);

    return NGX_ERROR;
}


/* OPML lists URLs of feeds: there must be a place where they are. */

static ngx_int_t
ngx_http_cardfeed_check_place(ngx_conf_t *cf,
    ngx_http_cardfeed_loc_conf_t *conf)
{
    const cardfeed_format_t   *format;
    ngx_http_core_loc_conf_t  *clcf;

    if (conf->format == NULL || conf->format->lengths
        || (conf->advertise
            && conf->advertise->collection == conf->collection))
    {
        return NGX_OK;
    }

    format = cardfeed_feed_format(ngx_http_cardfeed_str(&conf->format->value));

    if (format == NULL || format->begin) {
        return NGX_OK;
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                  "\"cardfeed_format %V\" in location \"%V\" needs "
                  "\"cardfeed_advertise %V PATH\", which says below which "
                  "path the feeds are", &conf->format->value, &clcf->name,
                  &conf->collection->name);

    return NGX_ERROR;
}


/* What is left to check and to derive. */

char *
ngx_http_cardfeed_location(ngx_conf_t *cf, ngx_http_cardfeed_loc_conf_t *conf)
{
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (ngx_http_cardfeed_check_args(cf, conf) != NGX_OK
        || ngx_http_cardfeed_check_select(cf, conf) != NGX_OK
        || ngx_http_cardfeed_check_place(cf, conf) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    conf->prefix = clcf->name;

    if (clcf->named || clcf->exact_match
#if (NGX_PCRE)
        || clcf->regex
#endif
       )
    {
        conf->prefix.len = 0;

        if (conf->format == NULL) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "\"cardfeed\" in location \"%V\" needs "
                          "\"cardfeed_format\": the URL of a regex, named or "
                          "exact location says nothing of the format",
                          &clcf->name);
            return NGX_CONF_ERROR;
        }
    }

    ngx_http_cardfeed_host(cf, conf);

    if (conf->host.len) {
        return NGX_CONF_OK;
    }

    conf->host = cf->cycle->hostname;

    ngx_log_error(NGX_LOG_WARN, cf->log, 0,
                  "no \"cardfeed_base_url\" and no plain \"server_name\" (an "
                  "international one is written xn--…) for location \"%V\": "
                  "its feeds call themselves by the host name \"%V\"",
                  &clcf->name, &conf->host);

    return NGX_CONF_OK;
}


/* Of base_url, else the first plain name of the server, else empty. */

void
ngx_http_cardfeed_host(ngx_conf_t *cf, ngx_http_cardfeed_loc_conf_t *conf)
{
    u_char                    *begin, *end, *slash;
    ngx_uint_t                 i;
    ngx_http_server_name_t    *name;
    ngx_http_core_srv_conf_t  *cscf;

    if (conf->base_url.len) {
        begin = ngx_strlchr(conf->base_url.data,
                            conf->base_url.data + conf->base_url.len, ':')
                + sizeof("://") - 1;
        end = conf->base_url.data + conf->base_url.len;
        slash = ngx_strlchr(begin, end, '/');

        conf->host.data = begin;
        conf->host.len = (size_t) ((slash ? slash : end) - begin);

        return;
    }

    cscf = ngx_http_conf_get_module_srv_conf(cf, ngx_http_core_module);

    name = cscf->server_names.elts;

    for (i = 0; i < cscf->server_names.nelts; i++) {

        if (ngx_http_cardfeed_plain_name(&name[i])) {
            conf->host = name[i].name;
            return;
        }
    }
}


/* Fit for a URL: no regex, no wildcard, no catch-all, plain ASCII. */

static ngx_uint_t
ngx_http_cardfeed_plain_name(ngx_http_server_name_t *name)
{
    u_char      ch;
    ngx_uint_t  i;

#if (NGX_PCRE)
    if (name->regex) {
        return 0;
    }
#endif

    for (i = 0; i < name->name.len; i++) {
        ch = name->name.data[i];

        if (!((ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9')
              || (i && (ch == '.' || ch == '-' || ch == '_'))))
        {
            return 0;
        }
    }

    return name->name.len != 0;
}
