/* test_query_algebra: selections have one canonical form. */

#include "query_fixture.h"


static void
test_canonical_selections(void **state)
{
    static const struct {
        const char *text, *canonical;
    } cases[] = {
        {"a", "a"},
        {"b+a", "a+b"},
        {"b,a", "a,b"},
        {"a+a", "a"},
        {"a,a", "a"},
        {"!a", "!a"},
        {"!a+b", "b+!a"},
        {"!b+!a", "!a+!b"},
        {"c,b+a,!d+a", "a+b,a+!d,c"},
        {"!a,a", "a,!a"},
        {"b,a+c,a", "a,a+c,b"},
        {"b+a,a+b", "a+b"},
        {"all", "all"},
        {"all+a", "a"},
        {"a+all+b", "a+b"},
        {"all+!a", "!a"},
        {"all+all", "all"},
        {"a,all", "all"},
        {"a+b,all+all,!c", "all"},
        {"!all", "!all"},
        {"!all,a", "a"},
        {"a+!all", "!all"},
        {"a+!all,b", "b"},
        {"all+!all", "!all"},
        {"all,!all", "all"},
        {"a+!a", "!all"},
        {"a+!a,b+!b", "!all"},
        {"a+!a,b", "b"},
        {"a+b+!a,c+d", "c+d"},
        {"topic-all", "topic-all"},
        {"all+topic-all", "topic-all"},
        {"\xd1\x8f+a", "a+\xd1\x8f"},
    };

    size_t i;
    fixture_t *f = *state;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(selection(f, cases[i].text), CARDFEED_OK);
        assert_str(shown(f), cases[i].canonical);
        assert_int_equal(selection(f, cases[i].canonical), CARDFEED_OK);
        assert_str(shown(f), cases[i].canonical);
        assert_int_equal(f->query.ndropped, 0);
    }
}


static void
test_what_kind_it_is(void **state)
{
    fixture_t *f = *state;

    assert_true(cardfeed_query_is_all(&f->query));
    assert_str(cardfeed_query_single(&f->query), "");

    assert_int_equal(selection(f, "a+all"), CARDFEED_OK);
    assert_false(cardfeed_query_is_all(&f->query));
    assert_str(cardfeed_query_single(&f->query), "a");

    assert_int_equal(selection(f, "!a"), CARDFEED_OK);
    assert_str(cardfeed_query_single(&f->query), "");
    assert_int_equal(selection(f, "a,b"), CARDFEED_OK);
    assert_str(cardfeed_query_single(&f->query), "");

    assert_int_equal(selection(f, "!all"), CARDFEED_OK);
    assert_false(cardfeed_query_is_all(&f->query));
    assert_str(cardfeed_query_single(&f->query), "");
}


static void
test_topics_that_fell_out_are_known(void **state)
{
    static const struct {
        const char *text, *dropped;
    } cases[] = {
        {"a,b+!a,all", "a b "},
        {"b+!b,a+!a+c,d", "a b c d"},
        {"a+!a,a", "a"},
        {"z+!all", "z "},
        {"all+a", "a"},
    };

    size_t i, j;
    fixture_t *f = *state;
    cardfeed_buf_t all;

    cardfeed_buf_init(&all, 100);

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(selection(f, cases[i].text), CARDFEED_OK);

        cardfeed_buf_reset(&all);
        for (j = 0; j < f->query.ndropped; j++) {
            cardfeed_buf_str(&all, f->query.dropped[j]);
            cardfeed_buf_char(&all, ' ');
        }
        if (!cardfeed_query_is_all(&f->query) && f->query.nalternatives) {
            cardfeed_buf_str(&all, cardfeed_query_single(&f->query));
        }
        assert_str(cardfeed_buf_view(&all), cases[i].dropped);
    }

    cardfeed_buf_free(&all);

    /* A selection that comes later leaves nothing of it. */
    assert_int_equal(selection(f, "all,a"), CARDFEED_OK);
    assert_int_equal(f->query.ndropped, 1);
    assert_int_equal(selection(f, "all"), CARDFEED_OK);
    assert_int_equal(f->query.ndropped, 0);
    assert_int_equal(selection(f, "all,a"), CARDFEED_OK);
    assert_int_equal(cardfeed_query_topic(&f->query, CARDFEED_STR("C#")),
        CARDFEED_OK);
    assert_int_equal(f->query.ndropped, 0);
    assert_str(shown(f), "csharp");
}


static void
test_no_such_selections(void **state)
{
    static const char *bad[] = {"", "+", ",", "!", "a+", "+a", "a,", ",a",
        "a++b", "a,,b", "!!a", "a!", "a!b", "a+!", "! a", "a + b", "a b",
        "All+a", "ALL,a", "A+b", "a+B", "a+c#", "a+%62", "a%2Bb", "a&b", "a|b",
        "(a)", "a+(b,c)", "-a", "a+-b", "a-+b", "a/b", "a.b",
        "\xef\xbc\x81" "a",           /* full width ! */
        "a\xef\xbc\x8b" "b",          /* full width + */
        "a\xef\xbc\x8c" "b",          /* full width , */
        "a+\xef\xbd\x82",             /* full width b */
        "a\xe2\x80\x8b+b",            /* zero width space */
        "a+e\xcc\x81",                /* not composed */
        "a+\xff", "a+\xed\xa0\x80", "a+\xc0\xaf", "a,\xe2\x82",
        "a\n", "a\t+b", "\xef\xbb\xbf" "a"};

    size_t i;
    fixture_t *f = *state;

    assert_int_equal(selection(f, "kept+!all,as+it,was"), CARDFEED_OK);

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (selection(f, bad[i]) != CARDFEED_NOTFOUND) {
            fail_msg("\"%s\"", bad[i]);
        }
        assert_str(shown(f), "as+it,was");
        assert_int_equal(f->query.ndropped, 1);
    }

    assert_int_equal(cardfeed_query_selection(&f->query,
                         CARDFEED_STR("a+b\0")),
        CARDFEED_NOTFOUND);
    assert_int_equal(cardfeed_query_selection(&f->query,
                         CARDFEED_STR("a\0+b")),
        CARDFEED_NOTFOUND);
}


static void
repeat(char *out, const char *text, char glue, int n)
{
    int i;

    *out = '\0';

    for (i = 0; i < n; i++) {
        out += sprintf(out, "%s%d%c", text, i, glue);
    }

    out[-1] = '\0';
}


static void
test_bounds(void **state)
{
    static char text[4096], line[4096];

    int i;
    fixture_t *f = *state;

    repeat(text, "t", '+', 16);
    assert_int_equal(selection(f, text), CARDFEED_OK);
    repeat(text, "t", '+', 17);
    assert_int_equal(selection(f, text), CARDFEED_NOTFOUND);
    repeat(text, "!t", ',', 16);
    assert_int_equal(selection(f, text), CARDFEED_OK);
    repeat(text, "!t", ',', 17);
    assert_int_equal(selection(f, text), CARDFEED_NOTFOUND);

    /* As it is written, whatever would be left of it. */
    assert_int_equal(selection(f, "a+a+a+a+a+a+a+a+a+a+a+a+a+a+a+a"),
        CARDFEED_OK);
    assert_str(shown(f), "a");
    assert_int_equal(selection(f, "a+a+a+a+a+a+a+a+a+a+a+a+a+a+a+a+a"),
        CARDFEED_NOTFOUND);
    assert_int_equal(selection(f, "a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a"),
        CARDFEED_NOTFOUND);

    /* 16 times 16, all different */
    line[0] = '\0';
    for (i = 0; i < 16; i++) {
        char name[8];

        sprintf(name, "%c", 'a' + i);
        repeat(text, name, '+', 16);
        strcat(strcat(line, i ? "," : ""), text);
    }
    assert_true(strlen(line) <= CARDFEED_QUERY_MAX);
    assert_int_equal(selection(f, line), CARDFEED_OK);
    assert_int_equal(f->query.nalternatives, 16);
    assert_int_equal(f->query.alternatives[15].nterms, 16);

    strcat(line, ",!all");
    assert_int_equal(selection(f, line), CARDFEED_NOTFOUND);

    memset(text, 'a', sizeof(text));
    memcpy(text + 239, "+", 1);
    text[239 + 241] = '\0';
    assert_int_equal(selection(f, text), CARDFEED_OK);
    text[239 + 241] = 'a';
    text[239 + 242] = '\0';
    assert_int_equal(selection(f, text), CARDFEED_NOTFOUND);

    for (i = 0; i < 2100; i++) {
        text[i] = i % 200 == 199 ? ',' : 'a';
    }
    text[CARDFEED_QUERY_MAX] = '\0';
    assert_int_equal(selection(f, text), CARDFEED_OK);
    text[CARDFEED_QUERY_MAX] = 'a';
    text[CARDFEED_QUERY_MAX + 1] = '\0';
    assert_int_equal(selection(f, text), CARDFEED_NOTFOUND);
}


/* --- random selections --------------------------------------------------- */

static const char *const names[] = {"a", "b", "c-d", "zz", "all"};
#define NAMES ((int) (sizeof(names) / sizeof(names[0])))

#define MODEL_ANY 6
#define MODEL_ALL 6

typedef struct {
    int n;
    struct {
        int n;
        struct {
            int name;
            bool negative;
        } term[MODEL_ALL];
    } any[MODEL_ANY];
} model_t;


static void
model_random(model_t *m)
{
    int i, j;

    m->n = 1 + rand() % 4;

    for (i = 0; i < m->n; i++) {
        m->any[i].n = 1 + rand() % 4;

        for (j = 0; j < m->any[i].n; j++) {
            m->any[i].term[j].name = rand() % (rand() % 3 ? NAMES - 1 : NAMES);
            m->any[i].term[j].negative = rand() % 3 == 0;
        }
    }
}


static void
model_swap(void *array, size_t size, int n)
{
    int i, k;
    char *a = array, tmp[sizeof(model_t)];

    for (i = 0; i < n; i++) {
        k = rand() % n;
        memcpy(tmp, a + (size_t) i * size, size);
        memmove(a + (size_t) i * size, a + (size_t) k * size, size);
        memcpy(a + (size_t) k * size, tmp, size);
    }
}


/* The same in another order, and an alternative and terms twice. */
static void
model_shuffle(model_t *m)
{
    int i;

    if (m->n < MODEL_ANY) {
        m->any[m->n] = m->any[rand() % m->n];
        m->n++;
    }

    for (i = 0; i < m->n; i++) {
        if (m->any[i].n < MODEL_ALL) {
            m->any[i].term[m->any[i].n] =
                m->any[i].term[rand() % m->any[i].n];
            m->any[i].n++;
        }

        model_swap(m->any[i].term, sizeof(m->any[i].term[0]), m->any[i].n);
    }

    model_swap(m->any, sizeof(m->any[0]), m->n);
}


static void
model_print(const model_t *m, char *out)
{
    int i, j;

    *out = '\0';

    for (i = 0; i < m->n; i++) {
        for (j = 0; j < m->any[i].n; j++) {
            strcat(out, j ? "+" : i ? "," : "");
            strcat(out, m->any[i].term[j].negative ? "!" : "");
            strcat(out, names[m->any[i].term[j].name]);
        }
    }
}


static bool
model_holds(const model_t *m, unsigned topics)
{
    int i, j;

    topics |= 1U << (NAMES - 1);

    for (i = 0; i < m->n; i++) {
        for (j = 0; j < m->any[i].n; j++) {
            if (((topics >> m->any[i].term[j].name) & 1)
                == m->any[i].term[j].negative)
            {
                break;
            }
        }
        if (j == m->any[i].n) {
            return true;
        }
    }

    return false;
}


static bool
query_holds(const cardfeed_query_t *query, unsigned topics)
{
    size_t i, j;
    int name;
    const cardfeed_terms_t *terms;

    for (i = 0; i < query->nalternatives; i++) {
        terms = &query->alternatives[i];

        for (j = 0; j < terms->nterms; j++) {
            for (name = 0; !cardfeed_str_eq(terms->terms[j].name,
                     cardfeed_str_of(names[name])); name++)
            {
                assert_true(name < NAMES - 2); /* never "all" */
            }
            if (((topics >> name) & 1) == terms->terms[j].negative) {
                break;
            }
        }
        if (j == terms->nterms) {
            return true;
        }
    }

    return false;
}


static void
test_random_selections(void **state)
{
    int i, k;
    unsigned topics;
    model_t m;
    char text[512], first[512];
    cardfeed_str_t canonical;
    fixture_t *f = *state;

    for (i = 0; i < 3000; i++) {
        cardfeed_arena_reset(&f->arena);
        model_random(&m);
        model_print(&m, text);
        assert_int_equal(selection(f, text), CARDFEED_OK);

        for (topics = 0; topics < 1U << (NAMES - 1); topics++) {
            if (model_holds(&m, topics) != query_holds(&f->query, topics)) {
                fail_msg("%s with %x", text, topics);
            }
        }

        canonical = shown(f);
        memcpy(first, canonical.data, canonical.len);
        first[canonical.len] = '\0';

        assert_int_equal(selection(f, first), CARDFEED_OK);
        assert_str(shown(f), first);

        for (k = 0; k < 5; k++) {
            model_shuffle(&m);
            model_print(&m, text);
            assert_int_equal(selection(f, text), CARDFEED_OK);
            assert_str(shown(f), first);
        }
    }
}


int
main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

    const struct CMUnitTest tests[] = {
        TEST(test_canonical_selections),
        TEST(test_what_kind_it_is),
        TEST(test_topics_that_fell_out_are_known),
        TEST(test_no_such_selections),
        TEST(test_bounds),
        TEST(test_random_selections),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
