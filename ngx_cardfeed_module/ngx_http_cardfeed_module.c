
/*
 * ngx_http_cardfeed_module: the directives, their merging, the process hooks.
 */

#include "ngx_http_cardfeed_cache.h"


#define NGX_HTTP_CARDFEED_CACHE_SIZE  (32 * 1024 * 1024)


static void *ngx_http_cardfeed_create_main_conf(ngx_conf_t *cf);
static char *ngx_http_cardfeed_init_main_conf(ngx_conf_t *cf, void *conf);
static void *ngx_http_cardfeed_create_loc_conf(ngx_conf_t *cf);
static char *ngx_http_cardfeed_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child);
static char *ngx_http_cardfeed_too_many(ngx_conf_t *cf, ngx_int_t entries,
    ngx_int_t max);
static char *ngx_http_cardfeed_merge_place(ngx_conf_t *cf,
    ngx_http_cardfeed_loc_conf_t *prev, ngx_http_cardfeed_loc_conf_t *conf);
static void ngx_http_cardfeed_free_main_conf(void *data);


#define NGX_HTTP_CARDFEED_ANY                                                 \
    NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF


static ngx_command_t  ngx_http_cardfeed_commands[] = {

    { ngx_string("cardfeed_index_path"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_cardfeed_index_path,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_cardfeed_main_conf_t, index_path),
      NULL },

    { ngx_string("cardfeed_cache"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_cardfeed_cache,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_cardfeed_main_conf_t, cache_size),
      NULL },

    { ngx_string("cardfeed_collection"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_2MORE,
      ngx_http_cardfeed_collection,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("cardfeed"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_cardfeed,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("cardfeed_topic"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_set_complex_value_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_cardfeed_loc_conf_t, topic),
      NULL },

    { ngx_string("cardfeed_select"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_set_complex_value_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_cardfeed_loc_conf_t, select),
      NULL },

    { ngx_string("cardfeed_args"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_set_complex_value_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_cardfeed_loc_conf_t, args),
      NULL },

    { ngx_string("cardfeed_format"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_cardfeed_format,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_cardfeed_loc_conf_t, format),
      NULL },

    { ngx_string("cardfeed_base_url"),
      NGX_HTTP_CARDFEED_ANY|NGX_CONF_TAKE1,
      ngx_http_cardfeed_base,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_cardfeed_loc_conf_t, base_url),
      NULL },

    { ngx_string("cardfeed_site_url"),
      NGX_HTTP_CARDFEED_ANY|NGX_CONF_TAKE1,
      ngx_http_cardfeed_base,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_cardfeed_loc_conf_t, site_url),
      NULL },

    { ngx_string("cardfeed_title"),
      NGX_HTTP_CARDFEED_ANY|NGX_CONF_TAKE1,
      ngx_http_cardfeed_text,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_cardfeed_loc_conf_t, title),
      NULL },

    { ngx_string("cardfeed_description"),
      NGX_HTTP_CARDFEED_ANY|NGX_CONF_TAKE1,
      ngx_http_cardfeed_text,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_cardfeed_loc_conf_t, description),
      NULL },

    { ngx_string("cardfeed_author"),
      NGX_HTTP_CARDFEED_ANY|NGX_CONF_TAKE1,
      ngx_http_cardfeed_text,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_cardfeed_loc_conf_t, author),
      NULL },

    { ngx_string("cardfeed_language"),
      NGX_HTTP_CARDFEED_ANY|NGX_CONF_TAKE1,
      ngx_http_cardfeed_language,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_cardfeed_loc_conf_t, language),
      NULL },

    { ngx_string("cardfeed_icon"),
      NGX_HTTP_CARDFEED_ANY|NGX_CONF_TAKE1,
      ngx_http_cardfeed_url,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_cardfeed_loc_conf_t, icon),
      NULL },

    { ngx_string("cardfeed_logo"),
      NGX_HTTP_CARDFEED_ANY|NGX_CONF_TAKE1,
      ngx_http_cardfeed_url,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_cardfeed_loc_conf_t, logo),
      NULL },

    { ngx_string("cardfeed_rights"),
      NGX_HTTP_CARDFEED_ANY|NGX_CONF_TAKE1,
      ngx_http_cardfeed_text,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_cardfeed_loc_conf_t, rights),
      NULL },

    { ngx_string("cardfeed_hub"),
      NGX_HTTP_CARDFEED_ANY|NGX_CONF_TAKE1,
      ngx_http_cardfeed_url,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_cardfeed_loc_conf_t, hub),
      NULL },

    { ngx_string("cardfeed_entries"),
      NGX_HTTP_CARDFEED_ANY|NGX_CONF_TAKE1,
      ngx_http_cardfeed_count,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_cardfeed_loc_conf_t, entries),
      NULL },

    { ngx_string("cardfeed_max_entries"),
      NGX_HTTP_CARDFEED_ANY|NGX_CONF_TAKE1,
      ngx_http_cardfeed_count,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_cardfeed_loc_conf_t, max_entries),
      NULL },

    { ngx_string("cardfeed_max_age"),
      NGX_HTTP_CARDFEED_ANY|NGX_CONF_TAKE1,
      ngx_http_cardfeed_max_age,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_cardfeed_loc_conf_t, max_age),
      NULL },

    { ngx_string("cardfeed_compression"),
      NGX_HTTP_CARDFEED_ANY|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_cardfeed_loc_conf_t, compression),
      NULL },

    { ngx_string("cardfeed_advertise"),
      NGX_HTTP_CARDFEED_ANY|NGX_CONF_TAKE123,
      ngx_http_cardfeed_advertise,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_cardfeed_loc_conf_t, advertise),
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_cardfeed_module_ctx = {
    ngx_http_cardfeed_add_variables,       /* preconfiguration */
    NULL,                                  /* postconfiguration */

    ngx_http_cardfeed_create_main_conf,    /* create main configuration */
    ngx_http_cardfeed_init_main_conf,      /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_http_cardfeed_create_loc_conf,     /* create location configuration */
    ngx_http_cardfeed_merge_loc_conf       /* merge location configuration */
};


ngx_module_t  ngx_http_cardfeed_module = {
    NGX_MODULE_V1,
    &ngx_http_cardfeed_module_ctx,         /* module context */
    ngx_http_cardfeed_commands,            /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    ngx_http_cardfeed_init_module,         /* init module */
    ngx_http_cardfeed_init_process,        /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    ngx_http_cardfeed_exit_process,        /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static void *
ngx_http_cardfeed_create_main_conf(ngx_conf_t *cf)
{
    ngx_pool_cleanup_t             *cln;
    ngx_http_cardfeed_main_conf_t  *cmcf;

    cmcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_cardfeed_main_conf_t));
    if (cmcf == NULL) {
        return NULL;
    }

    if (ngx_array_init(&cmcf->collections, cf->pool, 4,
                       sizeof(ngx_http_cardfeed_collection_t *))
        != NGX_OK)
    {
        return NULL;
    }

    cln = ngx_pool_cleanup_add(cf->pool, 0);
    if (cln == NULL) {
        return NULL;
    }

    cardfeed_text_init();
    cardfeed_arena_init(&cmcf->arena, 16 * 1024 * 1024);
    cardfeed_buf_init(&cmcf->scratch, NGX_HTTP_CARDFEED_DOCUMENT);

    cmcf->cache = ngx_palloc(cf->pool, sizeof(ngx_http_cardfeed_cache_t));
    if (cmcf->cache == NULL) {
        return NULL;
    }

    cmcf->cache_size = NGX_CONF_UNSET_SIZE;
    ngx_http_cardfeed_cache_init(cmcf->cache, 0);

    cln->handler = ngx_http_cardfeed_free_main_conf;
    cln->data = cmcf;

    return cmcf;
}


static char *
ngx_http_cardfeed_init_main_conf(ngx_conf_t *cf, void *conf)
{
    ngx_http_cardfeed_main_conf_t *cmcf = conf;

    size_t                            len;
    u_char                           *p;
    ngx_str_t                         beside;
    ngx_uint_t                        i;
    ngx_http_core_loc_conf_t         *clcf;
    ngx_http_cardfeed_collection_t  **cols;

    ngx_conf_init_size_value(cmcf->cache_size, NGX_HTTP_CARDFEED_CACHE_SIZE);

    cmcf->cache->max = cmcf->cache_size;

    if (cmcf->index_path.data == NULL) {
        clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

        ngx_str_set(&beside, NGX_HTTP_CLIENT_TEMP_PATH);

        if (clcf->client_body_temp_path) {
            beside = clcf->client_body_temp_path->name;
        }

        for (len = beside.len; len && beside.data[len - 1] != '/'; len--) {
            /* void */
        }

        cmcf->index_path.len = len + sizeof("cardfeed") - 1;
        cmcf->index_path.data = ngx_pnalloc(cf->pool,
                                            cmcf->index_path.len + 1);
        if (cmcf->index_path.data == NULL) {
            return NGX_CONF_ERROR;
        }

        p = ngx_cpymem(cmcf->index_path.data, beside.data, len);
        ngx_memcpy(p, "cardfeed", sizeof("cardfeed"));

        if (ngx_conf_full_name(cf->cycle, &cmcf->index_path, 0) != NGX_OK) {
            return NGX_CONF_ERROR;
        }
    }

    cols = cmcf->collections.elts;

    for (i = 0; i < cmcf->collections.nelts; i++) {
        len = cmcf->index_path.len + 1 + cols[i]->name.len + 1;

        p = ngx_pnalloc(cf->pool, len);
        if (p == NULL) {
            return NGX_CONF_ERROR;
        }

        cols[i]->path = (char *) p;

        ngx_sprintf(p, "%V/%V%Z", &cmcf->index_path, &cols[i]->name);
    }

    return NGX_CONF_OK;
}


static void
ngx_http_cardfeed_free_main_conf(void *data)
{
    ngx_http_cardfeed_main_conf_t *cmcf = data;

    ngx_http_cardfeed_cache_clear(cmcf->cache);
    cardfeed_arena_free(&cmcf->arena);
    cardfeed_buf_free(&cmcf->scratch);
}


static void *
ngx_http_cardfeed_create_loc_conf(ngx_conf_t *cf)
{
    ngx_http_cardfeed_loc_conf_t  *conf;

    conf = ngx_pcalloc(cf->pool, sizeof(ngx_http_cardfeed_loc_conf_t));
    if (conf == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     conf->collection = NULL;
     *     conf->topic = NULL; select, args, format, advertise
     *     conf->base_url = { 0, NULL }; all other strings
     */

    conf->entries = NGX_CONF_UNSET;
    conf->max_entries = NGX_CONF_UNSET;
    conf->max_age = NGX_CONF_UNSET;
    conf->compression = NGX_CONF_UNSET;

    return conf;
}


static char *
ngx_http_cardfeed_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_cardfeed_loc_conf_t  *prev = parent;
    ngx_http_cardfeed_loc_conf_t  *conf = child;

    ngx_int_t  entries;

    ngx_conf_merge_str_value(conf->base_url, prev->base_url, "");
    ngx_conf_merge_str_value(conf->site_url, prev->site_url, "");
    ngx_conf_merge_str_value(conf->title, prev->title, "");
    ngx_conf_merge_str_value(conf->description, prev->description, "");
    ngx_conf_merge_str_value(conf->author, prev->author, "");
    ngx_conf_merge_str_value(conf->language, prev->language, "");
    ngx_conf_merge_str_value(conf->icon, prev->icon, "");
    ngx_conf_merge_str_value(conf->logo, prev->logo, "");
    ngx_conf_merge_str_value(conf->rights, prev->rights, "");
    ngx_conf_merge_str_value(conf->hub, prev->hub, "");

    entries = conf->entries;

    ngx_conf_merge_value(conf->entries, prev->entries, 50);
    ngx_conf_merge_value(conf->max_entries, prev->max_entries, 500);

    if (entries != NGX_CONF_UNSET && entries > conf->max_entries) {
        return ngx_http_cardfeed_too_many(cf, entries, conf->max_entries);
    }

    /* a lower maximum alone lowers the default with it */

    conf->entries = ngx_min(conf->entries, conf->max_entries);

    ngx_conf_merge_sec_value(conf->max_age, prev->max_age, 300);
    ngx_conf_merge_value(conf->compression, prev->compression, 1);

    if (conf->advertise == NULL) {
        conf->advertise = prev->advertise;
    }

    if (conf->topic == NULL && conf->select == NULL) {
        conf->topic = prev->topic;
        conf->select = prev->select;
    }

    if (conf->args == NULL) {
        conf->args = prev->args;
    }

    if (conf->format == NULL) {
        conf->format = prev->format;
    }

    return ngx_http_cardfeed_merge_place(cf, prev, conf);
}


static char *
ngx_http_cardfeed_too_many(ngx_conf_t *cf, ngx_int_t entries, ngx_int_t max)
{
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                  "\"cardfeed_entries %i\" is more than "
                  "\"cardfeed_max_entries %i\" in location \"%V\"",
                  entries, max, &clcf->name);

    return NGX_CONF_ERROR;
}


/* What a location serves, and what it is called by. */

static char *
ngx_http_cardfeed_merge_place(ngx_conf_t *cf,
    ngx_http_cardfeed_loc_conf_t *prev, ngx_http_cardfeed_loc_conf_t *conf)
{
    ngx_http_core_loc_conf_t  *clcf;

    if (conf->collection) {
        return ngx_http_cardfeed_location(cf, conf);
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (clcf->noname && prev->collection) {

        /* an "if" or "limit_except" block inside such a location */

        conf->collection = prev->collection;
        conf->prefix = prev->prefix;
        conf->host = prev->host;

        if (clcf->handler == NULL) {
            clcf->handler = ngx_http_cardfeed_handler;
        }

        return NGX_CONF_OK;
    }

    /* pages of the site may advertise feeds, by the host these use */

    ngx_http_cardfeed_host(cf, conf);

    if (conf->host.len == 0) {
        conf->host = cf->cycle->hostname;
    }

    return NGX_CONF_OK;
}
