
/*
 * ngx_http_cardfeed_process: which process does what.  Workers open the
 * indexes; worker 0 (or the single process) runs the indexers besides.
 * Nothing here is fatal: a collection that cannot be opened is logged, tried
 * again, and its requests get a 503 meanwhile.
 */

#include "ngx_http_cardfeed_module.h"


#define NGX_HTTP_CARDFEED_RETRY   5000  /* ms between two tries to open */
#define NGX_HTTP_CARDFEED_SETTLE  250   /* ms to wait for overdue cards */
#define NGX_HTTP_CARDFEED_REPORTS 256   /* logged at a time */


static void ngx_http_cardfeed_create_dir(ngx_cycle_t *cycle,
    ngx_str_t *path);
static void ngx_http_cardfeed_start(ngx_cycle_t *cycle);
static void ngx_http_cardfeed_stop(ngx_cycle_t *cycle);
static void ngx_http_cardfeed_stop_cleanup(void *data);
static ngx_int_t ngx_http_cardfeed_open(ngx_http_cardfeed_collection_t *col);
static void ngx_http_cardfeed_settle(ngx_http_cardfeed_collection_t *col,
    ngx_uint_t *looks);
static void ngx_http_cardfeed_retry(ngx_event_t *ev);
static ngx_int_t ngx_http_cardfeed_listen(ngx_http_cardfeed_collection_t *col);
static void ngx_http_cardfeed_deaf(ngx_http_cardfeed_collection_t *col);
static void ngx_http_cardfeed_read_reports(ngx_event_t *ev);
static ngx_uint_t ngx_http_cardfeed_log_reports(
    ngx_http_cardfeed_collection_t *col);


ngx_int_t
ngx_http_cardfeed_init_module(ngx_cycle_t *cycle)
{
    ngx_pool_cleanup_t             *cln;
    ngx_http_cardfeed_main_conf_t  *cmcf;

    cmcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_cardfeed_module);

    if (cmcf == NULL || cmcf->collections.nelts == 0 || ngx_test_config) {
        return NGX_OK;
    }

    ngx_http_cardfeed_create_dir(cycle, &cmcf->index_path);

    if (ngx_process != NGX_PROCESS_SINGLE
        || ngx_is_init_cycle(cycle->old_cycle))
    {
        return NGX_OK;
    }

    /* a reload with "master_process off": there will be no init_process */

    cln = ngx_pool_cleanup_add(cycle->pool, 0);
    if (cln == NULL) {
        return NGX_ERROR;
    }

    cln->handler = ngx_http_cardfeed_stop_cleanup;
    cln->data = cycle;

    ngx_http_cardfeed_stop(cycle->old_cycle);
    ngx_http_cardfeed_start(cycle);

    return NGX_OK;
}


/*
 * The directory of all indexes belongs to the workers' user, who makes
 * everything below it.  A failure is no reason to bring a server down that has
 * other things to serve: workers try to open their indexes again and again.
 */

static void
ngx_http_cardfeed_create_dir(ngx_cycle_t *cycle, ngx_str_t *path)
{
    ngx_file_info_t   fi;
    ngx_core_conf_t  *ccf;

    if (ngx_create_dir(path->data, 0700) == NGX_FILE_ERROR
        && ngx_errno != NGX_EEXIST)
    {
        ngx_log_error(NGX_LOG_ERR, cycle->log, ngx_errno,
                      "cardfeed_index_path \"%V\" could not be created", path);
        return;
    }

    if (ngx_file_info(path->data, &fi) == NGX_FILE_ERROR) {
        ngx_log_error(NGX_LOG_ERR, cycle->log, ngx_errno,
                      ngx_file_info_n " \"%V\" failed", path);
        return;
    }

    if (!ngx_is_dir(&fi)) {
        ngx_log_error(NGX_LOG_ERR, cycle->log, 0,
                      "cardfeed_index_path \"%V\" is not a directory", path);
        return;
    }

    ccf = (ngx_core_conf_t *) ngx_get_conf(cycle->conf_ctx, ngx_core_module);

    if (geteuid() != 0
        || ccf->user == (ngx_uid_t) NGX_CONF_UNSET_UINT
        || fi.st_uid == ccf->user)
    {
        return;
    }

    if (chown((const char *) path->data, ccf->user, (gid_t) -1) == -1) {
        ngx_log_error(NGX_LOG_ERR, cycle->log, ngx_errno,
                      "chown(\"%V\", %d) failed", path, ccf->user);
    }
}


ngx_int_t
ngx_http_cardfeed_init_process(ngx_cycle_t *cycle)
{
    /* helper processes come here, too, and with ngx_worker == 0 */

    if (ngx_process == NGX_PROCESS_WORKER
        || ngx_process == NGX_PROCESS_SINGLE)
    {
        ngx_http_cardfeed_start(cycle);
    }

    return NGX_OK;
}


void
ngx_http_cardfeed_exit_process(ngx_cycle_t *cycle)
{
    ngx_http_cardfeed_stop(cycle);
}


static void
ngx_http_cardfeed_start(ngx_cycle_t *cycle)
{
    ngx_uint_t                        i, looks;
    ngx_http_cardfeed_main_conf_t    *cmcf;
    ngx_http_cardfeed_collection_t  **cols;

    cmcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_cardfeed_module);

    if (cmcf == NULL) {
        return;
    }

    cols = cmcf->collections.elts;

    for (i = 0; i < cmcf->collections.nelts; i++) {
        cols[i]->log = cycle->log;

        cols[i]->retry.handler = ngx_http_cardfeed_retry;
        cols[i]->retry.data = cols[i];
        cols[i]->retry.log = cycle->log;
        cols[i]->retry.cancelable = 1;

        ngx_http_cardfeed_retry(&cols[i]->retry);
    }

    looks = NGX_HTTP_CARDFEED_SETTLE / 5;

    for (i = 0; i < cmcf->collections.nelts; i++) {
        ngx_http_cardfeed_settle(cols[i], &looks);
    }
}


static void
ngx_http_cardfeed_stop_cleanup(void *data)
{
    ngx_http_cardfeed_stop(data);
}


static void
ngx_http_cardfeed_stop(ngx_cycle_t *cycle)
{
    ngx_uint_t                        i;
    ngx_http_cardfeed_main_conf_t    *cmcf;
    ngx_http_cardfeed_collection_t   *col, **cols;

    cmcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_cardfeed_module);

    if (cmcf == NULL) {
        return;
    }

    cols = cmcf->collections.elts;

    /* all are told before one is waited for */

    for (i = 0; i < cmcf->collections.nelts; i++) {
        if (cols[i]->indexer) {
            cardfeed_indexer_signal(cols[i]->indexer);
        }
    }

    for (i = 0; i < cmcf->collections.nelts; i++) {
        col = cols[i];

        if (col->retry.timer_set) {
            ngx_del_timer(&col->retry);
        }

        if (col->indexer) {
            cardfeed_indexer_stop(col->indexer);
            col->indexer = NULL;

            while (ngx_http_cardfeed_log_reports(col)) {
                /* void */
            }
        }

        ngx_http_cardfeed_deaf(col);

        if (col->index) {
            cardfeed_index_close(col->index);
            col->index = NULL;
        }
    }
}


/* Opens what is not open; where that fails, comes back by itself. */

static void
ngx_http_cardfeed_retry(ngx_event_t *ev)
{
    ngx_http_cardfeed_collection_t  *col = ev->data;

    if (!ngx_exiting && ngx_http_cardfeed_open(col) != NGX_OK) {
        ngx_add_timer(ev, NGX_HTTP_CARDFEED_RETRY);
    }
}


static ngx_int_t
ngx_http_cardfeed_open(ngx_http_cardfeed_collection_t *col)
{
    int               rc;
    bool              writer;
    cardfeed_error_t  err;

    writer = (ngx_worker == 0);

    if (col->index == NULL) {
        rc = cardfeed_index_open(&col->index, col->path, &col->conf, writer,
                                 &err);
        if (rc != CARDFEED_OK) {
            col->index = NULL;
            ngx_log_error(NGX_LOG_ERR, col->log, 0,
                          "cardfeed: collection \"%V\": index \"%s\": %s",
                          &col->name, col->path, err.message);
            return NGX_ERROR;
        }
    }

    if (!writer || col->indexer) {
        return NGX_OK;
    }

    /* what there is can be served before the indexer has a look at it */

    (void) cardfeed_index_current(col->index, NULL);

    if (col->connection == NULL && ngx_http_cardfeed_listen(col) != NGX_OK) {
        return NGX_ERROR;
    }

    rc = cardfeed_indexer_start(&col->indexer, &col->conf, col->index,
                                col->reports[1],
                                ngx_process == NGX_PROCESS_SINGLE
                                ? 0 : ngx_parent, &err);
    if (rc != CARDFEED_OK) {
        col->indexer = NULL;
        ngx_log_error(NGX_LOG_ERR, col->log, 0,
                      "cardfeed: collection \"%V\": %s", &col->name,
                      err.message);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/*
 * Cards that came due while nobody ran are to be in the first answer: a moment
 * for the indexers to work them off, before this worker accepts connections.
 */

static void
ngx_http_cardfeed_settle(ngx_http_cardfeed_collection_t *col,
    ngx_uint_t *looks)
{
    if (col->index == NULL
        || cardfeed_index_current(col->index, NULL) == NULL)
    {
        return;
    }

    while (*looks && cardfeed_index_overdue(col->index, ngx_time())) {
        ngx_msleep(5);
        (*looks)--;
    }
}


ngx_http_cardfeed_collection_t *
ngx_http_cardfeed_serving(ngx_http_cardfeed_collection_t *collection)
{
    ngx_http_cardfeed_main_conf_t   *cmcf;
    ngx_http_cardfeed_collection_t  *col;

    if (collection->index) {
        return collection;
    }

    /* a connection of an older cycle, with "master_process off" */

    cmcf = ngx_http_cycle_get_module_main_conf(ngx_cycle,
                                               ngx_http_cardfeed_module);

    col = cmcf ? ngx_http_cardfeed_find(cmcf, &collection->name) : NULL;

    return (col && col->index) ? col : NULL;
}


static ngx_int_t
ngx_http_cardfeed_listen(ngx_http_cardfeed_collection_t *col)
{
    int                s[2];
    ngx_connection_t  *c;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET|SOCK_NONBLOCK|SOCK_CLOEXEC, 0, s)
        == -1)
    {
        ngx_log_error(NGX_LOG_ERR, col->log, ngx_errno,
                      "cardfeed: socketpair() failed");
        return NGX_ERROR;
    }

    col->reports[0] = s[0];
    col->reports[1] = s[1];

    c = ngx_get_connection(s[0], col->log);
    if (c == NULL) {
        ngx_http_cardfeed_deaf(col);
        return NGX_ERROR;
    }

    c->data = col;
    c->log = col->log;
    c->read->log = col->log;
    c->write->log = col->log;
    c->read->handler = ngx_http_cardfeed_read_reports;
    c->recv = ngx_recv;

    /* so that a graceful shutdown tells us at once */

    c->idle = 1;

    col->connection = c;

    if (ngx_add_event(c->read, NGX_READ_EVENT, 0) != NGX_OK) {
        ngx_http_cardfeed_deaf(col);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static void
ngx_http_cardfeed_deaf(ngx_http_cardfeed_collection_t *col)
{
    if (col->connection) {
        ngx_close_connection(col->connection);
        col->connection = NULL;
        col->reports[0] = (ngx_socket_t) -1;
    }

    if (col->reports[0] != (ngx_socket_t) -1) {
        ngx_close_socket(col->reports[0]);
        col->reports[0] = (ngx_socket_t) -1;
    }

    if (col->reports[1] != (ngx_socket_t) -1) {
        ngx_close_socket(col->reports[1]);
        col->reports[1] = (ngx_socket_t) -1;
    }
}


static void
ngx_http_cardfeed_read_reports(ngx_event_t *ev)
{
    ngx_connection_t                *c;
    ngx_http_cardfeed_collection_t  *col;

    c = ev->data;
    col = c->data;

    (void) ngx_http_cardfeed_log_reports(col);

    if (c->close && col->indexer) {

        /* this worker drains its connections: the next one may index */

        cardfeed_indexer_signal(col->indexer);

        c->close = 0;
        c->idle = 0;
    }
}


/* Whether there may be more. */

static ngx_uint_t
ngx_http_cardfeed_log_reports(ngx_http_cardfeed_collection_t *col)
{
    ssize_t            n;
    ngx_uint_t         i, level;
    cardfeed_report_t  report;

    static ngx_uint_t  levels[] = {
        NGX_LOG_DEBUG,
        NGX_LOG_INFO,
        NGX_LOG_NOTICE,
        NGX_LOG_WARN,
        NGX_LOG_ERR
    };

    /* a bound on one turn of the event loop; the rest raises another event */

    for (i = 0; i < NGX_HTTP_CARDFEED_REPORTS; i++) {
        n = recv(col->reports[0], &report, sizeof(report), MSG_DONTWAIT);

        if (n < (ssize_t) offsetof(cardfeed_report_t, text)) {
            return 0;
        }

        level = ngx_min((ngx_uint_t) report.level,
                        sizeof(levels) / sizeof(levels[0]) - 1);

        ngx_log_error(levels[level], col->log, 0, "cardfeed: %*s",
                      ngx_min((size_t) report.len, sizeof(report.text)),
                      report.text);
    }

    return 1;
}
