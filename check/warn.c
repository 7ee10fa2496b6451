/* warn: what looks wrong in readers. */

#include "check.h"

#define DAY ((int64_t) 86400)
#define OLDEST ((int64_t) 631152000) /* 1990-01-01 */
#define AHEAD (3653 * DAY)           /* ten years */

typedef struct {
    const check_t *check;
    const cardfeed_card_t *card;
    cardfeed_card_origin_t origin;
    check_problems_t *problems;
} warn_t;

typedef struct {
    char text[CARDFEED_RFC3339_LEN + 1];
} date_t;


static date_t
date_of(int64_t sec)
{
    date_t date = {.text = ""};

    cardfeed_date_rfc3339(date.text, sec);

    return date;
}


static void
warn_texts(warn_t *w)
{
    cardfeed_str_t title = w->card->field[CARDFEED_FIELD_TITLE];

    if (w->origin.path_title) {
        check_problems_warn(w->problems, w->origin.title,
            "no title: \"%.*s\" is made of the file's name", (int) title.len,
            title.data);
    }

    if (w->card->field[CARDFEED_FIELD_EXCERPT].len == 0) {
        check_problems_warn(w->problems, w->origin.title,
            "no excerpt, and no paragraph in the body to be one");
    }
}


static void
warn_dates(warn_t *w)
{
    const cardfeed_card_t *card = w->card;
    int64_t now = w->check->now, said = w->origin.said_updated;

    if (card->published < OLDEST) {
        check_problems_warn(w->problems, w->origin.published,
            "published %s, before 1990", date_of(card->published).text);
    }

    if (card->published > now + AHEAD) {
        check_problems_warn(w->problems, w->origin.published,
            "published %s, more than ten years ahead",
            date_of(card->published).text);
    }

    if (said != CARDFEED_NO_TIME && said < card->published - DAY) {
        check_problems_warn(w->problems, w->origin.updated,
            "updated %s, before it was published, %s", date_of(said).text,
            date_of(card->published).text);
    }

    if (said != CARDFEED_NO_TIME && said > now + DAY
        && card->published <= now)
    {
        check_problems_warn(w->problems, w->origin.updated,
            "updated %s, which is to come", date_of(said).text);
    }
}


static void
warn_expiry(warn_t *w)
{
    const cardfeed_card_t *card = w->card;

    if (card->expires != CARDFEED_NO_TIME && card->expires <= card->published)
    {
        check_problems_warn(w->problems, w->origin.expires,
            "expires %s, before it is published, %s",
            date_of(card->expires).text, date_of(card->published).text);
    }
}


/* Only where somebody wrote it: all that is made of paths is relative. */
static void
warn_relative(warn_t *w, unsigned line, cardfeed_field_t field,
    const char *what)
{
    cardfeed_str_t url = w->card->field[field];

    if (line != 0 && url.len != 0 && url.data[0] == '/') {
        check_problems_warn(w->problems, line,
            "the %s \"%.*s\" is relative, and no site= says to what", what,
            (int) url.len, url.data);
    }
}


static void
warn_urls(warn_t *w)
{
    warn_relative(w, w->origin.link, CARDFEED_FIELD_LINK, "link");
    warn_relative(w, w->origin.image, CARDFEED_FIELD_IMAGE_URL, "image");
    warn_relative(w, w->origin.enclosure, CARDFEED_FIELD_ENCLOSURE_URL,
        "enclosure");

    if (w->origin.passed_link != 0) {
        check_problems_warn(w->problems, w->origin.passed_link,
            "the link is no http or https URL and is not used");
    }

    if (w->origin.passed_image != 0) {
        check_problems_warn(w->problems, w->origin.passed_image,
            "the image is no http or https URL and is not used");
    }
}


void
check_warn(const check_t *check, const cardfeed_card_t *card,
    check_problems_t *problems)
{
    warn_t w = {.check = check, .card = card, .problems = problems};

    cardfeed_card_origin(check->parser, &w.origin);
    warn_expiry(&w);

    if (card->expires != CARDFEED_NO_TIME && card->expires <= check->now) {
        return; /* no reader will see it again */
    }

    warn_texts(&w);
    warn_dates(&w);
    warn_urls(&w);
}
