/* test_select_model: topic algebra and filters against a plain model. */

#include "select_fixture.h"

#define CARDS 500
#define ALL MASK_TOPICS /* the number of "all" among the terms */
#define NAMES 4

#define MODEL_ANY 4
#define MODEL_ALL 5

typedef struct {
    size_t n;
    struct {
        size_t n;
        struct {
            unsigned topic;
            bool negative;
        } term[MODEL_ALL];
    } any[MODEL_ANY];

    unsigned wanted[CARDFEED_FILTERS]; /* masks of names */
    unsigned unwanted[CARDFEED_FILTERS];
    bool stranger[CARDFEED_FILTERS]; /* one that nobody ever had, wanted */
    bool has_least[CARDFEED_LEASTS];
    int32_t least[CARDFEED_LEASTS];
    int64_t since;
} model_t;

static const char *const names[CARDFEED_FILTERS][NAMES] = {
    {"article", "Video", "course", "a b"},
    {"news", "blog", "video", "c+d"},
    {"Microsoft Learn", "MDN", "\xc3\x9c" "bersicht", "news"},
    {"Jane", "Joe", "J\xc3\xb6rg", "mdn"},
};

static const char *const filters[CARDFEED_FILTERS] = {"type", "category",
    "provider", "author"};
static const char *const leasts[CARDFEED_LEASTS] = {"min_quality",
    "min_heat"};

static spec_t specs[CARDS];


static int
choose(int n)
{
    return rand() % n;
}


static const char *
name_of(const spec_t *spec, int filter)
{
    return filter == CARDFEED_FILTER_TYPE ? spec->type
        : filter == CARDFEED_FILTER_CATEGORY ? spec->category
        : filter == CARDFEED_FILTER_PROVIDER ? spec->provider : spec->author;
}


static const char *
random_name(int filter)
{
    int i = choose(NAMES + 1);

    return i < NAMES ? names[filter][i] : NULL;
}


/* Topic t0 is rare, t1 in nearly all, t6 in none any more; times collide,
 * some cards expire at once. */
static void
random_cards(void)
{
    unsigned i, topic;
    spec_t *s;
    static const int percent[MASK_TOPICS] = {2, 95, 50, 50, 30, 20, 0, 10};

    for (i = 0; i < CARDS; i++) {
        s = &specs[i];
        *s = (spec_t){.n = i, .published = NOW - 86400 * choose(90),
            .type = random_name(0), .category = random_name(1),
            .provider = random_name(2), .author = random_name(3),
            .quality = choose(100) - 10, .heat = choose(10)};

        for (topic = 0; topic < MASK_TOPICS; topic++) {
            s->mask |= (unsigned) (choose(100) < percent[topic]) << topic;
        }

        if (choose(20) == 0) {
            s->expires = NOW + 1;
        }
    }

    specs[0].mask |= 1 << 6;
    specs[0].expires = NOW + 1;
}


static void
random_model(model_t *m)
{
    size_t i, j;

    *m = (model_t){.n = 1 + (size_t) choose(MODEL_ANY),
        .since = CARDFEED_NO_TIME};

    for (i = 0; i < m->n; i++) {
        m->any[i].n = 1 + (size_t) choose(MODEL_ALL);

        for (j = 0; j < m->any[i].n; j++) {
            m->any[i].term[j].topic = (unsigned) choose(
                choose(4) ? ALL : ALL + 1);
            m->any[i].term[j].negative = choose(3) == 0;
        }
    }

    for (i = 0; i < CARDFEED_FILTERS; i++) {
        if (choose(6) == 0) {
            m->wanted[i] = (unsigned) choose(1 << NAMES);
            m->stranger[i] = choose(3) == 0;
        }
        if (choose(6) == 0) {
            m->unwanted[i] = (unsigned) choose(1 << NAMES);
        }
    }

    for (i = 0; i < CARDFEED_LEASTS; i++) {
        m->has_least[i] = choose(6) == 0;
        m->least[i] = i == CARDFEED_LEAST_QUALITY ? choose(60) - 5
                                                  : choose(6);
    }

    if (choose(5) == 0) {
        m->since = NOW - 3600 * choose(24 * 95);
    }
}


static void
model_args(const model_t *m, cardfeed_buf_t *out)
{
    size_t i;
    unsigned j;
    const char *glue;
    char time[CARDFEED_RFC3339_LEN + 1];

    for (i = 0; i < CARDFEED_FILTERS; i++) {
        cardfeed_buf_printf(out, "&%s=", filters[i]);
        glue = "";

        for (j = 0; j < NAMES; j++) {
            if (m->unwanted[i] & (1U << j)) {
                cardfeed_buf_printf(out, "%s!", glue);
                cardfeed_url_encode(out, cardfeed_str_of(names[i][j]), NULL);
                glue = ",";
            }
            if (m->wanted[i] & (1U << j)) {
                cardfeed_buf_cstr(out, glue);
                cardfeed_url_encode(out, cardfeed_str_of(names[i][j]), NULL);
                glue = ",";
            }
        }
        if (m->stranger[i]) {
            cardfeed_buf_printf(out, "%sstranger", glue);
        }
    }

    for (i = 0; i < CARDFEED_LEASTS; i++) {
        if (m->has_least[i]) {
            cardfeed_buf_printf(out, "&%s=%d", leasts[i], m->least[i]);
        }
    }

    if (m->since != CARDFEED_NO_TIME) {
        cardfeed_date_rfc3339(time, m->since);
        cardfeed_buf_printf(out, "&since=%s", time);
    }
}


static void
model_print(const model_t *m, cardfeed_buf_t *out)
{
    size_t i, j;

    for (i = 0; i < m->n; i++) {
        for (j = 0; j < m->any[i].n; j++) {
            cardfeed_buf_cstr(out, j ? "+" : i ? "," : "");
            cardfeed_buf_cstr(out, m->any[i].term[j].negative ? "!" : "");

            if (m->any[i].term[j].topic == ALL) {
                cardfeed_buf_cstr(out, "all");
            } else {
                cardfeed_buf_printf(out, "t%u", m->any[i].term[j].topic);
            }
        }
    }
}


static bool
model_topics(const model_t *m, unsigned mask)
{
    size_t i, j;

    mask |= 1U << ALL;

    for (i = 0; i < m->n; i++) {
        for (j = 0; j < m->any[i].n; j++) {
            if (((mask >> m->any[i].term[j].topic) & 1)
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
model_admits(const model_t *m, const spec_t *s)
{
    int i;
    unsigned j, own;
    const char *name;

    if (s->expires || !model_topics(m, s->mask)
        || (m->has_least[0] && s->quality < m->least[0])
        || (m->has_least[1] && s->heat < m->least[1])
        || (m->since != CARDFEED_NO_TIME && s->published < m->since))
    {
        return false;
    }

    for (i = 0; i < CARDFEED_FILTERS; i++) {
        name = name_of(s, i);

        for (j = 0, own = 0; j < NAMES; j++) {
            own |= (unsigned) (name == names[i][j]) << j;
        }

        if ((own & m->unwanted[i])
            || ((m->wanted[i] || m->stranger[i]) && !(own & m->wanted[i])))
        {
            return false;
        }
    }

    return true;
}


static int
compare(const void *a, const void *b)
{
    char text[32];
    uint64_t x, y;
    const spec_t *p = *(const spec_t *const *) a;
    const spec_t *q = *(const spec_t *const *) b;

    if (p->published != q->published) {
        return p->published > q->published ? -1 : 1;
    }

    x = identity(text, sizeof(text), p->n);
    y = identity(text, sizeof(text), q->n);

    return x < y ? -1 : x > y;
}


static size_t
model_select(const model_t *m, const spec_t **sorted, unsigned *out)
{
    size_t i, n;

    for (i = 0, n = 0; i < CARDS; i++) {
        if (model_admits(m, sorted[i])) {
            out[n++] = sorted[i]->n;
        }
    }

    return n;
}


/* All pages together are what the model says, in its order. */
static void
check(fixture_t *f, const model_t *m, const spec_t **sorted)
{
    size_t n, seen, i;
    unsigned wanted[CARDS];
    uint32_t limit;
    cardfeed_buf_t text, args;
    char id[32];

    n = model_select(m, sorted, wanted);

    cardfeed_buf_init(&text, 4096);
    cardfeed_buf_init(&args, 4096);
    model_print(m, &text);
    model_args(m, &args);

    cardfeed_arena_reset(&f->arena);
    cardfeed_query_init(&f->query, &f->arena);
    assert_int_equal(cardfeed_query_selection(&f->query,
                         cardfeed_buf_view(&text)),
        CARDFEED_OK);
    assert_int_equal(cardfeed_query_args(&f->query, cardfeed_buf_view(&args),
                         500, NULL),
        CARDFEED_OK);

    limit = (uint32_t) (1 + choose(choose(2) ? 9 : 120));
    seen = 0;

    do {
        assert_int_equal(cardfeed_select(f->read, &f->query, limit, NOW + 1,
                             &f->arena, &f->got, NULL),
            CARDFEED_OK);
        assert_false(f->got.bounded);
        assert_true(f->got.ncards == limit || !f->got.more);

        for (i = 0; i < f->got.ncards; i++, seen++) {
            if (seen == n
                || f->got.cards[i].id
                    != identity(id, sizeof(id), wanted[seen]))
            {
                fail_msg("%.*s?%.*s: card %zu of %zu is another",
                    (int) text.len, text.data, (int) args.len, args.data,
                    seen, n);
            }
        }

        f->query.has_before = true;
        f->query.before = f->got.next;

    } while (f->got.more);

    if (seen != n) {
        fail_msg("%.*s?%.*s: %zu cards instead of %zu", (int) text.len,
            text.data, (int) args.len, args.data, seen, n);
    }

    cardfeed_buf_free(&text);
    cardfeed_buf_free(&args);
}


static void
test_random_selections(void **state)
{
    int i, round;
    model_t m;
    fixture_t *f = *state;
    static const spec_t *sorted[CARDS];

    for (round = 0; round < 3; round++) {
        srand((unsigned) round);
        random_cards();

        if (f->read != NULL) {
            cardfeed_read_end(f->read);
        }
        build(f, specs, CARDS);

        for (i = 0; i < CARDS; i++) {
            sorted[i] = &specs[i];
        }
        qsort(sorted, CARDS, sizeof(sorted[0]), compare);

        for (i = 0; i < 700; i++) {
            random_model(&m);
            check(f, &m, sorted);
        }
    }
}


int
main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

    const struct CMUnitTest tests[] = {
        TEST(test_random_selections),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
