/* test_collection_params: the parameters that shape cards, from text. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <cardfeed/collection.h>

static cardfeed_collection_t c;
static cardfeed_arena_t arena;


static int
setup(void **state)
{
    (void) state;

    cardfeed_text_init();
    cardfeed_collection_defaults(&c);
    cardfeed_arena_init(&arena, 65536);

    return 0;
}


static int
teardown(void **state)
{
    (void) state;
    cardfeed_arena_free(&arena);

    return 0;
}


static int
set(const char *param)
{
    const char *allowed = NULL;
    int rc;

    rc = cardfeed_collection_set(&c, &arena, cardfeed_str_of(param),
        &allowed);

    assert_true((allowed == NULL) == (rc == CARDFEED_NOTFOUND));

    return rc;
}


static void
test_values(void **state)
{
    (void) state;

    assert_int_equal(set("max_card=2k"), CARDFEED_OK);
    assert_int_equal(c.max_card, 2048);
    assert_int_equal(set("max_card=64M"), CARDFEED_OK);
    assert_int_equal(c.max_card, 64 << 20);
    assert_int_equal(set("max_card=1024"), CARDFEED_OK);
    assert_int_equal(c.max_card, 1024);
    assert_int_equal(set("ids=permalink"), CARDFEED_OK);
    assert_int_equal(c.ids, CARDFEED_IDS_PERMALINK);
    assert_int_equal(set("ids=uuid"), CARDFEED_OK);
    assert_int_equal(c.ids, CARDFEED_IDS_UUID);
    assert_int_equal(set("undated=mtime"), CARDFEED_OK);
    assert_int_equal(c.undated, CARDFEED_UNDATED_MTIME);
    assert_int_equal(set("undated=skip"), CARDFEED_OK);
    assert_int_equal(c.undated, CARDFEED_UNDATED_SKIP);
    assert_int_equal(set("timezone=+02:00"), CARDFEED_OK);
    assert_int_equal(c.timezone, 7200);
    assert_int_equal(set("site=https://Example.org/blog//"), CARDFEED_OK);
    assert_true(cardfeed_str_eq(c.site,
        CARDFEED_STR("https://example.org/blog")));
}


static void
test_lists(void **state)
{
    (void) state;

    assert_int_equal(set("include=*.txt,b/*.md"), CARDFEED_OK);
    assert_string_equal(c.include[0], "*.txt");
    assert_string_equal(c.include[1], "b/*.md");
    assert_null(c.include[2]);
    assert_int_equal(set("include=*.md"), CARDFEED_OK);
    assert_string_equal(c.include[0], "*.md");
    assert_null(c.include[1]);

    /* Each is in addition to what there was. */
    assert_int_equal(set("exclude=a,b"), CARDFEED_OK);
    assert_int_equal(set("exclude=c"), CARDFEED_OK);
    assert_false(cardfeed_collection_matches(&c, "a", true));
    assert_false(cardfeed_collection_matches(&c, "b", true));
    assert_false(cardfeed_collection_matches(&c, "c", true));
    assert_false(cardfeed_collection_matches(&c, "_drafts", true));
    assert_true(cardfeed_collection_matches(&c, "d", true));
}


static void
test_refused(void **state)
{
    static const char *const invalid[] = {"include=", "include=,", "exclude=",
        "include=a,", "exclude=,a", "exclude=a,,b", "max_card=",
        "max_card=1023", "max_card=m", "max_card=65m", "max_card=1g",
        "max_card=-1", "max_card=18446744073709552640", "max_card=1 k",
        "ids=", "ids=UUID", "undated=no", "site=", "site=/x",
        "site=ftp://example.org", "site=https://example.org/?q",
        "site=https://example.org/#x", "timezone=", "timezone=Europe/Vienna"};
    static const char *const unknown[] = {"", "=", "x=1", "ids", "IDS=uuid",
        "threads=2", "watch=off", "includes=*.md", " ids=uuid"};

    cardfeed_collection_t before;
    size_t i;

    (void) state;

    before = c;

    for (i = 0; i < sizeof(invalid) / sizeof(invalid[0]); i++) {
        if (set(invalid[i]) != CARDFEED_INVALID) {
            fail_msg("\"%s\" is taken", invalid[i]);
        }
    }

    for (i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
        if (set(unknown[i]) != CARDFEED_NOTFOUND) {
            fail_msg("\"%s\" is known", unknown[i]);
        }
    }

    assert_memory_equal(&before, &c, sizeof(c));
}


static void
test_memory(void **state)
{
    cardfeed_arena_t small;
    const char *allowed;

    (void) state;

    cardfeed_arena_init(&small, 1);
    assert_int_equal(cardfeed_collection_set(&c, &small,
        CARDFEED_STR("include=*.md"), &allowed), CARDFEED_NOMEM);
    assert_int_equal(cardfeed_collection_set(&c, &small,
        CARDFEED_STR("site=https://example.org/"), &allowed), CARDFEED_NOMEM);
    assert_ptr_equal(c.include, cardfeed_default_include);
    assert_int_equal(c.site.len, 0);
    cardfeed_arena_free(&small);
}


#define params_test(name)                                                    \
    cmocka_unit_test_setup_teardown(name, setup, teardown)


int
main(void)
{
    const struct CMUnitTest tests[] = {
        params_test(test_values),
        params_test(test_lists),
        params_test(test_refused),
        params_test(test_memory),
    };

    return cmocka_run_group_tests_name("collection: parameters", tests, NULL,
        NULL);
}
