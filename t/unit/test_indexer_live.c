/* indexer: changes in a tree become changes of feeds. */

#include "indexer_fixture.h"


static void
test_first_scan(void **state)
{
    (void) state;
    site_card(&site, "a.md", "Alpha");
    tree_mkdir(&site.tree, "sub");
    site_card(&site, "sub/b.html", "Alpha, Beta");
    tree_write(&site.tree, "plain.md", "no front matter\n");
    tree_write(&site.tree, "undated.md", "---\ntitle: U\n---\n");
    tree_write(&site.tree, "draft.md",
        "---\ntitle: D\npublished: false\ndate: 2020-01-01\n---\n");
    tree_write(&site.tree, "bad.md", "---\ntitle: [\n---\n");
    start_ready();

    site_wait_told(&site, "collection \"news\": this process indexes (pid ");
    site_wait_told(&site,
        "collection \"news\" is ready: 2 cards in feeds, 2 topics, "
        "1 undated, 0 waiting, 1 hidden, 1 rejected, 1 without front matter; "
        "parsed 5 of 6 files in 0.");
    site_wait_told(&site, "collection \"news\": \"bad.md\":");
    assert_int_equal(site_count(&site, "all"), 2);
    assert_int_equal(site_count(&site, "alpha"), 2);
    assert_int_equal(site_count(&site, "beta"), 1);
}


static void
test_files(void **state)
{
    char out[400];

    (void) state;
    start_ready();
    assert_int_equal(site_count(&site, "all"), 0);

    site_card(&site, "a.md", "Alpha");
    site_wait_count(&site, "alpha", 1);
    site_card(&site, "a.md", "Beta"); /* written in place */
    site_wait_count(&site, "beta", 1);
    assert_int_equal(site_count(&site, "alpha"), 0);

    snprintf(out, sizeof(out), "%s/out.md", site.tree.top);
    tree_write_path(out, card_text("Out", "Gamma"));
    assert_int_equal(rename(out, tree_path(&site.tree, "in.md")), 0);
    site_wait_count(&site, "gamma", 1);
    site_wait_count(&site, "all", 2);

    tree_mkdir(&site.tree, "sub");
    tree_rename(&site.tree, "in.md", "sub/across.md");
    site_wait_count(&site, "gamma", 1);
    site_wait_count(&site, "all", 2);

    /* Replaced by rename, as editors do. */
    tree_write(&site.tree, ".a.md.tmp", card_text("New", "Delta"));
    tree_rename(&site.tree, ".a.md.tmp", "a.md");
    site_wait_count(&site, "delta", 1);
    site_wait_count(&site, "beta", 0);

    assert_int_equal(
        rename(tree_path(&site.tree, "sub/across.md"), out), 0);
    site_wait_count(&site, "gamma", 0);
    assert_int_equal(unlink(tree_path(&site.tree, "a.md")), 0);
    site_wait_count(&site, "all", 0);
    assert_int_equal(site_stats(&site).files, 0);
}


static void
test_seen_soon(void **state)
{
    int i;
    char name[32];
    int64_t began, best = INT64_MAX;

    (void) state;
    start_ready();
    for (i = 0; i < 20; i++) {
        snprintf(name, sizeof(name), "%d.md", i);
        began = tree_ms();
        site_card(&site, name, "Alpha");
        site_wait_count(&site, "alpha", i + 1);
        if (tree_ms() - began < best) {
            best = tree_ms() - began;
        }
    }
    /* The machine may be busy, but not every time. */
    assert_true(best < 100);
}


static void
test_new_directories(void **state)
{
    int i;
    char name[64];

    (void) state;
    start_ready();
    for (i = 0; i < 30; i++) {
        snprintf(name, sizeof(name), "d%d", i);
        tree_mkdir(&site.tree, name);
        snprintf(name, sizeof(name), "d%d/b", i);
        tree_mkdir(&site.tree, name);
        snprintf(name, sizeof(name), "d%d/b/c", i);
        tree_mkdir(&site.tree, name);
        snprintf(name, sizeof(name), "d%d/b/c/x.md", i);
        site_card(&site, name, "Alpha");
    }
    site_wait_count(&site, "alpha", 30);
    for (i = 0; i < 30; i++) {
        snprintf(name, sizeof(name), "d%d/b/c/y.md", i);
        site_card(&site, name, "Alpha");
    }
    site_wait_count(&site, "alpha", 60);
}


static void
test_moved_directories(void **state)
{
    char away[400];

    (void) state;
    tree_mkdir(&site.tree, "a");
    tree_mkdir(&site.tree, "a/b");
    site_card(&site, "a/b/x.md", "Alpha");
    site_card(&site, "a/y.md", "Alpha");
    start_ready();
    assert_int_equal(site_count(&site, "alpha"), 2);

    tree_rename(&site.tree, "a", "c");
    site_card(&site, "c/b/z.md", "Beta");
    site_wait_count(&site, "beta", 1);
    site_wait_count(&site, "alpha", 2);
    site_card(&site, "c/b/z.md", "Gamma");
    site_wait_count(&site, "gamma", 1);

    snprintf(away, sizeof(away), "%s/away", site.tree.top);
    assert_int_equal(rename(tree_path(&site.tree, "c"), away), 0);
    site_wait_count(&site, "all", 0);
    assert_int_equal(rename(away, tree_path(&site.tree, "d")), 0);
    site_wait_count(&site, "all", 3);
    tree_remove(tree_path(&site.tree, "d"));
    site_wait_count(&site, "all", 0);
    assert_int_equal(site_stats(&site).files, 0);
}


/* A file that is being made moves with its directory, and back: nothing is
 * waited for by the name it had. */
static void
test_moved_while_written(void **state)
{
    int fd;
    const char *text = card_text("Moved", "Alpha");

    (void) state;
    tree_mkdir(&site.tree, "a");
    start_ready();
    fd = open(tree_path(&site.tree, "a/x.md"), O_CREAT | O_WRONLY, 0644);
    assert_true(fd >= 0);
    site_card(&site, "one.md", "Beta");
    site_wait_count(&site, "beta", 1);
    tree_rename(&site.tree, "a", "b");
    site_card(&site, "two.md", "Beta");
    site_wait_count(&site, "beta", 2);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t) strlen(text));
    close(fd);
    site_wait_count(&site, "alpha", 1);

    tree_rename(&site.tree, "b", "a");
    site_card(&site, "three.md", "Beta");
    site_wait_count(&site, "beta", 3);
    site_wait_count(&site, "alpha", 1);
}


static void
test_many_at_once(void **state)
{
    int i;
    char away[400], name[500];
    uint64_t before;

    (void) state;
    snprintf(away, sizeof(away), "%s/away", site.tree.top);
    assert_int_equal(mkdir(away, 0755), 0);
    for (i = 0; i < 2000; i++) {
        snprintf(name, sizeof(name), "%s/%d.md", away, i);
        tree_write_path(name, card_text("Many", "Alpha"));
    }
    start_ready();
    before = site_txnid(&site);
    assert_int_equal(rename(away, tree_path(&site.tree, "in")), 0);
    site_wait_count(&site, "alpha", 2000);
    /* In steps of 200 ms at the least; a sanitizer makes them many. */
    assert_true(site_txnid(&site) - before < 200);
    assert_int_equal(rename(tree_path(&site.tree, "in"), away), 0);
    site_wait_count(&site, "alpha", 0);
    assert_int_equal(site_stats(&site).files, 0);
}


static void
test_rejected_keeps_the_last_good(void **state)
{
    (void) state;
    site_card(&site, "a.md", "Alpha");
    start_ready();
    tree_write(&site.tree, "a.md", "---\ntitle: [\n---\n");
    site_wait_told(&site, "collection \"news\": \"a.md\":");
    assert_int_equal(site_count(&site, "alpha"), 1);
    site_wait_rejected(&site, 1);

    site_card(&site, "a.md", "Beta");
    site_wait_count(&site, "beta", 1);
    site_wait_rejected(&site, 0);
    assert_int_equal(site_told_count(&site, "\"a.md\""), 1);

    /* No card any longer: the card goes. */
    tree_write(&site.tree, "a.md", "just text\n");
    site_wait_count(&site, "all", 0);
    assert_int_equal(site_stats(&site).notcards, 1);
}


static void
test_bad_files(void **state)
{
    char outside[400];

    (void) state;
    site.tree.c.max_card = 1000;
    site_card(&site, "good.md", "Alpha");
    snprintf(outside, sizeof(outside), "%s/outside.md", site.tree.top);
    tree_write_path(outside, card_text("Secret", "Secret"));
    assert_int_equal(mkfifo(tree_path(&site.tree, "f.md"), 0644), 0);
    assert_int_equal(symlink(outside, tree_path(&site.tree, "l.md")), 0);
    assert_int_equal(symlink("/dev/zero", tree_path(&site.tree, "z.md")), 0);
    tree_write(&site.tree, "big.md", "");
    assert_int_equal(
        truncate(tree_path(&site.tree, "big.md"), 100 << 20), 0);
    start_ready();

    site_wait_told(&site, "\"f.md\": not a regular file but a FIFO");
    site_wait_told(&site, "\"l.md\": symbolic link leaves the collection");
    site_wait_told(&site, "\"z.md\": symbolic link leaves the collection");
    site_wait_told(&site, "\"big.md\": 104857600 bytes are more than");
    assert_int_equal(site_count(&site, "all"), 1);
    site_wait_rejected(&site, 4);

    /* The same, live; each is told once. */
    assert_int_equal(mkfifo(tree_path(&site.tree, "f2.md"), 0644), 0);
    site_wait_told(&site, "\"f2.md\": not a regular file but a FIFO");
    assert_int_equal(utimensat(AT_FDCWD, tree_path(&site.tree, "good.md"),
                         NULL, 0),
        0);
    tree_mkdir(&site.tree, "sub");
    assert_int_equal(symlink("sub", tree_path(&site.tree, "link")), 0);
    site_wait_told(&site, "\"link\": symbolic links to directories");
    site_wait_rejected(&site, 6);
    assert_int_equal(site_told_count(&site, "FIFO"), 2);
    assert_int_equal(unlink(tree_path(&site.tree, "f2.md")), 0);
    assert_int_equal(unlink(tree_path(&site.tree, "link")), 0);
    assert_int_equal(unlink(tree_path(&site.tree, "big.md")), 0);
    site_card(&site, "last.md", "Alpha");
    site_wait_count(&site, "all", 2);
    site_wait_rejected(&site, 3);
    assert_int_equal(site_count(&site, "secret"), -1);
}


static void
test_names(void **state)
{
    char name[256], path[1200];

    (void) state;
    start_ready();
    memset(name, 'n', 252);
    strcpy(name + 252, ".md");
    site_card(&site, name, "Alpha");
    name[252] = '\0';
    tree_mkdir(&site.tree, name);
    snprintf(path, sizeof(path), "%s/%s", name, name);
    tree_mkdir(&site.tree, path);
    snprintf(path, sizeof(path), "%s/%s/x.md", name, name); /* 509 */
    tree_write(&site.tree, path, card_text("Long", "Alpha"));
    snprintf(path, sizeof(path), "%s/%s/xyz.md", name, name); /* 511 */
    tree_write(&site.tree, path, card_text("Long", "Alpha"));
    snprintf(path, sizeof(path), "%s/%s/%s.md", name, name, name);
    tree_write(&site.tree, path, card_text("Long", "Alpha"));
    tree_write(&site.tree, "\xff\xfe\n.md", card_text("Bytes", "Alpha"));
    tree_write(&site.tree, "\xff\x01.md", "---\ntitle: [\n---\n");
    site_wait_count(&site, "alpha", 5);
    site_wait_told(&site, "collection \"news\": \"\\xff\\x01.md\":");
    tree_remove(tree_path(&site.tree, name));
    site_wait_count(&site, "alpha", 2);
}


static void
test_one_identity(void **state)
{
    static const char *const card
        = "---\nid: %s\ntitle: %s\ndate: 2020-01-01\ntopics: [%s]\n---\n";
    char text[200];

    (void) state;
    snprintf(text, sizeof(text), card, "one", "A", "Alpha");
    tree_write(&site.tree, "a.md", text);
    snprintf(text, sizeof(text), card, "one", "B", "Beta");
    tree_write(&site.tree, "b.md", text);
    start_ready();
    site_wait_told(&site, "collection \"news\": \"b.md\":2: ");
    assert_int_equal(site_count(&site, "all"), 1);
    assert_int_equal(site_count(&site, "alpha"), 1);

    /* The lowest goes: the other one takes over; and back. */
    tree_rename(&site.tree, "a.md", ".a");
    site_wait_count(&site, "beta", 1);
    site_wait_count(&site, "alpha", 0);
    tree_rename(&site.tree, ".a", "a.md");
    site_wait_count(&site, "alpha", 1);
    site_wait_count(&site, "beta", 0);

    /* Two files that change places. */
    snprintf(text, sizeof(text), card, "two", "B", "Beta");
    tree_write(&site.tree, "b.md", text);
    site_wait_count(&site, "all", 2);
    tree_rename(&site.tree, "a.md", ".t");
    tree_rename(&site.tree, "b.md", "a.md");
    tree_rename(&site.tree, ".t", "b.md");
    site_card(&site, "c.md", "Gamma");
    site_wait_count(&site, "gamma", 1);
    site_wait_count(&site, "all", 3);
    assert_int_equal(site_count(&site, "alpha"), 1);
    assert_int_equal(site_count(&site, "beta"), 1);
    site_wait_rejected(&site, 0);
}


static void
test_same_stem(void **state)
{
    (void) state;
    site_card(&site, "a.html", "Html");
    start_ready();
    assert_int_equal(site_count(&site, "html"), 1);

    /* Without another identity, one of the two would have to go. */
    site_card(&site, "a.md", "Md");
    site_wait_count(&site, "all", 2);
    site_wait_count(&site, "html", 1);
    site_wait_count(&site, "md", 1);
    site_wait_rejected(&site, 0);

    site_card(&site, "a.markdown", "Markdown");
    site_wait_count(&site, "all", 3);
    assert_int_equal(unlink(tree_path(&site.tree, "a.md")), 0);
    site_wait_count(&site, "md", 0);
    site_wait_count(&site, "all", 2);
    site_wait_rejected(&site, 0);
    assert_int_equal(unlink(tree_path(&site.tree, "a.markdown")), 0);
    site_wait_count(&site, "all", 1);
    assert_int_equal(site_count(&site, "html"), 1);
    assert_int_equal(site_told_count(&site, "a.html"), 0);
}


static void
test_reports_nobody_reads(void **state)
{
    int i;
    char name[32];

    (void) state;
    start_ready();
    for (i = 0; i < 3000; i++) {
        snprintf(name, sizeof(name), "%d.md", i);
        tree_write(&site.tree, name, "---\ntitle: [\n---\n");
    }
    site_card(&site, "good.md", "Alpha");
    site_wait_count(&site, "alpha", 1);
    int64_t end = tree_ms() + PATIENCE_MS;
    while (site_stats(&site).rejected < 3000 && tree_ms() < end) {
        tree_nap();
    }
    site_wait_rejected(&site, 3000);
    site_forget_log(&site);
    tree_write(&site.tree, "last.md", "---\ntitle: [\n---\n");
    site_wait_told(&site, " messages were dropped");
    site_wait_told(&site, "\"last.md\":");
}


/* A file that is linked in complete has no close to wait for; that some
 * directory goes meanwhile is no reason to forget it. */
static void
test_linked_in(void **state)
{
    char from[600], to[600];

    (void) state;
    site_card(&site, "a.md", "Alpha");
    tree_mkdir(&site.tree, "d");
    site_start(&site);
    site_wait_count(&site, "alpha", 1);

    tree_write(&site.tree, ".new", card_text("A", "Beta"));
    snprintf(from, sizeof(from), "%s", tree_path(&site.tree, ".new"));
    snprintf(to, sizeof(to), "%s", tree_path(&site.tree, "a.md"));
    assert_int_equal(unlink(to), 0);
    assert_int_equal(link(from, to), 0);
    assert_int_equal(unlink(from), 0);
    assert_int_equal(rmdir(tree_path(&site.tree, "d")), 0);
    site_wait_count(&site, "beta", 1);
    site_wait_count(&site, "alpha", 0);
}


int
main(void)
{
#define LIVE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        LIVE_TEST(test_first_scan),
        LIVE_TEST(test_files),
        LIVE_TEST(test_seen_soon),
        LIVE_TEST(test_new_directories),
        LIVE_TEST(test_moved_directories),
        LIVE_TEST(test_moved_while_written),
        LIVE_TEST(test_many_at_once),
        LIVE_TEST(test_rejected_keeps_the_last_good),
        LIVE_TEST(test_bad_files),
        LIVE_TEST(test_names),
        LIVE_TEST(test_one_identity),
        LIVE_TEST(test_same_stem),
        LIVE_TEST(test_reports_nobody_reads),
        LIVE_TEST(test_linked_in),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
