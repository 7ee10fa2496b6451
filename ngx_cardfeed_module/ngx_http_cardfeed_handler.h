/*
 * One request on its way through the handler's files: what it asks for
 * (resolve), what that is called (urls), what is said of it (channel), the
 * document (document), what its response says (headers).
 */

#ifndef NGX_HTTP_CARDFEED_HANDLER_H
#define NGX_HTTP_CARDFEED_HANDLER_H

#include "ngx_http_cardfeed_cache.h"


#define NGX_HTTP_CARDFEED_URL  (16 * 1024)


/* What one request asks for, and what its answer is made of. */

typedef struct {
    ngx_http_request_t              *request;
    ngx_http_cardfeed_loc_conf_t    *conf;
    cardfeed_arena_t                *arena;

    ngx_str_t                        topic;    /* values of directives */
    ngx_str_t                        args;
    ngx_str_t                        name;     /* of the format */

    cardfeed_store_t                *store;
    uint64_t                         generation;
    cardfeed_read_t                 *read;     /* while it is open */

    /* from here on only where a document has to be looked for or made */

    const cardfeed_format_t         *format;
    ngx_uint_t                       catalogue;  /* of topics, not cards */
    cardfeed_query_t                 query;
    cardfeed_query_t                 asked;    /* the same without
                                                  cardfeed_args: for URLs */
    uint32_t                         limit;

    cardfeed_selection_t             selection;
    cardfeed_archives_t              archives;
    cardfeed_topics_t                topics;   /* of the catalogue */

    cardfeed_str_t                   base;     /* no trailing slash */
    cardfeed_str_t                   path;     /* of self, encoded */
    cardfeed_str_t                   self;
    cardfeed_str_t                   feeds;    /* below it hang all feeds; or
                                                  empty */
    cardfeed_feed_t                  feed;
} ngx_http_cardfeed_ctx_t;


/* What a request was answered with, for its variables; its ctx. */

typedef struct {
    ngx_http_cardfeed_response_t    *response;
    ngx_str_t                        status;   /* of the cache */
} ngx_http_cardfeed_answer_t;


/* ngx_http_cardfeed_resolve.c: NGX_OK, or a status */

ngx_int_t ngx_http_cardfeed_values(ngx_http_cardfeed_ctx_t *ctx);
ngx_int_t ngx_http_cardfeed_resolve(ngx_http_cardfeed_ctx_t *ctx);

/* ngx_http_cardfeed_names.c: what a response is found by in the cache */

/* All that a request says, and is about, that may shape its response: to find
 * that again without a look at what it means.  In buf; empty where that is too
 * much. */

#define NGX_HTTP_CARDFEED_ASKED  4096

void ngx_http_cardfeed_asked_name(ngx_http_cardfeed_ctx_t *ctx, u_char *buf,
    ngx_str_t *name);

/* What the document is: its location, format, URL, and selection; NGX_ERROR:
 * no memory. */

ngx_int_t ngx_http_cardfeed_own_name(ngx_http_cardfeed_ctx_t *ctx,
    ngx_str_t *name);

/* ngx_http_cardfeed_urls.c */

/* What shapes a URL besides the configuration. */

in_port_t ngx_http_cardfeed_port(ngx_http_request_t *r);
ngx_uint_t ngx_http_cardfeed_https(ngx_http_request_t *r);
ngx_uint_t ngx_http_cardfeed_rewritten(ngx_http_request_t *r);

/* Below which all feeds of a prefix are; ends in a slash. */

void ngx_http_cardfeed_feeds_url(ngx_http_request_t *r,
    ngx_http_cardfeed_loc_conf_t *conf, ngx_str_t *prefix,
    cardfeed_buf_t *out);

/* ctx->base, path, self and feeds, before anything is selected. */

ngx_int_t ngx_http_cardfeed_self(ngx_http_cardfeed_ctx_t *ctx);

/* The other pages and formats, into ctx->feed. */

ngx_int_t ngx_http_cardfeed_pages(ngx_http_cardfeed_ctx_t *ctx);
ngx_int_t ngx_http_cardfeed_alternates(ngx_http_cardfeed_ctx_t *ctx);

/* A page of the catalogue, from that slug on. */

cardfeed_str_t ngx_http_cardfeed_topics_url(ngx_http_cardfeed_ctx_t *ctx,
    cardfeed_str_t from);

/* Moves what was built into the request's arena; empty when that failed. */

cardfeed_str_t ngx_http_cardfeed_keep(ngx_http_cardfeed_ctx_t *ctx,
    cardfeed_buf_t *buf);

/* ngx_http_cardfeed_channel.c: everything else a document says of itself */

ngx_int_t ngx_http_cardfeed_channel(ngx_http_cardfeed_ctx_t *ctx);
cardfeed_str_t ngx_http_cardfeed_site(ngx_http_cardfeed_loc_conf_t *conf);
cardfeed_str_t ngx_http_cardfeed_home(ngx_http_cardfeed_ctx_t *ctx);

/* ngx_http_cardfeed_document.c: a status, or NGX_OK and a response with one
 * reference; *keep: it is worth keeping */

ngx_int_t ngx_http_cardfeed_document(ngx_http_cardfeed_ctx_t *ctx,
    ngx_http_cardfeed_response_t **out, ngx_uint_t *keep);

/* ngx_http_cardfeed_encoding.c */

cardfeed_encoding_t ngx_http_cardfeed_encoding(ngx_http_request_t *r,
    ngx_http_cardfeed_response_t *res);

/* ngx_http_cardfeed_headers.c */

ngx_int_t ngx_http_cardfeed_headers(ngx_http_request_t *r,
    const ngx_http_cardfeed_response_t *res, cardfeed_encoding_t encoding);

/* A header of the response, or the one of this name there is; NULL: no
 * memory.  name and value must outlive the request. */

ngx_table_elt_t *ngx_http_cardfeed_header(ngx_http_request_t *r,
    const char *name, const char *value);


#endif /* NGX_HTTP_CARDFEED_HANDLER_H */
