/* test_card_corpus: the real cards of ../shared/corpus and the numbers that
 * are known of them; skipped where they are not. */

#include "card_fixture.h"

#include <ftw.h>

#include <cardfeed/record.h>

#define ROOT "../shared/corpus/powerapps"
#define NOW INT64_C(1767225600) /* 2026-01-01; the corpus is older */


static struct {
    const char *slug;
    unsigned expected;
    const char *newest;
    unsigned count;
    int64_t at;
} topics[] = {
    {"power-apps", 1011, "2024-04-11T08:00:16Z", 0, 0},
    {"portals", 51, "2022-06-27T12:43:45Z", 0, 0},
    {"teams-integration", 37, "2023-03-08T10:36:25Z", 0, 0},
    {"canvas-apps", 32, "2024-03-19T03:11:32Z", 0, 0},
    {"model-driven-apps", 30, "2024-03-14T11:11:00Z", 0, 0},
    {"ai-builder", 26, "2024-03-08T08:00:00Z", 0, 0},
    {"common-data-service", 9, "2021-05-16T20:06:28Z", 0, 0},
};

#define TOPICS (sizeof(topics) / sizeof(topics[0]))

static unsigned cards, visible;
static int64_t newest;
static cardfeed_buf_t record, content, secret;


static void
read_content(const char *path)
{
    char part[4096];
    FILE *f;
    size_t n;

    cardfeed_buf_reset(&content);
    f = fopen(path, "rb");
    assert_non_null(f);

    while ((n = fread(part, 1, sizeof(part), f)) != 0) {
        cardfeed_buf_append(&content, part, n);
    }

    fclose(f);
    assert_int_equal(content.failed, CARDFEED_OK);
}


/* The value of `secured`, found without any YAML. */
static void
read_secret(void)
{
    static const char key[] = "\nsecured: \"";

    const char *from, *to;

    cardfeed_buf_reset(&secret);
    from = memmem(content.data, content.len, key, sizeof(key) - 1);

    if (from != NULL) {
        from += sizeof(key) - 1;
        to = memchr(from, '"', (size_t) (content.data + content.len - from));
        assert_non_null(to);
        cardfeed_buf_append(&secret, from, (size_t) (to - from));
    }
}


static void
count(const cardfeed_card_t *card)
{
    size_t i, j;

    if (!cardfeed_card_visible(card, NOW)) {
        return;
    }

    visible++;
    newest = card->published > newest ? card->published : newest;

    for (i = 0; i < card->ntopics; i++) {
        for (j = 0; j < TOPICS; j++) {
            if (cardfeed_str_eq(card->topics[i].slug,
                    cardfeed_str_of(topics[j].slug)))
            {
                topics[j].count++;

                if (card->published > topics[j].at) {
                    topics[j].at = card->published;
                }
            }
        }
    }
}


static int
visit(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    const cardfeed_card_t *card;
    cardfeed_record_t view;
    const char *dot;
    int rc;

    (void) st;
    (void) ftw;

    dot = strrchr(path, '.');

    if (type != FTW_F || dot == NULL
        || (strcmp(dot, ".md") != 0 && strcmp(dot, ".html") != 0))
    {
        return 0;
    }

    read_content(path);
    read_secret();

    rc = parse_bytes(path + sizeof(ROOT), content.data, content.len, &card);

    if (rc != CARDFEED_OK) {
        fail_msg("%s: %u: %s", path, error.line, error.message);
    }

    cards++;
    count(card);

    cardfeed_buf_reset(&record);
    assert_int_equal(cardfeed_record_encode(&record, card), CARDFEED_OK);
    assert_int_equal(cardfeed_record_open(&view, record.data, record.len),
        CARDFEED_OK);

    if (secret.len != 0) {
        assert_null(
            memmem(record.data, record.len, secret.data, secret.len));
    }

    return 0;
}


static void
test_known_answers(void **state)
{
    size_t i;

    (void) state;

    cardfeed_buf_init(&record, (size_t) 1 << 20);
    cardfeed_buf_init(&content, (size_t) 8 << 20);
    cardfeed_buf_init(&secret, (size_t) 1 << 20);

    if (nftw(ROOT, visit, 16, FTW_PHYS) == -1) {
        print_message("%s is not there: skipped\n", ROOT);
        skip();
    }

    assert_true(cards > 1400);
    assert_int_equal(visible, 1011);
    assert_int_equal(newest, at("2024-04-11T08:00:16Z"));

    for (i = 0; i < TOPICS; i++) {
        assert_int_equal(topics[i].count, topics[i].expected);
        assert_int_equal(topics[i].at, at(topics[i].newest));
    }

    cardfeed_buf_free(&record);
    cardfeed_buf_free(&content);
    cardfeed_buf_free(&secret);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        card_test(test_known_answers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
