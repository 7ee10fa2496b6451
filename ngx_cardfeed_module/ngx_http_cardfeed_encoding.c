
/*
 * ngx_http_cardfeed_encoding: in which encoding a response goes out; each is
 * made the first time that it is asked for.
 */

#include "ngx_http_cardfeed_handler.h"


/* The Accept-Encoding of the last request, and what it says: the next one's
 * is mostly the same. */

typedef struct {
    u_char                value[128];
    size_t                len;           /* 0: there is none to go by */
    size_t                n;
    cardfeed_encoding_t   order[CARDFEED_ENCODINGS];
} ngx_http_cardfeed_accepted_t;


static ngx_uint_t ngx_http_cardfeed_is_known(ngx_http_request_t *r,
    const ngx_http_cardfeed_response_t *res);
static void ngx_http_cardfeed_accepted(ngx_http_request_t *r,
    ngx_http_cardfeed_accepted_t *accepted);
static ngx_table_elt_t *ngx_http_cardfeed_accept(ngx_list_part_t **part,
    ngx_uint_t *i);
static ngx_uint_t ngx_http_cardfeed_encoded(
    ngx_http_cardfeed_main_conf_t *cmcf, ngx_http_cardfeed_response_t *res,
    cardfeed_encoding_t encoding);


static ngx_http_cardfeed_accepted_t  ngx_http_cardfeed_last_accepted;


/* What the client likes best, as far as it is worth it. */

cardfeed_encoding_t
ngx_http_cardfeed_encoding(ngx_http_request_t *r,
    ngx_http_cardfeed_response_t *res)
{
    size_t                          i;
    ngx_http_cardfeed_accepted_t   *accepted;
    ngx_http_cardfeed_loc_conf_t   *conf;
    ngx_http_cardfeed_main_conf_t  *cmcf;

    conf = ngx_http_get_module_loc_conf(r, ngx_http_cardfeed_module);

    /* a subrequest becomes a part of something else */

    if (r != r->main || !conf->compression) {
        return CARDFEED_ENCODING_IDENTITY;
    }

#if (NGX_HTTP_GZIP)

    /* what goes out as it is was chosen to */

    r->gzip_tested = 1;
    r->gzip_ok = 0;

#endif

    if (ngx_http_cardfeed_is_known(r, res)) {
        return CARDFEED_ENCODING_IDENTITY;
    }

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_cardfeed_module);

    accepted = &ngx_http_cardfeed_last_accepted;

    ngx_http_cardfeed_accepted(r, accepted);

    for (i = 0; i < accepted->n; i++) {
        if (ngx_http_cardfeed_encoded(cmcf, res, accepted->order[i])) {
            return accepted->order[i];
        }
    }

    /* it was refused, and is still better than nothing */

    return CARDFEED_ENCODING_IDENTITY;
}


/* The client has it, in whatever encoding: this will be a 304. */

static ngx_uint_t
ngx_http_cardfeed_is_known(ngx_http_request_t *r,
    const ngx_http_cardfeed_response_t *res)
{
    ngx_str_t  *etag;

    if (r->headers_in.if_none_match == NULL) {
        return 0;
    }

    etag = &r->headers_in.if_none_match->value;

    return etag->len == res->etag.len
           && ngx_memcmp(etag->data, res->etag.data, etag->len) == 0;
}


/* The request's lines, or what is known of such a line already. */

static void
ngx_http_cardfeed_accepted(ngx_http_request_t *r,
    ngx_http_cardfeed_accepted_t *accepted)
{
    ngx_uint_t          i;
    ngx_list_part_t    *part;
    ngx_table_elt_t    *first, *h;
    cardfeed_accept_t   accept;

    part = &r->headers_in.headers.part;
    i = 0;

    first = ngx_http_cardfeed_accept(&part, &i);

    if (first == NULL) {
        accepted->len = 0;
        accepted->n = 0;
        return;
    }

    h = ngx_http_cardfeed_accept(&part, &i);

    if (h == NULL && accepted->len && accepted->len == first->value.len
        && ngx_memcmp(accepted->value, first->value.data, accepted->len) == 0)
    {
        return;
    }

    cardfeed_accept_init(&accept);
    cardfeed_accept_header(&accept, ngx_http_cardfeed_str(&first->value));

    accepted->len = 0;

    if (h == NULL && first->value.len
        && first->value.len <= sizeof(accepted->value))
    {
        accepted->len = first->value.len;
        ngx_memcpy(accepted->value, first->value.data, accepted->len);
    }

    for ( /* void */ ; h; h = ngx_http_cardfeed_accept(&part, &i)) {
        cardfeed_accept_header(&accept, ngx_http_cardfeed_str(&h->value));
    }

    accepted->n = cardfeed_accept_order(&accept, accepted->order);
}


/* The next Accept-Encoding from there on.  nginx keeps one, and only where it
 * has its gzip module. */

static ngx_table_elt_t *
ngx_http_cardfeed_accept(ngx_list_part_t **part, ngx_uint_t *i)
{
    ngx_table_elt_t  *h;

    for ( /* void */ ; *part; *part = (*part)->next, *i = 0) {
        while (*i < (*part)->nelts) {
            h = (ngx_table_elt_t *) (*part)->elts + (*i)++;

            if (h->key.len == sizeof("Accept-Encoding") - 1
                && ngx_memcmp(h->lowcase_key, "accept-encoding",
                              sizeof("Accept-Encoding") - 1)
                   == 0)
            {
                return h;
            }
        }
    }

    return NULL;
}


/* Whether there is such a body. */

static ngx_uint_t
ngx_http_cardfeed_encoded(ngx_http_cardfeed_main_conf_t *cmcf,
    ngx_http_cardfeed_response_t *res, cardfeed_encoding_t encoding)
{
    int              rc;
    ngx_uint_t       made;
    cardfeed_buf_t  *scratch;

    if (res->body[encoding].len) {
        return 1;
    }

    if (res->useless & (1u << encoding)) {
        return 0;
    }

    scratch = &cmcf->scratch;

    rc = cardfeed_encode(encoding,
            ngx_http_cardfeed_str(&res->body[CARDFEED_ENCODING_IDENTITY]),
            scratch);

    if (rc == CARDFEED_FULL) {
        res->useless |= 1u << encoding;
    }

    made = rc == CARDFEED_OK
           && ngx_http_cardfeed_response_body(res, encoding,
                                              cardfeed_buf_view(scratch))
              == NGX_OK;

    ngx_http_cardfeed_scratch_done(scratch);

    if (made) {
        ngx_http_cardfeed_cache_grown(cmcf->cache, res);
    }

    return made;
}
