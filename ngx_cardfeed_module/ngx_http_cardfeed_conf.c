
/*
 * ngx_http_cardfeed_conf: what the other directives say, checked while the
 * configuration is read; a wrong value names what is allowed.
 */

#include "ngx_http_cardfeed_module.h"


#define NGX_HTTP_CARDFEED_FORMATS_LEN  64


static void ngx_http_cardfeed_format_names(u_char *names);
static ngx_int_t ngx_http_cardfeed_check_args(ngx_conf_t *cf,
    ngx_http_cardfeed_loc_conf_t *conf);
static void ngx_http_cardfeed_unknown_args(ngx_conf_t *cf, ngx_str_t *args,
    ngx_str_t *location);
static ngx_uint_t ngx_http_cardfeed_plain_name(ngx_http_server_name_t *name);
static ngx_int_t ngx_http_cardfeed_clean_url(ngx_conf_t *cf,
    ngx_str_t *value, ngx_str_t *out);


char *
ngx_http_cardfeed_index_path(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_cardfeed_main_conf_t *cmcf = conf;

    ngx_str_t  *value;

    if (cmcf->index_path.data) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (value[1].len == 0) {
        return "must not be empty: a directory is allowed";
    }

    cmcf->index_path = value[1];

    if (ngx_conf_full_name(cf->cycle, &cmcf->index_path, 0) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


char *
ngx_http_cardfeed(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_cardfeed_loc_conf_t *cflcf = conf;

    ngx_str_t                      *value;
    ngx_http_core_loc_conf_t       *clcf;
    ngx_http_cardfeed_main_conf_t  *cmcf;

    if (cflcf->collection) {
        return "is duplicate";
    }

    value = cf->args->elts;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_cardfeed_module);

    cflcf->collection = ngx_http_cardfeed_find(cmcf, &value[1]);

    if (cflcf->collection == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "unknown collection \"%V\": the name of a "
                           "cardfeed_collection above is allowed", &value[1]);
        return NGX_CONF_ERROR;
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = ngx_http_cardfeed_handler;

    return NGX_CONF_OK;
}


char *
ngx_http_cardfeed_format(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_cardfeed_loc_conf_t *cflcf = conf;

    char       *rv;
    u_char      allowed[NGX_HTTP_CARDFEED_FORMATS_LEN];
    ngx_str_t  *value;

    rv = ngx_http_set_complex_value_slot(cf, cmd, conf);

    if (rv != NGX_CONF_OK) {
        return rv;
    }

    value = &cflcf->format->value;

    if (cflcf->format->lengths == NULL
        && cardfeed_feed_format(ngx_http_cardfeed_str(value)) == NULL)
    {
        ngx_http_cardfeed_format_names(allowed);
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "unknown format \"%V\": %s is allowed",
                           value, allowed);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* "rss, atom or json" */

static void
ngx_http_cardfeed_format_names(u_char *names)
{
    u_char                          *p, *last;
    const char                      *separator;
    const cardfeed_format_t *const  *format;

    p = names;
    last = names + NGX_HTTP_CARDFEED_FORMATS_LEN - 1;
    separator = "";

    for (format = cardfeed_feed_formats; *format; format++) {
        p = ngx_slprintf(p, last, "%s%s", separator, (*format)->name);
        separator = (format[1] && format[2] == NULL) ? " or " : ", ";
    }

    *p = '\0';
}


/* Where a site or its feeds begin: what paths are put behind. */

char *
ngx_http_cardfeed_base(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t  *field, *value;

    field = (ngx_str_t *) ((char *) conf + cmd->offset);

    if (field->data) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_http_cardfeed_base_url(cf, &value[1], field) != NGX_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid URL \"%V\": an absolute http or https "
                           "URL without query and fragment is allowed",
                           &value[1]);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


ngx_int_t
ngx_http_cardfeed_base_url(ngx_conf_t *cf, ngx_str_t *value, ngx_str_t *out)
{
    if (ngx_http_cardfeed_clean_url(cf, value, out) != NGX_OK
        || ngx_strlchr(out->data, out->data + out->len, '?')
        || ngx_strlchr(out->data, out->data + out->len, '#'))
    {
        return NGX_ERROR;
    }

    while (out->len && out->data[out->len - 1] == '/') {
        out->len--;
    }

    return NGX_OK;
}


char *
ngx_http_cardfeed_url(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t  *field, *value;

    field = (ngx_str_t *) ((char *) conf + cmd->offset);

    if (field->data) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_http_cardfeed_clean_url(cf, &value[1], field) != NGX_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid URL \"%V\": an absolute http or https "
                           "URL is allowed", &value[1]);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_cardfeed_clean_url(ngx_conf_t *cf, ngx_str_t *value, ngx_str_t *out)
{
    int             rc;
    cardfeed_buf_t  buf;

    cardfeed_buf_init(&buf, 4096);

    rc = cardfeed_url_absolute(&buf, ngx_http_cardfeed_str(value),
                               CARDFEED_NO_STR);

    if (rc != CARDFEED_OK) {
        cardfeed_buf_free(&buf);
        return NGX_ERROR;
    }

    out->len = buf.len;
    out->data = ngx_pnalloc(cf->pool, buf.len);

    if (out->data) {
        ngx_memcpy(out->data, buf.data, buf.len);
    }

    cardfeed_buf_free(&buf);

    return out->data ? NGX_OK : NGX_ERROR;
}


char *
ngx_http_cardfeed_text(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char            *rv;
    ngx_str_t       *field, *value;
    cardfeed_buf_t   buf;

    field = (ngx_str_t *) ((char *) conf + cmd->offset);

    if (field->data) {
        return "is duplicate";
    }

    value = cf->args->elts;
    rv = NGX_CONF_ERROR;

    if (cardfeed_utf8_check(ngx_http_cardfeed_str(&value[1]))
        != value[1].len)
    {
        return "has invalid UTF-8: one line of UTF-8 text is allowed";
    }

    cardfeed_buf_init(&buf, 64 * 1024);

    if (cardfeed_text_plain(&buf, ngx_http_cardfeed_str(&value[1]), 0)
        != CARDFEED_OK)
    {
        goto done;
    }

    if (buf.len == 0) {
        rv = "must not be empty: one line of text is allowed";
        goto done;
    }

    field->len = buf.len;
    field->data = ngx_pnalloc(cf->pool, buf.len);

    if (field->data == NULL) {
        goto done;
    }

    ngx_memcpy(field->data, buf.data, buf.len);
    rv = NGX_CONF_OK;

done:

    cardfeed_buf_free(&buf);

    return rv;
}


/* The shape of RFC 5646: subtags of up to eight letters and digits. */

char *
ngx_http_cardfeed_language(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    u_char      ch;
    ngx_str_t  *field, *value;
    ngx_uint_t  i, n;

    field = (ngx_str_t *) ((char *) conf + cmd->offset);

    if (field->data) {
        return "is duplicate";
    }

    value = cf->args->elts;

    for (i = 0, n = 0; i < value[1].len; i++) {
        ch = value[1].data[i];

        if (ch == '-' && n > 0) {
            n = 0;
            continue;
        }

        n++;

        if (n > 8
            || !((ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z')
                 || (ch >= '0' && ch <= '9' && i > 1)))
        {
            n = 0;
            break;
        }
    }

    if (n == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid language \"%V\": a tag such as en or "
                           "de-AT is allowed", &value[1]);
        return NGX_CONF_ERROR;
    }

    *field = value[1];

    return NGX_CONF_OK;
}


char *
ngx_http_cardfeed_max_age(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    time_t     *field;
    ngx_str_t  *value;

    field = (time_t *) ((char *) conf + cmd->offset);

    if (*field != NGX_CONF_UNSET) {
        return "is duplicate";
    }

    value = cf->args->elts;

    *field = ngx_parse_time(&value[1], 1);

    if (*field == (time_t) NGX_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid time \"%V\": a time such as 0, 90s or 5m "
                           "is allowed", &value[1]);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


char *
ngx_http_cardfeed_count(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_int_t  *field;
    ngx_str_t  *value;

    field = (ngx_int_t *) ((char *) conf + cmd->offset);

    if (*field != NGX_CONF_UNSET) {
        return "is duplicate";
    }

    value = cf->args->elts;

    *field = ngx_atoi(value[1].data, value[1].len);

    if (*field == NGX_ERROR || *field < 1 || *field > 10000) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid number \"%V\": 1 to 10000 is allowed",
                           &value[1]);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* Arguments without variables can be judged now. */

static ngx_int_t
ngx_http_cardfeed_check_args(ngx_conf_t *cf,
    ngx_http_cardfeed_loc_conf_t *conf)
{
    int                        rc;
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

    cardfeed_arena_free(&arena);

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


/* What is left to check and to derive once a location is merged. */

char *
ngx_http_cardfeed_location(ngx_conf_t *cf, ngx_http_cardfeed_loc_conf_t *conf)
{
    u_char                     *begin, *end, *slash;
    ngx_uint_t                  i;
    ngx_http_server_name_t     *name;
    ngx_http_core_loc_conf_t   *clcf;
    ngx_http_core_srv_conf_t   *cscf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    cscf = ngx_http_conf_get_module_srv_conf(cf, ngx_http_core_module);

    if (ngx_http_cardfeed_check_args(cf, conf) != NGX_OK) {
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

    if (conf->base_url.len) {
        begin = ngx_strlchr(conf->base_url.data,
                            conf->base_url.data + conf->base_url.len, ':')
                + sizeof("://") - 1;
        end = conf->base_url.data + conf->base_url.len;
        slash = ngx_strlchr(begin, end, '/');

        conf->host.data = begin;
        conf->host.len = (size_t) ((slash ? slash : end) - begin);

        return NGX_CONF_OK;
    }

    name = cscf->server_names.elts;

    for (i = 0; i < cscf->server_names.nelts; i++) {

        if (ngx_http_cardfeed_plain_name(&name[i])) {
            conf->host = name[i].name;
            return NGX_CONF_OK;
        }
    }

    conf->host = cf->cycle->hostname;

    ngx_log_error(NGX_LOG_WARN, cf->log, 0,
                  "no \"cardfeed_base_url\" and no plain \"server_name\" (an "
                  "international one is written xn--…) for location \"%V\": "
                  "its feeds call themselves by the host name \"%V\"",
                  &clcf->name, &conf->host);

    return NGX_CONF_OK;
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
