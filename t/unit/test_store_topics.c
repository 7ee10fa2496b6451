/* test_store_topics: spellings, times of change, many topics. */

#include "store_fixture.h"


static void
assert_name(fixture_t *f, const char *slug, const char *want)
{
    assert_string_equal(topic_now(f->store, slug).name, want);
}


static void
test_most_used_spelling(void **state)
{
    fixture_t *f = *state;
    cardfeed_txn_t *txn = begin_at(f, NOW);

    put(txn, "1.md", &(spec_t){.topics = "management tools"});
    commit(txn);
    assert_name(f, "management-tools", "management tools");

    /* ties: bytewise first */
    txn = begin_at(f, NOW);
    put(txn, "2.md", &(spec_t){.topics = "Management tools"});
    commit(txn);
    assert_name(f, "management-tools", "Management tools");

    txn = begin_at(f, NOW);
    put(txn, "3.md", &(spec_t){.topics = "management tools"});
    commit(txn);
    assert_name(f, "management-tools", "management tools");
    assert_int_equal(topic_now(f->store, "management-tools").count, 3);

    /* the winner shrinks: the rest is looked at */
    txn = begin_at(f, NOW);
    put(txn, "4.md", &(spec_t){.topics = "Management Tools"});
    put(txn, "1.md", &(spec_t){.topics = "Other"});
    put(txn, "3.md", &(spec_t){.topics = "Other"});
    commit(txn);
    assert_name(f, "management-tools", "Management Tools");

    /* hidden cards do not count */
    txn = begin_at(f, NOW);
    put(txn, "5.md", &(spec_t){.topics = "MANAGEMENT TOOLS",
        .hidden = true});
    commit(txn);
    assert_name(f, "management-tools", "Management Tools");

    /* the last name stays when nobody is left */
    txn = begin_at(f, NOW);
    cardfeed_txn_remove(txn, CARDFEED_STR("4.md"));
    commit(txn);
    assert_name(f, "management-tools", "Management tools");
    txn = begin_at(f, NOW);
    cardfeed_txn_remove(txn, CARDFEED_STR("2.md"));
    commit(txn);
    assert_name(f, "management-tools", "Management tools");
    assert_int_equal(topic_now(f->store, "management-tools").count, 0);
    txn = begin_at(f, NOW);
    put(txn, "6.md", &(spec_t){.topics = "management Tools"});
    commit(txn);
    assert_name(f, "management-tools", "management Tools");
}


static void
test_change_and_time(void **state)
{
    fixture_t *f = *state;
    topic_t a, b, all;
    cardfeed_txn_t *txn = begin_at(f, NOW);

    put(txn, "1.md", &(spec_t){.topics = "A"});
    put(txn, "2.md", &(spec_t){.topics = "A|B"});
    commit(txn);
    a = topic_now(f->store, "a");
    b = topic_now(f->store, "b");
    all = topic_now(f->store, "all");
    assert_int_equal(a.change, b.change);
    assert_int_equal(a.change, all.change);

    /* one second, several changes: each later than the one before */
    txn = begin_at(f, NOW);
    put(txn, "3.md", &(spec_t){.topics = "A"});
    commit(txn);
    assert_int_equal(topic_now(f->store, "a").changed_at, NOW + 1);
    assert_true(topic_now(f->store, "a").change > a.change);
    assert_int_equal(topic_now(f->store, "b").change, b.change);
    assert_int_equal(topic_now(f->store, "b").changed_at, NOW);

    /* the clock steps back */
    txn = begin_at(f, NOW - 1000);
    put(txn, "4.md", &(spec_t){.topics = "A", .published = NOW - 5000});
    commit(txn);
    assert_int_equal(topic_now(f->store, "a").changed_at, NOW + 2);

    txn = begin_at(f, NOW + 50);
    cardfeed_txn_remove(txn, CARDFEED_STR("4.md"));
    commit(txn);
    assert_int_equal(topic_now(f->store, "a").changed_at, NOW + 50);
    assert_int_equal(topic_now(f->store, "all").changed_at, NOW + 50);
}


static char *
many(int from, int n)
{
    int i;
    char *out = malloc((size_t) n * 12 + 1), *p = out;

    for (i = from; i < from + n; i++) {
        p += sprintf(p, "Topic %d|", i);
    }

    return out;
}


static int
count_topics(void *data, const cardfeed_topic_t *topic)
{
    int *n = data;

    assert_int_not_equal(topic->id, 0);
    assert_int_equal(topic->count, 1);

    return ++*n == 100001 ? -99 : 0;
}


static int
first_topic(void *data, const cardfeed_topic_t *topic)
{
    snprintf(data, 100, "%.*s", (int) topic->slug.len, topic->slug.data);

    return -99;
}


static void
test_many_topics(void **state)
{
    int i, n = 0;
    char path[20], *topics, slug[100];
    fixture_t *f = *state;
    cardfeed_read_t *read;
    cardfeed_txn_t *txn = begin_at(f, NOW);
    cardfeed_stats_t stats;

    /* enough for the bookkeeping to be written down in between */
    for (i = 0; i < 10; i++) {
        topics = many(i * 10000, 10000);
        snprintf(path, sizeof(path), "%d.md", i);
        assert_int_equal(put(txn, path, &(spec_t){.topics = topics}), 0);
        free(topics);
    }
    assert_int_equal(cardfeed_txn_stats(txn, &stats), 0);
    assert_int_equal(stats.topics, 100000);
    commit(txn);
    assert_int_equal(stats_now(f->store).topics, 100000);

    read = begin_read(f->store);
    assert_int_equal(cardfeed_read_topics(read, CARDFEED_NO_STR,
        count_topics, &n), 0);
    assert_int_equal(n, 100000);
    assert_int_equal(cardfeed_read_topics(read, CARDFEED_STR("topic-70"),
        first_topic, slug), -99);
    assert_string_equal(slug, "topic-70");
    assert_int_equal(cardfeed_read_topics(read, CARDFEED_STR("topic-700000"),
        first_topic, slug), -99);
    assert_string_equal(slug, "topic-70001");
    assert_int_equal(cardfeed_read_topics(read, CARDFEED_STR("zzz"),
        first_topic, slug), 0);
    cardfeed_read_end(read);
    assert_int_equal(topic_now(f->store, "all").changed_at, NOW);
    assert_int_equal(topic_now(f->store, "topic-0").changed_at, NOW);
    assert_int_equal(topic_now(f->store, "topic-99999").changed_at, NOW);

    txn = begin_at(f, NOW + 1);
    for (i = 0; i < 10; i++) {
        snprintf(path, sizeof(path), "%d.md", i);
        assert_int_equal(cardfeed_txn_remove(txn, cardfeed_str_of(path)), 0);
    }
    commit(txn);
    assert_int_equal(topic_now(f->store, "topic-5").count, 0);
    assert_string_equal(topic_now(f->store, "topic-5").name, "Topic 5");
    assert_int_equal(topic_now(f->store, "all").count, 0);
    assert_int_equal(topic_now(f->store, "all").changed_at, NOW + 1);
}


static void
test_inherited(void **state)
{
    fixture_t *f = *state;
    topic_t before, all, mid, gone, new;
    cardfeed_error_t err = {0};
    cardfeed_store_t *old;
    cardfeed_txn_t *txn = begin_at(f, NOW);

    put(txn, "1.md", &(spec_t){.topics = "C#|Rest"});
    put(txn, "2.md", &(spec_t){.topics = "c#"});
    put(txn, "3.md", &(spec_t){.topics = "c#"});
    put(txn, "4.md", &(spec_t){.topics = "Gone"});
    commit(txn);
    txn = begin_at(f, NOW + 1);
    assert_int_equal(cardfeed_txn_remove(txn, CARDFEED_STR("4.md")), 0);
    commit(txn);
    before = topic_now(f->store, "csharp");
    gone = topic_now(f->store, "gone");

    old = f->store;
    assert_int_equal(cardfeed_index_create(f->index, &f->store, &err), 0);
    cardfeed_store_release(old);
    all = topic_now(f->store, "all");
    assert_int_equal(all.count, 0);
    assert_int_equal(all.id, 0);
    assert_int_equal(all.change, gone.change + 1);
    mid = topic_now(f->store, "csharp");
    assert_int_equal(mid.count, 0);
    assert_int_equal(mid.change, before.change + 1);

    /* the cards are gone, and that is a change; where none was, there is none
     */
    /* time(2) may lag a tick behind clock_gettime(2) */
    assert_in_range(mid.changed_at, time(NULL) - 60, time(NULL) + 1);
    assert_in_range(all.changed_at, time(NULL) - 60, time(NULL) + 1);
    assert_int_equal(topic_now(f->store, "gone").changed_at, NOW + 1);
    assert_int_equal(topic_now(f->store, "gone").change, gone.change);
    assert_string_equal(topic_now(f->store, "csharp").name, "c#");
    assert_int_equal(topic_now(f->store, "rest").rc, CARDFEED_OK);
    assert_int_not_equal(topic_now(f->store, "rest").id,
        topic_now(f->store, "csharp").id);

    txn = begin_at(f, NOW);
    put(txn, "1.md", &(spec_t){.topics = "C#"});
    put(txn, "9.md", &(spec_t){.topics = "New"});
    commit(txn);
    assert_string_equal(topic_now(f->store, "csharp").name, "C#");
    new = topic_now(f->store, "csharp");
    assert_true(new.change > mid.change);
    assert_true(new.change > all.change);
    assert_int_equal(new.changed_at, mid.changed_at + 1);
    assert_int_equal(topic_now(f->store, "new").id, 4);
    assert_int_equal(cardfeed_index_publish(f->index, f->store, &err), 0);
}


static void
test_inherited_later(void **state)
{
    fixture_t *f = *state;
    cardfeed_error_t err = {0};
    cardfeed_store_t *old;
    cardfeed_txn_t *txn;

    /* a time to come is not taken back */
    txn = begin_at(f, NOW * 2);
    put(txn, "9.md", &(spec_t){.topics = "New"});
    commit(txn);
    old = f->store;
    assert_int_equal(cardfeed_index_create(f->index, &f->store, &err), 0);
    assert_int_equal(topic_now(f->store, "new").changed_at, NOW * 2 + 1);
    cardfeed_store_release(f->store);
    f->store = old;

    /* from another directory nothing is taken over */
    f->c.dir = "/srv/other";
    old = f->store;
    assert_int_equal(cardfeed_index_create(f->index, &f->store, &err), 0);
    cardfeed_store_release(old);
    assert_int_equal(topic_now(f->store, "new").rc, CARDFEED_NOTFOUND);
    assert_int_equal(topic_now(f->store, "all").change, 0);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_most_used_spelling, setup_store,
            teardown),
        cmocka_unit_test_setup_teardown(test_change_and_time, setup_store,
            teardown),
        cmocka_unit_test_setup_teardown(test_many_topics, setup_store,
            teardown),
        cmocka_unit_test_setup_teardown(test_inherited, setup_store,
            teardown),
        cmocka_unit_test_setup_teardown(test_inherited_later, setup_store,
            teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
