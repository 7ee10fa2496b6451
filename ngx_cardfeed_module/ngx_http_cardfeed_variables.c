
/*
 * ngx_http_cardfeed_variables: what a log may say of an answer, and what the
 * site's own pages may say of its feeds.
 */

#include "ngx_http_cardfeed_handler.h"


#define NGX_HTTP_CARDFEED_MARKUP  (64 * 1024)


static ngx_int_t ngx_http_cardfeed_variable_answer(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_cardfeed_variable_entries(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_cardfeed_variable_format(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_cardfeed_variable_advertise(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_cardfeed_variable_set(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, const void *data, size_t len);
static ngx_int_t ngx_http_cardfeed_advertised(ngx_http_request_t *r,
    ngx_http_cardfeed_loc_conf_t *conf, ngx_uint_t markup,
    cardfeed_buf_t *out);
static int ngx_http_cardfeed_find_topic(ngx_http_request_t *r,
    ngx_http_cardfeed_collection_t *col, ngx_str_t *name,
    cardfeed_buf_t *slug, cardfeed_buf_t *title);


enum {
    NGX_HTTP_CARDFEED_STATUS,
    NGX_HTTP_CARDFEED_SELECTION
};


static ngx_http_variable_t  ngx_http_cardfeed_variables[] = {

    { ngx_string("cardfeed_cache_status"), NULL,
      ngx_http_cardfeed_variable_answer, NGX_HTTP_CARDFEED_STATUS,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("cardfeed_selection"), NULL,
      ngx_http_cardfeed_variable_answer, NGX_HTTP_CARDFEED_SELECTION,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("cardfeed_entries"), NULL,
      ngx_http_cardfeed_variable_entries, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("cardfeed_format"), NULL,
      ngx_http_cardfeed_variable_format, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("cardfeed_autodiscovery"), NULL,
      ngx_http_cardfeed_variable_advertise, 1,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("cardfeed_link"), NULL,
      ngx_http_cardfeed_variable_advertise, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

      ngx_http_null_variable
};


ngx_int_t
ngx_http_cardfeed_add_variables(ngx_conf_t *cf)
{
    ngx_http_variable_t  *var, *v;

    for (v = ngx_http_cardfeed_variables; v->name.len; v++) {
        var = ngx_http_add_variable(cf, &v->name, v->flags);
        if (var == NULL) {
            return NGX_ERROR;
        }

        var->get_handler = v->get_handler;
        var->data = v->data;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_cardfeed_variable_answer(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t                   *value;
    ngx_http_cardfeed_answer_t  *answer;

    answer = ngx_http_get_module_ctx(r, ngx_http_cardfeed_module);

    if (answer == NULL) {
        v->not_found = 1;
        return NGX_OK;
    }

    value = (data == NGX_HTTP_CARDFEED_STATUS) ? &answer->status
                                               : &answer->response->selection;

    if (value->len == 0) {
        v->not_found = 1;
        return NGX_OK;
    }

    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;
    v->data = value->data;
    v->len = (unsigned) value->len;

    return NGX_OK;
}


static ngx_int_t
ngx_http_cardfeed_variable_entries(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    u_char                       text[NGX_INT_T_LEN];
    ngx_http_cardfeed_answer_t  *answer;

    answer = ngx_http_get_module_ctx(r, ngx_http_cardfeed_module);

    if (answer == NULL) {
        v->not_found = 1;
        return NGX_OK;
    }

    return ngx_http_cardfeed_variable_set(r, v, text,
               ngx_sprintf(text, "%ui", answer->response->entries) - text);
}


static ngx_int_t
ngx_http_cardfeed_variable_format(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    const char                  *name;
    ngx_http_cardfeed_answer_t  *answer;

    answer = ngx_http_get_module_ctx(r, ngx_http_cardfeed_module);

    if (answer == NULL) {
        v->not_found = 1;
        return NGX_OK;
    }

    name = answer->response->format->name;

    return ngx_http_cardfeed_variable_set(r, v, name, ngx_strlen(name));
}


/* Nothing where there is nothing to subscribe to (no such topic, or no index
 * yet), and in feeds, which say so themselves. */

static ngx_int_t
ngx_http_cardfeed_variable_advertise(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_int_t                      rc;
    cardfeed_buf_t                 out;
    ngx_http_cardfeed_loc_conf_t  *conf;

    conf = ngx_http_get_module_loc_conf(r, ngx_http_cardfeed_module);

    cardfeed_buf_init(&out, NGX_HTTP_CARDFEED_MARKUP);

    rc = NGX_OK;

    if (conf->advertise && conf->advertise->collection
        && conf->collection == NULL)
    {
        rc = ngx_http_cardfeed_advertised(r, conf, data, &out);
    }

    if (rc == NGX_OK) {
        rc = ngx_http_cardfeed_variable_set(r, v, out.data, out.len);
    }

    cardfeed_buf_free(&out);

    return rc;
}


static ngx_int_t
ngx_http_cardfeed_variable_set(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, const void *data, size_t len)
{
    v->data = ngx_pnalloc(r->pool, len ? len : 1);
    if (v->data == NULL) {
        return NGX_ERROR;
    }

    if (len) {
        ngx_memcpy(v->data, data, len);
    }

    v->len = (unsigned) len;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;

    return NGX_OK;
}


static ngx_int_t
ngx_http_cardfeed_advertised(ngx_http_request_t *r,
    ngx_http_cardfeed_loc_conf_t *conf, ngx_uint_t markup,
    cardfeed_buf_t *out)
{
    int                             rc;
    ngx_str_t                       name;
    cardfeed_buf_t                  feeds, slug, title;
    ngx_http_cardfeed_advertise_t  *ad;

    ad = conf->advertise;

    ngx_str_null(&name);

    if (ad->topic && ngx_http_complex_value(r, ad->topic, &name) != NGX_OK) {
        return NGX_ERROR;
    }

    cardfeed_buf_init(&slug, CARDFEED_SLUG_MAX);
    cardfeed_buf_init(&title, NGX_HTTP_CARDFEED_MARKUP);
    cardfeed_buf_init(&feeds, NGX_HTTP_CARDFEED_MARKUP);

    cardfeed_buf_str(&title, ngx_http_cardfeed_site(conf));

    ngx_http_cardfeed_feeds_url(r, conf, &ad->prefix, &feeds);

    rc = ngx_http_cardfeed_find_topic(r, ad->collection, &name, &slug,
                                      &title);

    if (rc == CARDFEED_OK) {
        if (markup) {
            rc = cardfeed_feed_advertise_markup(out,
                                                cardfeed_buf_view(&feeds),
                                                cardfeed_buf_view(&slug),
                                                cardfeed_buf_view(&title));
        } else {
            rc = cardfeed_feed_advertise_header(out,
                                                cardfeed_buf_view(&feeds),
                                                cardfeed_buf_view(&slug));
        }
    }

    cardfeed_buf_free(&feeds);
    cardfeed_buf_free(&slug);
    cardfeed_buf_free(&title);

    return rc == CARDFEED_OK || rc == CARDFEED_NOTFOUND ? NGX_OK : NGX_ERROR;
}


/* The slug of a topic by its name or slug, and ": Name" for the title. */

static int
ngx_http_cardfeed_find_topic(ngx_http_request_t *r,
    ngx_http_cardfeed_collection_t *col, ngx_str_t *name,
    cardfeed_buf_t *slug, cardfeed_buf_t *title)
{
    int                             rc;
    cardfeed_read_t                *read;
    cardfeed_query_t                query;
    cardfeed_store_t               *store;
    cardfeed_topic_t                topic;
    ngx_http_cardfeed_main_conf_t  *cmcf;

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_cardfeed_module);

    cardfeed_arena_reset(&cmcf->arena);
    cardfeed_query_init(&query, &cmcf->arena);

    rc = cardfeed_query_topic(&query, ngx_http_cardfeed_str(name));

    if (rc != CARDFEED_OK) {
        return rc;
    }

    col = ngx_http_cardfeed_serving(col);

    store = col ? cardfeed_index_current(col->index, NULL) : NULL;

    if (store == NULL
        || cardfeed_read_begin(store, &read, NULL) != CARDFEED_OK)
    {
        return CARDFEED_NOTFOUND;
    }

    if (cardfeed_query_is_all(&query)) {
        rc = cardfeed_buf_cstr(slug, "all");

    } else {
        rc = cardfeed_read_topic(read, cardfeed_query_single(&query), &topic);

        if (rc == CARDFEED_OK) {
            cardfeed_buf_str(slug, topic.slug);
            cardfeed_buf_cstr(title, ": ");
            cardfeed_buf_str(title, topic.name);
            rc = title->failed;
        }
    }

    cardfeed_read_end(read);

    return rc;
}
