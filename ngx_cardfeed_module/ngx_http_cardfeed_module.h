/*
 * What the glue's files share: configuration, the collections of a process,
 * and what each file offers the others.
 */

#ifndef NGX_HTTP_CARDFEED_MODULE_H
#define NGX_HTTP_CARDFEED_MODULE_H

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>

#include <cardfeed/base.h>
#include <cardfeed/collection.h>
#include <cardfeed/feed.h>
#include <cardfeed/indexer.h>
#include <cardfeed/query.h>
#include <cardfeed/select.h>
#include <cardfeed/store.h>
#include <cardfeed/text.h>


/* Most bytes of a document. */

#define NGX_HTTP_CARDFEED_DOCUMENT  (64 * 1024 * 1024)


typedef struct ngx_http_cardfeed_cache_s  ngx_http_cardfeed_cache_t;


/* A collection: its parameters, and in a worker what serves it. */

typedef struct {
    cardfeed_collection_t      conf;
    ngx_str_t                  name;
    char                      *path;       /* its index, below index_path */

    cardfeed_index_t          *index;      /* NULL: could not be opened */
    cardfeed_indexer_t        *indexer;
    ngx_socket_t               reports[2];
    ngx_connection_t          *connection; /* reads reports[0] */
    ngx_event_t                retry;
    ngx_log_t                 *log;
} ngx_http_cardfeed_collection_t;


typedef struct {
    ngx_array_t                collections; /* of pointers */
    ngx_str_t                  index_path;
    cardfeed_arena_t           arena;       /* one request's, at a time */
    cardfeed_buf_t             scratch;     /* a body in the making */
    size_t                     cache_size;
    ngx_http_cardfeed_cache_t *cache;
} ngx_http_cardfeed_main_conf_t;


/* Where pages of the site find the feeds they advertise. */

typedef struct {
    ngx_http_cardfeed_collection_t  *collection; /* NULL: nowhere */
    ngx_str_t                  prefix;      /* ends in a slash */
    ngx_http_complex_value_t  *topic;       /* NULL: all */
} ngx_http_cardfeed_advertise_t;


typedef struct {
    ngx_http_cardfeed_collection_t  *collection;

    ngx_http_complex_value_t  *topic;
    ngx_http_complex_value_t  *select;
    ngx_http_complex_value_t  *args;
    ngx_http_complex_value_t  *format;

    ngx_str_t                  base_url;
    ngx_str_t                  site_url;
    ngx_str_t                  title;
    ngx_str_t                  description;
    ngx_str_t                  author;
    ngx_str_t                  language;
    ngx_str_t                  icon;
    ngx_str_t                  logo;
    ngx_str_t                  rights;
    ngx_str_t                  hub;
    ngx_int_t                  entries;
    ngx_int_t                  max_entries;
    time_t                     max_age;
    ngx_flag_t                 compression;
    ngx_http_cardfeed_advertise_t  *advertise;

    ngx_str_t                  host;        /* of base_url, else server's */
    ngx_str_t                  prefix;      /* of a prefix location, or "" */
} ngx_http_cardfeed_loc_conf_t;


extern ngx_module_t  ngx_http_cardfeed_module;


/* ngx_http_cardfeed_collection.c: cardfeed_collection and its parameters */

char *ngx_http_cardfeed_collection(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
ngx_http_cardfeed_collection_t *ngx_http_cardfeed_find(
    ngx_http_cardfeed_main_conf_t *cmcf, ngx_str_t *name);

/* ngx_http_cardfeed_conf.c: what the other directives say, checked */

char *ngx_http_cardfeed_base(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_cardfeed_index_path(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_cardfeed(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_cardfeed_format(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_cardfeed_url(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_cardfeed_text(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_cardfeed_language(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_cardfeed_max_age(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_cardfeed_count(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_cardfeed_cache(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_cardfeed_advertise(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* ngx_http_cardfeed_location.c: what a location is, once it is merged */

char *ngx_http_cardfeed_location(ngx_conf_t *cf,
    ngx_http_cardfeed_loc_conf_t *conf);
void ngx_http_cardfeed_host(ngx_conf_t *cf,
    ngx_http_cardfeed_loc_conf_t *conf);

/* ngx_http_cardfeed_process.c: processes, indexers, their reports */

ngx_int_t ngx_http_cardfeed_init_module(ngx_cycle_t *cycle);
ngx_int_t ngx_http_cardfeed_init_process(ngx_cycle_t *cycle);
void ngx_http_cardfeed_exit_process(ngx_cycle_t *cycle);

/* The collection of this process that serves requests for one of (perhaps) an
 * older cycle. */
ngx_http_cardfeed_collection_t *ngx_http_cardfeed_serving(
    ngx_http_cardfeed_collection_t *collection);

/* ngx_http_cardfeed_handler.c */

ngx_int_t ngx_http_cardfeed_handler(ngx_http_request_t *r);

/* ngx_http_cardfeed_variables.c */

ngx_int_t ngx_http_cardfeed_add_variables(ngx_conf_t *cf);

/* Whether a location's feeds call themselves by the request's own path. */

static ngx_inline ngx_uint_t
ngx_http_cardfeed_own_urls(const ngx_http_cardfeed_loc_conf_t *conf)
{
    return conf->format || conf->topic || conf->select;
}



static ngx_inline cardfeed_str_t
ngx_http_cardfeed_str(const ngx_str_t *s)
{
    cardfeed_str_t  str;

    str.data = s->len ? (const char *) s->data : "";
    str.len = s->len;

    return str;
}


#endif /* NGX_HTTP_CARDFEED_MODULE_H */
