
/*
 * ngx_http_cardfeed_collection: the cardfeed_collection directive and its
 * parameters; a wrong value names what is allowed.
 */

#include "ngx_http_cardfeed_module.h"


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


static char *ngx_http_cardfeed_collection_params(ngx_conf_t *cf,
    cardfeed_collection_t *c);
static ngx_int_t ngx_http_cardfeed_collection_name(ngx_str_t *name);
static char *ngx_http_cardfeed_param_include(ngx_conf_t *cf,
    cardfeed_collection_t *c, ngx_str_t *value, ngx_http_cardfeed_param_t *p);
static char *ngx_http_cardfeed_param_exclude(ngx_conf_t *cf,
    cardfeed_collection_t *c, ngx_str_t *value, ngx_http_cardfeed_param_t *p);
static char *ngx_http_cardfeed_param_poll(ngx_conf_t *cf,
    cardfeed_collection_t *c, ngx_str_t *value, ngx_http_cardfeed_param_t *p);
static char *ngx_http_cardfeed_param_threads(ngx_conf_t *cf,
    cardfeed_collection_t *c, ngx_str_t *value, ngx_http_cardfeed_param_t *p);
static char *ngx_http_cardfeed_param_max_card(ngx_conf_t *cf,
    cardfeed_collection_t *c, ngx_str_t *value, ngx_http_cardfeed_param_t *p);
static char *ngx_http_cardfeed_param_map(ngx_conf_t *cf,
    cardfeed_collection_t *c, ngx_str_t *value, ngx_http_cardfeed_param_t *p);
static char *ngx_http_cardfeed_param_site(ngx_conf_t *cf,
    cardfeed_collection_t *c, ngx_str_t *value, ngx_http_cardfeed_param_t *p);
static char *ngx_http_cardfeed_param_timezone(ngx_conf_t *cf,
    cardfeed_collection_t *c, ngx_str_t *value, ngx_http_cardfeed_param_t *p);
static const char **ngx_http_cardfeed_patterns(ngx_conf_t *cf,
    const char *const *first, ngx_str_t *value);
static char *ngx_http_cardfeed_param_choice(ngx_conf_t *cf,
    cardfeed_collection_t *c, ngx_str_t *value, ngx_http_cardfeed_param_t *p);


static ngx_conf_enum_t  ngx_http_cardfeed_watch[] = {
    { ngx_string("auto"), CARDFEED_WATCH_AUTO },
    { ngx_string("inotify"), CARDFEED_WATCH_INOTIFY },
    { ngx_string("poll"), CARDFEED_WATCH_POLL },
    { ngx_string("off"), CARDFEED_WATCH_OFF },
    { ngx_null_string, 0 }
};


static ngx_conf_enum_t  ngx_http_cardfeed_ids[] = {
    { ngx_string("uuid"), CARDFEED_IDS_UUID },
    { ngx_string("permalink"), CARDFEED_IDS_PERMALINK },
    { ngx_null_string, 0 }
};


static ngx_conf_enum_t  ngx_http_cardfeed_undated[] = {
    { ngx_string("skip"), CARDFEED_UNDATED_SKIP },
    { ngx_string("mtime"), CARDFEED_UNDATED_MTIME },
    { ngx_null_string, 0 }
};


static ngx_http_cardfeed_param_t  ngx_http_cardfeed_params[] = {

    { ngx_string("include="), ngx_http_cardfeed_param_include,
      "a list of patterns such as *.md,*.html", 0, NULL },

    { ngx_string("exclude="), ngx_http_cardfeed_param_exclude,
      "a list of patterns such as README.md,archive", 0, NULL },

    { ngx_string("watch="), ngx_http_cardfeed_param_choice,
      "auto, inotify, poll or off",
      offsetof(cardfeed_collection_t, watch), ngx_http_cardfeed_watch },

    { ngx_string("poll="), ngx_http_cardfeed_param_poll,
      "a time of at least 100ms, such as 5s", 0, NULL },

    { ngx_string("threads="), ngx_http_cardfeed_param_threads,
      "a number from 1 to 64", 0, NULL },

    { ngx_string("max_card="), ngx_http_cardfeed_param_max_card,
      "a size from 1k to 64m", 0, NULL },

    { ngx_string("map="), ngx_http_cardfeed_param_map,
      "a size of at least 64m", 0, NULL },

    { ngx_string("ids="), ngx_http_cardfeed_param_choice,
      "uuid or permalink",
      offsetof(cardfeed_collection_t, ids), ngx_http_cardfeed_ids },

    { ngx_string("undated="), ngx_http_cardfeed_param_choice,
      "skip or mtime",
      offsetof(cardfeed_collection_t, undated), ngx_http_cardfeed_undated },

    { ngx_string("site="), ngx_http_cardfeed_param_site,
      "an absolute http or https URL", 0, NULL },

    { ngx_string("timezone="), ngx_http_cardfeed_param_timezone,
      "an offset such as +02:00, or Z", 0, NULL },

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


static char *
ngx_http_cardfeed_collection_params(ngx_conf_t *cf, cardfeed_collection_t *c)
{
    char                       *rv;
    ngx_str_t                  *value, rest;
    ngx_uint_t                  i;
    ngx_http_cardfeed_param_t  *p;

    value = cf->args->elts;

    for (i = 3; i < cf->args->nelts; i++) {

        for (p = ngx_http_cardfeed_params; p->name.len; p++) {
            if (value[i].len >= p->name.len
                && ngx_strncmp(value[i].data, p->name.data, p->name.len) == 0)
            {
                break;
            }
        }

        if (p->name.len == 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\": include=, exclude=, "
                               "watch=, poll=, threads=, max_card=, map=, "
                               "ids=, undated=, site= and timezone= are "
                               "allowed", &value[i]);
            return NGX_CONF_ERROR;
        }

        rest.data = value[i].data + p->name.len;
        rest.len = value[i].len - p->name.len;

        rv = p->set(cf, c, &rest, p);

        if (rv != NGX_CONF_OK) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid value in \"%V\": %s is allowed",
                               &value[i], p->allowed);
            return NGX_CONF_ERROR;
        }
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
ngx_http_cardfeed_param_include(ngx_conf_t *cf, cardfeed_collection_t *c,
    ngx_str_t *value, ngx_http_cardfeed_param_t *p)
{
    c->include = ngx_http_cardfeed_patterns(cf, NULL, value);

    return c->include ? NGX_CONF_OK : NGX_CONF_ERROR;
}


static char *
ngx_http_cardfeed_param_exclude(ngx_conf_t *cf, cardfeed_collection_t *c,
    ngx_str_t *value, ngx_http_cardfeed_param_t *p)
{
    /* in addition to what is excluded already */

    c->exclude = ngx_http_cardfeed_patterns(cf, c->exclude, value);

    return c->exclude ? NGX_CONF_OK : NGX_CONF_ERROR;
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
ngx_http_cardfeed_param_max_card(ngx_conf_t *cf, cardfeed_collection_t *c,
    ngx_str_t *value, ngx_http_cardfeed_param_t *p)
{
    ssize_t  size;

    size = ngx_parse_size(value);

    if (size == NGX_ERROR || size < 1024 || size > 64 * 1024 * 1024) {
        return NGX_CONF_ERROR;
    }

    c->max_card = (size_t) size;

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
ngx_http_cardfeed_param_site(ngx_conf_t *cf, cardfeed_collection_t *c,
    ngx_str_t *value, ngx_http_cardfeed_param_t *p)
{
    ngx_str_t  url;

    if (ngx_http_cardfeed_base_url(cf, value, &url) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    c->site = ngx_http_cardfeed_str(&url);

    return NGX_CONF_OK;
}


static char *
ngx_http_cardfeed_param_timezone(ngx_conf_t *cf, cardfeed_collection_t *c,
    ngx_str_t *value, ngx_http_cardfeed_param_t *p)
{
    return cardfeed_date_zone(ngx_http_cardfeed_str(value), &c->timezone)
               == CARDFEED_OK
               ? NGX_CONF_OK : NGX_CONF_ERROR;
}


/* The patterns of a list, behind those there are; NULL for an empty one. */

static const char **
ngx_http_cardfeed_patterns(ngx_conf_t *cf, const char *const *first,
    ngx_str_t *value)
{
    u_char       *p, *last, *comma, *copy;
    ngx_array_t   patterns;
    const char  **pattern;

    if (ngx_array_init(&patterns, cf->pool, 16, sizeof(char *)) != NGX_OK) {
        return NULL;
    }

    while (first && *first) {
        pattern = ngx_array_push(&patterns);
        if (pattern == NULL) {
            return NULL;
        }

        *pattern = *first++;
    }

    last = value->data + value->len;

    for (p = value->data; p <= last; p = comma + 1) {

        comma = ngx_strlchr(p, last, ',');
        if (comma == NULL) {
            comma = last;
        }

        if (comma == p) {
            return NULL;
        }

        copy = ngx_pnalloc(cf->pool, (size_t) (comma - p) + 1);
        pattern = ngx_array_push(&patterns);

        if (copy == NULL || pattern == NULL) {
            return NULL;
        }

        ngx_cpystrn(copy, p, (size_t) (comma - p) + 1);
        *pattern = (char *) copy;
    }

    pattern = ngx_array_push(&patterns);
    if (pattern == NULL) {
        return NULL;
    }

    *pattern = NULL;

    return patterns.elts;
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
