/* test_store_clock: cards whose time comes, and clocks that go back. */

#include "store_fixture.h"


static void
test_schedule_and_expiry(void **state)
{
    int64_t next;
    fixture_t *f = *state;
    cardfeed_txn_t *txn = begin_at(f, NOW);
    cardfeed_read_t *read;
    cardfeed_stats_t stats;

    put(txn, "future.md", &(spec_t){.topics = "F", .published = NOW + 10,
        .expires = NOW + 30});
    put(txn, "expiring.md", &(spec_t){.topics = "E", .expires = NOW + 20});
    put(txn, "expired.md", &(spec_t){.topics = "X", .expires = NOW});
    put(txn, "never.md", &(spec_t){.topics = "N", .published = NOW + 40,
        .expires = NOW + 35});
    put(txn, "draft.md", &(spec_t){.topics = "D", .published = NOW + 10,
        .hidden = true});
    put(txn, "undated.md", &(spec_t){.topics = "U",
        .published = CARDFEED_NO_TIME, .expires = NOW + 15});
    commit(txn);

    assert_titles(f->store, "all", "expiring.md;");
    assert_int_equal(topic_now(f->store, "f").rc, CARDFEED_NOTFOUND);
    stats = stats_now(f->store);
    assert_int_equal(stats.waiting, 2);
    assert_int_equal(stats.undated, 1);
    assert_int_equal(stats.hidden, 1);
    assert_int_equal(stats.visible, 1);
    assert_int_equal(stats.cards, 6);

    read = begin_read(f->store);
    assert_int_equal(cardfeed_read_next_due(read), NOW + 10);
    cardfeed_read_end(read);
    assert_false(cardfeed_index_overdue(f->index, NOW + 9));
    assert_true(cardfeed_index_overdue(f->index, NOW + 10));

    /* nothing due yet: nothing written */
    txn = begin_at(f, NOW + 9);
    assert_int_equal(cardfeed_txn_due(txn, NOW + 9, 100, &next), CARDFEED_OK);
    assert_int_equal(next, NOW + 10);
    assert_false(cardfeed_txn_dirty(txn));
    commit(txn);

    txn = begin_at(f, NOW + 10);
    assert_int_equal(cardfeed_txn_due(txn, NOW + 10, 100, &next), 0);
    assert_int_equal(next, NOW + 20);
    commit(txn);
    assert_titles(f->store, "f", "future.md;");
    assert_int_equal(topic_now(f->store, "f").changed_at, NOW + 10);
    assert_false(cardfeed_index_overdue(f->index, NOW + 10));

    /* one at a time: what is left is due still */
    txn = begin_at(f, NOW + 100);
    assert_int_equal(cardfeed_txn_due(txn, NOW + 100, 1, &next), 0);
    assert_int_equal(next, NOW + 30);
    assert_int_equal(cardfeed_txn_due(txn, NOW + 100, 0, &next), 0);
    assert_int_equal(next, NOW + 30);
    assert_int_equal(cardfeed_txn_due(txn, NOW + 100, 100, &next), 0);
    assert_int_equal(next, CARDFEED_NO_TIME);
    commit(txn);
    assert_titles(f->store, "all", "");
    assert_int_equal(stats_now(f->store).waiting, 0);

    /* an edit moves the time; the clock may be behind */
    txn = begin_at(f, NOW);
    put(txn, "expiring.md", &(spec_t){.topics = "E", .title = "again",
        .expires = NOW + 500});
    put(txn, "draft.md", &(spec_t){.topics = "D", .published = NOW + 7});
    assert_int_equal(cardfeed_txn_remove(txn, CARDFEED_STR("future.md")), 0);
    commit(txn);
    assert_titles(f->store, "all", "again;");
    txn = begin_at(f, NOW + 7);
    cardfeed_txn_due(txn, NOW + 7, 100, &next);
    assert_int_equal(next, NOW + 35); /* never.md waits again */
    commit(txn);
    assert_titles(f->store, "d", "draft.md;");
}


/* What an indexer does when its clock was set; the first time left. */
static int64_t
work_at(fixture_t *f, int64_t now, bool dirty)
{
    int64_t next;
    cardfeed_txn_t *txn = begin_at(f, now);

    assert_int_equal(cardfeed_txn_due(txn, now, 100, &next), CARDFEED_OK);
    assert_int_equal(cardfeed_txn_dirty(txn), dirty);
    commit(txn);

    return next;
}


static uint64_t
last_commit(fixture_t *f)
{
    uint64_t id;
    cardfeed_read_t *read = begin_read(f->store);

    id = cardfeed_read_txnid(read);
    cardfeed_read_end(read);

    return id;
}


static void
put_dated(fixture_t *f, int64_t now)
{
    cardfeed_txn_t *txn = begin_at(f, now);

    put(txn, "ends.md", &(spec_t){.topics = "X", .published = 1000,
        .expires = 5000});
    put(txn, "comes.md", &(spec_t){.topics = "Y", .published = 4000});
    put(txn, "stays.md", &(spec_t){.topics = "Z", .published = 500});
    commit(txn);
}


static void
test_clock_goes_back(void **state)
{
    uint64_t id;
    topic_t x, y, z;
    fixture_t *f = *state;

    put_dated(f, 2000);
    assert_titles(f->store, "all", "ends.md;stays.md;");
    z = topic_now(f->store, "z");

    assert_int_equal(work_at(f, 9000, true), CARDFEED_NO_TIME);
    assert_titles(f->store, "all", "comes.md;stays.md;");
    x = topic_now(f->store, "x");
    y = topic_now(f->store, "y");

    assert_int_equal(work_at(f, 2001, true), 4000);
    assert_titles(f->store, "all", "ends.md;stays.md;");
    assert_titles(f->store, "x", "ends.md;");
    assert_titles(f->store, "y", "");
    assert_int_equal(stats_now(f->store).visible, 2);
    assert_int_equal(stats_now(f->store).waiting, 1);
    assert_true(topic_now(f->store, "x").changed_at > x.changed_at);
    assert_true(topic_now(f->store, "y").changed_at > y.changed_at);
    assert_true(topic_now(f->store, "y").change > y.change);
    assert_int_equal(topic_now(f->store, "z").change, z.change);

    /* once looked at, nothing is written again */
    id = last_commit(f);
    assert_int_equal(work_at(f, 2001, false), 4000);
    assert_int_equal(work_at(f, 3999, false), 4000);
    assert_int_equal(last_commit(f), id);

    assert_int_equal(work_at(f, 4000, true), 5000);
    assert_titles(f->store, "all", "comes.md;ends.md;stays.md;");
    assert_int_equal(work_at(f, 5000, true), CARDFEED_NO_TIME);
    assert_titles(f->store, "all", "comes.md;stays.md;");

    /* one of them only */
    assert_int_equal(work_at(f, 4500, true), 5000);
    assert_titles(f->store, "all", "comes.md;ends.md;stays.md;");
}


/* What a time decided that was not worked off needs nothing written. */
static void
test_idle_clock_writes_nothing(void **state)
{
    uint64_t id;
    fixture_t *f = *state;

    put_dated(f, 2000);
    id = last_commit(f);
    assert_int_equal(work_at(f, 3999, false), 4000);
    assert_int_equal(work_at(f, 2500, false), 4000);
    assert_int_equal(work_at(f, 2000, false), 4000);
    assert_int_equal(last_commit(f), id);

    /* before the time it was put at: looked at once, written once */
    assert_int_equal(work_at(f, 1500, true), 4000);
    assert_int_equal(work_at(f, 1500, false), 4000);
    assert_int_equal(work_at(f, 999, true), 1000);
    assert_titles(f->store, "all", "stays.md;");
}


static void
test_clock_goes_back_while_stopped(void **state)
{
    fixture_t *f = *state;
    cardfeed_error_t err = {0};

    /* put, not worked off, at the wrong time */
    put_dated(f, 9000);
    assert_titles(f->store, "all", "comes.md;stays.md;");
    fixture_stop(f);

    fixture_open(f);
    assert_int_equal(cardfeed_index_elect(f->index, &err), CARDFEED_OK);
    assert_int_equal(cardfeed_index_adopt(f->index, &f->store, &err),
        CARDFEED_OK);
    put_dated(f, 2001);
    assert_int_equal(work_at(f, 2001, true), 4000);
    assert_titles(f->store, "all", "ends.md;stays.md;");
}


/* A transaction begun before the clock was set. */
static void
test_clock_goes_back_meanwhile(void **state)
{
    int64_t next;
    fixture_t *f = *state;
    cardfeed_txn_t *txn = begin_at(f, 9000);

    put(txn, "a.md", &(spec_t){.published = 4000});
    assert_int_equal(cardfeed_txn_due(txn, 2000, 100, &next), CARDFEED_OK);
    assert_int_equal(next, 4000);
    put(txn, "b.md", &(spec_t){.published = 4000});
    commit(txn);
    assert_titles(f->store, "all", "b.md;");
    assert_int_equal(work_at(f, 2000, true), 4000);
    assert_titles(f->store, "all", "");
}


#define DATED 40

static void
test_any_clock(void **state)
{
    int i, step, visible;
    char path[20];
    int64_t next, want, now = 500, at[DATED][2];
    fixture_t *f = *state;
    cardfeed_txn_t *txn;

    srand(3);
    for (i = 0; i < DATED; i++) {
        at[i][0] = CARDFEED_NO_TIME;
    }

    for (step = 0; step < 600; step++) {
        now = rand() % 3 == 0 ? rand() % 1000 : now + rand() % 20;
        txn = begin_at(f, now);
        for (i = rand() % 3; i > 0; i--) {
            int n = rand() % DATED;

            at[n][0] = 1 + rand() % 1000;
            at[n][1] = 1 + rand() % 1000;
            snprintf(path, sizeof(path), "%d.md", n);
            put(txn, path, &(spec_t){.topics = "A", .published = at[n][0],
                .expires = at[n][1]});
        }
        if (rand() % 4 == 0) {
            commit(txn);
            continue;
        }
        do {
            assert_int_equal(cardfeed_txn_due(txn, now, 2, &next), 0);
        } while (next != CARDFEED_NO_TIME && next <= now);
        commit(txn);

        want = CARDFEED_NO_TIME;
        for (i = 0, visible = 0; i < DATED; i++) {
            if (at[i][0] == CARDFEED_NO_TIME) {
                continue;
            }
            visible += at[i][0] <= now && at[i][1] > now;
            if (at[i][1] > now && (want == CARDFEED_NO_TIME
                                   || at[i][1] < want))
            {
                want = at[i][1];
            }
            if (at[i][1] > now && at[i][0] > now && at[i][0] < want) {
                want = at[i][0];
            }
        }
        assert_int_equal(next, want);
        assert_int_equal(stats_now(f->store).visible, visible);
        assert_int_equal(topic_now(f->store, "all").count, visible);
    }
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_schedule_and_expiry,
            setup_store, teardown),
        cmocka_unit_test_setup_teardown(test_clock_goes_back, setup_store,
            teardown),
        cmocka_unit_test_setup_teardown(test_idle_clock_writes_nothing,
            setup_store, teardown),
        cmocka_unit_test_setup_teardown(test_clock_goes_back_while_stopped,
            setup_store, teardown),
        cmocka_unit_test_setup_teardown(test_clock_goes_back_meanwhile,
            setup_store, teardown),
        cmocka_unit_test_setup_teardown(test_any_clock, setup_store,
            teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
