/* test_collection: which files belong to a collection, and its checksum. */

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <cardfeed/collection.h>


static void
test_defaults(void **state)
{
    cardfeed_collection_t c;

    (void) state;

    memset(&c, 0xff, sizeof(c));
    cardfeed_collection_defaults(&c);

    assert_int_equal(c.name.len, 0);
    assert_null(c.dir);
    assert_ptr_equal(c.include, cardfeed_default_include);
    assert_ptr_equal(c.exclude, cardfeed_default_exclude);
    assert_int_equal(c.watch, CARDFEED_WATCH_AUTO);
    assert_int_equal(c.poll_ms, 5000);
    assert_int_equal(c.threads, 2);
    assert_int_equal(c.max_card, 1048576);
    assert_true(sizeof(size_t) < 8 || c.map_size == UINT64_C(17179869184));
    assert_int_equal(c.ids, CARDFEED_IDS_UUID);
    assert_int_equal(c.undated, CARDFEED_UNDATED_SKIP);
    assert_int_equal(c.site.len, 0);
    assert_int_equal(c.timezone, 0);
}


static void
test_default_patterns(void **state)
{
    static const struct {
        const char *path;
        bool file;      /* matches as a file */
        bool directory; /* matches as a directory */
        bool holds;
    } cases[] = {
        {"a.md", true, true, true},
        {"a.markdown", true, true, true},
        {"a.html", true, true, true},
        {"deep/er/a.md", true, true, true},
        {"a.txt", false, true, false},
        {"a.MD", false, true, false},
        {"md", false, true, false},
        {"a.md.bak", false, true, false},
        {"a.md~", false, true, false},
        {".a.md", false, false, false},
        {".md", false, false, false},
        {".git", false, false, false},
        {"x/.git", false, false, false},
        {".git/a.md", true, true, false},
        {"x/.git/y/a.md", true, true, false},
        {"x/.git.md/a.md", true, true, false},
        {"_drafts", false, false, false},
        {"_drafts/a.md", true, true, false},
        {"x/_drafts/a.md", true, true, false},
        {"_site/y/a.html", true, true, false},
        {"_layouts/post.html", true, true, false},
        {"_includes/head.html", true, true, false},
        {"node_modules/x/README.md", true, true, false},
        {"archetypes/default.md", true, true, false},
        {"_posts/a.md", true, true, true},
        {"_drafts.md", true, true, true},
        {"my_drafts/a.md", true, true, true},
        {"_index.md", false, false, false},
        {"x/_index.en.md", false, false, false},
        {"x/_index", false, true, false},
        {"index.md", true, true, true},
        {"", false, false, false},
        {"x/", false, false, false},
        {"/a.md", true, true, false},
        {"x//a.md", true, true, false},
        {"../a.md", true, true, false},
        {"./a.md", true, true, false},
        {"x/../a.md", true, true, false},
        {"line\nbreak.md", true, true, true},
        {"bad\xff\xfe/a\x80.md", true, true, true},
        {"[x]/a*?.md", true, true, true},
    };
    cardfeed_collection_t c;
    size_t i;

    (void) state;

    cardfeed_collection_defaults(&c);

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (cardfeed_collection_matches(&c, cases[i].path, false)
                != cases[i].file
            || cardfeed_collection_matches(&c, cases[i].path, true)
                != cases[i].directory
            || cardfeed_collection_holds(&c, cases[i].path) != cases[i].holds)
        {
            fail_msg("\"%s\"", cases[i].path);
        }
    }
}


static void
test_patterns_with_a_slash_see_the_whole_path(void **state)
{
    static const char *const include[] = {"posts/*.md", "notes/*/[a-c]*.txt",
        "exact.txt", NULL};
    static const char *const exclude[] = {"posts/old", "notes/*/b.txt",
        "sec*", NULL};
    static const struct {
        const char *path;
        bool holds;
    } cases[] = {
        {"posts/a.md", true},
        {"posts/x/a.md", false},
        {"x/posts/a.md", false},
        {"posts/a.txt", false},
        {"a.md", false},
        {"notes/1/a.txt", true},
        {"notes/1/b.txt", false},
        {"notes/1/d.txt", false},
        {"notes/1/2/a.txt", false},
        {"exact.txt", true},
        {"any/where/exact.txt", true},
        {"posts/old/exact.txt", false},
        {"x/posts/old/exact.txt", true},
        {"secret/exact.txt", false},
        {"x/section/exact.txt", false},
        {".hidden/exact.txt", true},
    };
    cardfeed_collection_t c;
    size_t i;

    (void) state;

    cardfeed_collection_defaults(&c);
    c.include = include;
    c.exclude = exclude;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (cardfeed_collection_holds(&c, cases[i].path) != cases[i].holds) {
            fail_msg("\"%s\"", cases[i].path);
        }
    }

    assert_false(cardfeed_collection_matches(&c, "posts/old", true));
    assert_true(cardfeed_collection_matches(&c, "posts/new", true));
}


static void
test_no_patterns(void **state)
{
    static const char *const none[] = {NULL};
    cardfeed_collection_t c;

    (void) state;

    cardfeed_collection_defaults(&c);
    c.include = none;
    assert_false(cardfeed_collection_holds(&c, "a.md"));
    assert_true(cardfeed_collection_matches(&c, "x", true));

    c.include = cardfeed_default_include;
    c.exclude = NULL;
    assert_true(cardfeed_collection_holds(&c, ".git/a.md"));
}


static void
test_long_paths(void **state)
{
    static char path[2 * PATH_MAX];
    cardfeed_collection_t c;

    (void) state;

    cardfeed_collection_defaults(&c);
    memset(path, 'x', sizeof(path));

    memcpy(path + PATH_MAX - 4, ".md", 4);
    assert_true(cardfeed_collection_holds(&c, path));

    memcpy(path + PATH_MAX - 4, "xxxx", 4);
    memcpy(path + PATH_MAX - 3, ".md", 4);
    assert_false(cardfeed_collection_holds(&c, path));
}


static void
test_checksum_tells_everything_that_shapes_records(void **state)
{
    static const char *const split[] = {"*.md", "*.htm", NULL};
    static const char *const joined[] = {"*.md*.htm", NULL};
    static const char *const empty[] = {"*.md", "*.htm", "", NULL};
    static const char *const none[] = {NULL};
    cardfeed_collection_t base, c[16];
    uint64_t sum[16];
    size_t i, j, n;

    (void) state;

    cardfeed_collection_defaults(&base);
    base.name = CARDFEED_STR("news");
    base.dir = "/srv/site";
    base.include = split;
    base.exclude = none;

    n = 0;
    c[n++] = base;
    c[n] = base, c[n++].name = CARDFEED_STR("new");
    c[n] = base, c[n].name = CARDFEED_STR("new"), c[n++].dir = "s/srv/site";
    c[n] = base, c[n++].dir = "/srv/sit";
    c[n] = base, c[n++].include = joined;
    c[n] = base, c[n++].include = empty;
    c[n] = base, c[n++].include = none;
    c[n] = base, c[n].include = none, c[n++].exclude = split;
    c[n] = base, c[n++].exclude = split;
    c[n] = base, c[n++].max_card = 1000;
    c[n] = base, c[n++].ids = CARDFEED_IDS_PERMALINK;
    c[n] = base, c[n++].undated = CARDFEED_UNDATED_MTIME;
    c[n] = base, c[n++].site = CARDFEED_STR("https://example.org");
    c[n] = base, c[n++].timezone = 3600;
    c[n] = base, c[n++].timezone = -3600;

    for (i = 0; i < n; i++) {
        sum[i] = cardfeed_collection_checksum(&c[i]);
        assert_true(sum[i] == cardfeed_collection_checksum(&c[i]));

        for (j = 0; j < i; j++) {
            if (sum[i] == sum[j]) {
                fail_msg("%zu and %zu", i, j);
            }
        }
    }

    c[0].watch = CARDFEED_WATCH_POLL;
    c[0].poll_ms = 1;
    c[0].threads = 9;
    c[0].map_size = 1;
    assert_true(cardfeed_collection_checksum(&c[0]) == sum[0]);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_default_patterns),
        cmocka_unit_test(test_patterns_with_a_slash_see_the_whole_path),
        cmocka_unit_test(test_no_patterns),
        cmocka_unit_test(test_long_paths),
        cmocka_unit_test(test_checksum_tells_everything_that_shapes_records),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
