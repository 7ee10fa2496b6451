/* test_store_damage: an index that cannot be trusted is never served as if it
 * could, and never kills. */

#include <poll.h>

#include "store_fixture.h"


static void
put_some(fixture_t *f)
{
    int i;
    char path[20];
    cardfeed_txn_t *txn = begin_at(f, NOW);

    for (i = 0; i < 300; i++) {
        snprintf(path, sizeof(path), "card%03d.md", i);
        assert_int_equal(put(txn, path, &(spec_t){.topics = "A|B"}), 0);
    }
    commit(txn);
    assert_int_equal(cardfeed_store_sync(f->store, NULL), CARDFEED_OK);
}


static void
file_of(fixture_t *f, char *path, size_t size, const char *name)
{
    snprintf(path, size, "%s/%s", f->store->env->path, name);
}


static void
write_file(const char *path, off_t at, const void *data, size_t size)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    assert_int_not_equal(fd, -1);
    assert_int_equal(pwrite(fd, data, size, at), size);
    close(fd);
}


/* Both kinds of process refuse it, and a new one can be made. */
static void
assert_distrusted(fixture_t *f, const char *why)
{
    int i;
    cardfeed_error_t err = {0};
    cardfeed_store_t *store;

    fixture_open(f);

    for (i = 0; i < 2; i++) {
        store = cardfeed_index_current(f->index, &err);
        assert_null(store);
        f->index->failed_ms -= 1000; /* as if time had passed */
        f->index->short_ms -= f->index->short_ms != 0 ? 1000 : 0;
    }
    assert_int_equal(err.code, CARDFEED_CORRUPT);

    assert_int_equal(cardfeed_index_elect(f->index, &err), CARDFEED_OK);
    assert_int_equal(cardfeed_index_adopt(f->index, &store, &err),
        CARDFEED_CORRUPT);

    /* the reader has said so already; what does the indexer find itself? */
    atomic_store(&f->index->control->distrusted, 0);
    assert_int_equal(cardfeed_index_adopt(f->index, &store, &err),
        CARDFEED_CORRUPT);
    if (strstr(err.message, why) == NULL) {
        fail_msg("not '%s': %s", why, err.message);
    }

    assert_int_equal(cardfeed_index_create(f->index, &f->store, &err), 0);
    put_some(f);
    assert_int_equal(cardfeed_index_publish(f->index, f->store, &err), 0);
    store = cardfeed_index_current(f->index, &err);
    assert_non_null(store);
    assert_int_equal(topic_now(store, "a").count, 300);
    cardfeed_index_sweep(f->index);
}


static void
truncated_to(fixture_t *f, off_t size, const char *why)
{
    char path[500];

    fixture_start(f);
    put_some(f);
    file_of(f, path, sizeof(path), "data.mdb");
    fixture_stop(f);
    assert_int_equal(truncate(path, size), 0);
    assert_distrusted(f, why);
}


static void
test_truncated(void **state)
{
    truncated_to(*state, 5 * 4096, "lacks pages");
}


static void
test_cut_short(void **state)
{
    truncated_to(*state, 100, "");
}


static void
test_empty(void **state)
{
    truncated_to(*state, 0, "");
}


static void
test_gone(void **state)
{
    char path[500];
    fixture_t *f = *state;

    fixture_start(f);
    put_some(f);
    snprintf(path, sizeof(path), "%s", f->store->env->path);
    fixture_stop(f);
    remove_tree(path);
    assert_distrusted(f, "is gone");
}


static void
test_garbage_pages(void **state)
{
    char path[500], garbage[8192];
    fixture_t *f = *state;

    memset(garbage, 0x5a, sizeof(garbage));
    fixture_start(f);
    put_some(f);
    file_of(f, path, sizeof(path), "data.mdb");
    fixture_stop(f);
    write_file(path, 0, garbage, sizeof(garbage));
    assert_distrusted(f, "");
}


static void
test_garbage_lock(void **state)
{
    char path[500], garbage[4096];
    fixture_t *f = *state;
    cardfeed_error_t err = {0};

    /* nobody has it open: LMDB starts the lock file anew */
    memset(garbage, 0x5a, sizeof(garbage));
    fixture_start(f);
    put_some(f);
    file_of(f, path, sizeof(path), "lock.mdb");
    fixture_stop(f);
    write_file(path, 0, garbage, sizeof(garbage));

    fixture_open(f);
    assert_int_equal(cardfeed_index_elect(f->index, &err), CARDFEED_OK);
    assert_int_equal(cardfeed_index_adopt(f->index, &f->store, &err),
        CARDFEED_OK);
    assert_int_equal(topic_now(f->store, "a").count, 300);
}


static void
test_unsynced_of_another_boot(void **state)
{
    char path[500];
    fixture_t *f = *state;
    static const char other[] = "01234567-89ab-cdef-0123-456789abcdef";

    fixture_start(f);
    put_some(f);
    file_of(f, path, sizeof(path), "unsynced");
    assert_int_equal(access(path, F_OK), -1);
    fixture_stop(f);
    write_file(path, 0, other, sizeof(other) - 1);
    assert_distrusted(f,
        "the machine stopped before the index was on the disk");
}


static void
test_unsynced_of_this_boot(void **state)
{
    char path[500], text[100] = "";
    int fd;
    fixture_t *f = *state;
    cardfeed_txn_t *txn;
    cardfeed_error_t err = {0};

    fixture_start(f);
    file_of(f, path, sizeof(path), "unsynced");
    assert_int_equal(access(path, F_OK), -1);
    txn = begin_at(f, NOW);
    put(txn, "a.md", &(spec_t){.topics = "A"});
    commit(txn);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(read(fd, text, sizeof(text) - 1) > 0);
    close(fd);
    assert_string_equal(text, f->index->boot);
    fixture_stop(f);

    fixture_open(f);
    assert_int_equal(cardfeed_index_elect(f->index, &err), CARDFEED_OK);
    assert_int_equal(cardfeed_index_adopt(f->index, &f->store, &err), 0);
    assert_titles(f->store, "a", "a.md;");

    /* the mark goes with the next sync, whoever made it */
    assert_int_equal(cardfeed_store_sync(f->store, &err), CARDFEED_OK);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(cardfeed_store_sync(f->store, &err), CARDFEED_OK);
}


static void
control_is(fixture_t *f, const void *data, size_t size)
{
    char path[500];
    struct stat st;
    ino_t inode;
    cardfeed_index_t *other;
    cardfeed_error_t err = {0};

    fixture_start(f);
    put_some(f);
    snprintf(path, sizeof(path), "%s/control", f->path);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_size, 4096);
    assert_true(st.st_blocks >= 8);
    inode = st.st_ino;
    fixture_stop(f);

    assert_int_equal(truncate(path, 0), 0);
    write_file(path, 0, data, size);

    fixture_open(f);
    assert_int_equal(cardfeed_index_open(&other, f->path, &f->c, false,
        &err), CARDFEED_OK);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_size, 4096);
    assert_int_equal(st.st_ino, inode);
    assert_null(cardfeed_index_current(f->index, &err));
    assert_int_equal(err.code, CARDFEED_NOTFOUND);

    /* numbers are not given again */
    assert_int_equal(cardfeed_index_elect(f->index, &err), CARDFEED_OK);
    assert_int_equal(cardfeed_index_create(f->index, &f->store, &err), 0);
    assert_int_equal(f->store->env->number, 2);
    assert_int_equal(cardfeed_index_publish(f->index, f->store, &err), 0);
    assert_null(f->index->current);
    assert_non_null(cardfeed_index_current(f->index, &err));
    assert_int_equal(atomic_load(&other->control->generation), 2);
    cardfeed_index_close(other);
    cardfeed_index_sweep(f->index);
}


static void
test_control_garbage(void **state)
{
    char garbage[4096];

    memset(garbage, 0x5a, sizeof(garbage));
    control_is(*state, garbage, sizeof(garbage));
}


static void
test_control_short(void **state)
{
    control_is(*state, "x", 1);
}


static void
test_control_long(void **state)
{
    static char garbage[10000];

    memset(garbage, 0x5a, sizeof(garbage));
    control_is(*state, garbage, sizeof(garbage));
}


static void
test_control_names_nothing(void **state)
{
    fixture_t *f = *state;
    cardfeed_error_t err = {0};
    cardfeed_store_t *store;

    fixture_start(f);
    atomic_store(&f->index->control->generation, 12345);
    assert_null(cardfeed_index_current(f->index, &err));
    assert_int_equal(cardfeed_index_adopt(f->index, &store, &err),
        CARDFEED_CORRUPT);
    assert_false(cardfeed_index_is_current(f->index, f->store));
    cardfeed_store_release(f->store);
    assert_int_equal(cardfeed_index_create(f->index, &f->store, &err), 0);
    assert_int_equal(cardfeed_index_publish(f->index, f->store, &err), 0);
    assert_non_null(cardfeed_index_current(f->index, &err));
}


/* Nobody else reads it yet, but its writer learns of it. */
static void
test_damage_before_publication(void **state)
{
    char path[500];
    fixture_t *f = *state;
    cardfeed_store_t *old = f->store;
    cardfeed_error_t err = {0};
    cardfeed_txn_t *txn;
    MDB_txn *mdb;
    MDB_val key, value = {.mv_size = 3, .mv_data = "xyz"};
    unsigned char id[8];

    assert_int_equal(cardfeed_index_create(f->index, &f->store, &err), 0);
    put_some(f);
    assert_int_equal(mdb_txn_begin(f->store->env->mdb, NULL, 0, &mdb), 0);
    cardfeed_store_be64(id, id_of("card007.md"));
    key = cardfeed_store_val(id, sizeof(id));
    assert_int_equal(mdb_put(mdb,
        f->store->env->dbi[CARDFEED_TABLE_CARDS], &key, &value, 0), 0);
    assert_int_equal(mdb_txn_commit(mdb), 0);

    txn = begin_at(f, NOW);
    assert_int_equal(cardfeed_txn_remove(txn, CARDFEED_STR("card007.md")),
        CARDFEED_CORRUPT);
    assert_int_equal(cardfeed_txn_commit(txn, &err), CARDFEED_CORRUPT);
    assert_true(cardfeed_index_is_current(f->index, old));

    file_of(f, path, sizeof(path), "data.mdb");
    assert_int_equal(truncate(path, 5 * 4096), 0);
    assert_int_equal(cardfeed_index_publish(f->index, f->store, &err),
        CARDFEED_CORRUPT);
    assert_true(cardfeed_index_is_current(f->index, old));
    cardfeed_store_release(old);
}


/* Changes the first place where the text stands in data.mdb. */
static unsigned
spoil(fixture_t *f, const char *text)
{
    char path[500], *data;
    off_t at;
    int fd;
    struct stat st;
    unsigned n = 0;
    size_t len = strlen(text);

    file_of(f, path, sizeof(path), "data.mdb");
    fd = open(path, O_RDWR | O_CLOEXEC);
    assert_int_equal(fstat(fd, &st), 0);
    data = malloc((size_t) st.st_size);
    assert_int_equal(pread(fd, data, (size_t) st.st_size, 0), st.st_size);
    for (at = 0; at + (off_t) len <= st.st_size; at++) {
        if (memcmp(data + at, text, len) == 0) {
            assert_int_equal(pwrite(fd, "#", 1, at), 1);
            n++;
        }
    }
    free(data);
    close(fd);

    return n;
}


/* A clock that went back is met by a card that is damaged. */
static void
test_damage_on_the_way_back(void **state)
{
    int64_t next;
    fixture_t *f = *state;
    cardfeed_txn_t *txn;
    cardfeed_error_t err = {0};

    put_some(f);
    txn = begin_at(f, NOW);
    put(txn, "a.md", &(spec_t){.title = "UNMISTAKABLE"});
    commit(txn);
    assert_true(spoil(f, "UNMISTAKABLE") >= 1);

    txn = begin_at(f, 1);
    assert_int_equal(cardfeed_txn_due(txn, 1, 100, &next), CARDFEED_CORRUPT);
    assert_int_equal(cardfeed_txn_due(txn, 1, 100, &next), CARDFEED_CORRUPT);
    assert_int_equal(cardfeed_txn_commit(txn, &err), CARDFEED_CORRUPT);
    assert_false(cardfeed_index_is_current(f->index, f->store));
    assert_int_equal(topic_now(f->store, "a").count, 300);
}


static void
test_damaged_record(void **state)
{
    char buf[4096];
    fixture_t *f = *state;
    cardfeed_error_t err = {0};
    cardfeed_store_t *store;
    cardfeed_record_t rec;
    cardfeed_read_t *read_;
    cardfeed_txn_t *txn = begin_at(f, NOW);
    struct pollfd p;

    put(txn, "a.md", &(spec_t){.title = "UNMISTAKABLE", .topics = "A"});
    put(txn, "b.md", &(spec_t){.title = "sound", .topics = "B"});
    commit(txn);
    assert_true(spoil(f, "UNMISTAKABLE") >= 1);
    while (read(cardfeed_index_notify_fd(f->index), buf, sizeof(buf)) > 0) {
        /* what came before */
    }

    store = cardfeed_index_current(f->index, &err);
    assert_non_null(store);
    read_ = begin_read(store);
    assert_int_equal(cardfeed_read_card(read_, id_of("a.md"), &rec),
        CARDFEED_CORRUPT);
    assert_int_equal(cardfeed_read_card(read_, id_of("b.md"), &rec),
        CARDFEED_OK);
    cardfeed_read_end(read_);

    /* the indexer learns of it; what is sound is served meanwhile */
    p = (struct pollfd){.fd = cardfeed_index_notify_fd(f->index),
        .events = POLLIN};
    assert_int_equal(poll(&p, 1, 10000), 1);
    assert_false(cardfeed_index_is_current(f->index, f->store));
    assert_ptr_equal(cardfeed_index_current(f->index, &err), store);
    assert_titles(store, "b", "sound;");

    /* a write that meets it fails as a whole */
    txn = begin_at(f, NOW);
    put(txn, "c.md", &(spec_t){.topics = "C"});
    assert_int_equal(cardfeed_txn_remove(txn, CARDFEED_STR("a.md")),
        CARDFEED_CORRUPT);
    assert_int_equal(cardfeed_txn_commit(txn, &err), CARDFEED_CORRUPT);
    assert_int_equal(topic_now(f->store, "c").rc, CARDFEED_NOTFOUND);
    assert_int_equal(cardfeed_index_adopt(f->index, &store, &err),
        CARDFEED_CORRUPT);
}


static void
test_damaged_rows(void **state)
{
    int t, rc;
    char copy[512];
    fixture_t *f = *state;
    MDB_txn *mdb;
    MDB_val key, value;
    cardfeed_txn_t *txn = begin_at(f, NOW);
    cardfeed_read_t *read_;
    cardfeed_cursor_t *cursor;
    cardfeed_row_t row;
    cardfeed_topic_t topic;
    cardfeed_stats_t stats;
    cardfeed_record_t rec;
    uint32_t n;
    static const int tables[] = {CARDFEED_TABLE_META, CARDFEED_TABLE_CARDS,
        CARDFEED_TABLE_PATHS, CARDFEED_TABLE_TOPICS, CARDFEED_TABLE_BY_TOPIC,
        CARDFEED_TABLE_NAMES};

    put(txn, "a.md", &(spec_t){.topics = "A", .type = "video"});
    commit(txn);

    /* every value of every table becomes three bytes of nonsense */
    assert_int_equal(mdb_txn_begin(f->store->env->mdb, NULL, 0, &mdb), 0);
    for (t = 0; t < 6; t++) {
        MDB_cursor *c;

        mdb_cursor_open(mdb, f->store->env->dbi[tables[t]], &c);
        while ((rc = mdb_cursor_get(c, &key, &value, MDB_NEXT)) == 0) {
            memcpy(copy, key.mv_data, key.mv_size);
            key.mv_data = copy;
            value.mv_size = 3;
            value.mv_data = "xyz";
            assert_int_equal(mdb_cursor_put(c, &key, &value, MDB_CURRENT), 0);
        }
        mdb_cursor_close(c);
    }
    assert_int_equal(mdb_txn_commit(mdb), 0);

    read_ = begin_read(f->store);
    assert_int_equal(cardfeed_read_topic(read_, CARDFEED_STR("a"), &topic),
        CARDFEED_CORRUPT);
    assert_int_equal(cardfeed_read_card(read_, id_of("a.md"), &rec),
        CARDFEED_CORRUPT);
    assert_int_equal(cardfeed_read_name(read_, CARDFEED_STR("video"), &n),
        CARDFEED_CORRUPT);
    assert_int_equal(cardfeed_read_stats(read_, &stats), CARDFEED_CORRUPT);
    assert_int_equal(cardfeed_cursor_open(read_, 0, &cursor), 0);
    assert_int_equal(cardfeed_cursor_next(cursor, &row), CARDFEED_CORRUPT);
    cardfeed_cursor_close(cursor);
    cardfeed_read_end(read_);

    assert_int_equal(cardfeed_txn_begin(f->store, NOW, &txn, NULL),
        CARDFEED_CORRUPT);
}


/* Which deaths are two: those of one moment are one, but not that of a process
 * which was begun after the first was noticed. */
static void
test_deaths(void **state)
{
    fixture_t *f = *state;
    uint64_t number = f->store->env->number;
    int64_t at = INT64_C(1700000000000);
    cardfeed_error_t err = {0};

    assert_false(cardfeed_store_death(f->index, number, at, at - 5000));
    assert_false(cardfeed_store_death(f->index, number, at + 500, at - 1));
    assert_true(cardfeed_index_is_current(f->index, f->store));
    assert_false(cardfeed_store_death(f->index, number, at + 90000, at));
    assert_true(cardfeed_store_death(f->index, number, at + 90003,
        at + 90001));
    assert_null(cardfeed_index_current(f->index, &err));

    /* damage and one death are enough */
    cardfeed_store_release(f->store);
    assert_int_equal(cardfeed_index_create(f->index, &f->store, &err), 0);
    assert_int_equal(cardfeed_index_publish(f->index, f->store, &err), 0);
    number = f->store->env->number;
    cardfeed_store_distrust(f->index, number, false);
    assert_true(cardfeed_store_death(f->index, number, at, at - 5000));
    assert_null(cardfeed_index_current(f->index, &err));
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_truncated, setup_fixture,
            teardown),
        cmocka_unit_test_setup_teardown(test_cut_short, setup_fixture,
            teardown),
        cmocka_unit_test_setup_teardown(test_empty, setup_fixture, teardown),
        cmocka_unit_test_setup_teardown(test_gone, setup_fixture, teardown),
        cmocka_unit_test_setup_teardown(test_garbage_pages, setup_fixture,
            teardown),
        cmocka_unit_test_setup_teardown(test_garbage_lock, setup_fixture,
            teardown),
        cmocka_unit_test_setup_teardown(test_unsynced_of_another_boot,
            setup_fixture, teardown),
        cmocka_unit_test_setup_teardown(test_unsynced_of_this_boot,
            setup_fixture, teardown),
        cmocka_unit_test_setup_teardown(test_control_garbage, setup_fixture,
            teardown),
        cmocka_unit_test_setup_teardown(test_control_short, setup_fixture,
            teardown),
        cmocka_unit_test_setup_teardown(test_control_long, setup_fixture,
            teardown),
        cmocka_unit_test_setup_teardown(test_control_names_nothing,
            setup_fixture, teardown),
        cmocka_unit_test_setup_teardown(test_damage_before_publication,
            setup_store, teardown),
        cmocka_unit_test_setup_teardown(test_damage_on_the_way_back,
            setup_store, teardown),
        cmocka_unit_test_setup_teardown(test_damaged_record, setup_store,
            teardown),
        cmocka_unit_test_setup_teardown(test_damaged_rows, setup_store,
            teardown),
        cmocka_unit_test_setup_teardown(test_deaths, setup_store, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
