/* test_encoding_body: gzip and brotli bodies, read back by their libraries. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <brotli/decode.h>
#include <zlib.h>

#include <cardfeed/encoding.h>

#define GZIP_WINDOW (15 + 16)

static const cardfeed_encoding_t encodings[] = {
    CARDFEED_ENCODING_GZIP,
    CARDFEED_ENCODING_BR,
};

#define ENCODINGS (sizeof(encodings) / sizeof(encodings[0]))

static char plain[CARDFEED_ENCODING_MAX + 1];
static char decoded[CARDFEED_ENCODING_MAX + 1];


/* Words as a feed has them: much is repeated, not all. */
static cardfeed_str_t
make_text(size_t len)
{
    static const char *const words[] = {
        "<entry>", "<title type=\"text\">", "</title>", "\n  ", "feed ",
        "card ", "a ", "https://site.example/", "2026-01-01T00:00:00Z", "0",
    };
    const char *word;
    size_t i, n;

    srand(1);

    for (i = 0; i < len; i += n) {
        if (rand() % 4 == 0) {
            plain[i] = (char) ('a' + rand() % 26);
            n = 1;
            continue;
        }

        word = words[(size_t) rand() % (sizeof(words) / sizeof(*words))];
        n = strlen(word) < len - i ? strlen(word) : len - i;
        memcpy(plain + i, word, n);
    }

    return (cardfeed_str_t){.data = plain, .len = len};
}


static cardfeed_str_t
make_noise(size_t len)
{
    size_t i;

    srand(1);

    for (i = 0; i < len; i++) {
        plain[i] = (char) (rand() >> 8);
    }

    return (cardfeed_str_t){.data = plain, .len = len};
}


static size_t
decode_gzip(cardfeed_str_t body)
{
    z_stream stream;

    stream = (z_stream){
        .next_in = (Bytef *) body.data,
        .avail_in = (uInt) body.len,
        .next_out = (Bytef *) decoded,
        .avail_out = sizeof(decoded),
    };

    assert_int_equal(inflateInit2(&stream, GZIP_WINDOW), Z_OK);
    assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
    assert_int_equal(stream.avail_in, 0);
    assert_int_equal(inflateEnd(&stream), Z_OK);

    return stream.total_out;
}


static size_t
decode_br(cardfeed_str_t body)
{
    size_t len;

    len = sizeof(decoded);
    assert_int_equal(BrotliDecoderDecompress(body.len,
            (const uint8_t *) body.data, &len, (uint8_t *) decoded),
        BROTLI_DECODER_RESULT_SUCCESS);

    return len;
}


static void
assert_decodes(cardfeed_encoding_t encoding, cardfeed_str_t body,
    cardfeed_str_t data)
{
    size_t len;

    len = encoding == CARDFEED_ENCODING_BR ? decode_br(body)
                                           : decode_gzip(body);
    assert_int_equal(len, data.len);
    assert_memory_equal(decoded, data.data, len);
}


static void
test_round_trip_at_every_effort(void **state)
{
    static const size_t sizes[] = {
        300, 1000, 20000, (size_t) 128 << 10, ((size_t) 128 << 10) + 1,
        (size_t) 256 << 10, ((size_t) 256 << 10) + 1, (size_t) 1 << 20,
        ((size_t) 1 << 20) + 1, CARDFEED_ENCODING_MAX,
    };

    cardfeed_buf_t out;
    cardfeed_str_t data, body;
    size_t i, j;

    (void) state;

    for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        data = make_text(sizes[i]);

        for (j = 0; j < ENCODINGS; j++) {
            cardfeed_buf_init(&out, data.len);
            assert_int_equal(cardfeed_encode(encodings[j], data, &out),
                CARDFEED_OK);

            body = cardfeed_buf_view(&out);
            assert_true(body.len < data.len);
            assert_true(out.cap == out.len || out.cap <= 64);
            assert_decodes(encodings[j], body, data);
            cardfeed_buf_free(&out);
        }
    }
}


static void
test_appended(void **state)
{
    cardfeed_buf_t out;
    cardfeed_str_t data, body;
    size_t i;

    (void) state;

    data = make_text(5000);

    for (i = 0; i < ENCODINGS; i++) {
        cardfeed_buf_init(&out, 6000);
        cardfeed_buf_cstr(&out, "before");
        assert_int_equal(cardfeed_encode(encodings[i], data, &out),
            CARDFEED_OK);

        body = cardfeed_buf_view(&out);
        assert_memory_equal(body.data, "before", 6);
        body.data += 6;
        body.len -= 6;
        assert_decodes(encodings[i], body, data);
        cardfeed_buf_free(&out);
    }
}


static void
test_deterministic(void **state)
{
    cardfeed_buf_t once, again;
    cardfeed_str_t data;
    size_t i;

    (void) state;

    data = make_text(70000);

    for (i = 0; i < ENCODINGS; i++) {
        cardfeed_buf_init(&once, data.len);
        cardfeed_buf_init(&again, data.len);
        assert_int_equal(cardfeed_encode(encodings[i], data, &once),
            CARDFEED_OK);
        assert_int_equal(cardfeed_encode(encodings[i], data, &again),
            CARDFEED_OK);

        assert_int_equal(once.len, again.len);
        assert_memory_equal(once.data, again.data, once.len);

        if (encodings[i] == CARDFEED_ENCODING_GZIP) {
            /* Deflated, no flags and so no name, a time of 0. */
            assert_memory_equal(once.data, "\x1f\x8b\x08\0\0\0\0\0", 8);
        }

        cardfeed_buf_free(&once);
        cardfeed_buf_free(&again);
    }
}


static void
assert_full(cardfeed_encoding_t encoding, cardfeed_str_t data)
{
    cardfeed_buf_t out;

    cardfeed_buf_init(&out, SIZE_MAX);
    assert_int_equal(cardfeed_encode(encoding, data, &out), CARDFEED_FULL);
    assert_int_equal(out.len, 0);
    assert_null(out.data);
    assert_int_equal(out.failed, CARDFEED_OK);

    cardfeed_buf_cstr(&out, "before");
    assert_int_equal(cardfeed_encode(encoding, data, &out), CARDFEED_FULL);
    assert_int_equal(out.len, 6);
    assert_memory_equal(out.data, "before", 6);
    cardfeed_buf_free(&out);
}


static void
test_nothing_gained(void **state)
{
    static const size_t sizes[] = {
        1, 2, 3, 10, 100, 1000, 65536, (size_t) 1 << 20,
    };

    size_t i, j;

    (void) state;

    for (i = 0; i < ENCODINGS; i++) {
        assert_full(encodings[i], CARDFEED_NO_STR);
        assert_full(encodings[i], (cardfeed_str_t){.data = NULL, .len = 0});
        assert_full(encodings[i], CARDFEED_STR("{}\n"));

        for (j = 0; j < sizeof(sizes) / sizeof(sizes[0]); j++) {
            assert_full(encodings[i], make_noise(sizes[j]));
        }
    }

    assert_full(CARDFEED_ENCODING_IDENTITY, make_text(5000));
}


/* From what is too short to gain to what is not, byte by byte: either it is
 * refused or it is shorter. */
static void
test_shorter_or_refused(void **state)
{
    cardfeed_buf_t out;
    cardfeed_str_t data;
    size_t i, len, refused;
    int rc;

    (void) state;

    for (i = 0; i < ENCODINGS; i++) {
        refused = 0;

        for (len = 0; len < 200; len++) {
            data = make_text(len);
            cardfeed_buf_init(&out, 200);
            rc = cardfeed_encode(encodings[i], data, &out);

            if (rc == CARDFEED_FULL) {
                assert_int_equal(out.len, 0);
                refused++;

            } else {
                assert_int_equal(rc, CARDFEED_OK);
                assert_true(out.len < len);
                assert_decodes(encodings[i], cardfeed_buf_view(&out), data);
            }

            cardfeed_buf_free(&out);
        }

        assert_in_range(refused, 10, 150);
    }
}


static void
test_too_large(void **state)
{
    size_t i;

    (void) state;

    memset(plain, 'x', sizeof(plain));

    for (i = 0; i < ENCODINGS; i++) {
        assert_full(encodings[i],
            (cardfeed_str_t){.data = plain, .len = sizeof(plain)});
        /* Nothing of it is read. */
        assert_full(encodings[i],
            (cardfeed_str_t){.data = plain, .len = SIZE_MAX});
    }
}


static void
test_maximum_of_the_buffer(void **state)
{
    cardfeed_buf_t out;
    cardfeed_str_t data;
    size_t i, len;

    (void) state;

    data = make_text(5000);

    for (i = 0; i < ENCODINGS; i++) {
        cardfeed_buf_init(&out, data.len);
        assert_int_equal(cardfeed_encode(encodings[i], data, &out),
            CARDFEED_OK);
        len = out.len;
        cardfeed_buf_free(&out);

        cardfeed_buf_init(&out, len);
        assert_int_equal(cardfeed_encode(encodings[i], data, &out),
            CARDFEED_OK);
        assert_int_equal(out.len, len);
        cardfeed_buf_free(&out);

        cardfeed_buf_init(&out, len - 1);
        assert_int_equal(cardfeed_encode(encodings[i], data, &out),
            CARDFEED_NOMEM);
        assert_int_equal(out.len, 0);
        cardfeed_buf_free(&out);

        cardfeed_buf_init(&out, 0);
        assert_int_equal(cardfeed_encode(encodings[i], data, &out),
            CARDFEED_NOMEM);
        assert_int_equal(out.len, 0);
        cardfeed_buf_free(&out);

        /* That it would gain nothing comes first. */
        cardfeed_buf_init(&out, 10);
        assert_int_equal(
            cardfeed_encode(encodings[i], CARDFEED_STR("<feed/>"), &out),
            CARDFEED_FULL);
        assert_int_equal(out.failed, CARDFEED_OK);
        cardfeed_buf_free(&out);
    }
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip_at_every_effort),
        cmocka_unit_test(test_appended),
        cmocka_unit_test(test_deterministic),
        cmocka_unit_test(test_nothing_gained),
        cmocka_unit_test(test_shorter_or_refused),
        cmocka_unit_test(test_too_large),
        cmocka_unit_test(test_maximum_of_the_buffer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
