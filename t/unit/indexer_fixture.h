/* An indexer at work on a real tree, and what a reader sees meanwhile. */

#ifndef CARDFEED_INDEXER_FIXTURE_H
#define CARDFEED_INDEXER_FIXTURE_H

#include "tree_fixture.h"

#include <poll.h>
#include <sys/socket.h>

#include <cardfeed/indexer.h>

#define PATIENCE_MS 20000

typedef struct {
    tree_t tree;
    char path[400]; /* of the index */
    cardfeed_index_t *index;
    cardfeed_indexer_t *indexer;
    int sock[2];
    cardfeed_buf_t log; /* every report's text, a line each */
} site_t;

static inline void
site_init(site_t *site)
{
    memset(site, 0, sizeof(*site));
    tree_init(&site->tree);
    site->tree.c.watch = CARDFEED_WATCH_INOTIFY;
    site->tree.c.map_size = (size_t) 256 << 20;
    snprintf(site->path, sizeof(site->path), "%s/index", site->tree.top);
    cardfeed_buf_init(&site->log, 16 << 20);
    assert_int_equal(socketpair(AF_UNIX,
                         SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
                         site->sock),
        0);
}

static inline void
site_start(site_t *site)
{
    cardfeed_error_t err = {.code = 0};

    cardfeed_buf_reset(&site->log);
    assert_int_equal(cardfeed_index_open(&site->index, site->path,
                         &site->tree.c, true, &err),
        CARDFEED_OK);
    assert_int_equal(cardfeed_indexer_start(&site->indexer, &site->tree.c,
                         site->index, site->sock[1], getppid(), &err),
        CARDFEED_OK);
}

static inline void
site_stop(site_t *site)
{
    cardfeed_indexer_stop(site->indexer);
    site->indexer = NULL;
    if (site->index != NULL) {
        cardfeed_index_close(site->index);
        site->index = NULL;
    }
}

static inline void
site_done(site_t *site)
{
    site_stop(site);
    cardfeed_buf_free(&site->log);
    close(site->sock[0]);
    close(site->sock[1]);
    tree_done(&site->tree);
}

/* All reports so far, NUL-terminated. */
static inline const char *
site_log(site_t *site)
{
    ssize_t n;
    cardfeed_report_t report;

    if (site->log.len > 0) {
        site->log.len--;
    }
    while ((n = recv(site->sock[0], &report, sizeof(report), 0)) > 0) {
        assert_int_equal((size_t) n,
            offsetof(cardfeed_report_t, text) + report.len);
        cardfeed_buf_append(&site->log, report.text, report.len);
        cardfeed_buf_char(&site->log, '\n');
        if (getenv("INDEXER_LOG") != NULL) {
            fprintf(stderr, "%.*s\n", (int) report.len, report.text);
        }
    }
    cardfeed_buf_char(&site->log, '\0');

    return site->log.data;
}

static inline void
site_forget_log(site_t *site)
{
    site_log(site);
    cardfeed_buf_reset(&site->log);
}

static inline bool
site_told_within(site_t *site, const char *text, int ms)
{
    int64_t end = tree_ms() + ms;

    while (strstr(site_log(site), text) == NULL) {
        if (tree_ms() > end) {
            return false;
        }
        tree_nap();
    }

    return true;
}

static inline void
site_wait_told(site_t *site, const char *text)
{
    if (!site_told_within(site, text, PATIENCE_MS)) {
        print_error("never told: %s\nbut:\n%s\n", text, site->log.data);
        fail();
    }
}

static inline unsigned
site_told_count(site_t *site, const char *text)
{
    unsigned n = 0;
    const char *p = site_log(site);

    while ((p = strstr(p, text)) != NULL) {
        n++;
        p++;
    }

    return n;
}

/* Cards in the feed of a topic; -1 while there is no index or no topic. */
static inline int
site_count(site_t *site, const char *slug)
{
    int n = -1;
    cardfeed_read_t *read;
    cardfeed_topic_t topic;
    cardfeed_error_t err;
    cardfeed_store_t *store = cardfeed_index_current(site->index, &err);

    if (store == NULL) {
        return -1;
    }
    assert_int_equal(cardfeed_read_begin(store, &read, &err), CARDFEED_OK);
    if (cardfeed_read_topic(read, cardfeed_str_of(slug), &topic)
        == CARDFEED_OK)
    {
        n = (int) topic.count;
    }
    cardfeed_read_end(read);

    return n;
}

static inline uint64_t
site_txnid(site_t *site)
{
    uint64_t id;
    cardfeed_read_t *read;
    cardfeed_error_t err;
    cardfeed_store_t *store = cardfeed_index_current(site->index, &err);

    assert_non_null(store);
    assert_int_equal(cardfeed_read_begin(store, &read, &err), CARDFEED_OK);
    id = cardfeed_read_txnid(read);
    cardfeed_read_end(read);

    return id;
}

static inline cardfeed_stats_t
site_stats(site_t *site)
{
    cardfeed_stats_t stats;
    cardfeed_read_t *read;
    cardfeed_error_t err;
    cardfeed_store_t *store = cardfeed_index_current(site->index, &err);

    memset(&stats, 0, sizeof(stats));
    if (store != NULL) {
        assert_int_equal(cardfeed_read_begin(store, &read, &err),
            CARDFEED_OK);
        assert_int_equal(cardfeed_read_stats(read, &stats), CARDFEED_OK);
        cardfeed_read_end(read);
    }

    return stats;
}

static inline void
site_wait_count(site_t *site, const char *slug, int count)
{
    int64_t end = tree_ms() + PATIENCE_MS;

    while (site_count(site, slug) != count) {
        if (tree_ms() > end) {
            print_error("%s: %d cards, not %d\n%s\n", slug,
                site_count(site, slug), count, site_log(site));
            fail();
        }
        tree_nap();
    }
}

/* A rejection is told before the transaction it is in can be seen. */
static inline void
site_wait_rejected(site_t *site, uint64_t count)
{
    int64_t end = tree_ms() + PATIENCE_MS;

    while (site_stats(site).rejected != count) {
        assert_true(tree_ms() <= end);
        tree_nap();
    }
}

/* The text of a card with a topic; one of a few static buffers. */
static inline const char *
card_text(const char *title, const char *topic)
{
    static char buf[4][600];
    static unsigned next;

    next = (next + 1) % 4;
    snprintf(buf[next], sizeof(buf[next]),
        "---\ntitle: %s\npublishedDateTime: 2020-07-14T19:45:00Z\n"
        "topics: [%s]\n---\n",
        title, topic);

    return buf[next];
}

static inline void
site_card(site_t *site, const char *name, const char *topic)
{
    tree_write(&site->tree, name, card_text(name, topic));
}

/* Files no longer young, so that a restart has no reason to parse them. */
static inline void
site_wait_settled(site_t *site)
{
    (void) site;

    int64_t end = tree_ms() + 2300;

    while (tree_ms() < end) {
        tree_nap();
    }
}

/* The site of the test that runs. */
static site_t site;

static inline int
setup(void **state)
{
    (void) state;
    site_init(&site);

    return 0;
}

static inline int
teardown(void **state)
{
    (void) state;
    site_done(&site);

    return 0;
}

static inline void
start_ready(void)
{
    site_start(&site);
    site_wait_told(&site, " is ready: ");
}

#endif /* CARDFEED_INDEXER_FIXTURE_H */
