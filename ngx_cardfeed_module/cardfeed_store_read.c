/*
 * store_read: what the event loop asks of a generation.
 *
 * A read is a renewed transaction: neither memory nor a lock is taken.  What
 * does not add up is reported as damage, once, to the indexer.
 */

#include "cardfeed_store_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct cardfeed_cursor_s {
    cardfeed_read_t *read;
    MDB_cursor *mdb;
    uint32_t topic;
    bool started;
    bool ended;
};


uint64_t
cardfeed_store_generation(const cardfeed_store_t *store)
{
    return store->env->number;
}


uint64_t
cardfeed_store_txnid(const cardfeed_store_t *store)
{
    MDB_envinfo info;

    /* it fails for want of an environment only */
    (void) mdb_env_info(store->env->mdb, &info);

    return info.me_last_txnid;
}


static int
read_fail(cardfeed_read_t *read, int rc, cardfeed_error_t *err)
{
    cardfeed_store_env_t *env = read->store->env;

    rc = cardfeed_store_error(err, rc, "index");
    if (rc == CARDFEED_CORRUPT) {
        cardfeed_store_distrust(env->index, env->number, true);
    }

    return rc;
}


static int
begin(cardfeed_read_t *read)
{
    int dead, rc;
    MDB_env *mdb = read->store->env->mdb;

    if (read->mdb != NULL) {
        return mdb_txn_renew(read->mdb);
    }

    rc = mdb_txn_begin(mdb, NULL, MDB_RDONLY, &read->mdb);
    if (rc == MDB_READERS_FULL) {
        mdb_reader_check(mdb, &dead);
        rc = mdb_txn_begin(mdb, NULL, MDB_RDONLY, &read->mdb);
    }
    if (rc != 0) {
        read->mdb = NULL;
    }

    return rc;
}


int
cardfeed_read_begin(cardfeed_store_t *store, cardfeed_read_t **out,
    cardfeed_error_t *err)
{
    int rc;
    cardfeed_read_t *read = &store->read;

    if (read->active) {
        return cardfeed_error_set(err, CARDFEED_BUSY, 0,
            "a read is open already");
    }

    rc = begin(read);
    if (rc != 0) {
        if (rc == MDB_MAP_RESIZED) {
            atomic_store(&store->env->resized, true);
        }
        return read_fail(read, rc, err);
    }

    read->active = true;
    *out = read;

    return CARDFEED_OK;
}


void
cardfeed_read_end(cardfeed_read_t *read)
{
    mdb_txn_reset(read->mdb);
    read->active = false;
}


uint64_t
cardfeed_read_txnid(cardfeed_read_t *read)
{
    return mdb_txn_id(read->mdb);
}


static int
get(cardfeed_read_t *read, int table, const void *data, size_t size,
    MDB_val *value)
{
    int rc;
    MDB_val key = cardfeed_store_val(data, size);

    rc = mdb_get(read->mdb, read->store->env->dbi[table], &key, value);
    if (rc == MDB_NOTFOUND) {
        return CARDFEED_NOTFOUND;
    }

    return rc == 0 ? CARDFEED_OK : read_fail(read, rc, NULL);
}


/* "all" is always there. */
static int
no_topic(cardfeed_read_t *read, cardfeed_str_t slug)
{
    return cardfeed_str_eq(slug, CARDFEED_STR("all"))
               ? read_fail(read, MDB_CORRUPTED, NULL)
               : CARDFEED_NOTFOUND;
}


static int
show_topic(cardfeed_read_t *read, cardfeed_topic_t *topic, const MDB_val *key,
    const MDB_val *value)
{
    cardfeed_store_topic_row_t row;

    topic->slug.data = key->mv_data;
    topic->slug.len = key->mv_size;
    if (cardfeed_store_topic_open(&row, &topic->name, topic->slug, value)
        != CARDFEED_OK)
    {
        return read_fail(read, MDB_CORRUPTED, NULL);
    }

    topic->id = row.id;
    topic->count = row.count;
    topic->change = row.change;
    topic->changed_at = row.changed_at;

    return CARDFEED_OK;
}


int
cardfeed_read_topic(cardfeed_read_t *read, cardfeed_str_t slug,
    cardfeed_topic_t *topic)
{
    int rc;
    MDB_val key, value;
    MDB_cursor *cursor;

    if (slug.len == 0 || slug.len > CARDFEED_SLUG_MAX) {
        return CARDFEED_NOTFOUND;
    }

    rc = mdb_cursor_open(read->mdb,
        read->store->env->dbi[CARDFEED_TABLE_TOPICS], &cursor);
    if (rc != 0) {
        return read_fail(read, rc, NULL);
    }

    /* a cursor shows the key in the table, which outlives the caller's */
    key = cardfeed_store_val(slug.data, slug.len);
    rc = mdb_cursor_get(cursor, &key, &value, MDB_SET_KEY);
    mdb_cursor_close(cursor);

    if (rc != 0) {
        return rc == MDB_NOTFOUND ? no_topic(read, slug)
                                  : read_fail(read, rc, NULL);
    }

    return show_topic(read, topic, &key, &value);
}


int
cardfeed_read_change(cardfeed_read_t *read, cardfeed_str_t slug,
    uint64_t *change)
{
    int rc;
    MDB_val key, value;
    cardfeed_topic_t topic;

    if (slug.len == 0 || slug.len > CARDFEED_SLUG_MAX) {
        return CARDFEED_NOTFOUND;
    }

    rc = get(read, CARDFEED_TABLE_TOPICS, slug.data, slug.len, &value);

    if (rc == CARDFEED_NOTFOUND) {
        return no_topic(read, slug);
    }
    if (rc != CARDFEED_OK) {
        return rc;
    }

    key = cardfeed_store_val(slug.data, slug.len);
    rc = show_topic(read, &topic, &key, &value);
    if (rc == CARDFEED_OK) {
        *change = topic.change;
    }

    return rc;
}


int
cardfeed_read_topics(cardfeed_read_t *read, cardfeed_str_t from,
    int (*fn)(void *data, const cardfeed_topic_t *topic), void *data)
{
    int rc;
    MDB_val key, value;
    MDB_cursor *cursor;
    cardfeed_topic_t topic;

    if (from.len > CARDFEED_SLUG_MAX + 1) {
        from.len = CARDFEED_SLUG_MAX + 1; /* longer than any slug */
    }

    rc = mdb_cursor_open(read->mdb,
        read->store->env->dbi[CARDFEED_TABLE_TOPICS], &cursor);
    if (rc != 0) {
        return read_fail(read, rc, NULL);
    }

    key = cardfeed_store_val(from.data, from.len);
    rc = mdb_cursor_get(cursor, &key, &value,
        from.len == 0 ? MDB_FIRST : MDB_SET_RANGE);

    while (rc == 0) {
        rc = show_topic(read, &topic, &key, &value);
        if (rc == CARDFEED_OK && topic.id != 0) {
            rc = fn(data, &topic);
        }
        if (rc != 0) {
            mdb_cursor_close(cursor);
            return rc;
        }
        rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }

    mdb_cursor_close(cursor);

    return rc == MDB_NOTFOUND ? CARDFEED_OK : read_fail(read, rc, NULL);
}


int
cardfeed_cursor_open(cardfeed_read_t *read, uint32_t topic,
    cardfeed_cursor_t **out)
{
    int rc;
    cardfeed_cursor_t *cursor;

    cursor = calloc(1, sizeof(*cursor));
    if (cursor == NULL) {
        return CARDFEED_NOMEM;
    }

    cursor->read = read;
    cursor->topic = topic;

    rc = mdb_cursor_open(read->mdb,
        read->store->env->dbi[CARDFEED_TABLE_BY_TOPIC], &cursor->mdb);
    if (rc != 0) {
        free(cursor);
        return read_fail(read, rc, NULL);
    }

    *out = cursor;
    return CARDFEED_OK;
}


void
cardfeed_cursor_close(cardfeed_cursor_t *cursor)
{
    if (cursor != NULL) {
        mdb_cursor_close(cursor->mdb);
        free(cursor);
    }
}


/* What the cursor stands on, if that is a row of its topic. */
static int
show_row(cardfeed_cursor_t *cursor, int rc, const MDB_val *key,
    const MDB_val *value, cardfeed_row_t *row)
{
    const unsigned char *data = key->mv_data;

    /* also of the row behind the last: it may have been this topic's */
    if (rc == 0
        && (key->mv_size != CARDFEED_STORE_ORDER_KEY
            || !cardfeed_store_row_open(row, data, value)))
    {
        rc = MDB_CORRUPTED;
    }
    if (rc == 0 && cardfeed_store_get_be32(data) != cursor->topic) {
        rc = MDB_NOTFOUND;
    }
    if (rc != 0) {
        cursor->ended = true;
        return rc == MDB_NOTFOUND ? CARDFEED_NOTFOUND
                                  : read_fail(cursor->read, rc, NULL);
    }

    row->published = cardfeed_store_order_time(data);
    row->id = cardfeed_store_get_be64(data + 12);

    return CARDFEED_OK;
}


/* exact: a row at that very position will do. */
static int
seek(cardfeed_cursor_t *cursor, int64_t published, uint64_t id, bool exact,
    cardfeed_row_t *row)
{
    int rc;
    MDB_val key, value;
    unsigned char data[CARDFEED_STORE_ORDER_KEY];

    cursor->started = true;
    cursor->ended = false;

    cardfeed_store_order_key(data, cursor->topic, published, id);
    key = cardfeed_store_val(data, sizeof(data));

    rc = mdb_cursor_get(cursor->mdb, &key, &value, MDB_SET_RANGE);
    if (rc == 0 && !exact && key.mv_size == sizeof(data)
        && memcmp(key.mv_data, data, sizeof(data)) == 0)
    {
        rc = mdb_cursor_get(cursor->mdb, &key, &value, MDB_NEXT);
    }

    return show_row(cursor, rc, &key, &value, row);
}


int
cardfeed_cursor_seek(cardfeed_cursor_t *cursor, int64_t published,
    uint64_t id, cardfeed_row_t *row)
{
    return seek(cursor, published, id, false, row);
}


int
cardfeed_cursor_reach(cardfeed_cursor_t *cursor, int64_t published,
    uint64_t id, cardfeed_row_t *row)
{
    return seek(cursor, published, id, true, row);
}


int
cardfeed_cursor_next(cardfeed_cursor_t *cursor, cardfeed_row_t *row)
{
    int rc;
    MDB_val key, value;
    unsigned char data[CARDFEED_STORE_ORDER_KEY] = {0};

    if (cursor->ended) {
        return CARDFEED_NOTFOUND;
    }

    if (cursor->started) {
        rc = mdb_cursor_get(cursor->mdb, &key, &value, MDB_NEXT);
    } else {
        cursor->started = true;
        cardfeed_store_be32(data, cursor->topic);
        key = cardfeed_store_val(data, sizeof(data));
        rc = mdb_cursor_get(cursor->mdb, &key, &value, MDB_SET_RANGE);
    }

    return show_row(cursor, rc, &key, &value, row);
}


int
cardfeed_read_card(cardfeed_read_t *read, uint64_t id, cardfeed_record_t *rec)
{
    int rc;
    MDB_val value;
    unsigned char key[8];
    cardfeed_store_card_t card;

    cardfeed_store_be64(key, id);
    rc = get(read, CARDFEED_TABLE_CARDS, key, sizeof(key), &value);
    if (rc == CARDFEED_NOTFOUND) {
        return read_fail(read, MDB_CORRUPTED, NULL);
    }
    if (rc != CARDFEED_OK) {
        return rc;
    }

    if (cardfeed_store_card_open(&card, id, &value) != CARDFEED_OK) {
        return read_fail(read, MDB_CORRUPTED, NULL);
    }

    *rec = card.record;
    return CARDFEED_OK;
}


int
cardfeed_read_name(cardfeed_read_t *read, cardfeed_str_t name,
    uint32_t *number)
{
    int rc;
    MDB_val value;
    cardfeed_store_key_t key;

    if (name.len == 0) {
        return CARDFEED_NOTFOUND;
    }

    cardfeed_store_text_key(&key, name, true);
    rc = get(read, CARDFEED_TABLE_NAMES, key.data, key.len, &value);
    if (rc != CARDFEED_OK) {
        return rc;
    }

    if (value.mv_size != sizeof(*number)) {
        return read_fail(read, MDB_CORRUPTED, NULL);
    }

    memcpy(number, value.mv_data, sizeof(*number));
    return CARDFEED_OK;
}


int64_t
cardfeed_read_next_due(cardfeed_read_t *read)
{
    int rc;
    int64_t due = CARDFEED_NO_TIME;
    MDB_val key, value;
    MDB_cursor *cursor;

    rc = mdb_cursor_open(read->mdb,
        read->store->env->dbi[CARDFEED_TABLE_SCHEDULED], &cursor);
    if (rc != 0) {
        return CARDFEED_NO_TIME;
    }

    rc = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
    if (rc == 0 && key.mv_size == CARDFEED_STORE_DUE_KEY) {
        due = cardfeed_store_due_of(key.mv_data);
    } else if (rc != MDB_NOTFOUND) {
        read_fail(read, rc == 0 ? MDB_CORRUPTED : rc, NULL);
    }
    mdb_cursor_close(cursor);

    return due;
}
