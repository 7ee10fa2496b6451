/*
 * store_stats: how many of what; counted as it happens, never by counting.
 */

#include "cardfeed_store_private.h"

#include <string.h>


static int
entries(MDB_txn *txn, const cardfeed_store_env_t *env, int table,
    uint64_t *out)
{
    int rc;
    MDB_stat stat;

    rc = mdb_stat(txn, env->dbi[table], &stat);
    *out = rc == 0 ? stat.ms_entries : 0;

    return rc;
}


static int
gather(MDB_txn *txn, const cardfeed_store_env_t *env,
    const cardfeed_store_counters_t *counters, cardfeed_stats_t *stats)
{
    int rc;

    stats->visible = counters->states[CARDFEED_STATE_VISIBLE];
    stats->hidden = counters->states[CARDFEED_STATE_HIDDEN];
    stats->undated = counters->states[CARDFEED_STATE_UNDATED];
    stats->waiting = counters->states[CARDFEED_STATE_WAITING];
    stats->notcards = counters->notcards;

    rc = entries(txn, env, CARDFEED_TABLE_PATHS, &stats->files);
    if (rc == 0) {
        rc = entries(txn, env, CARDFEED_TABLE_CARDS, &stats->cards);
    }
    if (rc == 0) {
        rc = entries(txn, env, CARDFEED_TABLE_REJECTED, &stats->rejected);
    }
    if (rc == 0) {
        rc = entries(txn, env, CARDFEED_TABLE_TOPICS, &stats->topics);
    }

    if (stats->topics > 0) {
        stats->topics--; /* all */
    }

    return rc;
}


int
cardfeed_read_stats(cardfeed_read_t *read, cardfeed_stats_t *stats)
{
    int rc;
    MDB_val value, key = cardfeed_store_val("counters", 8);
    cardfeed_store_counters_t counters;
    const cardfeed_store_env_t *env = read->store->env;

    rc = mdb_get(read->mdb, env->dbi[CARDFEED_TABLE_META], &key, &value);
    if (rc == 0 && value.mv_size != sizeof(counters)) {
        rc = MDB_CORRUPTED;
    }
    if (rc == 0) {
        memcpy(&counters, value.mv_data, sizeof(counters));
        rc = gather(read->mdb, env, &counters, stats);
    }

    return rc == 0 ? CARDFEED_OK : cardfeed_store_error(NULL, rc, "stats");
}


int
cardfeed_txn_stats(cardfeed_txn_t *txn, cardfeed_stats_t *stats)
{
    int rc;

    if (txn->failed.code != CARDFEED_OK) {
        return txn->failed.code;
    }

    rc = gather(txn->mdb, txn->env, &txn->counters, stats);
    if (rc != 0) {
        return cardfeed_store_txn_fail(txn, rc, "stats");
    }

    stats->topics += cardfeed_store_topics_pending(txn);

    return CARDFEED_OK;
}
