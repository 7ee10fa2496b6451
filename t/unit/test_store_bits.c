/* test_store_bits: no bit of a card, a row or a topic that is served can be
 * another one without being noticed. */

#include "store_fixture.h"

typedef struct {
    size_t key_len;
    size_t len; /* of both */
    unsigned char bytes[1024];
} entry_t;


/* What "all" and its rows say now, as one code. */
static int
read_all(fixture_t *f)
{
    int rc;
    cardfeed_topic_t topic;
    cardfeed_row_t row;
    cardfeed_record_t rec;
    cardfeed_cursor_t *cursor;
    cardfeed_read_t *read_ = begin_read(f->store);

    rc = cardfeed_read_topic(read_, CARDFEED_STR("all"), &topic);
    if (rc == CARDFEED_OK) {
        assert_int_equal(cardfeed_cursor_open(read_, 0, &cursor), 0);
        do {
            rc = cardfeed_cursor_next(cursor, &row);
            if (rc == CARDFEED_OK) {
                rc = cardfeed_read_card(read_, row.id, &rec);
            }
        } while (rc == CARDFEED_OK);
        cardfeed_cursor_close(cursor);
        rc = rc == CARDFEED_NOTFOUND ? CARDFEED_OK : rc;
    }
    cardfeed_read_end(read_);

    return rc;
}


static void
get_entry(fixture_t *f, int table, entry_t *entry)
{
    MDB_txn *mdb;
    MDB_val key, value;
    MDB_cursor *c;

    assert_int_equal(mdb_txn_begin(f->store->env->mdb, NULL, MDB_RDONLY,
        &mdb), 0);
    assert_int_equal(mdb_cursor_open(mdb, f->store->env->dbi[table], &c), 0);
    assert_int_equal(mdb_cursor_get(c, &key, &value, MDB_FIRST), 0);
    entry->key_len = key.mv_size;
    entry->len = key.mv_size + value.mv_size;
    assert_true(entry->len <= sizeof(entry->bytes));
    memcpy(entry->bytes, key.mv_data, key.mv_size);
    memcpy(entry->bytes + key.mv_size, value.mv_data, value.mv_size);
    mdb_cursor_close(c);
    mdb_txn_abort(mdb);
}


static void
replace(fixture_t *f, int table, entry_t *old, entry_t *new)
{
    MDB_txn *mdb;
    MDB_dbi dbi = f->store->env->dbi[table];
    MDB_val key = cardfeed_store_val(old->bytes, old->key_len);
    MDB_val value = cardfeed_store_val(new->bytes + new->key_len,
        new->len - new->key_len);

    assert_int_equal(mdb_txn_begin(f->store->env->mdb, NULL, 0, &mdb), 0);
    assert_int_equal(mdb_del(mdb, dbi, &key, NULL), 0);
    key.mv_data = new->bytes;
    assert_int_equal(mdb_put(mdb, dbi, &key, &value, 0), 0);
    assert_int_equal(mdb_txn_commit(mdb), 0);
}


/* Of a table's first entry, from the byte at first on. */
static void
flip_all(fixture_t *f, int table, size_t first)
{
    size_t i;
    unsigned bit;
    entry_t sound, flipped;

    get_entry(f, table, &sound);
    assert_int_equal(read_all(f), CARDFEED_OK);

    for (i = first; i < sound.len; i++) {
        for (bit = 1; bit < 256; bit <<= 1) {
            flipped = sound;
            flipped.bytes[i] ^= (unsigned char) bit;
            replace(f, table, &sound, &flipped);
            if (read_all(f) != CARDFEED_CORRUPT) {
                fail_msg("table %d, byte %zu, bit %u", table, i, bit);
            }
            replace(f, table, &flipped, &sound);
        }
    }

    assert_int_equal(read_all(f), CARDFEED_OK);
}


static void
setup_card(fixture_t *f)
{
    cardfeed_txn_t *txn = begin_at(f, NOW);

    put(txn, "a.md", &(spec_t){.topics = "Topic", .type = "video"});
    commit(txn);
}


static void
test_card(void **state)
{
    setup_card(*state);
    flip_all(*state, CARDFEED_TABLE_CARDS, 0);
}


/* Of "all", which comes before "topic"; a slug that is another one is not
 * known. */
static void
test_topic(void **state)
{
    setup_card(*state);
    flip_all(*state, CARDFEED_TABLE_TOPICS, strlen("all"));
}


/* Of "all", whose rows come first; one of another topic's number is met by
 * nobody, or by that topic. */
static void
test_row(void **state)
{
    setup_card(*state);
    flip_all(*state, CARDFEED_TABLE_BY_TOPIC, 4);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_card, setup_store, teardown),
        cmocka_unit_test_setup_teardown(test_topic, setup_store, teardown),
        cmocka_unit_test_setup_teardown(test_row, setup_store, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
