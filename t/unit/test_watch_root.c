/* watch: what a change of the root, and of the way to it, is told as. */

#include "watch_fixture.h"

static void
test_root_goes_and_comes(void **state)
{
    (void) state;
    tree_write(&tree, "a.md", "x");
    open_watch();
    assert_false(cardfeed_watch_replaced(watch));
    tree_remove(tree.dir);
    assert_true(told(events(), "R"));
    assert_true(cardfeed_watch_replaced(watch));

    open_watch();
    assert_false(cardfeed_watch_present(watch));
    assert_true(cardfeed_watch_live(watch));
    assert_int_equal(mkdir(tree.dir, 0755), 0);
    assert_string_equal(events(), "R\n");
    open_watch();
    assert_true(cardfeed_watch_present(watch));
}


static void
test_root_far_away(void **state)
{
    char dir[400], part[400];
    cardfeed_error_t err = {.code = 0};

    (void) state;
    snprintf(dir, sizeof(dir), "%s/x/y/z", tree.top);
    tree.c.dir = dir;
    assert_int_equal(cardfeed_watch_open(&watch, &tree.c, &err), CARDFEED_OK);
    assert_false(cardfeed_watch_present(watch));
    assert_non_null(strstr(err.message, "does not exist"));
    assert_non_null(strstr(err.message, dir));

    /* Step by step, names on the way only. */
    snprintf(part, sizeof(part), "%s/w", tree.top);
    assert_int_equal(mkdir(part, 0755), 0);
    assert_string_equal(events(), "");
    snprintf(part, sizeof(part), "%s/x", tree.top);
    assert_int_equal(mkdir(part, 0755), 0);
    assert_string_equal(events(), "");
    snprintf(part, sizeof(part), "%s/x/y", tree.top);
    assert_int_equal(mkdir(part, 0755), 0);
    assert_string_equal(events(), "");
    assert_int_equal(mkdir(dir, 0755), 0);
    assert_string_equal(events(), "R\n");

    /* All of it torn down and made again before anybody looks. */
    open_watch();
    snprintf(part, sizeof(part), "%s/x", tree.top);
    tree_remove(part);
    assert_true(told(events(), "R"));
    open_watch();
    assert_int_equal(mkdir(part, 0755), 0);
    snprintf(part, sizeof(part), "%s/x/y", tree.top);
    assert_int_equal(mkdir(part, 0755), 0);
    assert_int_equal(mkdir(dir, 0755), 0);
    assert_string_equal(events(), "R\n");
}


static void
test_root_renamed_over(void **state)
{
    char other[400], link[400], next[400];

    (void) state;
    snprintf(other, sizeof(other), "%s/other", tree.top);
    snprintf(link, sizeof(link), "%s/link", tree.top);
    snprintf(next, sizeof(next), "%s/next", tree.top);
    assert_int_equal(mkdir(other, 0755), 0);

    /* The configured path may be a link, and be switched. */
    assert_int_equal(symlink("site", link), 0);
    tree.c.dir = link;
    open_watch();
    assert_int_equal(symlink("other", next), 0);
    assert_string_equal(events(), "");
    assert_int_equal(rename(next, link), 0);
    assert_string_equal(events(), "R\n");
    assert_true(cardfeed_watch_replaced(watch));

    /* Moved away, and another one to its place. */
    tree.c.dir = tree.dir;
    open_watch();
    assert_int_equal(rename(tree.dir, next), 0);
    assert_int_equal(rename(other, tree.dir), 0);
    assert_true(told(events(), "R"));
    open_watch();
    assert_true(cardfeed_watch_present(watch));
    assert_false(cardfeed_watch_replaced(watch));
}


/* current -> live -> releases/1: any of the links may be switched. */
static void
test_way_through_links(void **state)
{
    char dir[500], path[400];

    (void) state;
    tree_mkdir(&tree, "releases");
    tree_mkdir(&tree, "releases/1");
    tree_mkdir(&tree, "releases/1/cards");
    tree_mkdir(&tree, "releases/2");
    tree_mkdir(&tree, "releases/2/cards");
    tree_mkdir(&tree, "deploy");
    assert_int_equal(symlink("releases/1", tree_path(&tree, "live")), 0);
    assert_int_equal(symlink("../live", tree_path(&tree, "deploy/current")),
        0);
    snprintf(dir, sizeof(dir), "%s/deploy/../deploy/./current/cards",
        tree.dir);
    tree.c.dir = dir;
    open_watch();
    assert_true(cardfeed_watch_present(watch));

    /* The one in the middle. */
    assert_int_equal(symlink("releases/2", tree_path(&tree, "next")), 0);
    assert_string_equal(events(), "");
    tree_rename(&tree, "next", "live");
    assert_string_equal(events(), "R\n");
    open_watch();

    /* The first one, with an absolute target: and back, by another way to the
     * same place, from where that one is watched. */
    snprintf(path, sizeof(path), "%s/releases/1", tree.dir);
    assert_int_equal(symlink(path, tree_path(&tree, "next")), 0);
    tree_rename(&tree, "next", "deploy/current");
    assert_string_equal(events(), "R\n");
    open_watch();
    assert_int_equal(symlink("../other", tree_path(&tree, "next")), 0);
    assert_int_equal(symlink("releases/1", tree_path(&tree, "other")), 0);
    tree_rename(&tree, "next", "deploy/current");
    assert_string_equal(events(), "");
    assert_int_equal(symlink("releases/2", tree_path(&tree, "next")), 0);
    tree_rename(&tree, "next", "other");
    assert_string_equal(events(), "R\n");
    open_watch();

    /* A directory that leads on goes, and comes back. */
    tree_rename(&tree, "releases", "gone");
    assert_true(told(events(), "R"));
    open_watch();
    assert_false(cardfeed_watch_present(watch));
    tree_rename(&tree, "gone", "releases");
    assert_string_equal(events(), "R\n");
    open_watch();
    assert_true(cardfeed_watch_present(watch));

    /* A circle leads nowhere, and is no end. */
    assert_int_equal(symlink("other", tree_path(&tree, "next")), 0);
    tree_rename(&tree, "next", "other");
    assert_true(told(events(), "R"));
    open_watch();
    assert_false(cardfeed_watch_present(watch));
    assert_int_equal(symlink("releases/1", tree_path(&tree, "next")), 0);
    tree_rename(&tree, "next", "other");
    assert_string_equal(events(), "R\n");
}


static void
test_root_is_a_file(void **state)
{
    cardfeed_error_t err = {.code = 0};

    (void) state;
    tree_remove(tree.dir);
    tree_write_path(tree.dir, "x");
    assert_int_equal(cardfeed_watch_open(&watch, &tree.c, &err), CARDFEED_OK);
    assert_false(cardfeed_watch_present(watch));
    assert_true(strlen(err.message) > 0);
    assert_int_equal(unlink(tree.dir), 0);
    assert_int_equal(mkdir(tree.dir, 0755), 0);
    assert_true(told(events(), "R"));
}


static void
test_remote(void **state)
{
    size_t i;
    char why[80];
    static const struct {
        unsigned long type;
        const char *name; /* NULL: events come */
    } types[] = {{0x6969, "NFS"}, {0xff534d42, "CIFS"}, {0xfe534d42, "SMB2"},
        {0x65735546, "FUSE"}, {0x01021997, "9P"}, {0x786f4256, "vboxsf"},
        {0xef53, NULL},
        {0x794c7630, NULL}, {0x01021994, NULL}, {0x58465342, NULL},
        {0x9123683e, NULL}};

    (void) state;
    for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        tree.c.watch = CARDFEED_WATCH_AUTO;
        open_watch();
        assert_true(cardfeed_watch_live(watch));
        cardfeed_watch_check_remote(watch, types[i].type);
        assert_int_equal(cardfeed_watch_live(watch), types[i].name == NULL);
        snprintf(why, sizeof(why), "%s%s", types[i].name ? types[i].name : "",
            types[i].name ? " does not tell of changes made elsewhere" : "");
        assert_string_equal(cardfeed_watch_degraded(watch), why);

        tree.c.watch = CARDFEED_WATCH_INOTIFY;
        open_watch();
        cardfeed_watch_check_remote(watch, types[i].type);
        assert_true(cardfeed_watch_live(watch));
    }
}


int
main(void)
{
#define WATCH_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        WATCH_TEST(test_root_goes_and_comes),
        WATCH_TEST(test_root_far_away),
        WATCH_TEST(test_root_renamed_over),
        WATCH_TEST(test_way_through_links),
        WATCH_TEST(test_root_is_a_file),
        WATCH_TEST(test_remote),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
