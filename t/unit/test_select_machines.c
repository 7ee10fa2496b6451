/* test_select_machines: what is selected does not depend on the order in
 * which an index came to know its cards and topics. */

#include "select_fixture.h"

#define BLOCK 4 /* cards of one topic, then as many of the other */
#define MANY (BLOCK * 8000)

typedef struct {
    size_t ncards;
    uint64_t ids[4];
    bool more, bounded;
    cardfeed_position_t next;
    int64_t left;
} said_t;

static const char *const selections[] = {"t0+t1", "t1+t0", "t0+t1+!t2",
    "!t2+t0+t1", "t0+t1,t1+t0+!t3", "t0+t1,t2+t3", "t0+t1+t2,t0+t1+t3",
    "!t0+!t1", "t0,t1"};

#define SELECTIONS (sizeof(selections) / sizeof(selections[0]))
#define PAGES 3


/* What the first pages say. */
static void
ask(fixture_t *f, const char *selection, said_t *said)
{
    size_t i;
    int page;

    cardfeed_query_init(&f->query, &f->arena);

    for (page = 0; page < PAGES; page++, said++) {
        assert_int_equal(run(f, selection, 4, NOW), CARDFEED_OK);

        memset(said, 0, sizeof(*said));
        said->ncards = f->got.ncards;
        said->more = f->got.more;
        said->bounded = f->got.bounded;
        said->left = f->got.left;

        for (i = 0; i < f->got.ncards; i++) {
            said->ids[i] = f->got.cards[i].id;
        }

        if (!f->got.more) {
            memset(said + 1, 0, (size_t) (PAGES - 1 - page) * sizeof(*said));
            return;
        }

        said->next = f->got.next;
        f->query.has_before = true;
        f->query.before = f->got.next;
    }
}


static void
reversed(spec_t *cards, size_t n)
{
    size_t i;
    spec_t card;

    for (i = 0; i < n / 2; i++) {
        card = cards[i];
        cards[i] = cards[n - 1 - i];
        cards[n - 1 - i] = card;
    }
}


static void
test_two_machines_say_the_same(void **state)
{
    size_t i, j;
    unsigned bounded, topics[4];
    fixture_t *f = *state;
    cardfeed_topic_t topic;
    spec_t *cards = calloc(MANY, sizeof(*cards));
    said_t said[PAGES];

    static said_t first[SELECTIONS][PAGES];
    static const char *const names[] = {"t0", "t1", "t2", "t3"};

    assert_non_null(cards);

    /* t0 and t1 are of equal size and never meet; so are t2 and t3 */

    for (i = 0; i < MANY; i++) {
        cards[i] = (spec_t){.n = (unsigned) i,
            .published = NOW - 10 - (int64_t) i,
            .mask = 1U << (i / BLOCK % 2)};
        if (i == 0 || i == MANY - 1) {
            cards[i].mask |= i == 0 ? 4 : 8;
        }
    }

    build(f, cards, MANY);

    for (i = 0; i < SELECTIONS; i++) {
        ask(f, selections[i], first[i]);
    }
    for (j = 0; j < 4; j++) {
        assert_int_equal(cardfeed_read_topic(f->read,
                             cardfeed_str_of(names[j]), &topic),
            CARDFEED_OK);
        topics[j] = topic.id;
    }

    /* the other machine */

    assert_int_equal(teardown(state), 0);
    assert_int_equal(setup(state), 0);
    f = *state;

    reversed(cards, MANY);
    build(f, cards, MANY);
    free(cards);

    for (j = 0; j < 4; j += 2) {
        assert_int_equal(cardfeed_read_topic(f->read,
                             cardfeed_str_of(names[j]), &topic),
            CARDFEED_OK);
        assert_int_not_equal(topics[j], topic.id);
        assert_int_equal(topics[j + 1], topic.id);
    }

    for (i = 0, bounded = 0; i < SELECTIONS; i++) {
        ask(f, selections[i], said);

        for (j = 0; j < PAGES; j++) {
            if (memcmp(&said[j], &first[i][j], sizeof(said[j])) != 0) {
                fail_msg("%s, page %zu: next %lld.%016llx or %lld.%016llx",
                    selections[i], j, (long long) said[j].next.published,
                    (unsigned long long) said[j].next.id,
                    (long long) first[i][j].next.published,
                    (unsigned long long) first[i][j].next.id);
            }
            bounded += said[j].bounded;
        }
    }

    assert_true(bounded >= 5);
}


int
main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

    const struct CMUnitTest tests[] = {
        TEST(test_two_machines_say_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
