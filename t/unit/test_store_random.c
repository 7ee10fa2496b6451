/* test_store_random: random work against a simple model. */

#include "store_fixture.h"

#define SLOTS 40

typedef struct {
    bool there;
    int identity;
    int title;
    int topics; /* bits */
    bool hidden;
} model_t;

static model_t model[SLOTS];
static const char *const model_topics[] = {"Red", "red", "Green", "BLUE"};
static const char *const model_slugs[] = {"red", "green", "blue"};


static int
put_model(void *data, cardfeed_txn_t *txn, const char *path)
{
    size_t i;
    int slot = atoi(path + 1);
    char topics[100] = "", identity[20], title[20];
    model_t *m = &model[slot];

    (void) data;

    if (!m->there) {
        return cardfeed_txn_remove(txn, cardfeed_str_of(path));
    }

    for (i = 0; i < 4; i++) {
        if (m->topics & (1 << i)) {
            strcat(topics, model_topics[i]);
            strcat(topics, "|");
        }
    }
    snprintf(identity, sizeof(identity), "m%d", m->identity);
    snprintf(title, sizeof(title), "%03d.%d", slot, m->title);

    return put(txn, path, &(spec_t){.identity = identity, .title = title,
        .topics = topics, .hidden = m->hidden, .published = NOW - slot});
}


/* Cards are in slot order, since slot order is path order and date order. */
static void
check_model(fixture_t *f)
{
    int i, j, cards = 0, files_there = 0;
    size_t t, n;
    char want[4][5000] = {"", "", "", ""}, title[20];
    static const int masks[] = {1 | 2, 4, 8};
    cardfeed_stats_t stats = stats_now(f->store);

    for (i = 0; i < SLOTS; i++) {
        files_there += model[i].there;
        for (j = 0; j < i; j++) {
            if (model[j].there && model[j].identity == model[i].identity) {
                break;
            }
        }
        if (!model[i].there || j < i) {
            continue;
        }
        cards++;
        if (model[i].hidden) {
            continue;
        }
        snprintf(title, sizeof(title), "%03d.%d;", i, model[i].title);
        strcat(want[3], title);
        for (t = 0; t < 3; t++) {
            if (model[i].topics & masks[t]) {
                n = strlen(want[t]);
                snprintf(want[t] + n, sizeof(want[t]) - n, "%s", title);
            }
        }
    }

    assert_titles(f->store, "all", want[3]);
    for (t = 0; t < 3; t++) {
        assert_titles(f->store, model_slugs[t], want[t]);
    }
    assert_int_equal(stats.cards, cards);
    assert_int_equal(stats.files, files_there);
    assert_int_equal(stats.rejected, files_there - cards);
}


static void
test_random_work(void **state)
{
    int step, i, slot;
    char path[20];
    fixture_t *f = *state;
    cardfeed_txn_t *txn;

    srand(7);
    memset(model, 0, sizeof(model));

    for (step = 0; step < 400; step++) {
        txn = begin_at(f, NOW);
        for (i = rand() % 6; i >= 0; i--) {
            slot = rand() % SLOTS;
            model[slot] = (model_t){.there = rand() % 4 != 0,
                .identity = rand() % 30, .title = rand() % 5,
                .topics = 1 << (rand() % 4), .hidden = rand() % 8 == 0};
            snprintf(path, sizeof(path), "p%03d.md", slot);
            put_model(NULL, txn, path);
        }
        drain(txn, put_model, NULL);

        /* A loser shows its last good card still; give it none. */
        for (slot = 0; slot < SLOTS; slot++) {
            cardfeed_path_t p;

            snprintf(path, sizeof(path), "p%03d.md", slot);
            if (cardfeed_txn_lookup(txn, cardfeed_str_of(path), &p) == 0
                && p.rejected && p.has_card)
            {
                cardfeed_txn_remove(txn, cardfeed_str_of(path));
                put_model(NULL, txn, path);
                drain(txn, put_model, NULL);
            }
        }
        commit(txn);
        check_model(f);
    }
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_random_work, setup_store,
            teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
