/* watch: links are told of what happens to the files they lead to. */

#include "watch_fixture.h"

static void
link_to(const char *text, const char *name)
{
    assert_int_equal(symlink(text, tree_path(&tree, name)), 0);
}


static void
test_told(void **state)
{
    const char *text;

    (void) state;
    tree_mkdir(&tree, "a");
    tree_mkdir(&tree, "b");
    tree_write(&tree, "a/x.txt", "x");
    link_to("../a/x.txt", "b/l.md");
    link_to("l.md", "b/m.md");
    link_to("../b/./../a//x.txt", "a/n.md");
    open_watch();

    tree_write(&tree, "a/x.txt", "y");
    text = events();
    assert_true(told(text, "F b/l.md"));
    assert_true(told(text, "F b/m.md"));
    assert_true(told(text, "F a/n.md"));
    assert_false(told(text, "F a/x.txt")); /* no name of a card */
    assert_int_equal(chmod(tree_path(&tree, "a/x.txt"), 0600), 0);
    assert_true(told(events(), "A b/l.md"));

    tree_write(&tree, "a/x.txt.new", "z");
    assert_string_equal(events(), "");
    tree_rename(&tree, "a/x.txt.new", "a/x.txt");
    assert_true(told(events(), "F b/l.md"));
    tree_rename(&tree, "a", "c");
    text = events();
    assert_true(told(text, "G a"));
    assert_true(told(text, "F b/l.md"));
}


/* Whatever comes and goes, nothing of it is kept. */
static void
test_forgotten(void **state)
{
    int i;
    char name[32];
    cardfeed_watch_file_t file;

    (void) state;
    tree_mkdir(&tree, "a");
    open_watch();
    for (i = 0; i < 500; i++) {
        snprintf(name, sizeof(name), "%d.md", i);
        link_to(i % 2 ? "a/b/c/d.txt" : "a/e.txt", name);
    }
    walk("");
    assert_int_equal(watch->links.count, 250 * 5 + 250 * 3);

    /* To what it led before, or somewhere else. */
    walk("");
    assert_int_equal(watch->links.count, 250 * 5 + 250 * 3);
    for (i = 0; i < 500; i++) {
        snprintf(name, sizeof(name), "%d.md", i);
        assert_int_equal(unlink(tree_path(&tree, name)), 0);
        link_to(i % 2 ? "f.txt" : "../out.txt", name);
    }
    walk("");
    assert_int_equal(watch->links.count, 250 * 2);

    for (i = 0; i < 500; i++) {
        snprintf(name, sizeof(name), "%d.md", i);
        assert_int_equal(unlink(tree_path(&tree, name)), 0);
        if (i % 3 == 0) {
            tree_write(&tree, name, "x");
        }
        cardfeed_watch_stat(watch, cardfeed_str_of(name), &file);
    }
    assert_int_equal(watch->links.count, 0);
}


/* A target may have thousands of names on its way, or be long: only the last
 * of them count, and not for ever. */
static void
test_bounds(void **state)
{
    int i;
    size_t n = 0;
    char name[32], text[4000];

    (void) state;
    open_watch();
    while (n + 2 < sizeof(text)) {
        text[n++] = 'a';
        text[n++] = '/';
    }
    text[n - 1] = '\0';
    link_to(text, "deep.md");
    walk("");
    assert_in_range(watch->links.count, 2, 40);

    memset(text, 'b', 200);
    for (i = 1; i < 15; i++) {
        memset(text + i * 200, 'b' + i, 200);
        text[i * 200] = '/';
    }
    text[15 * 200] = '\0';
    for (i = 0; i < 12000; i++) {
        snprintf(name, sizeof(name), "%d.md", i);
        link_to(text, name);
    }
    walk("");
    assert_in_range(watch->links.bytes, 1 << 20, (32 << 20) + 8192);
}


static void
test_circles(void **state)
{
    int i;
    char name[32];

    (void) state;
    link_to("self.md", "self.md");
    link_to("b.md", "a.md");
    link_to("a.md", "b.md");
    for (i = 0; i < 50; i++) {
        snprintf(name, sizeof(name), "l%d.md", i);
        link_to("self.md", name);
    }
    open_watch();
    assert_int_equal(unlink(tree_path(&tree, "self.md")), 0);
    assert_true(told(events(), "F l49.md"));
    assert_int_equal(unlink(tree_path(&tree, "a.md")), 0);
    assert_true(told(events(), "F b.md"));
}


int
main(void)
{
#define WATCH_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        WATCH_TEST(test_told),
        WATCH_TEST(test_forgotten),
        WATCH_TEST(test_bounds),
        WATCH_TEST(test_circles),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
