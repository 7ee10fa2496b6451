/* test_store_compact: a new generation without its free pages is the same
 * one; what each number of a row may be. */

#include "store_fixture.h"

#include <xxhash.h>

#define BATCHES 8
#define PER_BATCH 250

static const atomic_bool going = false;


static off_t
size_now(fixture_t *f)
{
    char path[400];
    struct stat st;

    snprintf(path, sizeof(path), "%s/data.mdb", f->store->env->path);
    assert_int_equal(stat(path, &st), 0);

    return st.st_size;
}


/* Cards in every part of every table, batch by batch. */
static void
fill(fixture_t *f)
{
    int i, batch;
    char path[40];
    cardfeed_txn_t *txn;

    for (batch = 0; batch < BATCHES; batch++) {
        txn = begin_at(f, NOW);
        for (i = 0; i < PER_BATCH; i++) {
            snprintf(path, sizeof(path), "%d/card%d.md", i % 7,
                i * BATCHES + batch);
            assert_int_equal(put(txn, path, &(spec_t){
                .topics = i % 2 ? "A|B" : "B",
                .published = NOW - i * BATCHES - batch - 1,
                .quality = i - 100,
            }), CARDFEED_OK);
        }
        commit(txn);
    }
}


static void
start_unpublished(fixture_t *f)
{
    cardfeed_error_t err = {0};

    fixture_open(f);
    assert_int_equal(cardfeed_index_elect(f->index, &err), CARDFEED_OK);
    assert_int_equal(cardfeed_index_create(f->index, &f->store, &err),
        CARDFEED_OK);
}


static void
test_compact(void **state)
{
    fixture_t *f = *state;
    char *before, *after;
    off_t size;
    cardfeed_txn_t *txn;
    cardfeed_store_t *current;
    cardfeed_error_t err = {0};

    start_unpublished(f);
    fill(f);
    before = titles(f->store, "b");
    size = size_now(f);

    assert_int_equal(cardfeed_index_compact(f->index, &f->store, &going, &err),
        CARDFEED_OK);
    assert_non_null(f->store);
    assert_true(size_now(f) < size / 2);
    after = titles(f->store, "b");
    assert_string_equal(before, after);

    /* Nothing more to be had. */
    size = size_now(f);
    assert_int_equal(cardfeed_index_compact(f->index, &f->store, &going, &err),
        CARDFEED_OK);
    assert_int_equal(size_now(f), size);

    /* It is written, published and adopted as any other, and not touched
     * any more. */
    txn = begin_at(f, NOW);
    assert_int_equal(put(txn, "new.md",
        &(spec_t){.title = "new", .topics = "C", .published = NOW}), 0);
    commit(txn);
    assert_int_equal(cardfeed_index_publish(f->index, f->store, &err),
        CARDFEED_OK);
    current = f->store;
    assert_int_equal(cardfeed_index_compact(f->index, &f->store, &going, &err),
        CARDFEED_OK);
    assert_ptr_equal(f->store, current);
    fixture_stop(f);

    fixture_open(f);
    assert_int_equal(cardfeed_index_elect(f->index, &err), CARDFEED_OK);
    assert_int_equal(cardfeed_index_adopt(f->index, &f->store, &err),
        CARDFEED_OK);
    assert_titles(f->store, "c", "new;");
    current = cardfeed_index_current(f->index, &err);
    assert_non_null(current);
    free(after);
    after = titles(current, "b");
    assert_string_equal(before, after);
    assert_int_equal(topic_now(current, "all").count,
        BATCHES * PER_BATCH + 1);

    free(before);
    free(after);
}


/* Without the space for a copy it stays as it is. */
static void
test_no_space(void **state)
{
    fixture_t *f = *state;
    char path[400];
    off_t size;
    cardfeed_store_t *same;
    cardfeed_error_t err = {0};

    start_unpublished(f);
    fill(f);
    size = size_now(f);
    same = f->store;

    /* Something else has the name, and cannot be removed. */
    snprintf(path, sizeof(path), "%s/data.mdb.copy", f->store->env->path);
    assert_int_equal(mkdir(path, 0700), 0);

    assert_int_equal(cardfeed_index_compact(f->index, &f->store, &going, &err),
        CARDFEED_OK);
    assert_ptr_equal(f->store, same);
    assert_int_equal(size_now(f), size);
    assert_int_equal(topic_now(f->store, "b").count, BATCHES * PER_BATCH);
    assert_int_equal(rmdir(path), 0);
}


static void
test_cancelled(void **state)
{
    fixture_t *f = *state;
    char path[400];
    off_t size;
    atomic_bool stopping = true;
    cardfeed_store_t *same;
    cardfeed_error_t err = {0};

    start_unpublished(f);
    fill(f);
    size = size_now(f);
    same = f->store;

    assert_int_equal(cardfeed_index_compact(f->index, &f->store, &stopping,
        &err), CARDFEED_BUSY);
    assert_ptr_equal(f->store, same);
    assert_int_equal(size_now(f), size);
    snprintf(path, sizeof(path), "%s/data.mdb.copy", f->store->env->path);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(topic_now(f->store, "b").count, BATCHES * PER_BATCH);
}


/* What a process that died over it has left goes with its generation. */
static void
test_left_over(void **state)
{
    fixture_t *f = *state;
    char dir[300], path[400];
    FILE *file;
    cardfeed_error_t err = {0};

    start_unpublished(f);
    snprintf(dir, sizeof(dir), "%s", f->store->env->path);
    fixture_stop(f);
    snprintf(path, sizeof(path), "%s/data.mdb.copy", dir);
    file = fopen(path, "w");
    assert_non_null(file);
    fclose(file);

    fixture_open(f);
    assert_int_equal(cardfeed_index_elect(f->index, &err), CARDFEED_OK);
    cardfeed_index_sweep(f->index);
    assert_int_equal(access(dir, F_OK), -1);
}


/* --- rows ---------------------------------------------------------------- */

static void
assert_row(const cardfeed_row_t *row)
{
    size_t i, n;
    unsigned char key[CARDFEED_STORE_ORDER_KEY];
    unsigned char data[CARDFEED_STORE_ROW_MAX + 1];
    cardfeed_row_t out = {.id = 7};
    MDB_val value;

    cardfeed_store_order_key(key, 5, NOW, 6);
    n = cardfeed_store_row_pack(data, key, row);
    assert_in_range(n, CARDFEED_STORE_ROW_NUMBERS + CARDFEED_STORE_ROW_CHECK,
        CARDFEED_STORE_ROW_MAX);
    value = cardfeed_store_val(data, n);
    assert_true(cardfeed_store_row_open(&out, key, &value));
    assert_int_equal(out.type, row->type);
    assert_int_equal(out.category, row->category);
    assert_int_equal(out.provider, row->provider);
    assert_int_equal(out.author, row->author);
    assert_int_equal(out.quality, row->quality);
    assert_int_equal(out.heat, row->heat);
    assert_int_equal(out.id, 7);

    /* Not of another key, no bit of it different. */
    cardfeed_store_order_key(key, 5, NOW, 7);
    assert_false(cardfeed_store_row_open(&out, key, &value));
    cardfeed_store_order_key(key, 5, NOW, 6);
    for (i = 0; i < n * 8; i++) {
        data[i / 8] ^= (unsigned char) (1 << i % 8);
        assert_false(cardfeed_store_row_open(&out, key, &value));
        data[i / 8] ^= (unsigned char) (1 << i % 8);
    }

    /* Neither shorter nor longer. */
    for (i = 0; i < n; i++) {
        value = cardfeed_store_val(data, i);
        assert_false(cardfeed_store_row_open(&out, key, &value));
    }
    data[n] = 0;
    value = cardfeed_store_val(data, n + 1);
    assert_false(cardfeed_store_row_open(&out, key, &value));
}


static void
test_rows(void **state)
{
    static const uint32_t names[] = {0, 1, 127, 128, 16383, 16384, 1u << 21,
        1u << 28, UINT32_MAX};
    static const int32_t values[] = {0, 1, -1, 63, -64, 64, -65, 100, 8191,
        INT32_MAX, INT32_MIN};

    size_t i, j;

    (void) state;

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        for (j = 0; j < sizeof(values) / sizeof(values[0]); j++) {
            assert_row(&(cardfeed_row_t){.type = names[i],
                .author = names[(i + j) % 9], .category = names[j % 9],
                .provider = 3, .quality = values[j],
                .heat = values[(i + j) % 11]});
        }
    }
}


static void
test_bad_rows(void **state)
{
    static const struct {
        const char *data;
        size_t len;
    } bad[] = {
        {"\x80\x80\x80\x80\x80\x00\0\0\0\0\0", 11}, /* too many bytes */
        {"\xff\xff\xff\xff\x1f\0\0\0\0\0", 10},     /* more than 32 bits */
        {"\0\0\0\0\0\x80", 6},                      /* ends in the middle */
        {"", 0},
    };

    size_t i;
    char *copy;
    uint32_t check;
    MDB_val value;
    cardfeed_row_t row;
    unsigned char key[CARDFEED_STORE_ORDER_KEY] = {0}, both[100] = {0};

    (void) state;

    /* With a check that is right. */
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        copy = malloc(bad[i].len + sizeof(check));
        memcpy(copy, bad[i].data, bad[i].len);
        memcpy(both + sizeof(key), bad[i].data, bad[i].len);
        check = (uint32_t) XXH3_64bits(both, sizeof(key) + bad[i].len);
        memcpy(copy + bad[i].len, &check, sizeof(check));
        value = cardfeed_store_val(copy, bad[i].len + sizeof(check));
        assert_false(cardfeed_store_row_open(&row, key, &value));
        free(copy);
    }
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_compact, setup_fixture,
            teardown),
        cmocka_unit_test_setup_teardown(test_no_space, setup_fixture,
            teardown),
        cmocka_unit_test_setup_teardown(test_cancelled, setup_fixture,
            teardown),
        cmocka_unit_test_setup_teardown(test_left_over, setup_fixture,
            teardown),
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_bad_rows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
