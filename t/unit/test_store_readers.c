/* test_store_readers: processes that die in the middle of a read leave
 * nothing behind: no place in the table of readers, no page that cannot be
 * used again. */

#include "store_fixture.h"

#include <signal.h>

#define ROUNDS 250
#define CARDS 50


static void
put_all(fixture_t *f, int round)
{
    int i;
    char path[20], title[40];
    cardfeed_txn_t *txn = begin_at(f, NOW + round);

    for (i = 0; i < CARDS; i++) {
        snprintf(path, sizeof(path), "card%03d.md", i);
        snprintf(title, sizeof(title), "title %d", round);
        assert_int_equal(put_signed(txn, path,
            &(spec_t){.topics = "A|B", .title = title}, round, NULL, NULL),
            0);
    }
    commit(txn);
}


/* A process that stands in the snapshot of this moment; or that only has the
 * index open: while one has, LMDB does not begin its table anew. */
static pid_t
reader(fixture_t *f, int ready, bool reads)
{
    pid_t pid = fork();

    if (pid == 0) {
        cardfeed_read_t *read_;
        cardfeed_topic_t topic;
        cardfeed_index_t *index;
        cardfeed_store_t *store;
        cardfeed_error_t err;

        alarm(60);
        if (cardfeed_index_open(&index, f->path, &f->c, false, &err) != 0) {
            _exit(1);
        }
        store = cardfeed_index_current(index, &err);
        if (store == NULL || cardfeed_read_begin(store, &read_, &err) != 0
            || cardfeed_read_topic(read_, CARDFEED_STR("a"), &topic) != 0
            || topic.count != CARDS)
        {
            _exit(2);
        }
        if (!reads) {
            cardfeed_read_end(read_);
        }
        if (write(ready, "r", 1) != 1) {
            _exit(3);
        }
        for ( ;; ) {
            pause();
        }
    }

    return pid;
}


static unsigned
readers(fixture_t *f)
{
    MDB_envinfo info;

    assert_int_equal(mdb_env_info(f->store->env->mdb, &info), 0);

    return info.me_numreaders;
}


static size_t
pages(fixture_t *f)
{
    MDB_envinfo info;

    assert_int_equal(mdb_env_info(f->store->env->mdb, &info), 0);

    return info.me_last_pgno;
}


/* What the next indexer does: it is elected, and adopts. */
static void
take_over(fixture_t *f)
{
    cardfeed_error_t err = {0};

    fixture_stop(f);
    fixture_open(f);
    assert_int_equal(cardfeed_index_elect(f->index, &err), CARDFEED_OK);
    /* deaths are not what this is about */
    atomic_store(&f->index->control->died_ms, 0);
    if (cardfeed_index_adopt(f->index, &f->store, &err) != CARDFEED_OK) {
        fail_msg("%s", err.message);
    }
}


static void
test_killed_readers(void **state)
{
    int round, status, ready[2];
    char c;
    size_t before = 0, dead = 0;
    unsigned most = 0;
    fixture_t *f = *state;
    pid_t pid, witness;

    assert_int_equal(pipe(ready), 0);
    put_all(f, 1);
    witness = reader(f, ready[1], false);
    assert_true(witness > 0);
    assert_int_equal(read(ready[0], &c, 1), 1);

    for (round = 2; round < ROUNDS; round++) {
        pid = reader(f, ready[1], true);
        assert_true(pid > 0);
        assert_int_equal(read(ready[0], &c, 1), 1);

        /* while it stands there, pages cannot be used again */
        put_all(f, round);
        put_all(f, round + ROUNDS);

        assert_int_equal(kill(pid, SIGKILL), 0);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status));
        dead++;
        take_over(f);

        assert_int_equal(topic_now(f->store, "a").count, CARDS);
        put_all(f, round + 2 * ROUNDS);
        put_all(f, round + 3 * ROUNDS);
        if (round == 20) {
            before = pages(f);
        }
        if (readers(f) > most) {
            most = readers(f);
        }
    }

    assert_int_equal(kill(witness, SIGKILL), 0);
    assert_int_equal(waitpid(witness, &status, 0), witness);
    assert_true(dead > 200);
    assert_true(most <= 4);
    assert_true(pages(f) <= before + before / 4);
    close(ready[0]);
    close(ready[1]);
}


/* Several at once fill the table; who needs a place clears it. */
static void
test_full_table(void **state)
{
    int i, n, status, ready[2];
    char c;
    pid_t pids[16];
    fixture_t *f = *state;
    cardfeed_error_t err = {0};
    cardfeed_index_t *index;
    cardfeed_store_t *store;
    cardfeed_read_t *read_;

    assert_int_equal(pipe(ready), 0);
    put_all(f, 1);

    for (n = 0; n < 16; n++) {
        for (i = 0; i < 16; i++) {
            pids[i] = reader(f, ready[1], true);
            assert_true(pids[i] > 0);
            assert_int_equal(read(ready[0], &c, 1), 1);
        }
        for (i = 0; i < 16; i++) {
            assert_int_equal(kill(pids[i], SIGKILL), 0);
            assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        }
        atomic_store(&f->index->control->died_ms, 0);

        /* nobody took over: readers go on all the same */
        assert_int_equal(cardfeed_index_open(&index, f->path, &f->c, false,
            &err), 0);
        atomic_store(&index->control->died_ms, 0);
        store = cardfeed_index_current(index, &err);
        assert_non_null(store);
        assert_int_equal(cardfeed_read_begin(store, &read_, &err), 0);
        cardfeed_read_end(read_);
        cardfeed_index_close(index);
        put_all(f, n + 2);
    }

    close(ready[0]);
    close(ready[1]);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_killed_readers, setup_store,
            teardown),
        cmocka_unit_test_setup_teardown(test_full_table, setup_store,
            teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
