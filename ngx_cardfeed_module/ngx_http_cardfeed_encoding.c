
/*
 * ngx_http_cardfeed_encoding: in which encoding a response goes out; each is
 * made the first time that it is asked for.
 */

#include "ngx_http_cardfeed_handler.h"


static void ngx_http_cardfeed_accepted(ngx_http_request_t *r,
    ngx_http_cardfeed_accepted_t *accepted);
static ngx_table_elt_t *ngx_http_cardfeed_accept(ngx_list_part_t **part,
    ngx_uint_t *i);
static ngx_uint_t ngx_http_cardfeed_encoded(
    ngx_http_cardfeed_cache_t *cache, ngx_http_cardfeed_response_t *res,
    cardfeed_encoding_t encoding);


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

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_cardfeed_module);

    accepted = &cmcf->cache->accepted;

    ngx_http_cardfeed_accepted(r, accepted);

    for (i = 0; i < accepted->n; i++) {
        if (ngx_http_cardfeed_encoded(cmcf->cache, res, accepted->order[i])) {
            return accepted->order[i];
        }
    }

    /* it was refused, and is still better than nothing */

    return CARDFEED_ENCODING_IDENTITY;
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
        accepted->n = 0;
        return;
    }

    h = ngx_http_cardfeed_accept(&part, &i);

    if (h == NULL && accepted->n && accepted->len == first->value.len
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
ngx_http_cardfeed_encoded(ngx_http_cardfeed_cache_t *cache,
    ngx_http_cardfeed_response_t *res, cardfeed_encoding_t encoding)
{
    int  rc;

    if (res->body[encoding].len) {
        return 1;
    }

    if (res->useless & (1u << encoding)) {
        return 0;
    }

    rc = cardfeed_encode(encoding,
                     cardfeed_buf_view(&res->body[CARDFEED_ENCODING_IDENTITY]),
                     &res->body[encoding]);

    if (rc != CARDFEED_OK) {
        cardfeed_buf_free(&res->body[encoding]);

        if (rc == CARDFEED_FULL) {
            res->useless |= 1u << encoding;
        }

        return 0;
    }

    cardfeed_buf_fit(&res->body[encoding]);

    ngx_http_cardfeed_cache_grown(cache, res);

    return 1;
}
