/*
 * store_put: brings the index to what a file holds now.
 */

#include "cardfeed_store_private.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>


static bool
same_signature(const cardfeed_store_entry_t *entry)
{
    return entry->known
           && memcmp(&entry->row, &entry->stored,
                     offsetof(cardfeed_store_path_row_t, id)) == 0;
}


/* --- what the file was before -------------------------------------------- */

static int
drop_card(cardfeed_txn_t *txn, cardfeed_store_entry_t *entry)
{
    int rc;
    uint64_t id = entry->row.id;

    if (!(entry->row.flags & CARDFEED_PATH_CARD)) {
        return CARDFEED_OK;
    }

    entry->row.flags &= ~(uint32_t) CARDFEED_PATH_CARD;
    entry->row.id = 0;

    rc = cardfeed_store_card_delete(txn, id);

    return rc == CARDFEED_OK ? cardfeed_store_settle(txn, id) : rc;
}


static int
drop_rejection(cardfeed_txn_t *txn, cardfeed_store_entry_t *entry)
{
    int rc;

    if (!(entry->row.flags & CARDFEED_PATH_REJECTED)) {
        return CARDFEED_OK;
    }

    entry->row.flags &= ~(uint32_t) CARDFEED_PATH_REJECTED;
    rc = cardfeed_store_del(txn, CARDFEED_TABLE_REJECTED,
        cardfeed_store_key_val(&entry->key));

    return rc == CARDFEED_NOTFOUND
               ? cardfeed_store_txn_corrupt(txn, "rejected") : rc;
}


static int
set_notcard(cardfeed_txn_t *txn, cardfeed_store_entry_t *entry, bool notcard)
{
    bool was = entry->row.flags & CARDFEED_PATH_NOTCARD;

    if (was == notcard) {
        return CARDFEED_OK;
    }

    entry->row.flags ^= CARDFEED_PATH_NOTCARD;
    if (notcard) {
        txn->counters.notcards++;
    } else if (txn->counters.notcards-- == 0) {
        return cardfeed_store_txn_corrupt(txn, "counters");
    }

    return CARDFEED_OK;
}


/* Notes a rejection; *same: it is what was noted already. */
static int
reject(cardfeed_txn_t *txn, cardfeed_store_entry_t *entry,
    const cardfeed_store_reject_row_t *row, cardfeed_str_t reason, bool *same)
{
    int rc;
    MDB_val old, key = cardfeed_store_key_val(&entry->key);

    *same = false;
    entry->row.flags |= CARDFEED_PATH_REJECTED;

    rc = cardfeed_store_get(txn, CARDFEED_TABLE_REJECTED, key, &old);
    if (rc != CARDFEED_OK && rc != CARDFEED_NOTFOUND) {
        return rc;
    }

    cardfeed_buf_reset(&txn->scratch);
    cardfeed_buf_append(&txn->scratch, row, sizeof(*row));
    if (cardfeed_buf_str(&txn->scratch, reason) != CARDFEED_OK) {
        return cardfeed_store_txn_fail(txn, ENOMEM, "rejected");
    }

    if (rc == CARDFEED_OK && old.mv_size == txn->scratch.len
        && memcmp(old.mv_data, txn->scratch.data, old.mv_size) == 0)
    {
        *same = true;
        return CARDFEED_OK;
    }

    return cardfeed_store_put(txn, CARDFEED_TABLE_REJECTED, key,
        cardfeed_store_val(txn->scratch.data, txn->scratch.len));
}


/* Nothing of what the file was stays. */
static int
leave(cardfeed_txn_t *txn, cardfeed_store_entry_t *entry, bool notcard)
{
    int rc;

    rc = drop_rejection(txn, entry);
    if (rc == CARDFEED_OK) {
        rc = drop_card(txn, entry);
    }
    if (rc == CARDFEED_OK) {
        rc = cardfeed_store_lose_no_more(txn, entry);
    }
    if (rc == CARDFEED_OK) {
        rc = set_notcard(txn, entry, notcard);
    }

    return rc;
}


/* --- what it holds now --------------------------------------------------- */

static int
put_notcard(cardfeed_txn_t *txn, cardfeed_store_entry_t *entry,
    const cardfeed_file_t *file,
    bool *news, cardfeed_error_t *err)
{
    (void) file;
    (void) news;
    (void) err;

    return leave(txn, entry, true);
}


static int
put_rejected(cardfeed_txn_t *txn, cardfeed_store_entry_t *entry,
    const cardfeed_file_t *file,
    bool *news, cardfeed_error_t *err)
{
    int rc;
    bool same;
    cardfeed_store_reject_row_t row = {
        .line = file->line,
        .kind = CARDFEED_REJECT_REASON,
    };

    (void) err;

    rc = cardfeed_store_lose_no_more(txn, entry);
    if (rc == CARDFEED_OK) {
        rc = set_notcard(txn, entry, false);
    }
    if (rc == CARDFEED_OK) {
        rc = reject(txn, entry, &row, file->reason, &same);
    }
    if (rc == CARDFEED_OK) {
        *news = !same || !same_signature(entry);
    }

    return rc;
}


/* Another path has the identity and keeps it. */
static int
put_loser(cardfeed_txn_t *txn, cardfeed_store_entry_t *entry,
    const cardfeed_file_t *file,
    const cardfeed_store_card_t *holder, bool collides, bool *news,
    cardfeed_error_t *err)
{
    int rc = CARDFEED_OK;
    bool same;
    cardfeed_store_reject_row_t row = {
        .id = holder->id,
        .line = file->identity_line,
        .kind = collides ? CARDFEED_REJECT_COLLIDES : CARDFEED_REJECT_TAKEN,
    };

    /* the holder is in txn->card, which is used no more for a while */
    cardfeed_error_set(err, CARDFEED_INVALID, file->identity_line,
        collides ? "its identity collides with that of \"%.*s\""
                 : "has the identity of \"%.*s\"",
        (int) holder->path.len, holder->path.data);

    if (!(entry->row.flags & CARDFEED_PATH_LOSER)
        || entry->row.rival != row.id)
    {
        rc = cardfeed_store_lose_no_more(txn, entry);
        if (rc == CARDFEED_OK) {
            rc = cardfeed_store_lose(txn, entry, row.id);
        }
    }
    if (rc == CARDFEED_OK) {
        rc = set_notcard(txn, entry, false);
    }
    if (rc == CARDFEED_OK) {
        rc = reject(txn, entry, &row, CARDFEED_NO_STR, &same);
    }
    if (rc == CARDFEED_OK) {
        *news = !same || !same_signature(entry);
        rc = CARDFEED_INVALID;
    }

    return rc;
}


/* A lower path takes the identity over: the holder's card goes, and unless
 * its file is rejected for something else, the holder is a loser now. */
static int
evict(cardfeed_txn_t *txn, const cardfeed_store_card_t *holder, bool collides)
{
    int rc;
    bool same;
    cardfeed_store_entry_t entry;
    cardfeed_str_t path;
    cardfeed_store_reject_row_t row = {
        .id = holder->id,
        .kind = collides ? CARDFEED_REJECT_COLLIDES : CARDFEED_REJECT_TAKEN,
    };

    path = cardfeed_arena_dup(&txn->arena, holder->path);
    if (path.data == NULL) {
        return cardfeed_store_txn_fail(txn, ENOMEM, "path");
    }

    rc = cardfeed_store_card_detach(txn, holder);
    if (rc == CARDFEED_OK) {
        rc = cardfeed_store_entry_get(txn, &entry, path);
    }
    if (rc == CARDFEED_NOTFOUND || rc == CARDFEED_INVALID
        || (rc == CARDFEED_OK && (!(entry.row.flags & CARDFEED_PATH_CARD)
                                  || entry.row.id != row.id)))
    {
        return cardfeed_store_txn_corrupt(txn, "path");
    }
    if (rc != CARDFEED_OK) {
        return rc;
    }

    entry.row.flags &= ~(uint32_t) CARDFEED_PATH_CARD;
    entry.row.id = 0;

    if (!(entry.row.flags & CARDFEED_PATH_REJECTED)) {
        rc = cardfeed_store_lose(txn, &entry, row.id);
        if (rc == CARDFEED_OK) {
            rc = reject(txn, &entry, &row, CARDFEED_NO_STR, &same);
        }
        if (rc == CARDFEED_OK) {
            rc = cardfeed_store_queue(txn, path);
        }
    }

    return rc == CARDFEED_OK ? cardfeed_store_entry_put(txn, &entry) : rc;
}


static bool
good_topics(const cardfeed_record_t *rec)
{
    uint32_t i;
    cardfeed_str_t slug;

    for (i = 0; i < rec->ntopics; i++) {
        slug = cardfeed_record_topic(rec, i).slug;
        if (slug.len == 0 || slug.len > CARDFEED_SLUG_MAX
            || cardfeed_str_eq(slug, CARDFEED_STR("all")))
        {
            return false;
        }
    }

    return true;
}


/* The identity is this path's: the card goes where the old one was. */
static int
put_holder(cardfeed_txn_t *txn, cardfeed_store_entry_t *entry,
    const cardfeed_file_t *file,
    const cardfeed_record_t *rec, const cardfeed_store_card_t *old)
{
    int rc;

    rc = drop_rejection(txn, entry);
    if (rc == CARDFEED_OK) {
        rc = set_notcard(txn, entry, false);
    }

    if (rc == CARDFEED_OK && old != NULL) {
        if (!(entry->row.flags & CARDFEED_PATH_CARD)
            || entry->row.id != rec->id)
        {
            return cardfeed_store_txn_corrupt(txn, "path");
        }
        if (cardfeed_str_eq(old->bytes, file->record)) {
            return cardfeed_store_lose_no_more(txn, entry);
        }
        rc = cardfeed_store_card_detach(txn, old);
    }
    if (rc == CARDFEED_OK) {
        rc = cardfeed_store_card_attach(txn, entry->path, file->record, rec);
    }

    /* Only now: an identity given up for this one may come free. */
    if (rc == CARDFEED_OK && old == NULL) {
        rc = drop_card(txn, entry);
        entry->row.flags |= CARDFEED_PATH_CARD;
        entry->row.id = rec->id;
    }
    if (rc == CARDFEED_OK) {
        rc = cardfeed_store_lose_no_more(txn, entry);
    }

    return rc;
}


static int
put_card(cardfeed_txn_t *txn, cardfeed_store_entry_t *entry,
    const cardfeed_file_t *file,
    bool *news, cardfeed_error_t *err)
{
    int rc;
    bool collides;
    cardfeed_record_t rec;
    cardfeed_store_card_t old;

    if (cardfeed_record_open(&rec, file->record.data, file->record.len)
            != CARDFEED_OK
        || !good_topics(&rec))
    {
        return cardfeed_error_set(err, CARDFEED_ERROR, 0,
            "not a record fit for the index");
    }

    rc = cardfeed_store_card_load(txn, rec.id, &old);
    if (rc == CARDFEED_NOTFOUND) {
        return put_holder(txn, entry, file, &rec, NULL);
    }
    if (rc != CARDFEED_OK) {
        return rc;
    }
    if (cardfeed_str_eq(old.path, entry->path)) {
        return put_holder(txn, entry, file, &rec, &old);
    }

    collides = !cardfeed_str_eq(
        cardfeed_record_field(&rec, CARDFEED_FIELD_IDENTITY),
        cardfeed_record_field(&old.record, CARDFEED_FIELD_IDENTITY));

    if (cardfeed_str_cmp(old.path, entry->path) < 0) {
        return put_loser(txn, entry, file, &old, collides, news, err);
    }

    rc = evict(txn, &old, collides);

    return rc == CARDFEED_OK ? put_holder(txn, entry, file, &rec, NULL) : rc;
}


typedef int (*put_fn)(cardfeed_txn_t *txn, cardfeed_store_entry_t *entry,
    const cardfeed_file_t *file, bool *news, cardfeed_error_t *err);

static const put_fn put_kinds[] = {
    [CARDFEED_FILE_CARD] = put_card,
    [CARDFEED_FILE_NOTCARD] = put_notcard,
    [CARDFEED_FILE_REJECTED] = put_rejected,
};


static int
put_entry(cardfeed_txn_t *txn, cardfeed_store_entry_t *entry,
    const cardfeed_file_t *file, bool *news, cardfeed_error_t *err)
{
    int rc, verdict;

    rc = cardfeed_store_del(txn, CARDFEED_TABLE_RETRY,
        cardfeed_store_key_val(&entry->key));
    if (rc != CARDFEED_OK && rc != CARDFEED_NOTFOUND) {
        return rc;
    }

    verdict = put_kinds[file->kind](txn, entry, file, news, err);
    if (verdict != CARDFEED_OK && verdict != CARDFEED_INVALID) {
        return verdict;
    }

    rc = cardfeed_store_entry_put(txn, entry);

    return rc == CARDFEED_OK ? verdict : rc;
}


int
cardfeed_txn_put(cardfeed_txn_t *txn, cardfeed_str_t path,
    const cardfeed_signature_t *signature, bool racy,
    const cardfeed_file_t *file, bool *news, cardfeed_error_t *err)
{
    int rc;
    bool ignored = false;
    cardfeed_store_entry_t entry;

    news = (news == NULL) ? &ignored : news;
    *news = true;

    rc = cardfeed_store_entry_get(txn, &entry, path);
    if (rc == CARDFEED_INVALID) {
        return cardfeed_error_set(err, CARDFEED_INVALID, 0,
            "its path cannot be kept in the index");
    }

    if (rc == CARDFEED_OK || rc == CARDFEED_NOTFOUND) {
        cardfeed_store_entry_sign(&entry, signature, racy);
        rc = put_entry(txn, &entry, file, news, err);
    }

    if (txn->failed.code != CARDFEED_OK) {
        rc = txn->failed.code;
        if (err != NULL) {
            *err = txn->failed;
        }
    }

    return rc;
}


int
cardfeed_txn_remove(cardfeed_txn_t *txn, cardfeed_str_t path)
{
    int rc;
    MDB_val key;
    cardfeed_store_entry_t entry;

    rc = cardfeed_store_entry_get(txn, &entry, path);
    if (rc != CARDFEED_OK) {
        return rc == CARDFEED_INVALID ? CARDFEED_NOTFOUND : rc;
    }

    key = cardfeed_store_key_val(&entry.key);
    rc = cardfeed_store_del(txn, CARDFEED_TABLE_RETRY, key);

    if (rc == CARDFEED_OK || rc == CARDFEED_NOTFOUND) {
        rc = leave(txn, &entry, false);
    }

    return rc == CARDFEED_OK ? cardfeed_store_del(txn, CARDFEED_TABLE_PATHS,
                                                  key)
                             : rc;
}
