/* What tests of archives share: a model of all cards, and documents. */

#ifndef ARCHIVE_FIXTURE_H
#define ARCHIVE_FIXTURE_H

#include "select_fixture.h"

#define CARDS 260 /* at the most; some of them come and go */
#define STEPS 2000

typedef struct {
    const char *selection, *args;
    uint32_t limit;
    cardfeed_page_t page;
    cardfeed_archives_t links;
    bool present[CARDS]; /* in this document */
} document_t;

static spec_t specs[CARDS];
static bool alive[CARDS];
static const spec_t *sorted[CARDS]; /* newest first, alive or not */
static uint64_t ids[CARDS];

static const cardfeed_page_t first_page = {.month = 0};


static inline int
choose(int n)
{
    return rand() % n;
}


static inline cardfeed_position_t
position(const spec_t *s)
{
    return (cardfeed_position_t){.published = s->published, .id = ids[s->n]};
}


static inline bool
is_newer(cardfeed_position_t a, cardfeed_position_t than)
{
    return a.published != than.published ? a.published > than.published
                                         : a.id < than.id;
}


static inline int
compare(const void *a, const void *b)
{
    const spec_t *p = *(const spec_t *const *) a;
    const spec_t *q = *(const spec_t *const *) b;

    return is_newer(position(p), position(q)) ? -1
        : is_newer(position(q), position(p)) ? 1 : 0;
}


/* --- the model ----------------------------------------------------------- */

static inline bool
model_term(const char *term, unsigned mask)
{
    bool negative, holds;

    negative = *term == '!';
    term += negative;
    holds = *term == 'a' || (mask >> (term[1] - '0') & 1);

    return holds != negative;
}


/* "t0+!t1,t2" and the like. */
static inline bool
model_topics(const char *selection, unsigned mask)
{
    bool all;
    const char *p;

    for (p = selection, all = true; *p; ) {
        all = all && model_term(p, mask);
        p += strcspn(p, "+,");

        if (*p != '+' && all) {
            return true;
        }
        if (*p == ',') {
            all = true;
        }
        p += *p != '\0';
    }

    return false;
}


static inline bool
model_filters(const char *args, const spec_t *s)
{
    int64_t since;

    if (strcmp(args, "type=a") == 0) {
        return s->type != NULL && *s->type == 'a';
    }
    if (strcmp(args, "type=!a") == 0) {
        return s->type == NULL || *s->type != 'a';
    }
    if (strncmp(args, "since=", 6) == 0) {
        assert_int_equal(cardfeed_date_parse(cardfeed_str_of(args + 6), 0,
                             &since),
            CARDFEED_OK);
        return s->published >= since;
    }
    if (strncmp(args, "min_quality=", 12) == 0) {
        return s->quality >= atoi(args + 12);
    }

    assert_string_equal(args, "");
    return true;
}


static inline bool
model_has(const document_t *d, const spec_t *s)
{
    return alive[s->n] && model_topics(d->selection, s->mask)
        && model_filters(d->args, s);
}


/* Whether a card has its place in the document, or would with fewer before
 * it. */
static inline bool
model_within(const document_t *d, const spec_t *s)
{
    return (d->page.month == 0
               || cardfeed_date_month(s->published) == d->page.month)
        && (!d->page.has_before || is_newer(d->page.before, position(s)));
}


/* --- documents ----------------------------------------------------------- */

static inline void
fail_at(const document_t *d, const char *what, const spec_t *s)
{
    char text[CARDFEED_MONTH_LEN + 1] = "first";

    if (d->page.month != 0) {
        cardfeed_date_month_print(text, d->page.month);
    }

    fail_msg("%s?%s&limit=%u at %s, %lld.%016llx: %s (card %d)",
        d->selection, d->args, d->limit, text,
        (long long) d->page.before.published,
        (unsigned long long) d->page.before.id, what,
        s != NULL ? (int) s->n : -1);
}


/* As a client gets it: by the text of a link. */
static inline void
get(fixture_t *f, document_t *d, const cardfeed_page_t *page, int64_t now)
{
    cardfeed_buf_t url;

    cardfeed_arena_reset(&f->arena);
    cardfeed_query_init(&f->query, &f->arena);
    assert_int_equal(cardfeed_query_args(&f->query,
                         cardfeed_str_of(d->args), 500, NULL),
        CARDFEED_OK);

    cardfeed_buf_init(&url, 4096);
    assert_int_equal(cardfeed_query_print_args(&f->query, 0, page, &url),
        CARDFEED_OK);

    if (url.len != 0) {
        assert_int_equal(cardfeed_query_args(&f->query,
                             (cardfeed_str_t){url.data + 1, url.len - 1},
                             500, NULL),
            CARDFEED_OK);
    }
    cardfeed_buf_free(&url);

    assert_int_equal(run(f, d->selection, d->limit, now), CARDFEED_OK);

    d->page = *page;
    assert_int_equal(cardfeed_select_archives(f->read, &f->query, &f->got,
                         d->limit, &f->arena, &d->links, NULL),
        CARDFEED_OK);
}


static inline const spec_t *
card_at(uint64_t id)
{
    size_t i;

    for (i = 0; i < CARDS && ids[i] != id; i++) { /* void */ }

    assert_true(i < CARDS);

    return &specs[i];
}


/* Exactly the cards the model has, and the links it would make. */
static inline void
check(fixture_t *f, document_t *d)
{
    size_t i, n;
    bool more, older, newer;
    const spec_t *s, *last, *older_card;

    n = 0;
    last = older_card = NULL;
    more = older = newer = false;
    memset(d->present, 0, sizeof(d->present));

    for (i = 0; i < CARDS; i++) {
        s = sorted[i];

        if (!model_has(d, s)) {
            continue;
        }
        if (!model_within(d, s)) {
            if (n == 0 && d->page.month != 0) {
                newer |= cardfeed_date_month(s->published) >= d->page.month;
            }
            if (d->page.month > cardfeed_date_month(s->published)
                && !older)
            {
                older = true;
                older_card = s;
            }
            continue;
        }
        if (n == d->limit) {
            more = true;
            continue;
        }
        if (n >= f->got.ncards || f->got.cards[n].id != ids[s->n]) {
            fail_at(d, "another card", s);
        }

        d->present[s->n] = true;
        last = s;
        n++;
    }

    if (f->got.ncards != n || f->got.more != more || f->got.bounded) {
        fail_at(d, "more cards than there are", NULL);
    }

    if (d->page.month == 0) {
        assert_int_equal(d->links.has_prev, more && !d->page.has_before);
        assert_false(d->links.has_next);
        if (d->links.has_prev) {
            assert_int_equal(d->links.prev.month,
                cardfeed_date_month(last->published));
            assert_false(d->links.prev.has_before);
        }
        return;
    }

    if (d->links.has_prev != (more || older)) {
        fail_at(d, "previous or not", older_card);
    }
    if (more) {
        assert_int_equal(d->links.prev.month, d->page.month);
        assert_true(d->links.prev.has_before);
        assert_true(d->links.prev.before.published == last->published);
        assert_true(d->links.prev.before.id == ids[last->n]);
    } else if (older) {
        assert_int_equal(d->links.prev.month,
            cardfeed_date_month(older_card->published));
        assert_false(d->links.prev.has_before);
    }

    if (d->links.has_next != newer) {
        fail_at(d, "next or not", NULL);
    }
}


/* Whether the documents' places follow each other: no walk goes round. */
static inline void
assert_goes_on(const document_t *d, const cardfeed_page_t *to, bool up)
{
    const cardfeed_page_t *old, *new;

    old = up ? &d->page : to;
    new = up ? to : &d->page;

    if (old->month == 0 || new->month == 0) {
        assert_false(up);
        return;
    }

    if (old->month > new->month
        || (old->month == new->month
            && (!old->has_before
                || (new->has_before
                    && !is_newer(new->before, old->before)))))
    {
        fail_at(d, up ? "the next one is older" : "the previous is newer",
            NULL);
    }
}


/* --- what is there ------------------------------------------------------- */

static const char *const selections[] = {"all", "t0", "t1", "t0+t1", "t0,t2",
    "!t1", "t1+!t2", "!t0+!t1", "t2+t3,t0+!t3", "!all", "t4", "t0,!t0+t1",
    "t1,!t2,t3+t0"};

static const char *const filters[] = {"", "", "", "type=a", "type=!a",
    "min_quality=80", "min_quality=50", "since=2015-03-31T23:59:59Z",
    "since=2019-08-01", "since=2020-09-01"};

#define pick(list) list[choose((int) (sizeof(list) / sizeof(list[0])))]

/* Months far and near, and in most of them some of the borders' seconds. */
static inline int64_t
random_time(void)
{
    static const char *const months[] = {"0001-01", "1969-12", "1970-01",
        "1999-12", "2000-01", "2015-03", "2015-04", "2019-07", "2019-08",
        "2019-09", "2019-12", "2020-01", "2020-02", "2020-06", "2020-09"};

    uint32_t month;
    int64_t start, end;

    assert_int_equal(cardfeed_date_month_parse(
                         cardfeed_str_of(pick(months)), &month),
        CARDFEED_OK);

    start = cardfeed_date_month_start(month);
    end = cardfeed_date_month_start(month + 1) - 1;

    if (end > NOW) {
        end = NOW;
    }

    switch (choose(6)) {
    case 0:
        return start;
    case 1:
        return end;
    case 2:
        return start + 1;
    case 3:
        return start + 86400 * choose(3);
    default:
        return start + choose((int) (end - start));
    }
}


static inline void
random_cards(void)
{
    unsigned i, topic;
    spec_t *s;
    char text[32];
    static const int percent[] = {60, 30, 50, 10};

    for (i = 0; i < CARDS; i++) {
        s = &specs[i];
        *s = (spec_t){.n = i, .published = random_time(),
            .type = choose(3) ? "a" : choose(2) ? "b" : NULL,
            .quality = choose(100)};

        for (topic = 0; topic < 4; topic++) {
            s->mask |= (unsigned) (choose(100) < percent[topic]) << topic;
        }

        ids[i] = identity(text, sizeof(text), i);
        alive[i] = true;
        sorted[i] = s;
    }

    specs[0].mask |= 0x1f; /* t4 is on one card only */

    qsort(sorted, CARDS, sizeof(sorted[0]), compare);
}


static inline void
begin(fixture_t *f)
{
    if (f->read != NULL) {
        cardfeed_read_end(f->read);
        f->read = NULL;
    }

    build(f, specs, CARDS);
}


static inline void
random_document(document_t *d)
{
    *d = (document_t){.selection = pick(selections), .args = pick(filters),
        .limit = (uint32_t) (1 + choose(choose(3) ? 8 : 60))};
}

#endif /* ARCHIVE_FIXTURE_H */
