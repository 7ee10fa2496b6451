/* test_store: what is put, and what readers then see. */

#include "store_fixture.h"


static void
test_order_and_seek(void **state)
{
    int i;
    char path[32];
    fixture_t *f = *state;
    cardfeed_txn_t *txn = begin_at(f, NOW);
    cardfeed_read_t *read;
    cardfeed_cursor_t *cursor;
    cardfeed_row_t row, rows[6], older;

    /* two of them at one time: ordered by id */
    for (i = 0; i < 6; i++) {
        snprintf(path, sizeof(path), "c%d.md", i);
        assert_int_equal(put(txn, path, &(spec_t){.topics = "A|B",
            .published = i < 4 ? -50 + i : -47, .type = "Article",
            .author = "Ann", .quality = i - 3}), CARDFEED_OK);
    }
    commit(txn);

    read = begin_read(f->store);
    assert_int_equal(cardfeed_cursor_open(read, 0, &cursor), CARDFEED_OK);
    for (i = 0; i < 6; i++) {
        assert_int_equal(cardfeed_cursor_next(cursor, &rows[i]), CARDFEED_OK);
        if (i > 0) {
            assert_true(rows[i - 1].published > rows[i].published
                        || (rows[i - 1].published == rows[i].published
                            && rows[i - 1].id < rows[i].id));
        }
    }
    assert_int_equal(cardfeed_cursor_next(cursor, &row), CARDFEED_NOTFOUND);
    assert_int_equal(cardfeed_cursor_next(cursor, &row), CARDFEED_NOTFOUND);
    assert_int_equal(rows[0].published, -47);
    assert_int_equal(rows[5].published, -50);
    assert_int_equal(rows[5].quality, -3);
    assert_int_not_equal(rows[5].type, 0);
    assert_int_not_equal(rows[5].author, rows[5].type);
    assert_int_equal(rows[5].category, 0);

    for (i = 0; i < 5; i++) {
        assert_int_equal(cardfeed_cursor_seek(cursor, rows[i].published,
            rows[i].id, &older), CARDFEED_OK);
        assert_memory_equal(&older, &rows[i + 1], sizeof(older));
    }
    assert_int_equal(cardfeed_cursor_seek(cursor, rows[5].published,
        rows[5].id, &older), CARDFEED_NOTFOUND);
    assert_int_equal(cardfeed_cursor_seek(cursor, INT64_MAX, 0, &older),
        CARDFEED_OK);
    assert_memory_equal(&older, &rows[0], sizeof(older));
    assert_int_equal(cardfeed_cursor_next(cursor, &older), CARDFEED_OK);
    assert_memory_equal(&older, &rows[1], sizeof(older));
    assert_int_equal(cardfeed_cursor_seek(cursor, INT64_MIN, UINT64_MAX,
        &older), CARDFEED_NOTFOUND);

    /* between two that exist */
    assert_int_equal(cardfeed_cursor_seek(cursor, -48, UINT64_MAX, &older),
        CARDFEED_OK);
    assert_int_equal(older.published, -49);
    cardfeed_cursor_close(cursor);
    cardfeed_read_end(read);
}


static void
test_names(void **state)
{
    size_t i;
    char longest[1025], other[1025];
    fixture_t *f = *state;
    uint32_t a, b;
    cardfeed_txn_t *txn = begin_at(f, NOW);
    cardfeed_read_t *read;

    memset(longest, 'x', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    for (i = 0; i < sizeof(longest); i++) {
        other[i] = longest[i] == 'x' ? 'X' : longest[i];
    }

    put(txn, "a.md", &(spec_t){.type = "Article", .author = longest});
    put(txn, "b.md", &(spec_t){.type = "ARTICLE"});
    commit(txn);

    read = begin_read(f->store);
    assert_int_equal(cardfeed_read_name(read, CARDFEED_STR("article"), &a),
        CARDFEED_OK);
    assert_int_equal(cardfeed_read_name(read, CARDFEED_STR("aRTICLE"), &b),
        CARDFEED_OK);
    assert_int_equal(a, b);
    assert_int_equal(cardfeed_read_name(read, CARDFEED_STR("video"), &a),
        CARDFEED_NOTFOUND);
    assert_int_equal(cardfeed_read_name(read, CARDFEED_NO_STR, &a),
        CARDFEED_NOTFOUND);
    assert_int_equal(cardfeed_read_name(read, cardfeed_str_of(other), &a),
        CARDFEED_OK);
    other[1000] = 'y';
    assert_int_equal(cardfeed_read_name(read, cardfeed_str_of(other), &a),
        CARDFEED_NOTFOUND);
    cardfeed_read_end(read);
}


static void
test_unchanged_put_changes_nothing(void **state)
{
    bool news;
    fixture_t *f = *state;
    uint64_t id;
    cardfeed_txn_t *txn = begin_at(f, NOW);
    cardfeed_read_t *read;
    cardfeed_path_t p;
    topic_t before, after;
    spec_t spec = {.topics = "A"};

    assert_int_equal(put(txn, "a.md", &spec), CARDFEED_OK);
    assert_true(cardfeed_txn_dirty(txn));
    /* its path, itself, its rows in all and in A */
    assert_in_range(cardfeed_txn_writes(txn), 4, 8);
    commit(txn);

    before = topic_now(f->store, "a");
    read = begin_read(f->store);
    id = cardfeed_read_txnid(read);
    cardfeed_read_end(read);

    txn = begin_at(f, NOW + 10);
    assert_int_equal(put(txn, "a.md", &spec), CARDFEED_OK);
    assert_false(cardfeed_txn_dirty(txn));
    commit(txn);

    read = begin_read(f->store);
    assert_int_equal(cardfeed_read_txnid(read), id);
    cardfeed_read_end(read);

    /* another signature is written, and nothing else */
    txn = begin_at(f, NOW + 10);
    assert_int_equal(put_signed(txn, "a.md", &spec, 2, &news, NULL),
        CARDFEED_OK);
    assert_true(cardfeed_txn_dirty(txn));
    assert_int_equal(cardfeed_txn_lookup(txn, CARDFEED_STR("a.md"), &p),
        CARDFEED_OK);
    assert_int_equal(p.signature.mtime_ns, 2);
    assert_true(p.has_card);
    assert_false(p.rejected);
    commit(txn);

    after = topic_now(f->store, "a");
    assert_memory_equal(&before, &after, sizeof(before));
}


static void
test_edit_hide_remove(void **state)
{
    fixture_t *f = *state;
    cardfeed_txn_t *txn = begin_at(f, NOW);
    cardfeed_stats_t stats;
    topic_t a, b, c;

    put(txn, "a.md", &(spec_t){.topics = "A|B", .title = "one"});
    commit(txn);
    a = topic_now(f->store, "a");
    assert_int_equal(a.changed_at, NOW);

    /* an edit touches the old topics and the new ones */
    txn = begin_at(f, NOW);
    put(txn, "a.md", &(spec_t){.topics = "B|C", .title = "two"});
    commit(txn);
    assert_titles(f->store, "a", "");
    assert_titles(f->store, "b", "two;");
    assert_titles(f->store, "c", "two;");
    assert_titles(f->store, "all", "two;");
    assert_true(topic_now(f->store, "a").change > a.change);
    assert_int_equal(topic_now(f->store, "a").changed_at, NOW + 1);
    assert_int_equal(topic_now(f->store, "all").changed_at, NOW + 1);
    assert_int_equal(topic_now(f->store, "c").changed_at, NOW);
    assert_string_equal(topic_now(f->store, "a").name, "A");

    /* hidden: out of its topics; then edits of it touch nothing */
    txn = begin_at(f, NOW + 100);
    put(txn, "a.md", &(spec_t){.topics = "B|C", .hidden = true});
    commit(txn);
    assert_titles(f->store, "all", "");
    b = topic_now(f->store, "b");
    assert_int_equal(b.changed_at, NOW + 100);
    txn = begin_at(f, NOW + 200);
    put(txn, "a.md", &(spec_t){.topics = "B|C|D", .hidden = true});
    commit(txn);
    c = topic_now(f->store, "b");
    assert_memory_equal(&b, &c, sizeof(b));
    assert_int_equal(topic_now(f->store, "d").rc, CARDFEED_NOTFOUND);
    stats = stats_now(f->store);
    assert_int_equal(stats.hidden, 1);
    assert_int_equal(stats.cards, 1);
    assert_int_equal(stats.visible, 0);
    assert_int_equal(stats.topics, 3);

    txn = begin_at(f, NOW + 300);
    put(txn, "a.md", &(spec_t){.topics = "D"});
    commit(txn);
    assert_titles(f->store, "d", "a.md;");

    txn = begin_at(f, NOW + 400);
    assert_int_equal(cardfeed_txn_remove(txn, CARDFEED_STR("a.md")),
        CARDFEED_OK);
    assert_int_equal(cardfeed_txn_remove(txn, CARDFEED_STR("a.md")),
        CARDFEED_NOTFOUND);
    commit(txn);
    assert_titles(f->store, "d", "");
    assert_int_equal(topic_now(f->store, "d").changed_at, NOW + 400);
    assert_int_equal(topic_now(f->store, "d").rc, CARDFEED_OK);
    stats = stats_now(f->store);
    assert_int_equal(stats.cards + stats.files + stats.visible, 0);
}


static void
test_rejected_keeps_last_good(void **state)
{
    bool news;
    fixture_t *f = *state;
    cardfeed_txn_t *txn = begin_at(f, NOW);
    cardfeed_stats_t stats;
    cardfeed_path_t p;
    spec_t spec = {.topics = "A"};

    put(txn, "a.md", &spec);
    put_kind(txn, "b.md", CARDFEED_FILE_REJECTED, 4, "bad", 1, &news);
    assert_true(news);
    put_kind(txn, "c.html", CARDFEED_FILE_NOTCARD, 0, NULL, 1, NULL);
    commit(txn);

    txn = begin_at(f, NOW);
    put_kind(txn, "a.md", CARDFEED_FILE_REJECTED, 9, "broken", 2, &news);
    assert_true(news);
    cardfeed_txn_lookup(txn, CARDFEED_STR("a.md"), &p);
    assert_true(p.rejected && p.has_card);
    put_kind(txn, "a.md", CARDFEED_FILE_REJECTED, 9, "broken", 2, &news);
    assert_false(news);
    put_kind(txn, "a.md", CARDFEED_FILE_REJECTED, 9, "broken", 3, &news);
    assert_true(news);
    put_kind(txn, "a.md", CARDFEED_FILE_REJECTED, 8, "broken", 3, &news);
    assert_true(news);
    put_kind(txn, "a.md", CARDFEED_FILE_REJECTED, 8, "other", 3, &news);
    assert_true(news);
    commit(txn);

    assert_titles(f->store, "a", "a.md;");
    stats = stats_now(f->store);
    assert_int_equal(stats.rejected, 2);
    assert_int_equal(stats.notcards, 1);
    assert_int_equal(stats.files, 3);
    assert_int_equal(stats.cards, 1);

    /* the same card again: no topic changes, the rejection goes */
    txn = begin_at(f, NOW + 50);
    put(txn, "a.md", &spec);
    commit(txn);
    assert_int_equal(topic_now(f->store, "a").changed_at, NOW);
    assert_int_equal(stats_now(f->store).rejected, 1);

    /* without front matter it is a card no longer */
    txn = begin_at(f, NOW + 60);
    put_kind(txn, "a.md", CARDFEED_FILE_NOTCARD, 0, NULL, 4, NULL);
    assert_int_equal(cardfeed_txn_stats(txn, &stats), CARDFEED_OK);
    assert_int_equal(stats.notcards, 2);
    commit(txn);
    assert_titles(f->store, "a", "");

    txn = begin_at(f, NOW + 60);
    put(txn, "a.md", &spec);
    put_kind(txn, "c.html", CARDFEED_FILE_REJECTED, 1, "x", 1, NULL);
    commit(txn);
    assert_titles(f->store, "a", "a.md;");
    assert_int_equal(stats_now(f->store).notcards, 0);
}


static void
test_undone(void **state)
{
    fixture_t *f = *state;
    cardfeed_txn_t *txn = begin_at(f, NOW), *second;

    assert_int_equal(cardfeed_txn_begin(f->store, NOW, &second, NULL),
        CARDFEED_BUSY);
    put(txn, "a.md", &(spec_t){.topics = "A"});
    cardfeed_txn_abort(txn);

    assert_titles(f->store, "all", "");
    assert_int_equal(topic_now(f->store, "a").rc, CARDFEED_NOTFOUND);
    assert_int_equal(stats_now(f->store).files, 0);
}


static void
test_bad_arguments(void **state)
{
    char nul[] = {'a', '\0', 'b'};
    fixture_t *f = *state;
    cardfeed_error_t err;
    cardfeed_txn_t *txn = begin_at(f, NOW);
    cardfeed_file_t file = {.kind = CARDFEED_FILE_CARD,
        .record = CARDFEED_STR("not a record")};
    cardfeed_signature_t s = signature(1);
    cardfeed_path_t p;
    char *huge = calloc(1, 10000);

    memset(huge, 'p', 9999);

    assert_int_equal(cardfeed_txn_put(txn, CARDFEED_STR("a.md"), &s, false,
        &file, NULL, &err), CARDFEED_ERROR);
    assert_int_equal(cardfeed_txn_put(txn, CARDFEED_NO_STR, &s, false, &file,
        NULL, &err), CARDFEED_INVALID);
    assert_int_equal(cardfeed_txn_put(txn,
        (cardfeed_str_t){.data = nul, .len = 3}, &s, false, &file, NULL,
        &err), CARDFEED_INVALID);
    assert_int_equal(put(txn, huge, &(spec_t){.identity = "h"}),
        CARDFEED_INVALID);
    assert_int_equal(cardfeed_txn_lookup(txn, cardfeed_str_of(huge), &p),
        CARDFEED_NOTFOUND);
    assert_int_equal(cardfeed_txn_remove(txn, cardfeed_str_of(huge)),
        CARDFEED_NOTFOUND);
    assert_int_equal(cardfeed_txn_touch(txn, CARDFEED_STR("a.md"), &s, true),
        CARDFEED_NOTFOUND);

    /* none of these has spoilt the transaction */
    assert_int_equal(put(txn, "good.md", &(spec_t){.topics = "A"}),
        CARDFEED_OK);
    assert_int_equal(cardfeed_txn_touch(txn, CARDFEED_STR("good.md"), &s,
        true), CARDFEED_OK);
    assert_int_equal(cardfeed_txn_lookup(txn, CARDFEED_STR("good.md"), &p),
        CARDFEED_OK);
    assert_true(p.racy);
    commit(txn);
    assert_titles(f->store, "a", "good.md;");
    free(huge);
}


typedef struct {
    char text[8192];
    int stop;
} listing_t;

static int
list_path(void *data, cardfeed_str_t path, const cardfeed_path_t *p)
{
    listing_t *l = data;
    size_t n = strlen(l->text);

    assert_false(p->rejected);
    snprintf(l->text + n, sizeof(l->text) - n, "%.*s;",
        path.len > 40 ? 5 : (int) path.len, path.data);

    return l->stop;
}


static void
test_paths(void **state)
{
    char dir[601], path[900];
    fixture_t *f = *state;
    cardfeed_txn_t *txn = begin_at(f, NOW);
    listing_t l = {0};

    memset(dir, 'd', 600);
    dir[600] = '\0';

    put(txn, "a/x.md", &(spec_t){0});
    put(txn, "a/b/y.md", &(spec_t){0});
    put(txn, "a.md", &(spec_t){0});
    put(txn, "ab/z.md", &(spec_t){0});
    snprintf(path, sizeof(path), "%s/1.md", dir);
    put(txn, path, &(spec_t){.topics = "Long"});
    snprintf(path, sizeof(path), "%s/2.md", dir);
    put(txn, path, &(spec_t){.topics = "Long"});
    snprintf(path, sizeof(path), "%.599s/2.md", dir);
    put(txn, path, &(spec_t){.topics = "Long"});
    commit(txn);

    assert_int_equal(topic_now(f->store, "long").count, 3);

    txn = begin_at(f, NOW);
    assert_int_equal(cardfeed_txn_paths(txn, CARDFEED_STR("a"), list_path,
        &l), 0);
    assert_string_equal(l.text, "a/b/y.md;a/x.md;");
    l.text[0] = '\0';
    assert_int_equal(cardfeed_txn_paths(txn, CARDFEED_NO_STR, list_path, &l),
        0);
    assert_string_equal(l.text,
        "a.md;a/b/y.md;a/x.md;ab/z.md;ddddd;ddddd;ddddd;");
    l.text[0] = '\0';
    assert_int_equal(cardfeed_txn_paths(txn, cardfeed_str_of(dir), list_path,
        &l), 0);
    assert_string_equal(l.text, "ddddd;ddddd;");
    l.text[0] = '\0';
    assert_int_equal(cardfeed_txn_paths(txn, CARDFEED_STR("nowhere"),
        list_path, &l), 0);
    assert_string_equal(l.text, "");
    l.stop = 42;
    assert_int_equal(cardfeed_txn_paths(txn, CARDFEED_NO_STR, list_path, &l),
        42);
    assert_string_equal(l.text, "a.md;");

    snprintf(path, sizeof(path), "%s/1.md", dir);
    assert_int_equal(cardfeed_txn_remove(txn, cardfeed_str_of(path)), 0);
    commit(txn);
    assert_int_equal(topic_now(f->store, "long").count, 2);
}


static void
test_full_map(void **state)
{
    int i, rc = CARDFEED_OK;
    char path[32], *title;
    fixture_t *f = *state;
    cardfeed_txn_t *txn;
    cardfeed_error_t err = {0};
    cardfeed_path_t p;

    f->c.map_size = (size_t) 1 << 20;
    fixture_start(f);
    title = calloc(1, 4000);
    memset(title, 't', 3999);

    txn = begin_at(f, NOW);
    put(txn, "first.md", &(spec_t){.topics = "A"});
    commit(txn);

    txn = begin_at(f, NOW);
    for (i = 0; i < 1000 && rc == CARDFEED_OK; i++) {
        snprintf(path, sizeof(path), "c%d.md", i);
        rc = put_signed(txn, path, &(spec_t){.topics = "A", .title = title},
            1, NULL, &err);
    }
    assert_int_equal(rc, CARDFEED_FULL);
    assert_int_equal(err.code, CARDFEED_FULL);

    /* from then on it says the same */
    assert_int_equal(cardfeed_txn_lookup(txn, CARDFEED_STR("first.md"), &p),
        CARDFEED_FULL);
    assert_int_equal(cardfeed_txn_remove(txn, CARDFEED_STR("first.md")),
        CARDFEED_FULL);
    memset(&err, 0, sizeof(err));
    assert_int_equal(cardfeed_txn_commit(txn, &err), CARDFEED_FULL);
    assert_int_equal(err.code, CARDFEED_FULL);

    assert_titles(f->store, "a", "first.md;");
    assert_int_equal(stats_now(f->store).files, 1);
    assert_true(cardfeed_index_is_current(f->index, f->store));

    txn = begin_at(f, NOW);
    assert_int_equal(cardfeed_txn_remove(txn, CARDFEED_STR("first.md")), 0);
    commit(txn);
    assert_titles(f->store, "a", "");
    free(title);
}


static void
test_reads(void **state)
{
    fixture_t *f = *state;
    cardfeed_read_t *read = begin_read(f->store), *second;
    cardfeed_txn_t *txn;
    cardfeed_topic_t topic;
    cardfeed_record_t rec;
    uint64_t id = cardfeed_read_txnid(read);
    char slug[300];

    assert_int_equal(cardfeed_read_begin(f->store, &second, NULL),
        CARDFEED_BUSY);

    /* a read stays at what it saw first */
    txn = begin_at(f, NOW);
    put(txn, "a.md", &(spec_t){.topics = "A"});
    commit(txn);
    assert_int_equal(cardfeed_read_topic(read, CARDFEED_STR("a"), &topic),
        CARDFEED_NOTFOUND);
    assert_int_equal(cardfeed_read_txnid(read), id);
    cardfeed_read_end(read);

    read = begin_read(f->store);
    assert_true(cardfeed_read_txnid(read) > id);
    assert_int_equal(cardfeed_read_topic(read, CARDFEED_STR("a"), &topic),
        CARDFEED_OK);
    assert_int_equal(topic.slug.len, 1);
    assert_int_equal(cardfeed_read_topic(read, CARDFEED_STR("all"), &topic),
        CARDFEED_OK);
    assert_int_equal(topic.id, 0);
    assert_int_equal(topic.count, 1);
    assert_memory_equal(topic.name.data, "All", 3);
    assert_int_equal(cardfeed_read_topic(read, CARDFEED_NO_STR, &topic),
        CARDFEED_NOTFOUND);
    memset(slug, 'a', sizeof(slug));
    assert_int_equal(cardfeed_read_topic(read,
        (cardfeed_str_t){.data = slug, .len = sizeof(slug)}, &topic),
        CARDFEED_NOTFOUND);
    assert_int_equal(cardfeed_read_card(read, id_of("a.md"), &rec),
        CARDFEED_OK);
    assert_int_equal(cardfeed_read_card(read, 12345, &rec),
        CARDFEED_CORRUPT);
    cardfeed_read_end(read);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_order_and_seek, setup_store,
            teardown),
        cmocka_unit_test_setup_teardown(test_names, setup_store, teardown),
        cmocka_unit_test_setup_teardown(test_unchanged_put_changes_nothing,
            setup_store, teardown),
        cmocka_unit_test_setup_teardown(test_edit_hide_remove, setup_store,
            teardown),
        cmocka_unit_test_setup_teardown(test_rejected_keeps_last_good,
            setup_store, teardown),
        cmocka_unit_test_setup_teardown(test_undone, setup_store, teardown),
        cmocka_unit_test_setup_teardown(test_bad_arguments, setup_store,
            teardown),
        cmocka_unit_test_setup_teardown(test_paths, setup_store, teardown),
        cmocka_unit_test_setup_teardown(test_full_map, setup_fixture,
            teardown),
        cmocka_unit_test_setup_teardown(test_reads, setup_store, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
