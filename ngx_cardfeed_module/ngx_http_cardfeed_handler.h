/*
 * One request on its way through the handler's files: what it asks for
 * (handler), what its document says of itself (channel), what its response
 * says (headers).
 */

#ifndef NGX_HTTP_CARDFEED_HANDLER_H
#define NGX_HTTP_CARDFEED_HANDLER_H

#include "ngx_http_cardfeed_module.h"


/* What one request asks for, and what its answer is made of. */

typedef struct {
    ngx_http_request_t              *request;
    ngx_http_cardfeed_loc_conf_t    *conf;
    cardfeed_arena_t                *arena;
    const cardfeed_format_t         *format;
    cardfeed_query_t                 query;
    cardfeed_query_t                 asked;    /* the same without
                                                  cardfeed_args: for URLs */
    uint32_t                         limit;
    cardfeed_selection_t             selection;
    cardfeed_str_t                   base;     /* no trailing slash */
    cardfeed_str_t                   path;     /* of self, encoded */
    cardfeed_feed_t                  feed;
} ngx_http_cardfeed_ctx_t;


/* ngx_http_cardfeed_channel.c: the feed's URLs, then everything else about
 * it, from the configuration and the selection; into ctx->feed */

ngx_int_t ngx_http_cardfeed_urls(ngx_http_cardfeed_ctx_t *ctx);
ngx_int_t ngx_http_cardfeed_channel(ngx_http_cardfeed_ctx_t *ctx);

/* ngx_http_cardfeed_headers.c */

ngx_int_t ngx_http_cardfeed_headers(ngx_http_cardfeed_ctx_t *ctx,
    cardfeed_buf_t *body);

/* A header of the response, or the one of this name there is; NULL: no
 * memory.  name must outlive the request, value may be NULL. */

ngx_table_elt_t *ngx_http_cardfeed_header(ngx_http_request_t *r,
    const char *name, const char *value);


#endif /* NGX_HTTP_CARDFEED_HANDLER_H */
