/* test_record: what goes in comes out; anything else is corrupt. */

#include "card_fixture.h"

#include <xxhash.h>

#include <cardfeed/record.h>


static const char rich[]
    = "title: Title\nexcerpt: Excerpt\ndate: 2020-01-01\n"
      "updated: 2020-01-02\nexpiryDate: 2030-01-01\nwebUrl: https://x.org/\n"
      "type: video\nquality: -7\nheat: 8\ndraft: true\n"
      "provider: {name: P, domain: x.org, authors: [{name: A, url: /a,\n"
      "  email: a@x.org}, B]}\n"
      "topics: [One, Two, \"C#\"]\n"
      "images: [{url: /i.png, width: 3, height: 4}]\n"
      "actions: [{type: download, url: /f.zip, length: 5000000000}]\n"
      "related: [{title: R, url: /r}, {url: /s}]\n"
      "secured: hidden-value\n";


static void
encode(cardfeed_buf_t *out, const char *front)
{
    cardfeed_buf_init(out, (size_t) 8 << 20);
    assert_int_equal(cardfeed_record_encode(out, parse_front("c/a.md", front)),
        CARDFEED_OK);
}


/* Opens exactly these bytes, at an odd address. */
static int
open_copy(const void *data, size_t len)
{
    cardfeed_record_t rec;
    char *copy;
    int rc;

    copy = malloc(len + 1);
    assert_non_null(copy);
    memcpy(copy + 1, data, len);
    rc = cardfeed_record_open(&rec, copy + 1, len);
    free(copy);

    return rc;
}


static void
assert_same(cardfeed_str_t a, cardfeed_str_t b)
{
    assert_true(cardfeed_str_eq(a, b));
}


static void
assert_same_lists(const cardfeed_record_t *rec, const cardfeed_card_t *card)
{
    uint32_t i;

    assert_int_equal(rec->ntopics, card->ntopics);
    assert_int_equal(rec->nauthors, card->nauthors);
    assert_int_equal(rec->nrelated, card->nrelated);

    for (i = 0; i < rec->ntopics; i++) {
        assert_same(cardfeed_record_topic(rec, i).name,
            card->topics[i].name);
        assert_same(cardfeed_record_topic(rec, i).slug,
            card->topics[i].slug);
    }

    for (i = 0; i < rec->nauthors; i++) {
        assert_same(cardfeed_record_author(rec, i).name,
            card->authors[i].name);
        assert_same(cardfeed_record_author(rec, i).url,
            card->authors[i].url);
        assert_same(cardfeed_record_author(rec, i).email,
            card->authors[i].email);
    }

    for (i = 0; i < rec->nrelated; i++) {
        assert_same(cardfeed_record_related(rec, i).title,
            card->related[i].title);
        assert_same(cardfeed_record_related(rec, i).url,
            card->related[i].url);
    }
}


static void
test_round_trip(void **state)
{
    const cardfeed_card_t *card;
    cardfeed_record_t rec;
    cardfeed_buf_t buf;
    uint32_t i;

    (void) state;

    card = parse_front("c/a.md", rich);
    cardfeed_buf_init(&buf, 1 << 20);
    cardfeed_buf_cstr(&buf, "before");
    assert_int_equal(cardfeed_record_encode(&buf, card), CARDFEED_OK);
    assert_memory_equal(buf.data, "before", 6);

    assert_int_equal(cardfeed_record_open(&rec, buf.data + 6, buf.len - 6),
        CARDFEED_OK);

    for (i = 0; i < CARDFEED_FIELDS; i++) {
        assert_same(cardfeed_record_field(&rec, (cardfeed_field_t) i),
            card->field[i]);
        assert_true(card->field[i].len != 0);
    }

    assert_true(rec.id == card->id);
    assert_int_equal(rec.published, at("2020-01-01"));
    assert_int_equal(rec.updated, at("2020-01-02"));
    assert_int_equal(rec.expires, at("2030-01-01"));
    assert_int_equal(rec.quality, -7);
    assert_int_equal(rec.heat, 8);
    assert_int_equal(rec.image_width, 3);
    assert_int_equal(rec.image_height, 4);
    assert_true(rec.enclosure_length == UINT64_C(5000000000));
    assert_true(rec.hidden);

    assert_int_equal(rec.ntopics, 3);
    assert_int_equal(rec.nauthors, 2);
    assert_int_equal(rec.nrelated, 2);

    assert_same_lists(&rec, card);
    assert_str(cardfeed_record_topic(&rec, 2).slug, "csharp");
    assert_str(cardfeed_record_author(&rec, 0).email, "a@x.org");
    assert_str(cardfeed_record_related(&rec, 1).url, "/s");
    cardfeed_buf_free(&buf);
}


/* On either side of where ends of 16 bits no longer do. */
static void
test_long(void **state)
{
    static const size_t sizes[] = {65535 - 100, 65535, 65536, 1 << 20};

    size_t i, rest;
    char *text;
    cardfeed_card_t card;
    cardfeed_record_t rec;
    cardfeed_buf_t buf;

    (void) state;

    text = malloc(1 << 20);
    assert_non_null(text);
    memset(text, 'x', 1 << 20);

    for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        memset(&card, 0, sizeof(card));
        rest = sizes[i] - 5;
        card.field[CARDFEED_FIELD_TITLE] = CARDFEED_STR("title");
        card.field[CARDFEED_FIELD_EXCERPT]
            = (cardfeed_str_t){.data = text, .len = rest};

        cardfeed_buf_init(&buf, 2 << 20);
        assert_int_equal(cardfeed_record_encode(&buf, &card), CARDFEED_OK);
        assert_int_equal(open_copy(buf.data, buf.len), CARDFEED_OK);
        assert_int_equal(cardfeed_record_open(&rec, buf.data, buf.len),
            CARDFEED_OK);
        assert_int_equal(rec.wide, sizes[i] > 65535);
        assert_str(cardfeed_record_field(&rec, CARDFEED_FIELD_TITLE),
            "title");
        assert_same(cardfeed_record_field(&rec, CARDFEED_FIELD_EXCERPT),
            card.field[CARDFEED_FIELD_EXCERPT]);
        assert_str(cardfeed_record_field(&rec, CARDFEED_FIELD_LINK), "");
        assert_int_equal(open_copy(buf.data, buf.len - 1), CARDFEED_CORRUPT);
        cardfeed_buf_free(&buf);
    }

    free(text);
}


static void
test_empty_card(void **state)
{
    cardfeed_card_t card;
    cardfeed_record_t rec;
    cardfeed_buf_t buf;

    (void) state;

    memset(&card, 0, sizeof(card));
    card.published = CARDFEED_NO_TIME;
    cardfeed_buf_init(&buf, 4096);
    assert_int_equal(cardfeed_record_encode(&buf, &card), CARDFEED_OK);
    assert_int_equal(cardfeed_record_open(&rec, buf.data, buf.len),
        CARDFEED_OK);
    assert_str(cardfeed_record_field(&rec, CARDFEED_FIELD_ENCLOSURE_TYPE),
        "");
    assert_true(rec.published == CARDFEED_NO_TIME);
    assert_int_equal(rec.ntopics, 0);
    assert_false(cardfeed_record_visible(&rec, INT64_MAX));
    cardfeed_buf_free(&buf);
}


static void
test_deterministic(void **state)
{
    cardfeed_buf_t a, b;

    (void) state;

    encode(&a, rich);
    parse_front("other.md", "topics: [x, y, z]\ntitle: another");
    fresh_parser();
    encode(&b, rich);

    assert_int_equal(a.len, b.len);
    assert_memory_equal(a.data, b.data, a.len);

    cardfeed_buf_free(&b);
    encode(&b, "title: Title");
    assert_int_not_equal(a.len, b.len);

    cardfeed_buf_free(&a);
    cardfeed_buf_free(&b);
}


static void
test_secured_is_not_in_it(void **state)
{
    cardfeed_buf_t buf;

    (void) state;

    encode(&buf, rich);
    assert_null(memmem(buf.data, buf.len, "hidden-value", 12));
    assert_null(memmem(buf.data, buf.len, "secured", 7));
    cardfeed_buf_free(&buf);
}


static void
test_every_flip(void **state)
{
    cardfeed_buf_t buf;
    size_t i;
    unsigned bit;

    (void) state;

    encode(&buf, rich);
    assert_int_equal(open_copy(buf.data, buf.len), CARDFEED_OK);

    for (i = 0; i < buf.len; i++) {
        for (bit = 0; bit < 8; bit++) {
            buf.data[i] = (char) (buf.data[i] ^ (1 << bit));
            assert_int_equal(open_copy(buf.data, buf.len), CARDFEED_CORRUPT);
            buf.data[i] = (char) (buf.data[i] ^ (1 << bit));
        }
    }

    assert_int_equal(open_copy(buf.data, buf.len), CARDFEED_OK);
    cardfeed_buf_free(&buf);
}


static void
test_every_length(void **state)
{
    cardfeed_buf_t buf;
    size_t i, len;

    (void) state;

    encode(&buf, rich);
    len = buf.len;

    for (i = 0; i < len; i++) {
        assert_int_equal(open_copy(buf.data, i), CARDFEED_CORRUPT);
    }

    for (i = 1; i <= 64; i++) {
        cardfeed_buf_char(&buf, '\0');
        assert_int_equal(open_copy(buf.data, len + i), CARDFEED_CORRUPT);
    }

    cardfeed_buf_free(&buf);
}


static void
sign(cardfeed_buf_t *buf)
{
    uint64_t checksum;

    checksum = XXH3_64bits(buf->data + 8, buf->len - 8);
    memcpy(buf->data, &checksum, 8);
}


/* A right checksum over wrong numbers is found out by the bounds. */
static void
test_forged(void **state)
{
    static const uint32_t numbers[] = {0, 1, 7, 0x7f, 0xffff, 0x7fffffff,
        0x80000000, 0xfffffff0, 0xffffffff};

    cardfeed_record_t rec;
    cardfeed_buf_t buf;
    uint32_t old, n;
    size_t i, at_byte;

    (void) state;

    encode(&buf, rich);

    /* The header and the table, word by word. */
    for (at_byte = 8; at_byte + 4 <= buf.len && at_byte < 400; at_byte += 4) {
        memcpy(&old, buf.data + at_byte, 4);

        for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
            memcpy(buf.data + at_byte, &numbers[i], 4);
            sign(&buf);

            if (cardfeed_record_open(&rec, buf.data, buf.len) != CARDFEED_OK)
            {
                continue;
            }

            /* Taken as right: then every string lies inside. */
            for (n = 0; n < rec.ntopics; n++) {
                cardfeed_text_hash(cardfeed_record_topic(&rec, n).name);
                cardfeed_text_hash(cardfeed_record_topic(&rec, n).slug);
            }

            for (n = 0; n < rec.nauthors; n++) {
                cardfeed_text_hash(cardfeed_record_author(&rec, n).email);
            }

            for (n = 0; n < rec.nrelated; n++) {
                cardfeed_text_hash(cardfeed_record_related(&rec, n).url);
            }
        }

        memcpy(buf.data + at_byte, &old, 4);
    }

    /* Another version, and ends of another width, with right checksums. */
    memcpy(&old, buf.data + 64, 4);
    for (i = 0; i < 2; i++) {
        n = i == 0 ? old + 1 : old ^ 2u << 16;
        memcpy(buf.data + 64, &n, 4);
        sign(&buf);
        assert_int_equal(open_copy(buf.data, buf.len), CARDFEED_CORRUPT);
    }

    cardfeed_buf_free(&buf);
}


static void
test_no_room(void **state)
{
    const cardfeed_card_t *card;
    cardfeed_buf_t buf;
    size_t len, max;

    (void) state;

    card = parse_front("c/a.md", rich);
    cardfeed_buf_init(&buf, 1 << 20);
    assert_int_equal(cardfeed_record_encode(&buf, card), CARDFEED_OK);
    len = buf.len;
    cardfeed_buf_free(&buf);

    for (max = 0; max < len; max += 13) {
        cardfeed_buf_init(&buf, max + 3);
        cardfeed_buf_cstr(&buf, "abc");
        assert_int_equal(cardfeed_record_encode(&buf, card), CARDFEED_NOMEM);
        assert_int_equal(buf.len, 3);
        cardfeed_buf_free(&buf);
    }

    cardfeed_buf_init(&buf, len);
    assert_int_equal(cardfeed_record_encode(&buf, card), CARDFEED_OK);
    cardfeed_buf_free(&buf);
}


static void
test_visible(void **state)
{
    static const char *const fronts[] = {
        "date: 2020-01-01", "date: 2020-01-01\ndraft: true",
        "date: 2020-01-01\nexpiryDate: 2021-01-01", "title: undated",
    };

    const cardfeed_card_t *card;
    cardfeed_record_t rec;
    cardfeed_buf_t buf;
    int64_t times[4];
    size_t i, j;

    (void) state;

    times[0] = at("2020-01-01") - 1;
    times[1] = at("2020-01-01");
    times[2] = at("2021-01-01") - 1;
    times[3] = at("2021-01-01");

    for (i = 0; i < sizeof(fronts) / sizeof(fronts[0]); i++) {
        encode(&buf, fronts[i]);
        card = parse_front("c/a.md", fronts[i]);
        assert_int_equal(cardfeed_record_open(&rec, buf.data, buf.len),
            CARDFEED_OK);

        for (j = 0; j < 4; j++) {
            assert_int_equal(cardfeed_record_visible(&rec, times[j]),
                cardfeed_card_visible(card, times[j]));
        }

        assert_int_equal(cardfeed_record_visible(&rec, times[1]),
            i == 0 || i == 2);
        cardfeed_buf_free(&buf);
    }
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        card_test(test_round_trip),
        card_test(test_long),
        card_test(test_empty_card),
        card_test(test_deterministic),
        card_test(test_secured_is_not_in_it),
        card_test(test_every_flip),
        card_test(test_every_length),
        card_test(test_forged),
        card_test(test_no_room),
        card_test(test_visible),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
