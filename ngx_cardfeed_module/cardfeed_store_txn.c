/*
 * store_txn: begin, commit and abort, the first contents of a generation,
 * and the calls every write goes through.
 */

#include "cardfeed_store_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define VALUE_MAX ((size_t) 256 << 20)
#define ARENA_MAX ((size_t) 256 << 20)


int
cardfeed_store_txn_fail(cardfeed_txn_t *txn, int rc, const char *what)
{
    if (txn->failed.code == CARDFEED_OK) {
        cardfeed_store_error(&txn->failed, rc, what);
        if (txn->failed.code == CARDFEED_CORRUPT) {
            cardfeed_store_distrust(txn->env->index, txn->env->number, false);
        }
    }

    return txn->failed.code;
}


int
cardfeed_store_txn_corrupt(cardfeed_txn_t *txn, const char *what)
{
    return cardfeed_store_txn_fail(txn, MDB_CORRUPTED, what);
}


int
cardfeed_store_get(cardfeed_txn_t *txn, int table, MDB_val key,
    MDB_val *value)
{
    int rc;

    if (txn->failed.code != CARDFEED_OK) {
        return txn->failed.code;
    }

    rc = mdb_get(txn->mdb, txn->env->dbi[table], &key, value);
    if (rc == MDB_NOTFOUND) {
        return CARDFEED_NOTFOUND;
    }

    return rc == 0 ? CARDFEED_OK : cardfeed_store_txn_fail(txn, rc, "read");
}


int
cardfeed_store_put(cardfeed_txn_t *txn, int table, MDB_val key,
    MDB_val value)
{
    int rc;

    if (txn->failed.code != CARDFEED_OK) {
        return txn->failed.code;
    }

    rc = mdb_put(txn->mdb, txn->env->dbi[table], &key, &value, 0);
    txn->dirty = true;
    txn->writes++;

    return rc == 0 ? CARDFEED_OK : cardfeed_store_txn_fail(txn, rc, "write");
}


int
cardfeed_store_del(cardfeed_txn_t *txn, int table, MDB_val key)
{
    int rc;

    if (txn->failed.code != CARDFEED_OK) {
        return txn->failed.code;
    }

    rc = mdb_del(txn->mdb, txn->env->dbi[table], &key, NULL);
    if (rc == MDB_NOTFOUND) {
        return CARDFEED_NOTFOUND;
    }
    txn->dirty = true;
    txn->writes++;

    return rc == 0 ? CARDFEED_OK : cardfeed_store_txn_fail(txn, rc, "write");
}


uint64_t
cardfeed_store_entries(cardfeed_txn_t *txn, int table)
{
    MDB_stat stat;

    if (mdb_stat(txn->mdb, txn->env->dbi[table], &stat) != 0) {
        return 0;
    }

    return stat.ms_entries;
}


static int
put_raw(MDB_txn *mdb, MDB_dbi dbi, const char *name, const void *data,
    size_t size)
{
    MDB_val key = cardfeed_store_val(name, strlen(name));
    MDB_val value = cardfeed_store_val(data, size);

    return mdb_put(mdb, dbi, &key, &value, 0);
}


/* A topic of the generation before, without its cards: if it had any, that is
 * a change of its feed.  Whether they come back is not known yet. */
static int
inherit_topic(MDB_txn *mdb, MDB_dbi dbi, MDB_val *key, const MDB_val *old,
    int64_t now, cardfeed_store_counters_t *counters)
{
    MDB_val value;
    cardfeed_str_t name, slug = {.data = key->mv_data, .len = key->mv_size};
    cardfeed_store_topic_row_t row;
    int rc;
    bool all = key->mv_size == 3 && memcmp(key->mv_data, "all", 3) == 0;

    if (cardfeed_store_topic_open(&row, &name, slug, old) != CARDFEED_OK
        || key->mv_size > CARDFEED_SLUG_MAX)
    {
        return MDB_CORRUPTED;
    }

    if (all || row.count != 0) {
        row.change++;
        row.changed_at = now > row.changed_at ? now : row.changed_at + 1;
    }

    row.id = all ? 0 : ++counters->topics;
    row.count = 0;
    row.name_count = 0;
    if (counters->change < row.change) {
        counters->change = row.change;
    }
    cardfeed_store_topic_seal(&row, name, slug);

    value.mv_size = old->mv_size;
    value.mv_data = NULL;
    rc = mdb_put(mdb, dbi, key, &value, MDB_RESERVE);
    if (rc == 0) {
        memcpy(value.mv_data, &row, sizeof(row));
        memcpy((char *) value.mv_data + sizeof(row), name.data, name.len);
    }

    return rc;
}


/* Only a failure to write counts: what cannot be read is done without. */
static int
inherit(MDB_txn *mdb, cardfeed_store_env_t *env, cardfeed_store_env_t *before,
    cardfeed_store_counters_t *counters)
{
    int rc;
    MDB_txn *old;
    MDB_val key, value;
    MDB_cursor *cursor;
    int64_t now = cardfeed_store_clock_ms(CLOCK_REALTIME) / 1000;

    if (mdb_txn_begin(before->mdb, NULL, MDB_RDONLY, &old) != 0) {
        return 0;
    }
    if (mdb_cursor_open(old, before->dbi[CARDFEED_TABLE_TOPICS], &cursor)
        != 0)
    {
        mdb_txn_abort(old);
        return 0;
    }

    rc = 0;
    while (rc == 0
           && mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0)
    {
        rc = inherit_topic(mdb, env->dbi[CARDFEED_TABLE_TOPICS], &key, &value,
            now, counters);
        if (rc == MDB_CORRUPTED) {
            rc = 0; /* this one is done without */
        }
    }

    mdb_cursor_close(cursor);
    mdb_txn_abort(old);

    return rc;
}


static int
put_about(MDB_txn *mdb, cardfeed_store_env_t *env)
{
    int rc;
    char *value;
    cardfeed_str_t dir = cardfeed_str_of(env->index->c->dir);
    cardfeed_store_about_t about = {
        .checksum = env->index->checksum,
        .format = CARDFEED_STORE_NAME_FORMAT,
        .dir_len = (uint32_t) dir.len,
    };

    value = malloc(sizeof(about) + dir.len);
    if (value == NULL) {
        return ENOMEM;
    }

    memcpy(value, &about, sizeof(about));
    memcpy(value + sizeof(about), dir.data, dir.len);
    rc = put_raw(mdb, env->dbi[CARDFEED_TABLE_META], "about", value,
        sizeof(about) + dir.len);
    free(value);

    return rc;
}


int
cardfeed_store_initialise(cardfeed_store_env_t *env,
    cardfeed_store_env_t *before, cardfeed_error_t *err)
{
    int rc;
    MDB_txn *mdb;
    cardfeed_store_counters_t counters = {0};
    struct {
        cardfeed_store_topic_row_t row;
        char name[8];
    } all = {.name = "All"};

    rc = mdb_txn_begin(env->mdb, NULL, 0, &mdb);
    if (rc != 0) {
        return cardfeed_store_error(err, rc, "new index");
    }

    cardfeed_store_topic_seal(&all.row, CARDFEED_STR("All"),
        CARDFEED_STR("all"));

    rc = put_about(mdb, env);
    if (rc == 0) {
        rc = put_raw(mdb, env->dbi[CARDFEED_TABLE_TOPICS], "all", &all,
            sizeof(all.row) + all.row.name_len);
    }
    if (rc == 0 && before != NULL) {
        rc = inherit(mdb, env, before, &counters);
    }
    if (rc == 0) {
        rc = put_raw(mdb, env->dbi[CARDFEED_TABLE_META], "counters",
            &counters, sizeof(counters));
    }

    if (rc == 0) {
        rc = mdb_txn_commit(mdb);
    } else {
        mdb_txn_abort(mdb);
    }

    return rc == 0 ? CARDFEED_OK : cardfeed_store_error(err, rc, "new index");
}


static void
txn_free(cardfeed_txn_t *txn)
{
    if (txn->mdb != NULL) {
        mdb_txn_abort(txn->mdb);
    }
    txn->store->writing = false;
    cardfeed_store_topics_destroy(txn->topics);
    cardfeed_buf_free(&txn->card);
    cardfeed_buf_free(&txn->scratch);
    cardfeed_arena_free(&txn->arena);
    free(txn);
}


static int
load_counters(cardfeed_txn_t *txn)
{
    int rc;
    MDB_val value;

    rc = cardfeed_store_get(txn, CARDFEED_TABLE_META,
        cardfeed_store_val("counters", 8), &value);

    if (rc == CARDFEED_NOTFOUND
        || (rc == CARDFEED_OK && value.mv_size != sizeof(txn->counters)))
    {
        return cardfeed_store_txn_corrupt(txn, "counters");
    }
    if (rc == CARDFEED_OK) {
        memcpy(&txn->counters, value.mv_data, sizeof(txn->counters));
    }

    return rc;
}


int
cardfeed_txn_begin(cardfeed_store_t *store, int64_t now, cardfeed_txn_t **out,
    cardfeed_error_t *err)
{
    int rc;
    cardfeed_txn_t *txn;

    if (store->writing || !store->index->writer) {
        return cardfeed_error_set(err, CARDFEED_BUSY, 0,
            "a write transaction is open, or this process only reads");
    }

    txn = calloc(1, sizeof(*txn));
    if (txn == NULL) {
        return cardfeed_store_error(err, ENOMEM, "transaction");
    }

    txn->store = store;
    txn->env = store->env;
    txn->now = now;
    cardfeed_buf_init(&txn->card, VALUE_MAX);
    cardfeed_buf_init(&txn->scratch, VALUE_MAX);
    cardfeed_arena_init(&txn->arena, ARENA_MAX);
    store->writing = true;

    txn->topics = cardfeed_store_topics_create();
    if (txn->topics == NULL) {
        cardfeed_store_txn_fail(txn, ENOMEM, "transaction");
        goto failed;
    }

    rc = mdb_txn_begin(store->env->mdb, NULL, 0, &txn->mdb);
    if (rc != 0) {
        txn->mdb = NULL;
        cardfeed_store_txn_fail(txn, rc, "transaction");
        goto failed;
    }

    if (load_counters(txn) != CARDFEED_OK) {
        goto failed;
    }

    *out = txn;
    return CARDFEED_OK;

failed:

    rc = txn->failed.code;
    if (err != NULL) {
        *err = txn->failed;
    }
    txn_free(txn);
    return rc;
}


/* LMDB does not write a last page that was freed again; readers measure the
 * file against the last page. */
static void
lengthen(cardfeed_store_env_t *env)
{
    int fd;
    MDB_envinfo info;
    MDB_stat stat;
    struct stat st;
    off_t need;

    if (mdb_env_get_fd(env->mdb, &fd) != 0
        || mdb_env_info(env->mdb, &info) != 0
        || mdb_env_stat(env->mdb, &stat) != 0 || fstat(fd, &st) == -1)
    {
        return;
    }

    need = (off_t) (info.me_last_pgno + 1) * (off_t) stat.ms_psize;
    if (st.st_size < need && ftruncate(fd, need) == -1) {
        cardfeed_store_distrust(env->index, env->number, false);
    }
}


int
cardfeed_txn_commit(cardfeed_txn_t *txn, cardfeed_error_t *err)
{
    int rc;
    cardfeed_store_env_t *env = txn->env;

    rc = cardfeed_store_topics_flush(txn);

    if (rc == CARDFEED_OK && txn->dirty) {
        rc = cardfeed_store_put(txn, CARDFEED_TABLE_META,
            cardfeed_store_val("counters", 8),
            cardfeed_store_val(&txn->counters, sizeof(txn->counters)));
    }

    if (rc == CARDFEED_OK && txn->dirty) {
        rc = mdb_txn_commit(txn->mdb);
        txn->mdb = NULL;
        if (rc != 0) {
            rc = cardfeed_store_txn_fail(txn, rc, "commit");
        }
    }

    if (rc == CARDFEED_OK && txn->dirty) {
        lengthen(env);
        if (!env->unsynced) {
            env->unsynced = true;
            if (cardfeed_store_mark_set(env, NULL) != CARDFEED_OK) {
                /* no room for the mark: then nothing may be unsynced */
                rc = cardfeed_store_sync(txn->store, &txn->failed);
            }
        }
    }

    if (rc != CARDFEED_OK && err != NULL) {
        *err = txn->failed;
    }

    txn_free(txn);
    return rc;
}


void
cardfeed_txn_abort(cardfeed_txn_t *txn)
{
    txn_free(txn);
}


bool
cardfeed_txn_dirty(const cardfeed_txn_t *txn)
{
    return txn->dirty;
}


size_t
cardfeed_txn_writes(const cardfeed_txn_t *txn)
{
    return txn->writes;
}
