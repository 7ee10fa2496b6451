
/*
 * ngx_http_cardfeed_conf: what the other directives say, checked while the
 * configuration is read; a wrong value names what is allowed.
 */

#include "ngx_http_cardfeed_module.h"


#define NGX_HTTP_CARDFEED_FORMATS_LEN  64


typedef int (*ngx_http_cardfeed_url_pt)(cardfeed_buf_t *out,
    cardfeed_str_t url);


static void ngx_http_cardfeed_format_names(u_char *names);
static char *ngx_http_cardfeed_advertise_topic(ngx_conf_t *cf,
    ngx_http_cardfeed_advertise_t *ad, ngx_str_t *topic);
static int ngx_http_cardfeed_absolute(cardfeed_buf_t *out,
    cardfeed_str_t url);
static ngx_int_t ngx_http_cardfeed_clean_url(ngx_conf_t *cf,
    ngx_str_t *value, ngx_str_t *out, ngx_http_cardfeed_url_pt clean);


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

    /* "/feeds" is the catalogue at "/feeds/" */

    if (!clcf->exact_match && clcf->name.len
        && clcf->name.data[clcf->name.len - 1] == '/')
    {
        clcf->auto_redirect = 1;
    }

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

    if (ngx_http_cardfeed_clean_url(cf, &value[1], field, cardfeed_url_base)
        != NGX_OK)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid URL \"%V\": an absolute http or https "
                           "URL without query and fragment is allowed",
                           &value[1]);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
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

    if (ngx_http_cardfeed_clean_url(cf, &value[1], field,
                                    ngx_http_cardfeed_absolute)
        != NGX_OK)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid URL \"%V\": an absolute http or https "
                           "URL is allowed", &value[1]);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static int
ngx_http_cardfeed_absolute(cardfeed_buf_t *out, cardfeed_str_t url)
{
    return cardfeed_url_absolute(out, url, CARDFEED_NO_STR);
}


static ngx_int_t
ngx_http_cardfeed_clean_url(ngx_conf_t *cf, ngx_str_t *value, ngx_str_t *out,
    ngx_http_cardfeed_url_pt clean)
{
    int             rc;
    cardfeed_buf_t  buf;

    cardfeed_buf_init(&buf, 4096);

    rc = clean(&buf, ngx_http_cardfeed_str(value));

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


char *
ngx_http_cardfeed_cache(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ssize_t     size;
    size_t     *field;
    ngx_str_t  *value;

    field = (size_t *) ((char *) conf + cmd->offset);

    if (*field != NGX_CONF_UNSET_SIZE) {
        return "is duplicate";
    }

    value = cf->args->elts;

    size = ngx_parse_size(&value[1]);

    if (size == NGX_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid size \"%V\": a size such as 32m is "
                           "allowed, 0 keeps nothing", &value[1]);
        return NGX_CONF_ERROR;
    }

    *field = (size_t) size;

    return NGX_CONF_OK;
}


/* "NAME PREFIX [TOPIC]", or "off" */

char *
ngx_http_cardfeed_advertise(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_cardfeed_loc_conf_t *cflcf = conf;

    ngx_str_t                      *value;
    ngx_http_cardfeed_main_conf_t  *cmcf;
    ngx_http_cardfeed_advertise_t  *ad;

    if (cflcf->advertise) {
        return "is duplicate";
    }

    value = cf->args->elts;

    ad = ngx_pcalloc(cf->pool, sizeof(ngx_http_cardfeed_advertise_t));
    if (ad == NULL) {
        return NGX_CONF_ERROR;
    }

    cflcf->advertise = ad;

    if (cf->args->nelts == 2) {
        return ngx_strcmp(value[1].data, "off") == 0
               ? NGX_CONF_OK
               : "needs a collection and the path its feeds are below";
    }

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_cardfeed_module);

    ad->collection = ngx_http_cardfeed_find(cmcf, &value[1]);

    if (ad->collection == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "unknown collection \"%V\": the name of a "
                           "cardfeed_collection above is allowed", &value[1]);
        return NGX_CONF_ERROR;
    }

    ad->prefix = value[2];

    if (ad->prefix.len == 0 || ad->prefix.data[0] != '/'
        || ad->prefix.data[ad->prefix.len - 1] != '/')
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid path \"%V\": a path such as /feeds/ is "
                           "allowed", &value[2]);
        return NGX_CONF_ERROR;
    }

    return cf->args->nelts == 3
           ? NGX_CONF_OK
           : ngx_http_cardfeed_advertise_topic(cf, ad, &value[3]);
}


static char *
ngx_http_cardfeed_advertise_topic(ngx_conf_t *cf,
    ngx_http_cardfeed_advertise_t *ad, ngx_str_t *topic)
{
    ngx_http_compile_complex_value_t  ccv;

    ad->topic = ngx_palloc(cf->pool, sizeof(ngx_http_complex_value_t));
    if (ad->topic == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));

    ccv.cf = cf;
    ccv.value = topic;
    ccv.complex_value = ad->topic;

    return ngx_http_compile_complex_value(&ccv) == NGX_OK ? NGX_CONF_OK
                                                          : NGX_CONF_ERROR;
}
