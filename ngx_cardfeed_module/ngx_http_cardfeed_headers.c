
/*
 * ngx_http_cardfeed_headers: what a response says: its validators, its
 * freshness, its links.
 */

#include "ngx_http_cardfeed_handler.h"


typedef ngx_table_elt_t *(*ngx_http_cardfeed_add_pt)(ngx_http_request_t *r,
    const ngx_str_t *key, const ngx_str_t *value);


static void ngx_http_cardfeed_fields(ngx_http_request_t *r,
    const ngx_http_cardfeed_response_t *res, cardfeed_encoding_t encoding);
static ngx_int_t ngx_http_cardfeed_cache_control(ngx_http_request_t *r,
    const ngx_http_cardfeed_response_t *res, ngx_table_elt_t *h);
static ngx_uint_t ngx_http_cardfeed_has_freshness(ngx_http_request_t *r);
static ngx_uint_t ngx_http_cardfeed_varies(ngx_http_request_t *r);
static ngx_table_elt_t *ngx_http_cardfeed_push(ngx_http_request_t *r,
    const ngx_str_t *key, const ngx_str_t *value);
static ngx_table_elt_t *ngx_http_cardfeed_set(ngx_http_request_t *r,
    const ngx_str_t *key, const ngx_str_t *value);


static ngx_str_t  ngx_http_cardfeed_etag_key = ngx_string("ETag");
static ngx_str_t  ngx_http_cardfeed_link_key = ngx_string("Link");
static ngx_str_t  ngx_http_cardfeed_cache_control_key =
                                              ngx_string("Cache-Control");
static ngx_str_t  ngx_http_cardfeed_vary_key = ngx_string("Vary");
static ngx_str_t  ngx_http_cardfeed_vary = ngx_string("Accept-Encoding");
static ngx_str_t  ngx_http_cardfeed_policy_key =
                                     ngx_string("Content-Security-Policy");
static ngx_str_t  ngx_http_cardfeed_encoding_key =
                                     ngx_string("Content-Encoding");


ngx_int_t
ngx_http_cardfeed_headers(ngx_http_request_t *r,
    const ngx_http_cardfeed_response_t *res, cardfeed_encoding_t encoding)
{
    ngx_str_t                  value;
    ngx_table_elt_t           *h;
    ngx_http_cardfeed_add_pt   add;

    /* what there is already is looked for; mostly nothing is */

    add = r->headers_out.headers.part.nelts ? ngx_http_cardfeed_set
                                            : ngx_http_cardfeed_push;

    ngx_http_cardfeed_fields(r, res, encoding);

    r->headers_out.etag = add(r, &ngx_http_cardfeed_etag_key, &res->etag);

    if (r->headers_out.etag == NULL
        || add(r, &ngx_http_cardfeed_link_key, &res->link) == NULL)
    {
        return NGX_ERROR;
    }

    if (!ngx_http_cardfeed_has_freshness(r)) {
        h = add(r, &ngx_http_cardfeed_cache_control_key, &res->cache_control);

        if (h == NULL || ngx_http_cardfeed_cache_control(r, res, h) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    if (ngx_http_cardfeed_varies(r)
        && add(r, &ngx_http_cardfeed_vary_key, &ngx_http_cardfeed_vary)
           == NULL)
    {
        return NGX_ERROR;
    }

    if (res->policy.len
        && add(r, &ngx_http_cardfeed_policy_key, &res->policy) == NULL)
    {
        return NGX_ERROR;
    }

    if (encoding == CARDFEED_ENCODING_IDENTITY) {
        return NGX_OK;
    }

    value.data = (u_char *) cardfeed_encoding_names[encoding];
    value.len = ngx_strlen(value.data);

    h = add(r, &ngx_http_cardfeed_encoding_key, &value);

    r->headers_out.content_encoding = h;

    return h ? NGX_OK : NGX_ERROR;
}


/* What nginx makes headers of by itself. */

static void
ngx_http_cardfeed_fields(ngx_http_request_t *r,
    const ngx_http_cardfeed_response_t *res, cardfeed_encoding_t encoding)
{
    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_length_n = (off_t) res->body[encoding].len;

    r->headers_out.content_type = res->content_type;
    r->headers_out.content_type_len = res->content_type.len;
    r->headers_out.content_type_lowcase = NULL;
    ngx_str_set(&r->headers_out.charset, "utf-8");

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
}


static ngx_int_t
ngx_http_cardfeed_cache_control(ngx_http_request_t *r,
    const ngx_http_cardfeed_response_t *res, ngx_table_elt_t *h)
{
    u_char                        *p;
    time_t                         age, left;
    ngx_http_cardfeed_loc_conf_t  *conf;

    /* the page of an error that stays one is not for caches to keep */

    if (r->err_status >= NGX_HTTP_SPECIAL_RESPONSE) {
        ngx_str_set(&h->value, "no-store");
        return NGX_OK;
    }

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


/* Vary is there once, on 200 and 304 alike, whatever gzip and gzip_vary are
 * set to. */

static ngx_uint_t
ngx_http_cardfeed_varies(ngx_http_request_t *r)
{
#if (NGX_HTTP_GZIP)
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    if (clcf->gzip_vary) {

        /* nginx writes it then, also where its gzip filter does not ask */

        r->gzip_vary = 1;
        return 0;
    }
#endif

    return 1;
}


ngx_table_elt_t *
ngx_http_cardfeed_header(ngx_http_request_t *r, const char *name,
    const char *value)
{
    ngx_str_t  key, text;

    key.data = (u_char *) name;
    key.len = ngx_strlen(name);

    text.data = (u_char *) value;
    text.len = ngx_strlen(value);

    return ngx_http_cardfeed_set(r, &key, &text);
}


/* An error page of ours may have led here, and left some behind. */

static ngx_table_elt_t *
ngx_http_cardfeed_set(ngx_http_request_t *r, const ngx_str_t *key,
    const ngx_str_t *value)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    for (part = &r->headers_out.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {
            if (h[i].key.len == key->len && h[i].hash
                && ngx_strncasecmp(h[i].key.data, key->data, key->len) == 0)
            {
                h[i].value = *value;
                return &h[i];
            }
        }
    }

    return ngx_http_cardfeed_push(r, key, value);
}


static ngx_table_elt_t *
ngx_http_cardfeed_push(ngx_http_request_t *r, const ngx_str_t *key,
    const ngx_str_t *value)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NULL;
    }

#if (nginx_version >= 1023000)
    h->next = NULL;
#endif

    h->hash = 1;
    h->key = *key;
    h->value = *value;

    return h;
}
