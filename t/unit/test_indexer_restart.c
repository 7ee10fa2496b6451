/* indexer: starts, stops, absent roots and clocks. */

#include "indexer_fixture.h"


/* Not time(): its clock lags behind that of timers by up to a tick. */
static int64_t
now_s(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_REALTIME, &ts);

    return (int64_t) ts.tv_sec;
}


static void
age(const char *name)
{
    /* ctime cannot be set: only waiting makes a file old. */
    struct timespec old[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};

    assert_int_equal(
        utimensat(AT_FDCWD, tree_path(&site.tree, name), old, 0), 0);
}


static void
test_restart(void **state)
{
    int i;
    char name[32];

    (void) state;
    for (i = 0; i < 100; i++) {
        snprintf(name, sizeof(name), "%d.md", i);
        site_card(&site, name, "Alpha");
    }
    start_ready();
    site_wait_settled(&site);
    site_stop(&site);

    /* Changed, gone, new; and one with another date and the same content. */
    site_card(&site, "1.md", "Beta");
    assert_int_equal(unlink(tree_path(&site.tree, "2.md")), 0);
    site_card(&site, "new.md", "Gamma");
    age("3.md");
    site_start(&site);
    site_wait_told(&site, " is reconciled: ");
    assert_non_null(strstr(site_log(&site),
        "100 cards in feeds, 3 topics, 0 undated, 0 waiting, 0 hidden, "
        "0 rejected, 0 without front matter; parsed 3 of 100 files in "));
    assert_int_equal(site_count(&site, "alpha"), 98);
    assert_int_equal(site_count(&site, "beta"), 1);
    assert_int_equal(site_count(&site, "gamma"), 1);

    /* The index was there before the reconciliation: nothing but the four
     * files was asked of the parser, the rest never left the feeds. */
    site_wait_settled(&site);
    site_stop(&site);
    site_start(&site);
    site_wait_told(&site, " is reconciled: ");
    assert_non_null(
        strstr(site_log(&site), "; parsed 0 of 100 files in "));
}


static void
test_young_signatures(void **state)
{
    (void) state;
    site_card(&site, "a.md", "Alpha");
    start_ready();
    site_stop(&site);

    /* Too young to be trusted: parsed again, once it is old never more. */
    site_start(&site);
    site_wait_told(&site, "; parsed 1 of 1 files in ");
    site_wait_settled(&site);
    site_stop(&site);
    site_start(&site);
    site_wait_told(&site, "; parsed 0 of 1 files in ");
}


static void
test_rejected_is_told_once(void **state)
{
    (void) state;
    tree_write(&site.tree, "bad.md", "---\ntitle: [\n---\n");
    assert_int_equal(mkfifo(tree_path(&site.tree, "f.md"), 0644), 0);
    start_ready();
    assert_int_equal(site_told_count(&site, "\"bad.md\""), 1);
    assert_int_equal(site_told_count(&site, "\"f.md\""), 1);
    site_wait_settled(&site);
    site_stop(&site);
    site_start(&site);
    site_wait_told(&site, " is reconciled: ");
    assert_int_equal(site_told_count(&site, "\"bad.md\""), 0);
    assert_int_equal(site_told_count(&site, "\"f.md\""), 0);
    site_wait_rejected(&site, 2);
}


static void
test_absent_root(void **state)
{
    char next[400];

    (void) state;
    tree_remove(site.tree.dir);
    site_start(&site);
    site_wait_told(&site, "does not exist; waiting for it");
    assert_int_equal(site_count(&site, "all"), -1);

    snprintf(next, sizeof(next), "%s/next", site.tree.top);
    assert_int_equal(mkdir(next, 0755), 0);
    snprintf(next, sizeof(next), "%s/next/a.md", site.tree.top);
    tree_write_path(next, card_text("A", "Alpha"));
    snprintf(next, sizeof(next), "%s/next", site.tree.top);
    assert_int_equal(rename(next, site.tree.dir), 0);
    site_wait_count(&site, "alpha", 1);
    site_wait_told(&site, " is ready: 1 cards");

    /* It goes: what is known stays.  It comes back: it is reconciled. */
    site_forget_log(&site);
    assert_int_equal(rename(site.tree.dir, next), 0);
    site_wait_told(&site, "does not exist; waiting for it");
    assert_int_equal(site_count(&site, "alpha"), 1);
    assert_int_equal(mkdir(site.tree.dir, 0755), 0);
    site_card(&site, "b.md", "Beta");
    site_wait_told(&site, " is reconciled: ");
    site_wait_count(&site, "beta", 1);
    site_wait_count(&site, "alpha", 0);
    site_card(&site, "c.md", "Gamma");
    site_wait_count(&site, "gamma", 1);
    assert_int_equal(site_told_count(&site, "waiting for it"), 1);
}


static void
test_restart_with_absent_root(void **state)
{
    char away[400];

    (void) state;
    site_card(&site, "a.md", "Alpha");
    start_ready();
    site_stop(&site);
    snprintf(away, sizeof(away), "%s/away", site.tree.top);
    assert_int_equal(rename(site.tree.dir, away), 0);

    site_start(&site);
    site_wait_told(&site, "waiting for it");
    site_wait_count(&site, "alpha", 1);
    /* Long enough for signatures to be looked at again. */
    site_wait_settled(&site);
    assert_int_equal(site_count(&site, "alpha"), 1);
    assert_int_equal(rename(away, site.tree.dir), 0);
    site_wait_told(&site, " is reconciled: 1 cards in feeds");
    assert_int_equal(site_count(&site, "alpha"), 1);
}


static void
test_root_torn_down(void **state)
{
    int i;
    char name[32];

    (void) state;
    for (i = 0; i < 20; i++) {
        snprintf(name, sizeof(name), "%d.md", i);
        site_card(&site, name, "Alpha");
    }
    start_ready();
    tree_remove(site.tree.dir);
    site_wait_told(&site, "waiting for it");
    assert_int_equal(mkdir(site.tree.dir, 0755), 0);
    site_card(&site, "a.md", "Beta");
    site_wait_count(&site, "beta", 1);
    site_wait_count(&site, "all", 1);
}


static void
test_switched_link(void **state)
{
    char link[400], next[400], other[400];

    (void) state;
    snprintf(link, sizeof(link), "%s/link", site.tree.top);
    snprintf(next, sizeof(next), "%s/next", site.tree.top);
    snprintf(other, sizeof(other), "%s/other", site.tree.top);
    assert_int_equal(symlink("site", link), 0);
    site.tree.c.dir = link;
    site_card(&site, "a.md", "Alpha");
    start_ready();
    assert_int_equal(mkdir(other, 0755), 0);
    snprintf(next, sizeof(next), "%s/other/a.md", site.tree.top);
    tree_write_path(next, card_text("A", "Beta"));
    snprintf(next, sizeof(next), "%s/next", site.tree.top);
    assert_int_equal(symlink("other", next), 0);
    assert_int_equal(rename(next, link), 0);
    site_wait_count(&site, "beta", 1);
    site_wait_count(&site, "alpha", 0);
}


static void
due_card(const char *name, const char *topic, const char *key, int64_t at)
{
    char text[300], date[CARDFEED_RFC3339_LEN + 1];

    cardfeed_date_rfc3339(date, at);
    snprintf(text, sizeof(text),
        "---\ntitle: T\n%s%s: %s\ntopics: [%s]\n---\n",
        strcmp(key, "date") != 0 ? "date: 2020-01-01\n" : "", key, date,
        topic);
    tree_write(&site.tree, name, text);
}


static void
test_due(void **state)
{
    int64_t now = now_s();

    (void) state;
    due_card("comes.md", "Comes", "date", now + 2);
    due_card("goes.md", "Goes", "expiryDate", now + 2);
    due_card("later.md", "Later", "date", now + 86400);
    start_ready();
    if (now_s() < now + 2) {
        assert_true(site_count(&site, "comes") <= 0);
        assert_int_equal(site_count(&site, "goes"), 1);
    }
    site_wait_count(&site, "comes", 1);
    site_wait_count(&site, "goes", 0);
    assert_true(now_s() >= now + 2);
    assert_int_equal(site_count(&site, "all"), 1);
    assert_int_equal(site_stats(&site).waiting, 1);
}


static void
test_due_while_stopped(void **state)
{
    char away[400];
    int64_t now = now_s();

    (void) state;
    due_card("comes.md", "Comes", "date", now + 2);
    start_ready();
    site_stop(&site);
    while (now_s() < now + 2) {
        tree_nap();
    }

    /* Even where there is nothing to reconcile with. */
    snprintf(away, sizeof(away), "%s/away", site.tree.top);
    assert_int_equal(rename(site.tree.dir, away), 0);
    site_start(&site);
    site_wait_count(&site, "comes", 1);
}


static void
poll_mode(cardfeed_watch_mode_t mode)
{
    site.tree.c.watch = mode;
    site.tree.c.poll_ms = 20;
    tree_mkdir(&site.tree, "sub");
    site_card(&site, "sub/a.md", "Alpha");
    start_ready();
}


static void
test_poll(void **state)
{
    char away[400];

    (void) state;
    poll_mode(CARDFEED_WATCH_POLL);
    site_card(&site, "b.md", "Beta");
    site_wait_count(&site, "beta", 1);
    tree_rename(&site.tree, "sub", "dir");
    site_card(&site, "dir/a.md", "Gamma");
    site_wait_count(&site, "gamma", 1);
    site_wait_count(&site, "alpha", 0);
    assert_int_equal(site_count(&site, "all"), 2);
    assert_int_equal(unlink(tree_path(&site.tree, "b.md")), 0);
    site_wait_count(&site, "all", 1);

    /* The same size within the same tick is found a little later. */
    tree_write(&site.tree, "c.md", card_text("C", "One1"));
    tree_write(&site.tree, "c.md", card_text("C", "Two2"));
    site_wait_count(&site, "two2", 1);
    site_wait_count(&site, "all", 2);

    snprintf(away, sizeof(away), "%s/away", site.tree.top);
    assert_int_equal(rename(site.tree.dir, away), 0);
    site_wait_told(&site, "waiting for it");
    assert_int_equal(site_count(&site, "all"), 2);
    assert_int_equal(rename(away, site.tree.dir), 0);
    site_wait_told(&site, " is reconciled: ");
    assert_int_equal(site_count(&site, "all"), 2);
    /* Polls are not told one by one. */
    assert_int_equal(site_told_count(&site, " is reconciled: "), 1);
}


static void
test_off(void **state)
{
    (void) state;
    poll_mode(CARDFEED_WATCH_OFF);
    site_card(&site, "b.md", "Beta");
    assert_false(site_told_within(&site, "reconciled", 300));
    assert_int_equal(site_count(&site, "all"), 1);
    site_stop(&site);
    site_start(&site);
    site_wait_told(&site, " is reconciled: 2 cards");
}


static void
many_files(int n)
{
    int i;
    char name[64];

    for (i = 0; i < n; i++) {
        snprintf(name, sizeof(name), "%d.md", i);
        site_card(&site, name, "Alpha");
    }
}


static void
test_stop_in_a_scan(void **state)
{
    int64_t began;

    (void) state;
    many_files(5000);
    site_start(&site);
    site_wait_told(&site, "this process indexes");
    began = tree_ms();
    site_stop(&site);
    assert_true(tree_ms() - began < 1000);

    /* Nothing half-made is served; the next one begins anew. */
    start_ready();
    assert_int_equal(site_count(&site, "alpha"), 5000);
}


static void
test_stop_with_a_big_card(void **state)
{
    FILE *f;
    int i;
    int64_t began;

    (void) state;
    site.tree.c.max_card = (size_t) 64 << 20;
    site_card(&site, "small.md", "Alpha");
    start_ready();

    /* Seconds of work for a parser, which nobody waits for. */
    f = fopen(tree_path(&site.tree, ".big"), "w");
    assert_non_null(f);
    fputs("---\ntitle: Big\nother:\n", f);
    for (i = 0; i < 1500000; i++) {
        fprintf(f, "  - [%d, {a: b}]\n", i);
    }
    fputs("---\n", f);
    fclose(f);
    tree_rename(&site.tree, ".big", "big.md");
    site_card(&site, "next.md", "Beta");
    site_wait_count(&site, "beta", 1);
    began = tree_ms();
    site_stop(&site);
    assert_true(tree_ms() - began < 1000);
}


static void
test_stop_at_once(void **state)
{
    int i;

    (void) state;
    many_files(10);
    for (i = 0; i < 20; i++) {
        site_start(&site);
        cardfeed_indexer_signal(site.indexer);
        site_stop(&site);
    }
    start_ready();
    assert_int_equal(site_count(&site, "alpha"), 10);
}


static void
test_live_in_a_scan(void **state)
{
    (void) state;
    many_files(5000);
    start_ready();
    site_stop(&site);

    /* All of them are young, so that all are parsed once more. */
    site_start(&site);
    site_wait_told(&site, "this process indexes");
    site_card(&site, "4999.md", "Beta");
    tree_mkdir(&site.tree, "new");
    site_card(&site, "new/a.md", "Gamma");
    site_wait_count(&site, "beta", 1);
    site_wait_count(&site, "gamma", 1);
    site_wait_told(&site, " is reconciled: ");
    site_wait_count(&site, "alpha", 4999);
    assert_int_equal(site_count(&site, "beta"), 1);
    assert_int_equal(site_count(&site, "gamma"), 1);
    site_wait_rejected(&site, 0);
}


int
main(void)
{
#define INDEXER_TEST(name)                                                   \
    cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        INDEXER_TEST(test_restart),
        INDEXER_TEST(test_young_signatures),
        INDEXER_TEST(test_rejected_is_told_once),
        INDEXER_TEST(test_absent_root),
        INDEXER_TEST(test_restart_with_absent_root),
        INDEXER_TEST(test_root_torn_down),
        INDEXER_TEST(test_switched_link),
        INDEXER_TEST(test_due),
        INDEXER_TEST(test_due_while_stopped),
        INDEXER_TEST(test_poll),
        INDEXER_TEST(test_off),
        INDEXER_TEST(test_stop_in_a_scan),
        INDEXER_TEST(test_stop_with_a_big_card),
        INDEXER_TEST(test_stop_at_once),
        INDEXER_TEST(test_live_in_a_scan),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
