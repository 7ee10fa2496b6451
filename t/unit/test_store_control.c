/* test_store_control: numbers of generations, words about them, and the
 * directory they are in. */

#include "store_fixture.h"

#include <pthread.h>

static atomic_bool marked;


static void
test_control_numbers_at_the_end(void **state)
{
    int i;
    fixture_t *f = *state;
    cardfeed_store_t *old;
    cardfeed_error_t err = {0};
    static const uint64_t last[] = {UINT64_MAX, UINT64_MAX / 2};

    fixture_start(f);
    for (i = 0; i < 2; i++) {
        atomic_store(&f->index->control->last, last[i]);
        old = f->store;
        assert_int_equal(cardfeed_index_create(f->index, &f->store, &err), 0);
        assert_int_equal(f->store->env->number, i + 2);
        assert_int_equal(cardfeed_index_publish(f->index, f->store, &err), 0);
        cardfeed_store_release(old);
        assert_non_null(cardfeed_index_current(f->index, &err));
        assert_true(cardfeed_index_is_current(f->index, f->store));
    }
}


static void
test_late_word(void **state)
{
    fixture_t *f = *state;
    cardfeed_store_t *old;
    cardfeed_error_t err = {0};
    uint64_t first;

    fixture_start(f);
    first = f->store->env->number;
    old = f->store;
    assert_int_equal(cardfeed_index_create(f->index, &f->store, &err), 0);

    /* a word about one that is not published says nothing of the other */
    cardfeed_store_distrust(f->index, first, false);
    assert_false(cardfeed_index_is_current(f->index, old));
    cardfeed_store_distrust(f->index, f->store->env->number, false);
    assert_false(cardfeed_index_is_current(f->index, old));

    assert_int_equal(cardfeed_index_publish(f->index, f->store, &err), 0);
    assert_true(cardfeed_index_is_current(f->index, f->store));
    cardfeed_store_distrust(f->index, first, false);
    assert_true(cardfeed_index_is_current(f->index, f->store));
    cardfeed_store_distrust(f->index, f->store->env->number, false);
    assert_false(cardfeed_index_is_current(f->index, f->store));
    cardfeed_store_distrust(f->index, first, false);
    assert_false(cardfeed_index_is_current(f->index, f->store));
    cardfeed_store_release(old);
}


static void
test_sweep_takes_only_its_own(void **state)
{
    char path[400];
    fixture_t *f = *state;
    const char *const dirs[] = {"1001-0123456789abcdef-77", "1001-x-1",
        "999-0123456789abcdef-5", "keep"};
    size_t i;

    fixture_start(f);
    for (i = 0; i < 4; i++) {
        snprintf(path, sizeof(path), "%s/%s", f->path, dirs[i]);
        assert_int_equal(mkdir(path, 0700), 0);
        snprintf(path, sizeof(path), "%s/%s/data.mdb", f->path, dirs[i]);
        fclose(fopen(path, "w"));
    }
    snprintf(path, sizeof(path), "%s/%s/mine.txt", f->path, dirs[2]);
    fclose(fopen(path, "w"));
    cardfeed_index_sweep(f->index);

    snprintf(path, sizeof(path), "%s/%s", f->path, dirs[0]);
    assert_int_equal(access(path, F_OK), -1);
    snprintf(path, sizeof(path), "%s/%s/data.mdb", f->path, dirs[1]);
    assert_int_equal(access(path, F_OK), 0);
    snprintf(path, sizeof(path), "%s/%s/mine.txt", f->path, dirs[2]);
    assert_int_equal(access(path, F_OK), 0);
    snprintf(path, sizeof(path), "%s/%s/data.mdb", f->path, dirs[3]);
    assert_int_equal(access(path, F_OK), 0);
    assert_int_equal(access(f->store->env->path, F_OK), 0);
}


static void *
look_at_mark(void *data)
{
    fixture_t *f = data;
    intptr_t wrong = 0;
    cardfeed_error_t err;

    while (!atomic_load(&marked)) {
        wrong += cardfeed_store_mark_check(f->store->env, &err)
            == CARDFEED_CORRUPT;
    }

    return (void *) wrong;
}


/* Other processes look at it while it is made. */
static void
test_mark_is_never_half(void **state)
{
    int i;
    void *wrong;
    pthread_t thread;
    fixture_t *f = *state;

    fixture_start(f);
    assert_int_equal(pthread_create(&thread, NULL, look_at_mark, f), 0);
    for (i = 0; i < 200; i++) {
        assert_int_equal(cardfeed_store_mark_set(f->store->env, NULL), 0);
        assert_int_equal(cardfeed_store_mark_clear(f->store->env, NULL), 0);
    }
    atomic_store(&marked, true);
    pthread_join(thread, &wrong);
    assert_int_equal((intptr_t) wrong, 0);
}


static void
test_no_parent(void **state)
{
    char path[400];
    fixture_t *f = *state;
    cardfeed_index_t *index;
    cardfeed_error_t err = {0};

    snprintf(path, sizeof(path), "%s/no/such", f->dir);
    assert_int_equal(cardfeed_index_open(&index, path, &f->c, true, &err),
        CARDFEED_ERROR);
    assert_non_null(strstr(err.message, "No such file"));
    fixture_open(f);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_control_numbers_at_the_end,
            setup_fixture, teardown),
        cmocka_unit_test_setup_teardown(test_late_word, setup_fixture,
            teardown),
        cmocka_unit_test_setup_teardown(test_sweep_takes_only_its_own,
            setup_fixture, teardown),
        cmocka_unit_test_setup_teardown(test_mark_is_never_half,
            setup_fixture, teardown),
        cmocka_unit_test_setup_teardown(test_no_parent, setup_fixture,
            teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
