
/*
 * ngx_http_cardfeed_control_module: the ceiling of the benchmark.  Answers
 * from constant memory with what it was given, and does nothing else that a
 * content handler could leave out.
 *
 *     cardfeed_control IDENTITY [GZIP];       # location
 *
 * Each file is a response: headers as they go over the wire, an empty line,
 * the body.  GZIP answers requests that accept gzip.  Headers that nginx makes
 * by itself (Date, Content-Length and the like) must not be among them.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


typedef struct {
    ngx_str_t         content_type;
    ngx_str_t         charset;
    time_t            last_modified;
    ngx_array_t       headers;           /* of ngx_table_elt_t */
    ngx_uint_t        etag;              /* indices plus one */
    ngx_uint_t        content_encoding;
    ngx_str_t         body;
} ngx_http_cardfeed_control_response_t;


typedef struct {
    ngx_http_cardfeed_control_response_t  *identity;
    ngx_http_cardfeed_control_response_t  *gzip;
} ngx_http_cardfeed_control_conf_t;


static ngx_int_t ngx_http_cardfeed_control_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_cardfeed_control_headers(ngx_http_request_t *r,
    ngx_http_cardfeed_control_response_t *response);
static void *ngx_http_cardfeed_control_create_conf(ngx_conf_t *cf);
static char *ngx_http_cardfeed_control(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static ngx_http_cardfeed_control_response_t *
    ngx_http_cardfeed_control_load(ngx_conf_t *cf, ngx_str_t *name);
static ngx_int_t ngx_http_cardfeed_control_read(ngx_conf_t *cf,
    ngx_str_t *name, ngx_str_t *text);
static ngx_int_t ngx_http_cardfeed_control_parse(ngx_conf_t *cf,
    ngx_str_t *text, ngx_http_cardfeed_control_response_t *response);
static ngx_int_t ngx_http_cardfeed_control_add(
    ngx_http_cardfeed_control_response_t *response, ngx_str_t *key,
    ngx_str_t *value);
static ngx_uint_t ngx_http_cardfeed_control_is(ngx_str_t *key,
    const char *name);


static ngx_command_t  ngx_http_cardfeed_control_commands[] = {

    { ngx_string("cardfeed_control"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE12,
      ngx_http_cardfeed_control,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_cardfeed_control_module_ctx = {
    NULL,                                  /* preconfiguration */
    NULL,                                  /* postconfiguration */

    NULL,                                  /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_http_cardfeed_control_create_conf, /* create location configuration */
    NULL                                   /* merge location configuration */
};


ngx_module_t  ngx_http_cardfeed_control_module = {
    NGX_MODULE_V1,
    &ngx_http_cardfeed_control_module_ctx, /* module context */
    ngx_http_cardfeed_control_commands,    /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    NULL,                                  /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static ngx_int_t
ngx_http_cardfeed_control_handler(ngx_http_request_t *r)
{
    ngx_int_t                              rc;
    ngx_buf_t                             *b;
    ngx_chain_t                            out;
    ngx_table_elt_t                       *h;
    ngx_http_cardfeed_control_conf_t      *conf;
    ngx_http_cardfeed_control_response_t  *response;

    rc = ngx_http_discard_request_body(r);

    if (rc != NGX_OK) {
        return rc;
    }

    conf = ngx_http_get_module_loc_conf(r, ngx_http_cardfeed_control_module);

    h = r->headers_in.accept_encoding;

    response = (conf->gzip && h
                && ngx_strlcasestrn(h->value.data,
                                    h->value.data + h->value.len,
                                    (u_char *) "gzip", 4 - 1))
               ? conf->gzip : conf->identity;

    if (ngx_http_cardfeed_control_headers(r, response) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    b->pos = response->body.data;
    b->last = b->pos + response->body.len;
    b->memory = 1;
    b->last_buf = (r == r->main);
    b->last_in_chain = 1;

    out.buf = b;
    out.next = NULL;

    return ngx_http_output_filter(r, &out);
}


static ngx_int_t
ngx_http_cardfeed_control_headers(ngx_http_request_t *r,
    ngx_http_cardfeed_control_response_t *response)
{
    ngx_uint_t        i;
    ngx_table_elt_t  *h, *header;

    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_length_n = (off_t) response->body.len;
    r->headers_out.last_modified_time = response->last_modified;

    r->headers_out.content_type = response->content_type;
    r->headers_out.content_type_len = response->content_type.len;
    r->headers_out.content_type_lowcase = NULL;
    r->headers_out.charset = response->charset;

    header = response->headers.elts;

    for (i = 0; i < response->headers.nelts; i++) {
        h = ngx_list_push(&r->headers_out.headers);
        if (h == NULL) {
            return NGX_ERROR;
        }

        *h = header[i];

        if (i + 1 == response->etag) {
            r->headers_out.etag = h;

        } else if (i + 1 == response->content_encoding) {
            r->headers_out.content_encoding = h;
        }
    }

    return NGX_OK;
}


static void *
ngx_http_cardfeed_control_create_conf(ngx_conf_t *cf)
{
    return ngx_pcalloc(cf->pool, sizeof(ngx_http_cardfeed_control_conf_t));
}


static char *
ngx_http_cardfeed_control(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_cardfeed_control_conf_t *ccf = conf;

    ngx_str_t                 *value;
    ngx_http_core_loc_conf_t  *clcf;

    if (ccf->identity) {
        return "is duplicate";
    }

    value = cf->args->elts;

    ccf->identity = ngx_http_cardfeed_control_load(cf, &value[1]);

    if (ccf->identity == NULL) {
        return NGX_CONF_ERROR;
    }

    if (cf->args->nelts > 2) {
        ccf->gzip = ngx_http_cardfeed_control_load(cf, &value[2]);

        if (ccf->gzip == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = ngx_http_cardfeed_control_handler;

    return NGX_CONF_OK;
}


static ngx_http_cardfeed_control_response_t *
ngx_http_cardfeed_control_load(ngx_conf_t *cf, ngx_str_t *name)
{
    ngx_str_t                              text;
    ngx_http_cardfeed_control_response_t  *response;

    if (ngx_http_cardfeed_control_read(cf, name, &text) != NGX_OK) {
        return NULL;
    }

    response = ngx_pcalloc(cf->pool,
                           sizeof(ngx_http_cardfeed_control_response_t));
    if (response == NULL) {
        return NULL;
    }

    response->last_modified = -1;

    if (ngx_array_init(&response->headers, cf->pool, 8,
                       sizeof(ngx_table_elt_t))
        != NGX_OK)
    {
        return NULL;
    }

    if (ngx_http_cardfeed_control_parse(cf, &text, response) != NGX_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" is no response: \"Name: value\" lines, an "
                           "empty line and a body are allowed", name);
        return NULL;
    }

    return response;
}


static ngx_int_t
ngx_http_cardfeed_control_read(ngx_conf_t *cf, ngx_str_t *name,
    ngx_str_t *text)
{
    ssize_t          n;
    ngx_int_t        rc;
    ngx_file_t       file;
    ngx_file_info_t  info;

    if (ngx_conf_full_name(cf->cycle, name, 1) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_memzero(&file, sizeof(ngx_file_t));

    file.name = *name;
    file.log = cf->log;
    file.fd = ngx_open_file(name->data, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);

    if (file.fd == NGX_INVALID_FILE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_open_file_n " \"%V\" failed", name);
        return NGX_ERROR;
    }

    rc = NGX_ERROR;

    if (ngx_fd_info(file.fd, &info) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_fd_info_n " \"%V\" failed", name);
        goto done;
    }

    text->len = (size_t) ngx_file_size(&info);
    text->data = ngx_pnalloc(cf->pool, text->len);

    if (text->data == NULL) {
        goto done;
    }

    n = ngx_read_file(&file, text->data, text->len, 0);

    if (n == (ssize_t) text->len) {
        rc = NGX_OK;
    }

done:

    if (ngx_close_file(file.fd) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_ALERT, cf, ngx_errno,
                           ngx_close_file_n " \"%V\" failed", name);
    }

    return rc;
}


static ngx_int_t
ngx_http_cardfeed_control_parse(ngx_conf_t *cf, ngx_str_t *text,
    ngx_http_cardfeed_control_response_t *response)
{
    u_char     *p, *last, *eol, *colon;
    ngx_str_t   key, value;

    p = text->data;
    last = p + text->len;

    for ( ;; ) {
        eol = ngx_strlchr(p, last, CR);

        if (eol == NULL || eol + 1 == last || eol[1] != LF) {
            return NGX_ERROR;
        }

        if (eol == p) {
            break;
        }

        colon = ngx_strlchr(p, eol, ':');

        if (colon == NULL || colon + 1 == eol || colon[1] != ' ') {
            return NGX_ERROR;
        }

        key.data = p;
        key.len = colon - p;

        value.data = colon + 2;
        value.len = eol - value.data;

        if (ngx_http_cardfeed_control_add(response, &key, &value) != NGX_OK) {
            return NGX_ERROR;
        }

        p = eol + 2;
    }

    response->body.data = eol + 2;
    response->body.len = last - response->body.data;

    return NGX_OK;
}


/* Where nginx expects it; all others stay as they are, in their order. */

static ngx_int_t
ngx_http_cardfeed_control_add(ngx_http_cardfeed_control_response_t *response,
    ngx_str_t *key, ngx_str_t *value)
{
    u_char           *p;
    ngx_table_elt_t  *h;

    if (ngx_http_cardfeed_control_is(key, "Content-Type")) {
        response->content_type = *value;

        p = ngx_strnstr(value->data, "; charset=", value->len);

        if (p) {
            response->content_type.len = p - value->data;
            response->charset.data = p + sizeof("; charset=") - 1;
            response->charset.len = value->data + value->len
                                    - response->charset.data;
        }

        return NGX_OK;
    }

    if (ngx_http_cardfeed_control_is(key, "Last-Modified")) {
        response->last_modified = ngx_parse_http_time(value->data, value->len);
        return response->last_modified == NGX_ERROR ? NGX_ERROR : NGX_OK;
    }

    h = ngx_array_push(&response->headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(h, sizeof(ngx_table_elt_t));

    h->hash = 1;
    h->key = *key;
    h->value = *value;

    if (ngx_http_cardfeed_control_is(key, "ETag")) {
        response->etag = response->headers.nelts;

    } else if (ngx_http_cardfeed_control_is(key, "Content-Encoding")) {
        response->content_encoding = response->headers.nelts;
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_http_cardfeed_control_is(ngx_str_t *key, const char *name)
{
    return key->len == ngx_strlen(name)
           && ngx_strncasecmp(key->data, (u_char *) name, key->len) == 0;
}
