/* card: a parser's life, the fences, and what makes a card visible. */

#include "cardfeed_card_private.h"
#include <cardfeed/card.h>

#include <stdlib.h>
#include <string.h>

#define SPARE ((size_t) 8 << 20)


static size_t
parser_limit(const cardfeed_collection_t *c)
{
    return c->max_card < (SIZE_MAX - SPARE) / 4 ? SPARE + c->max_card * 4
                                                : SIZE_MAX;
}


cardfeed_parser_t *
cardfeed_parser_create(const cardfeed_collection_t *c)
{
    cardfeed_parser_t *p;
    size_t i, limit;

    cardfeed_text_init();

    p = calloc(1, sizeof(cardfeed_parser_t));
    if (p == NULL) {
        return NULL;
    }

    limit = parser_limit(c);

    p->collection = c;
    cardfeed_arena_init(&p->arena, limit);
    cardfeed_buf_init(&p->raw, limit);
    cardfeed_buf_init(&p->skimmed, limit);
    cardfeed_buf_init(&p->scratch, limit);
    cardfeed_buf_init(&p->work, limit);
    cardfeed_buf_init(&p->base, c->site.len * 3 + 2);
    cardfeed_buf_init(&p->capture, CARDFEED_CARD_BODY);
    cardfeed_buf_init(&p->html, CARDFEED_CARD_BODY);

    for (i = 0; i < CARDFEED_NAMES; i++) {
        cardfeed_buf_init(&p->names[i],
            CARDFEED_CARD_TOPICS * sizeof(cardfeed_card_ref_t));
    }

    if (!cardfeed_str_empty(c->site)
        && cardfeed_url_absolute(&p->base, c->site, CARDFEED_NO_STR)
            == CARDFEED_OK
        && p->base.data[p->base.len - 1] != '/')
    {
        cardfeed_buf_char(&p->base, '/');
    }

    if (p->base.failed != CARDFEED_OK) {
        cardfeed_parser_destroy(p);
        return NULL;
    }

    return p;
}


void
cardfeed_parser_destroy(cardfeed_parser_t *p)
{
    size_t i;

    if (p == NULL) {
        return;
    }

    for (i = 0; i < CARDFEED_NAMES; i++) {
        cardfeed_buf_free(&p->names[i]);
    }

    cardfeed_buf_free(&p->html);
    cardfeed_buf_free(&p->capture);
    cardfeed_buf_free(&p->base);
    cardfeed_buf_free(&p->work);
    cardfeed_buf_free(&p->scratch);
    cardfeed_buf_free(&p->skimmed);
    cardfeed_buf_free(&p->raw);
    cardfeed_arena_free(&p->arena);
    free(p);
}


void
cardfeed_card_reset(cardfeed_parser_t *p)
{
    size_t i;

    cardfeed_arena_reset(&p->arena);
    cardfeed_buf_reset(&p->raw);

    for (i = 0; i < CARDFEED_NAMES; i++) {
        cardfeed_buf_reset(&p->names[i]);
        p->people[i].n = 0;
    }

    memset(p->values, 0, sizeof(p->values));
    memset(p->provider, 0, sizeof(p->provider));
    memset(p->image_found, 0, sizeof(p->image_found));
    memset(&p->card, 0, sizeof(p->card));
    memset(&p->event, 0, sizeof(p->event));

    p->action_found = false;
    p->nrelated = 0;
    p->nanchors = 0;
    p->anchors_lost = false;
    p->expanded = 0;
    p->depth = 0;
    p->shade = 0;
    p->level[0] = 0;
    p->met = 0;
    p->link_value = NULL;
    p->passed_link = NULL;
    p->path_title = false;
    p->failed = CARDFEED_OK;
}


/* Cuts the next line off *rest, without its LF; false at the end. */
static bool
next_line(cardfeed_str_t *rest, cardfeed_str_t *line)
{
    const char *lf;

    if (rest->len == 0) {
        return false;
    }

    lf = memchr(rest->data, '\n', rest->len);

    line->data = rest->data;
    line->len = lf != NULL ? (size_t) (lf - rest->data) : rest->len;

    rest->data += line->len + (lf != NULL);
    rest->len -= line->len + (lf != NULL);

    return true;
}


static bool
is_fence(cardfeed_str_t line, const char *fence)
{
    size_t i;

    if (line.len < 3 || memcmp(line.data, fence, 3) != 0) {
        return false;
    }

    for (i = 3; i < line.len; i++) {
        if (line.data[i] != ' ' && line.data[i] != '\t'
            && line.data[i] != '\r')
        {
            return false;
        }
    }

    return true;
}


static int
split_file(cardfeed_parser_t *p, cardfeed_str_t data)
{
    cardfeed_str_t rest, line;
    const char *front;

    if (data.len >= 3 && memcmp(data.data, "\xef\xbb\xbf", 3) == 0) {
        data.data += 3;
        data.len -= 3;
    }

    rest = data;

    if (!next_line(&rest, &line) || !is_fence(line, "---")) {
        return cardfeed_error_set(p->err, CARDFEED_NOTCARD, 0,
            "no front matter");
    }

    front = rest.data;

    while (next_line(&rest, &line)) {
        if (is_fence(line, "---") || is_fence(line, "...")) {
            p->front.data = front;
            p->front.len = (size_t) (line.data - front);
            p->body = rest;
            return CARDFEED_OK;
        }
    }

    return cardfeed_error_set(p->err, CARDFEED_INVALID, 1,
        "the front matter is never closed");
}


static int
check_utf8(cardfeed_parser_t *p, cardfeed_str_t data)
{
    unsigned line;
    size_t bad, i;

    bad = cardfeed_utf8_check(data);
    if (bad == data.len) {
        return CARDFEED_OK;
    }

    line = 1;

    for (i = 0; i < bad; i++) {
        line += data.data[i] == '\n';
    }

    return cardfeed_error_set(p->err, CARDFEED_INVALID, line, "not UTF-8");
}


int
cardfeed_card_parse(cardfeed_parser_t *p, const cardfeed_card_file_t *file,
    const cardfeed_card_t **card, cardfeed_error_t *err)
{
    int rc;

    *card = NULL;
    cardfeed_card_reset(p);
    p->ncuts = 0;
    p->file = file;
    p->err = err;

    if (file->data.len > p->collection->max_card) {
        return cardfeed_error_set(err, CARDFEED_INVALID, 0,
            "%zu bytes are more than max_card=%zu", file->data.len,
            p->collection->max_card);
    }

    rc = split_file(p, file->data);

    if (rc == CARDFEED_OK || rc == CARDFEED_INVALID) {
        /* Told first: bytes that are no text explain a lost fence. */
        int utf8 = check_utf8(p, file->data);

        rc = utf8 != CARDFEED_OK ? utf8 : rc;
    }

    if (rc == CARDFEED_OK) {
        rc = cardfeed_card_walk(p);
    }

    if (rc == CARDFEED_OK) {
        rc = cardfeed_card_finish(p);
    }

    if (rc == CARDFEED_OK && p->arena.failed != CARDFEED_OK) {
        rc = CARDFEED_NOMEM;
    }

    if (rc == CARDFEED_NOMEM) {
        return cardfeed_error_set(err, rc, 0, "out of memory");
    }

    if (rc == CARDFEED_OK) {
        *card = &p->card;
    }

    return rc;
}


bool
cardfeed_card_visible(const cardfeed_card_t *card, int64_t now)
{
    return !card->hidden && card->published != CARDFEED_NO_TIME
        && card->published <= now
        && card->field[CARDFEED_FIELD_TITLE].len != 0
        && (card->expires == CARDFEED_NO_TIME || card->expires > now);
}
