
/*
 * ngx_http_cardfeed_collection: the cardfeed_collection directive and its
 * parameters, here those that are no matter of the cards; a wrong value names
 * what is allowed.
 */

#include "ngx_http_cardfeed_module.h"


/* Most bytes of patterns and the like. */

#define NGX_HTTP_CARDFEED_PARAMS  (1024 * 1024)


typedef struct ngx_http_cardfeed_param_s  ngx_http_cardfeed_param_t;

typedef char *(*ngx_http_cardfeed_param_pt)(ngx_conf_t *cf,
    cardfeed_collection_t *c, ngx_str_t *value, ngx_http_cardfeed_param_t *p);

struct ngx_http_cardfeed_param_s {
    ngx_str_t                    name;
    ngx_http_cardfeed_param_pt   set;
    const char                  *allowed;
    size_t                       offset;  /* of a choice */
    ngx_conf_enum_t             *choices;
};


static cardfeed_arena_t *ngx_http_cardfeed_collection_arena(ngx_conf_t *cf);
static void ngx_http_cardfeed_collection_free(void *data);
static char *ngx_http_cardfeed_collection_params(ngx_conf_t *cf,
    cardfeed_collection_t *c);
static char *ngx_http_cardfeed_collection_param(ngx_conf_t *cf,
    cardfeed_collection_t *c, ngx_str_t *param);
static ngx_int_t ngx_http_cardfeed_collection_name(ngx_str_t *name);
static char *ngx_http_cardfeed_param_poll(ngx_conf_t *cf,
    cardfeed_collection_t *c, ngx_str_t *value, ngx_http_cardfeed_param_t *p);
static char *ngx_http_cardfeed_param_threads(ngx_conf_t *cf,
    cardfeed_collection_t *c, ngx_str_t *value, ngx_http_cardfeed_param_t *p);
static char *ngx_http_cardfeed_param_map(ngx_conf_t *cf,
    cardfeed_collection_t *c, ngx_str_t *value, ngx_http_cardfeed_param_t *p);
static char *ngx_http_cardfeed_param_choice(ngx_conf_t *cf,
    cardfeed_collection_t *c, ngx_str_t *value, ngx_http_cardfeed_param_t *p);


static ngx_conf_enum_t  ngx_http_cardfeed_watch[] = {
    { ngx_string("auto"), CARDFEED_WATCH_AUTO },
    { ngx_string("inotify"), CARDFEED_WATCH_INOTIFY },
    { ngx_string("poll"), CARDFEED_WATCH_POLL },
    { ngx_string("off"), CARDFEED_WATCH_OFF },
    { ngx_null_string, 0 }
};


static ngx_http_cardfeed_param_t  ngx_http_cardfeed_params[] = {

    { ngx_string("watch="), ngx_http_cardfeed_param_choice,
      "auto, inotify, poll or off",
      offsetof(cardfeed_collection_t, watch), ngx_http_cardfeed_watch },

    { ngx_string("poll="), ngx_http_cardfeed_param_poll,
      "a time of at least 100ms, such as 5s", 0, NULL },

    { ngx_string("threads="), ngx_http_cardfeed_param_threads,
      "a number from 1 to 64", 0, NULL },

    { ngx_string("map="), ngx_http_cardfeed_param_map,
      "a size of at least 64m", 0, NULL },

    { ngx_null_string, NULL, NULL, 0, NULL }
};


char *
ngx_http_cardfeed_collection(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_cardfeed_main_conf_t *cmcf = conf;

    ngx_str_t                        *value, dir;
    ngx_http_cardfeed_collection_t   *col, **slot;

    value = cf->args->elts;

    if (ngx_http_cardfeed_collection_name(&value[1]) != NGX_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid collection name \"%V\": 1 to 64 letters, "
                           "digits, \"_\" or \"-\" are allowed", &value[1]);
        return NGX_CONF_ERROR;
    }

    if (ngx_http_cardfeed_find(cmcf, &value[1]) != NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "duplicate collection \"%V\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    dir = value[2];

    while (dir.len > 1 && dir.data[dir.len - 1] == '/') {
        dir.data[--dir.len] = '\0';
    }

    if (dir.len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "collection \"%V\" has an empty directory",
                           &value[1]);
        return NGX_CONF_ERROR;
    }

    if (ngx_conf_full_name(cf->cycle, &dir, 0) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    col = ngx_pcalloc(cf->pool, sizeof(ngx_http_cardfeed_collection_t));
    if (col == NULL) {
        return NGX_CONF_ERROR;
    }

    col->name = value[1];
    col->reports[0] = (ngx_socket_t) -1;
    col->reports[1] = (ngx_socket_t) -1;

    cardfeed_collection_defaults(&col->conf);
    col->conf.name = ngx_http_cardfeed_str(&value[1]);
    col->conf.dir = (char *) dir.data;

    slot = ngx_array_push(&cmcf->collections);
    if (slot == NULL) {
        return NGX_CONF_ERROR;
    }

    *slot = col;

    return ngx_http_cardfeed_collection_params(cf, &col->conf);
}


/* What the parameters point to lives as long as the configuration. */

static cardfeed_arena_t *
ngx_http_cardfeed_collection_arena(ngx_conf_t *cf)
{
    cardfeed_arena_t    *arena;
    ngx_pool_cleanup_t  *cln;

    cln = ngx_pool_cleanup_add(cf->pool, sizeof(cardfeed_arena_t));
    if (cln == NULL) {
        return NULL;
    }

    arena = cln->data;
    cardfeed_arena_init(arena, NGX_HTTP_CARDFEED_PARAMS);
    cln->handler = ngx_http_cardfeed_collection_free;

    return arena;
}


static void
ngx_http_cardfeed_collection_free(void *data)
{
    cardfeed_arena_free(data);
}


static char *
ngx_http_cardfeed_collection_params(ngx_conf_t *cf, cardfeed_collection_t *c)
{
    int                rc;
    const char        *allowed;
    ngx_str_t         *value;
    ngx_uint_t         i;
    cardfeed_arena_t  *arena;

    value = cf->args->elts;

    arena = ngx_http_cardfeed_collection_arena(cf);
    if (arena == NULL) {
        return NGX_CONF_ERROR;
    }

    for (i = 3; i < cf->args->nelts; i++) {

        rc = cardfeed_collection_set(c, arena,
                                     ngx_http_cardfeed_str(&value[i]),
                                     &allowed);

        if (rc == CARDFEED_INVALID) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid value in \"%V\": %s is allowed",
                               &value[i], allowed);
            return NGX_CONF_ERROR;
        }

        if (rc == CARDFEED_NOMEM) {
            return "takes too much memory";
        }

        if (rc == CARDFEED_NOTFOUND
            && ngx_http_cardfeed_collection_param(cf, c, &value[i])
               != NGX_CONF_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_cardfeed_collection_param(ngx_conf_t *cf, cardfeed_collection_t *c,
    ngx_str_t *param)
{
    ngx_str_t                   rest;
    ngx_http_cardfeed_param_t  *p;

    for (p = ngx_http_cardfeed_params; p->name.len; p++) {
        if (param->len >= p->name.len
            && ngx_strncmp(param->data, p->name.data, p->name.len) == 0)
        {
            break;
        }
    }

    if (p->name.len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"%V\": include=, exclude=, "
                           "watch=, poll=, threads=, max_card=, map=, "
                           "ids=, undated=, site= and timezone= are "
                           "allowed", param);
        return NGX_CONF_ERROR;
    }

    rest.data = param->data + p->name.len;
    rest.len = param->len - p->name.len;

    if (p->set(cf, c, &rest, p) != NGX_CONF_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value in \"%V\": %s is allowed",
                           param, p->allowed);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_cardfeed_collection_name(ngx_str_t *name)
{
    u_char      ch;
    ngx_uint_t  i;

    if (name->len == 0 || name->len > 64) {
        return NGX_ERROR;
    }

    for (i = 0; i < name->len; i++) {
        ch = name->data[i];

        if ((ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z')
            || (ch >= '0' && ch <= '9') || ch == '_' || ch == '-')
        {
            continue;
        }

        return NGX_ERROR;
    }

    return NGX_OK;
}


ngx_http_cardfeed_collection_t *
ngx_http_cardfeed_find(ngx_http_cardfeed_main_conf_t *cmcf, ngx_str_t *name)
{
    ngx_uint_t                        i;
    ngx_http_cardfeed_collection_t  **cols;

    cols = cmcf->collections.elts;

    for (i = 0; i < cmcf->collections.nelts; i++) {
        if (cols[i]->name.len == name->len
            && ngx_strncmp(cols[i]->name.data, name->data, name->len) == 0)
        {
            return cols[i];
        }
    }

    return NULL;
}


static char *
ngx_http_cardfeed_param_poll(ngx_conf_t *cf, cardfeed_collection_t *c,
    ngx_str_t *value, ngx_http_cardfeed_param_t *p)
{
    ngx_int_t  ms;

    ms = ngx_parse_time(value, 0);

    if (ms == NGX_ERROR || ms < 100 || ms > 86400 * 1000) {
        return NGX_CONF_ERROR;
    }

    c->poll_ms = (unsigned) ms;

    return NGX_CONF_OK;
}


static char *
ngx_http_cardfeed_param_threads(ngx_conf_t *cf, cardfeed_collection_t *c,
    ngx_str_t *value, ngx_http_cardfeed_param_t *p)
{
    ngx_int_t  n;

    n = ngx_atoi(value->data, value->len);

    if (n == NGX_ERROR || n < 1 || n > 64) {
        return NGX_CONF_ERROR;
    }

    c->threads = (unsigned) n;

    return NGX_CONF_OK;
}


static char *
ngx_http_cardfeed_param_map(ngx_conf_t *cf, cardfeed_collection_t *c,
    ngx_str_t *value, ngx_http_cardfeed_param_t *p)
{
    off_t  size;

    size = ngx_parse_offset(value);

    if (size == NGX_ERROR || size < 64 * 1024 * 1024) {
        return NGX_CONF_ERROR;
    }

    c->map_size = (size_t) size;

    return NGX_CONF_OK;
}


static char *
ngx_http_cardfeed_param_choice(ngx_conf_t *cf, cardfeed_collection_t *c,
    ngx_str_t *value, ngx_http_cardfeed_param_t *p)
{
    ngx_conf_enum_t  *e;

    for (e = p->choices; e->name.len; e++) {
        if (e->name.len == value->len
            && ngx_strncmp(e->name.data, value->data, value->len) == 0)
        {
            *(unsigned *) ((char *) c + p->offset) = (unsigned) e->value;
            return NGX_CONF_OK;
        }
    }

    return NGX_CONF_ERROR;
}
