/* watch: what a change in the tree is told as. */

#include "watch_fixture.h"

static void
test_files(void **state)
{
    int fd;
    const char *text;

    (void) state;
    open_watch();
    assert_string_equal(events(), "");

    /* Created and not closed yet: nothing to read. */
    fd = open(tree_path(&tree, "a.md"), O_CREAT | O_WRONLY, 0644);
    assert_string_equal(events(), "");
    close(fd);
    assert_string_equal(events(), "F a.md\n");

    tree_write(&tree, "a.md", "again");
    assert_string_equal(events(), "F a.md\n");
    assert_int_equal(chmod(tree_path(&tree, "a.md"), 0600), 0);
    assert_string_equal(events(), "A a.md\n");

    tree_rename(&tree, "a.md", "b.md");
    text = events();
    assert_true(told(text, "F a.md"));
    assert_true(told(text, "F b.md"));

    assert_int_equal(
        link(tree_path(&tree, "b.md"), tree_path(&tree, "c.md")), 0);
    assert_true(told(events(), "F c.md"));
    assert_int_equal(symlink("c.md", tree_path(&tree, "d.md")), 0);
    assert_string_equal(events(), "F d.md\n");
    assert_int_equal(mkfifo(tree_path(&tree, "e.md"), 0644), 0);
    assert_string_equal(events(), "F e.md\n");
    assert_int_equal(unlink(tree_path(&tree, "e.md")), 0);
    assert_string_equal(events(), "F e.md\n");
}


static void
test_not_of_the_collection(void **state)
{
    (void) state;
    open_watch();
    tree_write(&tree, "a.txt", "x");
    tree_write(&tree, ".a.md.swp", "x");
    tree_write(&tree, ".a.md", "x");
    tree_rename(&tree, "a.txt", "b.txt");
    unlink(tree_path(&tree, "b.txt"));
    tree_mkdir(&tree, "_drafts");
    tree_mkdir(&tree, ".git");
    tree_write(&tree, "_drafts/a.md", "x");
    assert_string_equal(events(), "");
}


/* No close tells of a file that got its name when it was complete. */
static void
test_linked_in_complete(void **state)
{
    char from[64], to[PATH_MAX];
    int fd;

    (void) state;
    open_watch();

    fd = open(tree.dir, O_TMPFILE | O_WRONLY, 0644);
    if (fd == -1 && (errno == EOPNOTSUPP || errno == EISDIR)) {
        skip();
    }
    assert_int_not_equal(fd, -1);
    assert_int_equal(write(fd, "x", 1), 1);
    snprintf(from, sizeof(from), "/proc/self/fd/%d", fd);
    snprintf(to, sizeof(to), "%s/linked.md", tree.dir);
    assert_int_equal(
        linkat(AT_FDCWD, from, AT_FDCWD, to, AT_SYMLINK_FOLLOW), 0);

    later[0] = '\0';
    assert_string_equal(events(), "");
    assert_string_equal(later, "linked.md");

    /* An empty one is being made. */
    tree_write(&tree, "empty.md", "");
    later[0] = '\0';
    assert_string_equal(events(), "F empty.md\n");
    assert_string_equal(later, "");
    close(fd);
}


static void
test_directories(void **state)
{
    const char *text;

    (void) state;
    tree_mkdir(&tree, "old");
    tree_mkdir(&tree, "old/in");
    tree_write(&tree, "old/in/a.md", "x");
    open_watch();

    tree_mkdir(&tree, "a");
    tree_mkdir(&tree, "a/b");
    tree_write(&tree, "a/b/x.md", "x");
    assert_string_equal(events(), "T a\n");
    walk("a");
    tree_write(&tree, "a/b/y.md", "x");
    assert_string_equal(events(), "F a/b/y.md\n");

    /* Moved: the old names are gone with all below, new names hold. */
    tree_rename(&tree, "old", "a/new");
    text = events();
    assert_true(told(text, "G old"));
    assert_true(told(text, "T a/new"));
    tree_write(&tree, "a/new/in/b.md", "x");
    assert_string_equal(events(), "");
    walk("a/new");
    tree_write(&tree, "a/new/in/c.md", "x");
    assert_string_equal(events(), "F a/new/in/c.md\n");

    /* Out of the tree. */
    char away[PATH_MAX];
    snprintf(away, sizeof(away), "%s/away", tree.top);
    assert_int_equal(rename(tree_path(&tree, "a"), away), 0);
    assert_true(told(events(), "G a"));
    snprintf(away, sizeof(away), "%s/away/b/z.md", tree.top);
    tree_write_path(away, "x");
    assert_string_equal(events(), "");
    assert_int_equal(watch->map.count, 1);

    /* And back. */
    snprintf(away, sizeof(away), "%s/away", tree.top);
    assert_int_equal(rename(away, tree_path(&tree, "back")), 0);
    assert_string_equal(events(), "T back\n");
    walk("back");
    assert_int_equal(watch->map.count, 5);
    tree_remove(tree_path(&tree, "back"));
    text = events();
    assert_true(told(text, "G back"));
    assert_true(told(text, "F back/new/in/c.md"));
    assert_int_equal(watch->map.count, 1);
}


static void
test_walked_before_told(void **state)
{
    (void) state;
    tree_mkdir(&tree, "a");
    tree_mkdir(&tree, "a/in");
    open_watch();

    /* A walk meets a directory at its new place before the events of its
     * move are read: both orders end with the same map. */
    tree_rename(&tree, "a", "b");
    walk("");
    assert_int_equal(watch->map.count, 3);
    tree_write(&tree, "b/in/x.md", "x");
    assert_true(told(events(), "T b"));
    walk("b");
    tree_write(&tree, "b/in/y.md", "x");
    assert_string_equal(events(), "F b/in/y.md\n");

    /* Two that change places. */
    tree_mkdir(&tree, "c");
    assert_string_equal(events(), "T c\n");
    walk("c");
    tree_rename(&tree, "b", "t");
    tree_rename(&tree, "c", "b");
    tree_rename(&tree, "t", "c");
    walk("");
    events();
    walk("b");
    walk("c");
    events();
    tree_write(&tree, "c/in/z.md", "x");
    tree_write(&tree, "b/z.md", "x");
    assert_string_equal(events(), "F c/in/z.md\nF b/z.md\n");
    assert_int_equal(watch->map.count, 4);
}


static void
test_replaced_directory(void **state)
{
    (void) state;
    tree_mkdir(&tree, "a");
    tree_mkdir(&tree, "b");
    open_watch();

    /* rename() over an empty directory. */
    tree_rename(&tree, "a", "b");
    assert_true(told(events(), "T b"));
    walk("b");
    events();
    tree_write(&tree, "b/x.md", "x");
    assert_string_equal(events(), "F b/x.md\n");
    assert_int_equal(watch->map.count, 2);
}


static void
test_unreadable_directory(void **state)
{
    (void) state;
    tree_mkdir(&tree, "a");
    chmod(tree.top, 0755);
    chmod(tree_path(&tree, "a"), 0);
    if (geteuid() == 0) {
        assert_int_equal(chown(tree_path(&tree, "a"), 65534, 65534), 0);
        assert_int_equal(seteuid(65534), 0);
    }
    open_watch();
    assert_int_equal(watch->map.count, 1);
    chmod(tree_path(&tree, "a"), 0755);
    assert_string_equal(events(), "T a\n");
    walk("a");
    assert_int_equal(watch->map.count, 2);

    /* One that is known is not walked for its dates' sake. */
    assert_int_equal(
        utimensat(AT_FDCWD, tree_path(&tree, "a"), NULL, 0), 0);
    assert_string_equal(events(), "");
    if (getuid() == 0) {
        assert_int_equal(seteuid(0), 0);
        prctl(PR_SET_DUMPABLE, 1); /* the leak checker traces itself */
    }
}


static void
test_switched_by_dot_link(void **state)
{
    (void) state;
    /* As Kubernetes does it. */
    tree_mkdir(&tree, "..1");
    tree_mkdir(&tree, "..2");
    tree_write(&tree, "..1/a.md", "one");
    tree_write(&tree, "..2/a.md", "two");
    assert_int_equal(symlink("..1", tree_path(&tree, "..data")), 0);
    assert_int_equal(symlink("..data/a.md", tree_path(&tree, "a.md")), 0);
    open_watch();
    assert_int_equal(symlink("..2", tree_path(&tree, "..tmp")), 0);
    tree_rename(&tree, "..tmp", "..data");
    assert_true(told(events(), "T "));
}


static void
test_link_to_directory_goes(void **state)
{
    (void) state;
    tree_mkdir(&tree, "a");
    open_watch();
    assert_int_equal(symlink("a", tree_path(&tree, "b")), 0);
    assert_string_equal(events(), "F b\n");
    walk("");
    unlink(tree_path(&tree, "b"));
    assert_string_equal(events(), "F b\n");
}


static void
test_overflow(void **state)
{
    int i, fd;
    FILE *f;
    long limit = 0;

    (void) state;
    f = fopen("/proc/sys/fs/inotify/max_queued_events", "r");
    if (f == NULL || fscanf(f, "%ld", &limit) != 1 || limit > 100000) {
        if (f != NULL) {
            fclose(f);
        }
        skip();
    }
    fclose(f);

    tree_write(&tree, "a.md", "x");
    tree_write(&tree, "b.md", "x");
    open_watch();
    for (i = 0; i <= limit / 2 + 1; i++) {
        fd = open(tree_path(&tree, "a.md"), O_WRONLY);
        close(fd);
        fd = open(tree_path(&tree, "b.md"), O_WRONLY);
        close(fd);
    }
    assert_true(told(events(), "O"));
}


static void
test_without_inotify(void **state)
{
    size_t i;
    static const cardfeed_watch_mode_t modes[] = {CARDFEED_WATCH_POLL,
        CARDFEED_WATCH_OFF};

    (void) state;
    for (i = 0; i < 2; i++) {
        tree.c.watch = modes[i];
        open_watch();
        assert_true(cardfeed_watch_present(watch));
        assert_false(cardfeed_watch_live(watch));
        assert_int_equal(cardfeed_watch_fd(watch), -1);
        assert_string_equal(cardfeed_watch_degraded(watch), "");
        tree_write(&tree, "a.md", "x");
        assert_string_equal(events(), "");
    }

    /* A root that went is noticed by the walk. */
    cardfeed_error_t err;
    tree_remove(tree.dir);
    assert_int_equal(cardfeed_watch_walk(watch, CARDFEED_NO_STR, on_file,
                         NULL, &err),
        CARDFEED_NOTFOUND);
}


static void
test_limit(void **state)
{
    (void) state;
    /* What the limit of watches does; reached by hand. */
    tree_mkdir(&tree, "a");
    open_watch();
    cardfeed_watch_degrade(watch, "%s", "limit reached");
    assert_false(cardfeed_watch_live(watch));
    assert_int_equal(cardfeed_watch_fd(watch), -1);
    assert_string_equal(cardfeed_watch_degraded(watch), "limit reached");
    walk("");
    assert_string_equal(events(), "");
}


int
main(void)
{
#define WATCH_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        WATCH_TEST(test_files),
        WATCH_TEST(test_not_of_the_collection),
        WATCH_TEST(test_linked_in_complete),
        WATCH_TEST(test_directories),
        WATCH_TEST(test_walked_before_told),
        WATCH_TEST(test_replaced_directory),
        WATCH_TEST(test_unreadable_directory),
        WATCH_TEST(test_switched_by_dot_link),
        WATCH_TEST(test_link_to_directory_goes),
        WATCH_TEST(test_overflow),
        WATCH_TEST(test_without_inotify),
        WATCH_TEST(test_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
