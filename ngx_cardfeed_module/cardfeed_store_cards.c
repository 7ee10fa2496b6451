/*
 * store_cards: a card in its tables: the record, its rows in topics, its next
 * due time.
 */

#include "cardfeed_store_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const cardfeed_str_t all_slug = {.data = "all", .len = 3};
static const cardfeed_str_t all_name = {.data = "All", .len = 3};


int
cardfeed_store_card_load(cardfeed_txn_t *txn, uint64_t id,
    cardfeed_store_card_t *card)
{
    int rc;
    MDB_val value;
    unsigned char key[8];

    cardfeed_store_be64(key, id);
    rc = cardfeed_store_get(txn, CARDFEED_TABLE_CARDS,
        cardfeed_store_val(key, sizeof(key)), &value);
    if (rc != CARDFEED_OK) {
        return rc;
    }

    /* What the map shows may go with the next write. */
    cardfeed_buf_reset(&txn->card);
    if (cardfeed_buf_append(&txn->card, value.mv_data, value.mv_size)
        != CARDFEED_OK)
    {
        return cardfeed_store_txn_fail(txn, ENOMEM, "card");
    }

    value = cardfeed_store_val(txn->card.data, txn->card.len);
    if (cardfeed_store_card_open(card, id, &value) != CARDFEED_OK) {
        return cardfeed_store_txn_corrupt(txn, "card");
    }

    return CARDFEED_OK;
}


/* The number of a name, given now if it has none; 0 for no name. */
static int
intern(cardfeed_txn_t *txn, cardfeed_str_t name, uint32_t *number)
{
    int rc;
    MDB_val value;
    cardfeed_store_key_t key;

    *number = 0;
    if (name.len == 0) {
        return CARDFEED_OK;
    }

    cardfeed_store_text_key(&key, name, true);
    rc = cardfeed_store_get(txn, CARDFEED_TABLE_NAMES,
        cardfeed_store_val(key.data, key.len), &value);

    if (rc == CARDFEED_OK) {
        if (value.mv_size != sizeof(*number)) {
            return cardfeed_store_txn_corrupt(txn, "name");
        }
        memcpy(number, value.mv_data, sizeof(*number));
        return CARDFEED_OK;
    }
    if (rc != CARDFEED_NOTFOUND) {
        return rc;
    }

    *number = ++txn->counters.names;

    return cardfeed_store_put(txn, CARDFEED_TABLE_NAMES,
        cardfeed_store_val(key.data, key.len),
        cardfeed_store_val(number, sizeof(*number)));
}


static int
make_row(cardfeed_txn_t *txn, const cardfeed_record_t *rec,
    cardfeed_row_t *row)
{
    int rc;

    memset(row, 0, sizeof(*row));
    row->quality = rec->quality;
    row->heat = rec->heat;

    rc = intern(txn, cardfeed_record_field(rec, CARDFEED_FIELD_TYPE),
        &row->type);
    if (rc == CARDFEED_OK) {
        rc = intern(txn, cardfeed_record_field(rec, CARDFEED_FIELD_CATEGORY),
            &row->category);
    }
    if (rc == CARDFEED_OK) {
        rc = intern(txn, cardfeed_record_field(rec, CARDFEED_FIELD_PROVIDER),
            &row->provider);
    }
    if (rc == CARDFEED_OK && rec->nauthors > 0) {
        rc = intern(txn, cardfeed_record_author(rec, 0).name, &row->author);
    }

    return rc;
}


/* One topic's row of a card: there (row) or not (NULL). */
static int
place(cardfeed_txn_t *txn, const cardfeed_record_t *rec, cardfeed_str_t slug,
    cardfeed_str_t name, const cardfeed_row_t *row)
{
    int rc;
    MDB_val val;
    uint32_t topic;
    unsigned char key[CARDFEED_STORE_ORDER_KEY];
    unsigned char packed[CARDFEED_STORE_ROW_MAX];

    rc = cardfeed_store_topics_count(txn, slug, name, row != NULL ? 1 : -1,
        &topic);
    if (rc != CARDFEED_OK) {
        return rc;
    }

    cardfeed_store_order_key(key, topic, rec->published, rec->id);
    val = cardfeed_store_val(key, sizeof(key));

    if (row != NULL) {
        return cardfeed_store_put(txn, CARDFEED_TABLE_BY_TOPIC, val,
            cardfeed_store_val(packed,
                cardfeed_store_row_pack(packed, key, row)));
    }

    rc = cardfeed_store_del(txn, CARDFEED_TABLE_BY_TOPIC, val);

    return rc == CARDFEED_NOTFOUND
               ? cardfeed_store_txn_corrupt(txn, "topic row") : rc;
}


/* A visible card's rows in all and in each of its topics. */
static int
place_all(cardfeed_txn_t *txn, const cardfeed_record_t *rec, bool there)
{
    int rc;
    uint32_t i;
    cardfeed_card_topic_t topic;
    cardfeed_row_t row;

    rc = cardfeed_store_topics_relieve(txn);
    if (rc == CARDFEED_OK && there) {
        rc = make_row(txn, rec, &row);
    }
    if (rc == CARDFEED_OK) {
        rc = place(txn, rec, all_slug, all_name, there ? &row : NULL);
    }

    for (i = 0; rc == CARDFEED_OK && i < rec->ntopics; i++) {
        topic = cardfeed_record_topic(rec, i);
        rc = place(txn, rec, topic.slug, topic.name, there ? &row : NULL);
    }

    return rc;
}


static cardfeed_store_state_t
state_of(const cardfeed_record_t *rec, int64_t now)
{
    if (rec->hidden) {
        return CARDFEED_STATE_HIDDEN;
    }
    if (rec->published == CARDFEED_NO_TIME) {
        return CARDFEED_STATE_UNDATED;
    }
    if (cardfeed_record_visible(rec, now)) {
        return CARDFEED_STATE_VISIBLE;
    }
    if (rec->expires != CARDFEED_NO_TIME && rec->expires <= now) {
        return CARDFEED_STATE_EXPIRED;
    }

    return rec->published > now ? CARDFEED_STATE_WAITING
                                : CARDFEED_STATE_OTHER;
}


/* When to look at a card again; never at a time that is past already. */
static int64_t
due_of(const cardfeed_record_t *rec, cardfeed_store_state_t state,
    int64_t now)
{
    int64_t due = CARDFEED_NO_TIME;

    if (state == CARDFEED_STATE_WAITING) {
        due = rec->published;
    }

    if ((state == CARDFEED_STATE_WAITING || state == CARDFEED_STATE_VISIBLE)
        && rec->expires > now
        && (due == CARDFEED_NO_TIME || rec->expires < due))
    {
        due = rec->expires;
    }

    return due;
}


static void
judge(cardfeed_txn_t *txn, int64_t now)
{
    if (txn->counters.judged < now) {
        txn->counters.judged = now;
    }
}


static int
schedule(cardfeed_txn_t *txn, int64_t due, uint64_t id, bool there)
{
    int rc;
    MDB_val val;
    unsigned char key[CARDFEED_STORE_DUE_KEY];

    if (due == CARDFEED_NO_TIME) {
        return CARDFEED_OK;
    }

    cardfeed_store_due_key(key, due, id);
    val = cardfeed_store_val(key, sizeof(key));

    if (there) {
        return cardfeed_store_put(txn, CARDFEED_TABLE_SCHEDULED, val,
            cardfeed_store_val("", 0));
    }

    rc = cardfeed_store_del(txn, CARDFEED_TABLE_SCHEDULED, val);

    return rc == CARDFEED_NOTFOUND
               ? cardfeed_store_txn_corrupt(txn, "schedule") : rc;
}


int
cardfeed_store_card_detach(cardfeed_txn_t *txn,
    const cardfeed_store_card_t *card)
{
    int rc;

    if (txn->counters.states[card->head.state]-- == 0) {
        return cardfeed_store_txn_corrupt(txn, "counters");
    }

    rc = schedule(txn, card->head.due, card->id, false);
    if (rc == CARDFEED_OK && card->head.state == CARDFEED_STATE_VISIBLE) {
        rc = place_all(txn, &card->record, false);
    }

    return rc;
}


int
cardfeed_store_card_delete(cardfeed_txn_t *txn, uint64_t id)
{
    int rc;
    unsigned char key[8];
    cardfeed_store_card_t card = {0};

    rc = cardfeed_store_card_load(txn, id, &card);
    if (rc == CARDFEED_OK) {
        rc = cardfeed_store_card_detach(txn, &card);
    }
    if (rc == CARDFEED_OK) {
        cardfeed_store_be64(key, id);
        rc = cardfeed_store_del(txn, CARDFEED_TABLE_CARDS,
            cardfeed_store_val(key, sizeof(key)));
    }

    return rc == CARDFEED_NOTFOUND ? cardfeed_store_txn_corrupt(txn, "card")
                                   : rc;
}


static int
write_card(cardfeed_txn_t *txn, uint64_t id,
    cardfeed_store_card_head_t *head, cardfeed_str_t path,
    cardfeed_str_t bytes)
{
    unsigned char key[8];

    cardfeed_store_head_seal(head, path);
    cardfeed_buf_reset(&txn->scratch);
    cardfeed_buf_append(&txn->scratch, head, sizeof(*head));
    cardfeed_buf_str(&txn->scratch, path);
    if (cardfeed_buf_str(&txn->scratch, bytes) != CARDFEED_OK) {
        return cardfeed_store_txn_fail(txn, ENOMEM, "card");
    }

    cardfeed_store_be64(key, id);

    return cardfeed_store_put(txn, CARDFEED_TABLE_CARDS,
        cardfeed_store_val(key, sizeof(key)),
        cardfeed_store_val(txn->scratch.data, txn->scratch.len));
}


int
cardfeed_store_card_attach(cardfeed_txn_t *txn, cardfeed_str_t path,
    cardfeed_str_t bytes, const cardfeed_record_t *rec)
{
    int rc;
    cardfeed_store_state_t state = state_of(rec, txn->now);
    cardfeed_store_card_head_t head = {
        .due = due_of(rec, state, txn->now),
        .state = state,
    };

    txn->counters.states[state]++;
    judge(txn, txn->now);

    rc = write_card(txn, rec->id, &head, path, bytes);
    if (rc == CARDFEED_OK) {
        rc = schedule(txn, head.due, rec->id, true);
    }
    if (rc == CARDFEED_OK && state == CARDFEED_STATE_VISIBLE) {
        rc = place_all(txn, rec, true);
    }

    return rc;
}


/* Brings a card to where it belongs at a time: only what changes is touched.
 */
static int
move_card(cardfeed_txn_t *txn, const cardfeed_store_card_t *card, int64_t now)
{
    int rc;
    cardfeed_store_state_t before, state;
    cardfeed_store_card_head_t head = card->head;

    before = (cardfeed_store_state_t) head.state;
    state = state_of(&card->record, now);

    if (txn->counters.states[before]-- == 0) {
        return cardfeed_store_txn_corrupt(txn, "counters");
    }
    txn->counters.states[state]++;

    judge(txn, now);
    head.state = state;
    head.due = due_of(&card->record, state, now);

    rc = schedule(txn, card->head.due, card->id, false);
    if (rc == CARDFEED_OK) {
        rc = write_card(txn, card->id, &head, card->path, card->bytes);
    }
    if (rc == CARDFEED_OK) {
        rc = schedule(txn, head.due, card->id, true);
    }
    if (rc == CARDFEED_OK && (before == CARDFEED_STATE_VISIBLE)
                             != (state == CARDFEED_STATE_VISIBLE))
    {
        rc = place_all(txn, &card->record, state == CARDFEED_STATE_VISIBLE);
    }

    return rc;
}


/* A card whose time has come. */
static int
look_again(cardfeed_txn_t *txn, uint64_t id, int64_t due, int64_t now)
{
    int rc;
    cardfeed_store_card_t card = {0};

    rc = cardfeed_store_card_load(txn, id, &card);
    if (rc == CARDFEED_NOTFOUND
        || (rc == CARDFEED_OK && card.head.due != due))
    {
        return cardfeed_store_txn_corrupt(txn, "schedule");
    }

    return rc == CARDFEED_OK ? move_card(txn, &card, now) : rc;
}


/* The first card from *id on that is not where it belongs at a time. */
static int
next_misplaced(cardfeed_txn_t *txn, int64_t now, uint64_t *id)
{
    int rc;
    MDB_val k, value;
    MDB_cursor *cursor;
    unsigned char key[8];
    cardfeed_store_card_t card = {0};
    cardfeed_store_state_t state;

    rc = mdb_cursor_open(txn->mdb, txn->env->dbi[CARDFEED_TABLE_CARDS],
        &cursor);
    if (rc != 0) {
        return cardfeed_store_txn_fail(txn, rc, "cards");
    }

    cardfeed_store_be64(key, *id);
    k = cardfeed_store_val(key, sizeof(key));

    for (rc = mdb_cursor_get(cursor, &k, &value, MDB_SET_RANGE); rc == 0;
         rc = mdb_cursor_get(cursor, &k, &value, MDB_NEXT))
    {
        if (k.mv_size != sizeof(key)
            || cardfeed_store_card_open(&card,
                                        cardfeed_store_get_be64(k.mv_data),
                                        &value) != CARDFEED_OK)
        {
            rc = MDB_CORRUPTED;
            break;
        }

        state = state_of(&card.record, now);
        if (card.head.state != state
            || card.head.due != due_of(&card.record, state, now))
        {
            *id = card.id;
            break;
        }
    }
    mdb_cursor_close(cursor);

    if (rc == MDB_NOTFOUND) {
        return CARDFEED_NOTFOUND;
    }

    return rc == 0 ? CARDFEED_OK : cardfeed_store_txn_fail(txn, rc, "cards");
}


/*
 * The clock went back.  Nothing is scheduled for that, so that all cards are
 * looked at, once: as what was seen is written down, the next transaction need
 * not look again.
 */
static int
turn_back(cardfeed_txn_t *txn, int64_t now)
{
    int rc;
    uint64_t id = 0;
    cardfeed_store_card_t card = {0};

    while ((rc = next_misplaced(txn, now, &id)) == CARDFEED_OK) {
        rc = cardfeed_store_card_load(txn, id, &card);
        if (rc == CARDFEED_NOTFOUND) {
            return cardfeed_store_txn_corrupt(txn, "cards");
        }
        if (rc == CARDFEED_OK) {
            rc = move_card(txn, &card, now);
        }
        if (rc != CARDFEED_OK) {
            return rc;
        }
        if (id++ == UINT64_MAX) {
            rc = CARDFEED_NOTFOUND;
            break;
        }
    }

    if (rc == CARDFEED_NOTFOUND) {
        txn->counters.judged = now;
        txn->dirty = true;
        rc = CARDFEED_OK;
    }

    return rc;
}


static int
first_due(cardfeed_txn_t *txn, int64_t *due, uint64_t *id)
{
    int rc;
    MDB_val key, value;
    MDB_cursor *cursor;

    if (txn->failed.code != CARDFEED_OK) {
        return txn->failed.code;
    }

    rc = mdb_cursor_open(txn->mdb, txn->env->dbi[CARDFEED_TABLE_SCHEDULED],
        &cursor);
    if (rc == 0) {
        rc = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
        if (rc == 0 && key.mv_size != CARDFEED_STORE_DUE_KEY) {
            rc = MDB_CORRUPTED;
        }
        if (rc == 0) {
            *due = cardfeed_store_due_of(key.mv_data);
            *id = cardfeed_store_get_be64((unsigned char *) key.mv_data + 8);
        }
        mdb_cursor_close(cursor);
    }

    if (rc == MDB_NOTFOUND) {
        return CARDFEED_NOTFOUND;
    }

    return rc == 0 ? CARDFEED_OK
                   : cardfeed_store_txn_fail(txn, rc, "schedule");
}


int
cardfeed_txn_due(cardfeed_txn_t *txn, int64_t now, size_t max, int64_t *next)
{
    int rc;
    int64_t due = 0;
    uint64_t id = 0;

    *next = CARDFEED_NO_TIME;

    if (txn->failed.code != CARDFEED_OK) {
        return txn->failed.code;
    }
    if (now < txn->counters.judged) {
        rc = turn_back(txn, now);
        if (rc != CARDFEED_OK) {
            return rc;
        }
    }

    while ((rc = first_due(txn, &due, &id)) == CARDFEED_OK) {
        if (due > now || max-- == 0) {
            *next = due;
            return CARDFEED_OK;
        }

        rc = look_again(txn, id, due, now);
        if (rc != CARDFEED_OK) {
            return rc;
        }
    }

    return rc == CARDFEED_NOTFOUND ? CARDFEED_OK : rc;
}
