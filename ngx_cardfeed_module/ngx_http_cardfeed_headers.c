
/*
 * ngx_http_cardfeed_headers: what a response says: its validators, its
 * freshness, its links.
 */

#include "ngx_http_cardfeed_handler.h"


static ngx_int_t ngx_http_cardfeed_type(ngx_http_request_t *r,
    const cardfeed_format_t *format);
static ngx_int_t ngx_http_cardfeed_cache_control(ngx_http_request_t *r,
    const ngx_http_cardfeed_response_t *res);
static ngx_uint_t ngx_http_cardfeed_has_freshness(ngx_http_request_t *r);
static ngx_int_t ngx_http_cardfeed_vary(ngx_http_request_t *r);


ngx_int_t
ngx_http_cardfeed_headers(ngx_http_request_t *r,
    const ngx_http_cardfeed_response_t *res, cardfeed_encoding_t encoding)
{
    ngx_table_elt_t  *etag, *link, *h;

    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_length_n = (off_t) res->body[encoding].len;

    /*
     * a change in this very second must not look like the next one in it:
     * until the time is past there is no Last-Modified
     */

    if (res->changed_at < ngx_time()) {
        r->headers_out.last_modified_time = res->changed_at;
    }

    /* If-None-Match takes precedence, nginx's filter would want both */

    if (r->headers_in.if_none_match) {
        r->headers_in.if_modified_since = NULL;
    }

    etag = ngx_http_cardfeed_header(r, "ETag", NULL);
    link = ngx_http_cardfeed_header(r, "Link", NULL);

    if (etag == NULL || link == NULL
        || ngx_http_cardfeed_type(r, res->format) != NGX_OK
        || ngx_http_cardfeed_cache_control(r, res) != NGX_OK
        || ngx_http_cardfeed_vary(r) != NGX_OK)
    {
        return NGX_ERROR;
    }

    etag->value = res->etag;
    link->value = res->link;

    r->headers_out.etag = etag;

    if (encoding == CARDFEED_ENCODING_IDENTITY) {
        return NGX_OK;
    }

    h = ngx_http_cardfeed_header(r, "Content-Encoding",
                                 cardfeed_encoding_names[encoding]);

    r->headers_out.content_encoding = h;

    return h ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
ngx_http_cardfeed_type(ngx_http_request_t *r, const cardfeed_format_t *format)
{
    r->headers_out.content_type.data = (u_char *) format->content_type;
    r->headers_out.content_type.len = ngx_strlen(format->content_type);
    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.content_type_lowcase = NULL;
    ngx_str_set(&r->headers_out.charset, "utf-8");

    if (format->policy
        && ngx_http_cardfeed_header(r, "Content-Security-Policy",
                                    format->policy)
           == NULL)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_cardfeed_cache_control(ngx_http_request_t *r,
    const ngx_http_cardfeed_response_t *res)
{
    u_char                        *p;
    time_t                         age, left;
    ngx_table_elt_t               *h;
    ngx_http_cardfeed_loc_conf_t  *conf;

    if (ngx_http_cardfeed_has_freshness(r)) {
        return NGX_OK;
    }

    h = ngx_http_cardfeed_header(r, "Cache-Control", "no-store");
    if (h == NULL) {
        return NGX_ERROR;
    }

    /* the page of an error that stays one is not for caches to keep */

    if (r->err_status >= NGX_HTTP_SPECIAL_RESPONSE) {
        return NGX_OK;
    }

    h->value = res->cache_control;

    if (res->next_due != CARDFEED_NO_TIME || r->headers_in.authorization) {

        conf = ngx_http_get_module_loc_conf(r, ngx_http_cardfeed_module);
        age = conf->max_age;

        if (res->next_due != CARDFEED_NO_TIME) {
            left = (time_t) res->next_due - ngx_time();
            age = ngx_min(age, ngx_max(left, 0));
        }

        p = ngx_pnalloc(r->pool,
                        sizeof("private, max-age=") + NGX_TIME_T_LEN);
        if (p == NULL) {
            return NGX_ERROR;
        }

        /* what took credentials is not for shared caches to hand to others */

        h->value.data = p;
        h->value.len = ngx_sprintf(p, "%s, max-age=%T",
                                   r->headers_in.authorization ? "private"
                                                               : "public",
                                   age)
                       - p;
    }

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


/* What an application said that led here by X-Accel-Redirect stands. */

static ngx_uint_t
ngx_http_cardfeed_has_freshness(ngx_http_request_t *r)
{
    if (r->headers_out.expires) {
        return 1;
    }

#if (nginx_version >= 1023000)
    return r->headers_out.cache_control != NULL;
#else
    return r->headers_out.cache_control.nelts != 0;
#endif
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


/* An error page of ours may have led here, and left some behind. */

ngx_table_elt_t *
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
