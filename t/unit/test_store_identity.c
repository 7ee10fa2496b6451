/* test_store_identity: files that want one identity, in any order. */

#include "store_fixture.h"


static void
append(char **out, size_t *len, const char *fmt, ...)
{
    va_list args;
    char line[9000];
    int n;

    va_start(args, fmt);
    n = vsnprintf(line, sizeof(line), fmt, args);
    va_end(args);
    assert_true(n >= 0 && n < (int) sizeof(line));

    *out = realloc(*out, *len + (size_t) n + 1);
    memcpy(*out + *len, line, (size_t) n + 1);
    *len += (size_t) n;
}


static void
hex(char **out, size_t *len, const void *data, size_t size)
{
    size_t i;

    for (i = 0; i < size; i++) {
        append(out, len, "%02x", ((const unsigned char *) data)[i]);
    }
}


static const char *
slug_of(cardfeed_read_t *read, uint32_t id)
{
    static char slug[300];
    MDB_val key, value;
    MDB_cursor *cursor;
    cardfeed_store_topic_row_t row;

    slug[0] = '\0';
    mdb_cursor_open(read->mdb, read->store->env->dbi[CARDFEED_TABLE_TOPICS],
        &cursor);
    while (mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0) {
        memcpy(&row, value.mv_data, sizeof(row));
        if (row.id == id) {
            snprintf(slug, sizeof(slug), "%.*s", (int) key.mv_size,
                (char *) key.mv_data);
        }
    }
    mdb_cursor_close(cursor);

    return slug;
}


static int
compare(const void *a, const void *b)
{
    return strcmp(*(char *const *) a, *(char *const *) b);
}


/* Everything in the tables; numbers that depend on history only (of topics and
 * names, of changes, of topics without cards) left out or resolved. */
static char *
dump(cardfeed_store_t *store)
{
    int t;
    char *out = NULL, *line, *lines[3000], *save = NULL, *sorted;
    size_t len = 0, n = 0, i;
    MDB_val key, value;
    MDB_cursor *cursor;
    cardfeed_store_topic_row_t row;
    cardfeed_read_t *read = begin_read(store);

    append(&out, &len, "\n");

    for (t = CARDFEED_TABLE_CARDS; t < CARDFEED_TABLES; t++) {
        mdb_cursor_open(read->mdb, store->env->dbi[t], &cursor);
        while (mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0) {
            if (t == CARDFEED_TABLE_NAMES) {
                continue;
            }
            if (t == CARDFEED_TABLE_TOPICS) {
                memcpy(&row, value.mv_data, sizeof(row));
                if (row.count == 0) {
                    continue;
                }
                row.id = 0;
                row.change = 0;
                row.changed_at = 0;
                row.check = 0;
            }

            append(&out, &len, "%d ", t);
            if (t == CARDFEED_TABLE_SPELLINGS
                || t == CARDFEED_TABLE_BY_TOPIC)
            {
                append(&out, &len, "%s ", slug_of(read,
                    cardfeed_store_get_be32(key.mv_data)));
                hex(&out, &len, (char *) key.mv_data + 4, key.mv_size - 4);
            } else {
                hex(&out, &len, key.mv_data, key.mv_size);
            }
            append(&out, &len, " ");
            if (t == CARDFEED_TABLE_TOPICS) {
                hex(&out, &len, &row, sizeof(row));
                hex(&out, &len, (char *) value.mv_data + sizeof(row),
                    value.mv_size - sizeof(row));
            } else {
                /* the check of a row is over its topic's number, too */
                hex(&out, &len, value.mv_data, value.mv_size
                    - (t == CARDFEED_TABLE_BY_TOPIC ? 4 : 0));
            }
            append(&out, &len, "\n");
        }
        mdb_cursor_close(cursor);
    }
    cardfeed_read_end(read);

    for (line = strtok_r(out, "\n", &save); line != NULL;
         line = strtok_r(NULL, "\n", &save))
    {
        assert_true(n < 3000);
        lines[n++] = line;
    }
    qsort(lines, n, sizeof(lines[0]), compare);

    sorted = NULL;
    for (i = 0, len = 0; i < n; i++) {
        append(&sorted, &len, "%s\n", lines[i]);
    }
    free(out);

    return sorted;
}


static int
reparse_same(void *data, cardfeed_txn_t *txn, const char *path)
{
    return put(txn, path, &(spec_t){.identity = data, .topics = "A"});
}


static void
test_lowest_path_wins(void **state)
{
    int turn;
    char *dumps[2];
    fixture_t f;
    cardfeed_txn_t *txn;
    cardfeed_error_t err;
    const char *orders[2][2] = {{"a.md", "b.md"}, {"b.md", "a.md"}};

    (void) state;

    for (turn = 0; turn < 2; turn++) {
        fixture_init(&f);
        fixture_start(&f);
        txn = begin_at(&f, NOW);
        put(txn, orders[turn][0], &(spec_t){.identity = "x", .topics = "A"});
        commit(txn);

        memset(&err, 0, sizeof(err));
        txn = begin_at(&f, NOW);
        assert_int_equal(put_signed(txn, orders[turn][1],
            &(spec_t){.identity = "x", .topics = "A"}, 1, NULL, &err),
            turn == 0 ? CARDFEED_INVALID : CARDFEED_OK);
        if (turn == 0) {
            assert_string_equal(err.message, "has the identity of \"a.md\"");
            assert_int_equal(err.line, 3);
        }
        assert_int_equal(drain(txn, reparse_same, "x"), turn);
        commit(txn);

        assert_titles(f.store, "a", "a.md;");
        assert_int_equal(stats_now(f.store).rejected, 1);
        assert_int_equal(stats_now(f.store).files, 2);
        dumps[turn] = dump(f.store);
        fixture_done(&f);
    }

    assert_string_equal(dumps[0], dumps[1]);
    free(dumps[0]);
    free(dumps[1]);
}


static void
test_loser_follows(void **state)
{
    bool news;
    fixture_t *f = *state;
    cardfeed_str_t next;
    cardfeed_error_t err = {0};
    cardfeed_txn_t *txn = begin_at(f, NOW);
    spec_t x = {.identity = "x", .topics = "A"};

    assert_int_equal(put(txn, "a.md", &x), CARDFEED_OK);
    assert_int_equal(put_signed(txn, "b.md", &x, 1, &news, &err),
        CARDFEED_INVALID);
    assert_true(news);
    assert_int_equal(put_signed(txn, "b.md", &x, 1, &news, &err),
        CARDFEED_INVALID);
    assert_false(news);
    assert_int_equal(put(txn, "c.md", &x), CARDFEED_INVALID);
    assert_int_equal(cardfeed_txn_retry(txn, &next), CARDFEED_NOTFOUND);

    /* the holder takes another identity: the next one is asked */
    put(txn, "a.md", &(spec_t){.identity = "y", .topics = "A"});
    assert_int_equal(cardfeed_txn_retry(txn, &next), CARDFEED_OK);
    assert_int_equal(next.len, 4);
    assert_memory_equal(next.data, "b.md", 4);
    assert_int_equal(cardfeed_txn_retry(txn, &next), CARDFEED_NOTFOUND);

    /* which is broken by now: the one after */
    put_kind(txn, "b.md", CARDFEED_FILE_REJECTED, 1, "broken", 2, NULL);
    assert_int_equal(cardfeed_txn_retry(txn, &next), CARDFEED_OK);
    assert_memory_equal(next.data, "c.md", 4);
    commit(txn);

    /* the queue outlives the transaction */
    txn = begin_at(f, NOW);
    put_kind(txn, "c.md", CARDFEED_FILE_NOTCARD, 0, NULL, 2, NULL);
    put(txn, "c.md", &x);
    put(txn, "b.md", &x);
    commit(txn);
    txn = begin_at(f, NOW);
    assert_int_equal(drain(txn, reparse_same, "x"), 1);
    assert_int_equal(cardfeed_txn_remove(txn, CARDFEED_STR("b.md")),
        CARDFEED_OK);
    assert_int_equal(drain(txn, reparse_same, "x"), 1);
    commit(txn);
    assert_int_equal(stats_now(f->store).rejected, 0);
    assert_int_equal(stats_now(f->store).cards, 2);
}


/* The one that was asked has not answered when a path above it comes. */
static void
test_loser_is_not_passed_over(void **state)
{
    int turn;
    fixture_t f;
    cardfeed_str_t next;
    cardfeed_txn_t *txn;
    spec_t x = {.identity = "x", .topics = "A"};

    (void) state;

    for (turn = 0; turn < 3; turn++) {
        fixture_init(&f);
        fixture_start(&f);
        txn = begin_at(&f, NOW);
        put(txn, "a", &x);
        put(txn, "d/b", &x);
        put(txn, "d/c", &x);
        put(txn, "f", &x);
        assert_int_equal(cardfeed_txn_remove(txn, CARDFEED_STR("a")), 0);
        assert_int_equal(put(txn, "e", &x), CARDFEED_OK);

        switch (turn) {
        case 0:
            assert_int_equal(cardfeed_txn_remove(txn, CARDFEED_STR("d/b")),
                0);
            break;
        case 1:
            put(txn, "d/b", &(spec_t){.identity = "y"});
            break;
        case 2:
            put_kind(txn, "d/b", CARDFEED_FILE_REJECTED, 1, "bad", 2, NULL);
        }

        drain(txn, reparse_same, "x");
        assert_titles(f.store, "a", "");
        commit(txn);
        assert_titles(f.store, "a", "d/c;");

        /* a loser above the holder that goes calls for nobody */
        txn = begin_at(&f, NOW);
        assert_int_equal(cardfeed_txn_remove(txn, CARDFEED_STR("e")), 0);
        assert_int_equal(cardfeed_txn_retry(txn, &next), CARDFEED_NOTFOUND);
        commit(txn);
        fixture_done(&f);
    }
}


static void
test_rejected_keeps_other_identity(void **state)
{
    fixture_t *f = *state;
    cardfeed_txn_t *txn = begin_at(f, NOW);
    cardfeed_path_t p;

    put(txn, "a.md", &(spec_t){.identity = "x", .topics = "A"});
    put(txn, "b.md", &(spec_t){.identity = "y", .topics = "B"});
    assert_int_equal(put(txn, "b.md", &(spec_t){.identity = "x",
        .topics = "A"}), CARDFEED_INVALID);
    cardfeed_txn_lookup(txn, CARDFEED_STR("b.md"), &p);
    assert_true(p.rejected && p.has_card);
    commit(txn);
    assert_titles(f->store, "b", "b.md;");

    /* somebody lower wants what it still shows */
    txn = begin_at(f, NOW);
    assert_int_equal(put(txn, "aa.md", &(spec_t){.identity = "y",
        .topics = "B"}), CARDFEED_OK);
    cardfeed_txn_lookup(txn, CARDFEED_STR("b.md"), &p);
    assert_true(p.rejected && !p.has_card);
    commit(txn);
    assert_titles(f->store, "b", "aa.md;");

    /* and x comes free */
    txn = begin_at(f, NOW);
    assert_int_equal(cardfeed_txn_remove(txn, CARDFEED_STR("a.md")), 0);
    assert_int_equal(drain(txn, reparse_same, "x"), 1);
    commit(txn);
    assert_titles(f->store, "a", "b.md;");
    assert_int_equal(stats_now(f->store).rejected, 0);
}


static void
test_long_paths(void **state)
{
    char a[700], b[700], c[700], want[701];
    fixture_t *f = *state;
    cardfeed_txn_t *txn = begin_at(f, NOW);
    spec_t x = {.identity = "x", .topics = "A", .title = "t"};

    memset(a, 'p', sizeof(a));
    memcpy(b, a, sizeof(b));
    memcpy(c, a, sizeof(c));
    snprintf(a + 600, 100, "/a.md");
    snprintf(b + 600, 100, "/b.md");
    snprintf(c + 600, 100, "/c.md");

    put(txn, a, &x);
    assert_int_equal(put(txn, c, &x), CARDFEED_INVALID);
    assert_int_equal(put(txn, b, &x), CARDFEED_INVALID);
    commit(txn);

    txn = begin_at(f, NOW);
    assert_int_equal(cardfeed_txn_remove(txn, cardfeed_str_of(a)), 0);
    assert_int_not_equal(drain(txn, reparse_same, "x"), 0);
    commit(txn);
    snprintf(want, sizeof(want), "%s;", b);
    assert_titles(f->store, "a", want);
    txn = begin_at(f, NOW);
    assert_int_equal(put(txn, b, &x), CARDFEED_OK);
    assert_int_equal(put(txn, c, &x), CARDFEED_INVALID);
    commit(txn);
    assert_titles(f->store, "a", "t;");
}


/* --- any order ----------------------------------------------------------- */

static const struct {
    const char *path;
    spec_t spec;
} files[] = {
    {"a.md", {.identity = "1", .topics = "Alpha|Beta"}},
    {"b.md", {.identity = "1", .topics = "Alpha|Beta"}},
    {"c.md", {.identity = "1", .topics = "alpha|beta"}},
    {"d/a.md", {.identity = "2", .topics = "ALPHA", .author = "Ann"}},
    {"d/b.md", {.identity = "2", .topics = "alpha", .author = "Ann"}},
    {"e.md", {.identity = "3", .topics = "Beta", .expires = NOW + 9}},
    {"f.md", {.identity = "4", .topics = "Beta", .published = NOW + 5}},
    {"g.md", {.identity = "4", .topics = "Beta"}},
    {"h.md", {.identity = "5", .hidden = true}},
    {"i.md", {.identity = "5", .topics = "beta"}},
    {"j.md", {.identity = "6", .topics = "beta"}},
};

#define FILES (sizeof(files) / sizeof(files[0]))


static int
reparse_file(void *data, cardfeed_txn_t *txn, const char *path)
{
    size_t i;

    (void) data;

    for (i = 0; i < FILES; i++) {
        if (strcmp(files[i].path, path) == 0) {
            return put(txn, path, &files[i].spec);
        }
    }
    fail_msg("unknown path %s", path);

    return 0;
}


static void
test_any_order(void **state)
{
    int turn;
    char *first = NULL, *now;
    size_t i, j, order[FILES], swap;
    fixture_t f;
    cardfeed_txn_t *txn;

    (void) state;
    srand(1);

    for (turn = 0; turn < 25; turn++) {
        fixture_init(&f);
        fixture_start(&f);
        for (i = 0; i < FILES; i++) {
            order[i] = i;
        }
        for (i = FILES - 1; turn > 0 && i > 0; i--) {
            j = (size_t) rand() % (i + 1);
            swap = order[i];
            order[i] = order[j];
            order[j] = swap;
        }

        txn = begin_at(&f, NOW);
        for (i = 0; i < FILES; i++) {
            put(txn, files[order[i]].path, &files[order[i]].spec);
            if (rand() % 3 == 0) {
                if (rand() % 2 == 0) {
                    drain(txn, reparse_file, NULL);
                }
                commit(txn);
                txn = begin_at(&f, NOW);
            }
        }
        drain(txn, reparse_file, NULL);
        commit(txn);

        now = dump(f.store);
        if (first == NULL) {
            first = now;
            assert_true(strlen(first) > 1000);
        } else {
            assert_string_equal(first, now);
            free(now);
        }
        fixture_done(&f);
    }
    free(first);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lowest_path_wins),
        cmocka_unit_test_setup_teardown(test_loser_follows, setup_store,
            teardown),
        cmocka_unit_test(test_loser_is_not_passed_over),
        cmocka_unit_test_setup_teardown(test_rejected_keeps_other_identity,
            setup_store, teardown),
        cmocka_unit_test_setup_teardown(test_long_paths, setup_store,
            teardown),
        cmocka_unit_test(test_any_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
